"""A likelihood with the pixels that the topological loss moves, as a map and as a landscape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_flag
from toponet.plots._arrays import Numbers, level, real_number
from toponet.plots._critical import CriticalMarks, critical_marks
from toponet.plots.canvas import likelihood_map, show, show_structure
from toponet.plots.style import BLUE, GREEN
from toponet.topology.explanation import Explanation
from toponet.topology.features import Representative

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARK_AREA = 90.0
STRONG, LIGHT = 0.75, 0.35  # Opacity of tints.


def plot_critical_pixels(
    axes: Axes,
    likelihood: Numbers,
    explanation: Explanation,
    *,
    min_force: float = 0.0,
    mark_area: float = MARK_AREA,
    legend: bool = True,
    features: Iterable[Representative] = (),
    partners: bool = False,
) -> Axes:
    """The likelihood in grey, with its critical pixels. The higher the likelihood, the darker.

    A triangle that points up shows where a class is born, a triangle that points down where it
    dies. A green pixel is to be fixed: its class has a partner in the target. An orange pixel is to
    be removed: its class is noise. The area of a mark shows how strongly the loss pulls. The frame
    has no pixel, and so no mark.

    Args:
        axes: The axes to draw into.
        likelihood: (H, W) in [0, 1].
        explanation: The explanation of the loss of the same image.
        min_force: A pixel that is pulled by this force or less has no mark.
        mark_area: Area of the mark of a pixel that is pulled by a force of 1, in square points.
            Areas are comparable between pictures.
        legend: Whether to add a legend below. The marks have labels for one in either case.
        features: Whole features to tint below the marks, of :func:`toponet.representative`: pieces
            and the loops of holes strongly, the holes themselves lightly.
        partners: Whether to join each green pixel by a line to the pixel of its partner in the
            target, which gets a ring. Under ``matching="betti"`` partners are the same place; other
            matchings may join pixels far apart.

    Returns:
        The axes.

    Raises:
        TypeError: If the likelihood doesn't hold numbers, the explanation isn't one, or an option
            has the wrong type.
        ValueError: If the likelihood isn't (H, W) or leaves [0, 1], the explanation or a feature is
            of another shape, or an option is negative.
    """
    check_flag("legend", legend)
    check_flag("partners", partners)
    values = likelihood_map(likelihood)
    groups = critical_marks(explanation, values.shape, min_force, mark_area)
    show_structure(axes, values)
    if partners:
        _join_partners(axes, explanation, min_force)
    _tint_features(axes, features, values.shape)
    for marks in groups:
        axes.scatter(marks.columns, marks.rows, label=marks.label, **marks.style)
    if legend and groups:
        _add_legend(axes)
    return axes


def _join_partners(axes: Axes, explanation: Explanation, min_force: float) -> None:
    """A line from each pixel of a matched dot to the same end of its partner, and a ring there."""
    matched = (explanation.fates == "matched")[:, None]
    known = (explanation.pixels >= 0) & (explanation.goal_pixels >= 0)
    chosen = matched & known & (np.abs(explanation.forces) > min_force)
    width = explanation.shape[1]
    for pixel, goal in zip(
        explanation.pixels[chosen].tolist(), explanation.goal_pixels[chosen].tolist(), strict=True
    ):
        (row, column), (goal_row, goal_column) = divmod(pixel, width), divmod(goal, width)
        axes.plot(
            [column, goal_column], [row, goal_row], color=GREEN, linewidth=1.2,
            marker="o", markevery=[1], markersize=6, markerfacecolor="none",
        )  # fmt: skip


def _tint_features(axes: Axes, features: Iterable[Representative], shape: tuple[int, ...]) -> None:
    """Each feature in a colour of its own, so that neighbours can be told apart."""
    from matplotlib import colormaps

    colours = colormaps["tab10"].colors  # type: ignore[attr-defined]
    for k, feature in enumerate(features):
        if feature.pixels.shape != shape:
            raise ValueError(
                f"likelihood has shape {shape}, but a feature is of an image of shape "
                f"{feature.pixels.shape}"
            )
        tint = np.zeros((*shape, 4))
        tint[..., :3] = colours[k % len(colours)]
        tint[feature.pixels, 3] = STRONG if feature.loop is None else LIGHT
        if feature.loop is not None:
            tint[feature.loop, 3] = STRONG
        show(axes, tint)


# mplot3d has no type information: its axes are Any.
def plot_landscape(
    axes: Any,
    likelihood: Numbers,
    explanation: Explanation | None = None,
    *,
    threshold: float | None = 0.5,
    min_force: float = 0.0,
    mark_area: float = MARK_AREA,
    legend: bool = True,
) -> Any:
    """The likelihood as a landscape whose ridges are the structure.

    Critical pixels are marked as in :func:`plot_critical_pixels`. Marks are drawn in front of hills
    that would hide them. A line goes from each mark to the height that the loss wants for it.

    Args:
        axes: Three-dimensional axes to draw into (``figure.add_subplot(projection="3d")``).
        likelihood: (H, W) in [0, 1].
        explanation: The explanation of the loss of the same image; None = no marks.
        threshold: Height of the contour, which is the outline of the mask; None = no contour.
        min_force: The same as in :func:`plot_critical_pixels`.
        mark_area: The same as in :func:`plot_critical_pixels`.
        legend: Whether to add a legend of the marks. They have labels for one in either case.

    Returns:
        The axes.

    Raises:
        TypeError: For the reasons of :func:`plot_critical_pixels`; if the threshold isn't a number.
        ValueError: For the reasons of :func:`plot_critical_pixels`; if the axes aren't
            three-dimensional, a side of the likelihood is one pixel long, or the threshold isn't
            finite.

    Cost: each pixel is a polygon; matplotlib takes about a second for 200 x 200.
    """
    if getattr(axes, "name", None) != "3d":
        raise ValueError(
            "axes must be three-dimensional: make them with figure.add_subplot(projection='3d')"
        )
    check_flag("legend", legend)
    values = likelihood_map(likelihood)
    height, width = values.shape
    if min(height, width) < 2:
        raise ValueError(f"a landscape needs at least 2 x 2 pixels, got {height} x {width}")
    if threshold is not None:
        threshold = level(real_number("threshold", threshold), likelihood)
    groups = []
    if explanation is not None:
        groups = critical_marks(explanation, values.shape, min_force, mark_area)

    # matplotlib sorts whole artists by depth, which would hide marks within the surface.
    axes.computed_zorder = False
    _draw_surface(axes, values, threshold)
    for marks in groups:
        _draw_marks(axes, marks)
    if legend and groups:
        _add_legend(axes)
    return axes


def _draw_surface(axes: Any, values: NDArray[np.float64], threshold: float | None) -> None:
    """The landscape, seen from the side of the last row: the first row lies at the back."""
    height, width = values.shape
    rows, columns = np.indices(values.shape)
    # With its default strides, matplotlib leaves out rows of maps larger than 50 pixels.
    axes.plot_surface(
        columns, rows, values, rstride=1, cstride=1, color="0.95", antialiased=False, zorder=1
    )
    if threshold is not None and values.min() < threshold < values.max():
        axes.contour(columns, rows, values, levels=[threshold], colors=[BLUE], zorder=2)
    axes.set(ylim=(height - 0.5, -0.5), zlim=(0, 1), zticks=(0, 0.5, 1), xticks=[], yticks=[])
    axes.set_box_aspect((width, height, 0.4 * max(width, height)), zoom=1.2)
    axes.view_init(elev=50, azim=-75)


def _draw_marks(axes: Any, marks: CriticalMarks) -> None:
    """Marks at the pixels' heights, lines to the heights that the loss wants."""
    for column, row, *heights in zip(
        marks.columns, marks.rows, marks.heights, marks.goals, strict=True
    ):
        at = ([column, column], [row, row], heights)
        axes.plot(*at, color=marks.style["color"], lw=1.2, zorder=3)
    places = (marks.columns, marks.rows, marks.heights)
    axes.scatter(*places, label=marks.label, depthshade=False, zorder=4, **marks.style)


def _add_legend(axes: Any) -> None:
    """Below the picture, with marks of one size."""
    from matplotlib.collections import PathCollection

    legend = axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        ncols=2,
        fontsize=8,
        frameon=False,
        columnspacing=1,
        handletextpad=0.4,
    )
    for mark in legend.legend_handles:
        if isinstance(mark, PathCollection):  # Lines that callers drew before stay as they are.
            mark.set_sizes([40])
