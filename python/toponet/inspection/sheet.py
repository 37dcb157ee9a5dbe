"""The contact sheet: images with outlines of their truths, tiny holes and tiny specks marked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toponet._ground.valid import taken_for_structure
from toponet.data import Sample
from toponet.plots.canvas import show, stretched
from toponet.plots.style import BLUE, ORANGE, VERMILION
from toponet.topology.cleaning import find_tiny

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_IMAGES = 12
COLUMNS = 4


def save_contact_sheet(
    path: Path, samples: Sequence[Sample], title: str, connectivity: int, min_size: int
) -> None:
    """Writes a picture with one panel for each sample.

    Args:
        path: PNG file.
        samples: At least one.
        title: Says how many of all images are shown.
        connectivity: Connectivity of the structure.
        min_size: Holes below this size get a red circle, specks below it an orange square.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    columns = min(COLUMNS, len(samples))
    rows = -(-len(samples) // columns)
    figure = Figure(figsize=(3.6 * columns, 3.8 * rows + 0.4), dpi=130, layout="constrained")
    figure.suptitle(title, fontsize=11)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(samples) :]:
        axes.set_axis_off()
    for axes, sample in zip(panels, samples, strict=False):
        _draw(axes, sample, connectivity, min_size)
    marks = [
        Line2D([], [], color=BLUE, label="outline of the structure"),
        Line2D([], [], ls="", marker="o", mfc="none", mec=VERMILION, label=f"hole < {min_size}"),
        Line2D([], [], ls="", marker="s", mfc="none", mec=ORANGE, label=f"speck < {min_size}"),
    ]
    figure.legend(handles=marks, loc="outside lower right", ncols=3, fontsize=9, frameon=False)
    figure.savefig(path)


def _draw(axes: Axes, sample: Sample, connectivity: int, min_size: int) -> None:
    # RGB images are shown in pale grey, too: marks have to be seen even on red bricks.
    shown = stretched(sample.image)
    show(axes, 0.35 + 0.65 * (shown if shown.ndim == 2 else shown.mean(axis=2)))
    filled = taken_for_structure(sample.mask, sample.valid)
    if 0 < filled.mean() < 1:
        axes.contour(filled, levels=[0.5], colors=BLUE, linewidths=0.6)
    tiny = find_tiny(sample.mask, connectivity, min_size, sample.valid)
    for centres, marker, colour in (
        (tiny.hole_centres, "o", VERMILION),
        (tiny.speck_centres, "s", ORANGE),
    ):
        axes.scatter(
            centres[:, 1], centres[:, 0], s=80, marker=marker, facecolors="none",
            edgecolors=colour, linewidths=1.8, clip_on=False, zorder=3,
        )  # fmt: skip
    counts = f"tiny holes {len(tiny.hole_centres)}, specks {len(tiny.speck_centres)}"
    axes.set_title(f"{sample.name}: {counts}", fontsize=8)
