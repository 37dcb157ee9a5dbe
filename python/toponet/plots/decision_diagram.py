"""The persistence diagram of a likelihood, with the part of it that a mask shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_dims, check_flag
from toponet.plots._plane import Points, draw_plane
from toponet.plots.style import ACTION_STYLES, BLACK, BLUE, DIMENSION_STYLES, ORANGE
from toponet.topology.diagrams import PersistenceDiagrams
from toponet.topology.segmentation import Decisions, SegmentationOptions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PALE = 0.22  # Opacity of a shaded region.
_DOT: dict[str, Any] = {"s": 28, "edgecolors": "white", "linewidths": 0.5}
# By what becomes of a dot: its name in legends, and keywords of ``scatter``. Later ones lie above.
_STYLES: dict[str, tuple[str, dict[str, Any]]] = {
    "hidden": ("{}s that stay hidden", {"s": 10, "color": "0.7", "linewidths": 0}),
    "shown": ("{}s that stay", {**_DOT, "color": BLACK}),
    "left": ("{}s left as they are", {"s": 28, "facecolors": "none", "edgecolors": BLACK}),
    "taken away": ("{}s taken away", {**_DOT, "color": ORANGE}),
    "brought out": ("{}s brought out", {**_DOT, "color": BLUE}),
    **{action: (words, {**_DOT, "color": colour})
       for action, (colour, words) in ACTION_STYLES.items()},
}  # fmt: skip


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
    for fate, (words, style) in _STYLES.items():
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


@dataclass(frozen=True, eq=False)
class _Dots:
    """Dots to draw, one row each.

    Attributes:
        places: (n, 2) Death and birth; the death is -inf if it never comes.
        dimensions: (n,) 0 or 1.
        fates: (n,) Keys of `_STYLES`.
    """

    places: Points
    dimensions: NDArray[np.int8]
    fates: NDArray[np.str_]

    def where(self, chosen: NDArray[np.bool_]) -> _Dots:
        """Some of the rows."""
        return _Dots(self.places[chosen], self.dimensions[chosen], self.fates[chosen])


def _dots(diagrams: object, options: SegmentationOptions, decisions: object) -> _Dots:
    """The dots of the diagram by the rule; those that decisions changed, by the decisions."""
    if not isinstance(diagrams, PersistenceDiagrams):
        raise TypeError(f"diagrams must be PersistenceDiagrams, got {type(diagrams).__name__}")
    if len(diagrams) != 1:
        raise ValueError(f"expected the diagrams of one image, got those of {len(diagrams)}")
    diagrams.check()
    places = diagrams.values[:, ::-1].astype(np.float64)
    # In the type of the likelihood, as the segmentation compares them.
    threshold = float(diagrams.values.dtype.type(options.threshold))
    by_rule = _Dots(places, diagrams.dimensions, _fates(places, threshold, options))
    if decisions is None:
        return by_rule
    if not isinstance(decisions, Decisions):
        raise TypeError(f"decisions must be Decisions or None, got {type(decisions).__name__}")
    changed = _keys(decisions.dimension, decisions.birth_pixel, decisions.death_pixel)
    keys = _keys(diagrams.dimensions, *diagrams.pixels.T)
    rest = by_rule.where(np.array([key not in changed for key in keys], dtype=bool))
    left = np.isin(rest.fates, ("taken away", "brought out"))
    never = (decisions.dimension == 0) & (decisions.death_pixel < 0)
    deaths = np.where(never, -np.inf, decisions.death)
    return _Dots(
        np.concatenate([rest.places, np.stack([deaths, decisions.birth], axis=1)]),
        np.concatenate([rest.dimensions, decisions.dimension]),
        np.concatenate([np.where(left, "left", rest.fates), decisions.action]),
    )


def _keys(*columns: NDArray[Any]) -> list[tuple[int, ...]]:
    """What tells the dots of one image apart: dimension, birth pixel, death pixel."""
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _fates(places: Points, threshold: float, options: SegmentationOptions) -> NDArray[np.str_]:
    """What the rule says of dots (death, birth). What never dies is taken to die at 0."""
    deaths, births = np.maximum(places[:, 0], 0), places[:, 1]
    persistence = births - deaths
    shown = (births >= threshold) & (deaths < threshold)
    kept = persistence > options.keep if options.keep else shown
    added = persistence > (math.inf if options.add is None else options.add)
    return np.where(
        shown, np.where(kept, "shown", "taken away"), np.where(added, "brought out", "hidden")
    )


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
