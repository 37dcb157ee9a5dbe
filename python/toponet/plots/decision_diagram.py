"""The persistence diagram of a likelihood, with the part of it that a mask shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from toponet._ground.validation import check_dims, check_flag
from toponet.plots._plane import draw_plane
from toponet.plots.style import BLACK, BLUE, DIMENSION_STYLES, DOT_STYLES, ORANGE
from toponet.topology.diagrams import PersistenceDiagrams
from toponet.topology.fates import DotFates, dot_fates
from toponet.topology.segmentation import Decisions, SegmentationOptions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PALE = 0.22  # Opacity of a shaded region.
_DOT: dict[str, Any] = {"s": 28, "edgecolors": "white", "linewidths": 0.5}
# Keywords of ``scatter`` that differ from these.
_MARKS: dict[str, dict[str, Any]] = {
    "hidden": {"s": 10, "linewidths": 0},
    "left": {"facecolors": "none", "edgecolors": BLACK, "linewidths": None},
}


def plot_decision_diagram(
    axes: Axes,
    diagrams: PersistenceDiagrams,
    options: SegmentationOptions,
    decisions: Decisions | None = None,
    *,
    dims: Sequence[int] = (0, 1),
    legend: bool = True,
) -> Axes:
    """Which dots of a likelihood a segmentation by persistence shows: death on x, birth on y.

    A cut at the threshold shows the dots above and to the left of the dotted lines. The grey region
    is what stays of it: dots whose persistence is larger than ``keep``. The orange strip is what
    ``keep`` takes away. The blue regions are what ``add`` brings out.

    Components are circles, holes are squares. Black dots are shown before and after, small grey
    ones never. Without decisions, orange dots are to be taken away, and blue ones to be brought
    out. With decisions, the dots that were changed have the colours of
    :func:`toponet.plots.plot_decisions`; a hollow dot was left as it is, because another change
    settled it, or because it can't be changed alone. Changed components stand where they were once
    the holes were settled, which may be beside the likelihood's own dots.

    Args:
        axes: The axes to draw into.
        diagrams: The diagrams of one likelihood, with the connectivity and the frame of the
            segmentation: ``toponet.persistence(likelihood, frame=True)``.
        options: Threshold, keep and add.
        decisions: What the segmentation of the same likelihood changed; None = what the rule says.
        dims: Dimensions to show.
        legend: Whether to add a legend. Regions and marks have labels for one in either case.

    Returns:
        The axes; the marks are labelled with their numbers.

    Raises:
        TypeError: If the diagrams, the options, the decisions or another argument have the wrong
            type.
        ValueError: If the diagrams belong to several images, their numbers can't belong to
            diagrams, or ``dims`` is wrong.
    """
    shown = np.flatnonzero(check_dims(dims))
    check_flag("legend", legend)
    if not isinstance(options, SegmentationOptions):
        raise TypeError(f"options must be SegmentationOptions, got {type(options).__name__}")
    dots = _dots(diagrams, options, decisions)
    dots = dots.where(np.isin(dots.dimensions, shown))
    never = draw_plane(axes, dots.places)
    _draw_regions(axes, options)
    for fate, (colour, words) in DOT_STYLES.items():
        style = {**_DOT, "color": colour, **_MARKS.get(fate, {})}
        for dimension in shown:
            _, marker, name = DIMENSION_STYLES[dimension]
            chosen = dots.where((dots.fates == fate) & (dots.dimensions == dimension)).places
            if len(chosen):
                label = f"{words.format(name)}: {len(chosen)}"
                deaths = np.where(np.isneginf(chosen[:, 0]), never, chosen[:, 0])
                axes.scatter(deaths, chosen[:, 1], marker=marker, label=label, zorder=3, **style)
    if legend:
        axes.legend(loc="lower right", fontsize=8, handletextpad=0.4, labelspacing=0.3)
    return axes


def _dots(diagrams: object, options: SegmentationOptions, decisions: object) -> DotFates:
    """Checks them, and says what becomes of the dots."""
    if not isinstance(diagrams, PersistenceDiagrams):
        raise TypeError(f"diagrams must be PersistenceDiagrams, got {type(diagrams).__name__}")
    if len(diagrams) != 1:
        raise ValueError(f"expected the diagrams of one image, got those of {len(diagrams)}")
    diagrams.check()
    if decisions is not None and not isinstance(decisions, Decisions):
        raise TypeError(f"decisions must be Decisions or None, got {type(decisions).__name__}")
    return dot_fates(diagrams, options, decisions)


def _draw_regions(axes: Axes, options: SegmentationOptions) -> None:
    """Shades what stays, what is taken away and what is brought out; dotted lines at the cut."""
    threshold, keep = options.threshold, options.keep
    (left, _), (_, top) = axes.get_xlim(), axes.get_ylim()
    axes.plot([left, threshold, threshold], [threshold, threshold, top], "k:", lw=1, zorder=1)
    # Left of 0 stands what never dies, which is taken to die at 0.
    deaths = np.sort([left, *(x for x in (0, threshold - keep) if x < threshold), threshold])
    floor = np.maximum(threshold, np.maximum(deaths, 0) + keep)
    words = f"shown, persistence > {keep:g}" if keep else f"shown at {threshold:g}"
    axes.fill_between(deaths, floor, top, color="0.5", alpha=_PALE, lw=0, zorder=0, label=words)
    if keep:
        axes.fill_between(deaths, threshold, floor, color=ORANGE, alpha=_PALE, lw=0, zorder=0,
                          label=f"shown, persistence ≤ {keep:g}")  # fmt: skip
    if options.add is None:
        return
    words = f"hidden, persistence > {options.add:g}"
    below = np.array([left, 0, max(threshold - options.add, 0)])
    above = np.array([threshold, max(top - options.add, threshold)])
    for deaths, ceiling in ((below, threshold), (above, top)):
        floor = np.minimum(np.maximum(deaths, 0) + options.add, ceiling)
        axes.fill_between(
            deaths, floor, ceiling, color=BLUE, alpha=_PALE, lw=0, zorder=0, label=words
        )
        words = "_"  # One line in the legend for both.
