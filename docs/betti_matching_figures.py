"""Pictures of Betti matching, for make_figures.py."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from figure_parts import sheet
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

import toponet
from toponet.metrics import betti_error, betti_matching_error
from toponet.plots.canvas import show_structure
from toponet.plots.style import GREEN, ORANGE
from toponet.topology.labelling import label_cells

Mask = NDArray[np.int64]


def betti_matching() -> Figure:
    """A truth of three cells, and two masks of three cells: one at other places, one in place."""
    truth, elsewhere, in_place = membranes()
    figure = sheet(11, 3.9)
    axes = figure.subplots(1, 3)
    show_structure(axes[0], truth.astype(float))
    draw_frame(axes[0], truth)
    axes[0].set_title("truth: 3 holes within the frame")
    for ax, mask, words in (
        (axes[1], elsewhere, "wrong place"),
        (axes[2], in_place, "right place"),
    ):
        show_matching(ax, mask, truth)
        draw_frame(ax, mask)
        error = betti_error(mask, truth, patches="whole")[1]
        matching_error = betti_matching_error(mask, truth, patches="whole")[1]
        ax.set_title(f"{words}\nBetti error {error:.0f}, Betti matching error {matching_error:.0f}")
    return figure


def membranes() -> tuple[Mask, Mask, Mask]:
    """(25, 40) masks whose structure is cut by the border."""
    truth = np.zeros((25, 40), dtype=np.int64)
    truth[:, 19:21] = 1
    truth[12:14, 20:] = 1
    elsewhere = truth.copy()
    elsewhere[12:14, 27:34] = 0  # A true wall is broken,
    elsewhere[12:14, :20] = 1  # and another wall stands where none should.
    in_place = np.roll(truth, (1, 2), axis=(0, 1))
    in_place[:, :2] = 0
    return truth, elsewhere, in_place


def draw_frame(ax: Axes, mask: Mask) -> None:
    """A line around the image, where the frame is; it closes the holes at the border."""
    height, width = mask.shape
    ax.add_patch(Rectangle((-0.5, -0.5), width, height, fill=False, edgecolor="0.6", linewidth=1.5))
    ax.set(xlim=(-1.5, width + 0.5), ylim=(height + 0.5, -1.5))


def show_matching(ax: Axes, mask: Mask, truth: Mask) -> None:
    """The mask; holes of both by their centres: partners are joined by a line."""
    show_structure(ax, mask.astype(float))
    matching = toponet.betti_matching(
        mask.astype(float), truth.astype(float), dims=(1,), frame=True, num_threads=1
    )
    rows_f = centres(mask, matching.diagrams_f)
    rows_g = centres(truth, matching.diagrams_g)
    for i, j in matching.pairs.tolist():
        (row, column), (other_row, other_column) = rows_f[i], rows_g[j]
        ax.plot([column, other_column], [row, other_row], "o-", color=GREEN, label="partners", ms=7)
    for i in matching.unmatched_f.tolist():
        ax.plot(rows_f[i][1], rows_f[i][0], "X", color=ORANGE, ms=11, label="of the mask only")
    for j in matching.unmatched_g.tolist():
        ax.plot(rows_g[j][1], rows_g[j][0], "P", color=ORANGE, ms=11, label="of the truth only")
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    ax.legend(unique.values(), unique.keys(), loc="upper center", ncols=3, fontsize=8,
              bbox_to_anchor=(0.5, -0.02))  # fmt: skip


def centres(mask: Mask, holes: toponet.PersistenceDiagrams) -> list[tuple[float, float]]:
    """Row and column of the middle of each hole."""
    cells = label_cells(mask, 8)
    numbers = cells.flat[holes.pixels[:, 1]]
    return [tuple(np.argwhere(cells == number).mean(axis=0)) for number in numbers]


PICTURES: dict[str, Callable[[], Figure]] = {"betti_matching": betti_matching}
