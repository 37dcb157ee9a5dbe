"""A likelihood with the pixels that the topological loss moves, from above and as a landscape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_flag
from toponet.plots._arrays import Numbers, level, real_number
from toponet.plots._critical import CriticalMarks, critical_marks
from toponet.plots.canvas import likelihood_map, show_structure
from toponet.plots.style import BLUE
from toponet.topology.explanation import Explanation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARK_AREA = 90.0


def plot_critical_pixels(
    axes: Axes,
    likelihood: Numbers,
    explanation: Explanation,
    *,
    min_force: float = 0.0,
    mark_area: float = MARK_AREA,
    legend: bool = True,
) -> Axes:
    """The likelihood in grey, the higher the darker, with its critical pixels.

    A triangle that points up is where a class is born, one that points down is where it dies. Green
    ones are to fix: their class has a partner in the target. Orange ones are to remove: their class
    is noise. The area shows how strongly the loss pulls. The frame has no pixel, hence no mark.

    Args:
        axes: Drawn into.
        likelihood: (H, W) in [0, 1].
        explanation: Of the same image.
        min_force: Pixels pulled by this much or less have no mark.
        mark_area: Area of the mark of a pixel pulled by a force of 1, in square points. Areas are
            comparable between pictures.
        legend: Whether to add a legend below; the marks are labelled for one in either case.

    Returns:
        The axes.

    Raises:
        TypeError: If the likelihood doesn't hold numbers, the explanation isn't one, or an option
            has the wrong type.
        ValueError: If the likelihood isn't (H, W) or leaves [0, 1], the explanation is of another
            shape, or an option is negative.
    """
    check_flag("legend", legend)
    values = likelihood_map(likelihood)
    groups = critical_marks(explanation, values.shape, min_force, mark_area)
    show_structure(axes, values)
    for marks in groups:
        axes.scatter(marks.columns, marks.rows, label=marks.label, **marks.style)
    if legend and groups:
        _add_legend(axes)
    return axes


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

    Critical pixels are marked as in :func:`plot_critical_pixels`, and in front of hills that hide
    them; a line goes from each to the height that the loss wants for it.

    Args:
        axes: Three-dimensional (``figure.add_subplot(projection="3d")``); drawn into.
        likelihood: (H, W) in [0, 1].
        explanation: Of the same image; None = no marks.
        threshold: Height of the contour, the outline of the mask; None = no contour.
        min_force: Pixels pulled by this much or less have no mark.
        mark_area: Area of the mark of a pixel pulled by a force of 1, in square points.
        legend: Whether to add a legend of the marks; they are labelled for one in either case.

    Returns:
        The axes.

    Raises:
        TypeError: As :func:`plot_critical_pixels`; if the threshold isn't a number.
        ValueError: As :func:`plot_critical_pixels`; if the axes aren't three-dimensional, the
            likelihood has a side of one pixel, or the threshold isn't finite.

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

    # matplotlib sorts whole artists by depth, which would hide marks inside of the surface.
    axes.computed_zorder = False
    _draw_surface(axes, values, threshold)
    for marks in groups:
        _draw_marks(axes, marks)
    if legend and groups:
        _add_legend(axes)
    return axes


def _draw_surface(axes: Any, values: NDArray[np.float64], threshold: float | None) -> None:
    """The landscape, seen as the map is: the first row lies at the back."""
    height, width = values.shape
    rows, columns = np.indices(values.shape)
    # Strides of 1: the default leaves out rows of maps larger than 50 pixels.
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
        if isinstance(mark, PathCollection):  # What callers drew before keeps its look.
            mark.set_sizes([40])
