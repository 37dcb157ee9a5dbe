"""Persistence diagrams in the paper's orientation, with the matching: its figure 4."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.spaces import VOLUMES
from toponet._ground.validation import check_dims, check_flag
from toponet.plots._plane import Points, draw_plane
from toponet.plots.style import BLACK, DIMENSION_STYLES, FATE_STYLES
from toponet.topology.diagrams import PersistenceDiagrams
from toponet.topology.explanation import Explanation

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class _Rows:
    """The dots to draw, one row per dot.

    Attributes:
        starts: (n, 2) Death and birth of the dot: x and y; NaN for a missing dot.
        ends: (n, 2) Where the loss wants the dot to be.
        fates: (n,) The fates of an explanation.
        framed: (n,) Whether the class is born with the frame.
        dimensions: (n,) 0, 1 or 2.
    """

    starts: Points
    ends: Points
    fates: NDArray[Any]
    framed: NDArray[np.bool_]
    dimensions: NDArray[np.int8]

    def where(self, chosen: NDArray[np.bool_]) -> _Rows:
        """Some of the rows."""
        return _Rows(
            self.starts[chosen],
            self.ends[chosen],
            self.fates[chosen],
            self.framed[chosen],
            self.dimensions[chosen],
        )


def plot_diagram(
    axes: Axes,
    diagrams: PersistenceDiagrams | Explanation,
    *,
    dims: Sequence[int] | None = None,
    matching: bool = True,
    legend: bool = True,
) -> Axes:
    """The classes of one image: death on x, birth on y, so that they lie above the diagonal.

    Components are blue circles, holes (of a volume: tunnels) are red squares, cavities of a volume
    are purple triangles. A class that is born with the frame has a
    black edge. (Diagrams of other libraries know no pixels, so they have no black edges.) A class
    that never dies stands at the left, at the tick "never".

    An explanation is drawn with its matching. Green arrows go to partners in the target. Orange
    arrows go from noise to the diagonal. A dot that is left alone is faint. A hollow mark is a dot
    of the target without a partner; a dashed line goes from it to the diagonal, and the length of
    this line is what the missing dot costs.

    Args:
        axes: The axes to draw into.
        diagrams: The diagrams of one image, or the explanation of its loss.
        dims: Dimensions to show; None = all.
        matching: Whether to draw the matching of an explanation. If False, only the diagram of the
            likelihood is drawn.
        legend: Whether to add a legend. The marks have labels for one in either case.

    Returns:
        The axes; the marks are labelled with their numbers.

    Raises:
        TypeError: If the diagrams or an option have the wrong type.
        ValueError: If the diagrams belong to several images, their numbers can't belong to
            diagrams, or ``dims`` is wrong.
    """
    shown = np.flatnonzero(check_dims(VOLUMES.dims if dims is None else dims, VOLUMES))
    check_flag("matching", matching)
    check_flag("legend", legend)
    rows = _rows(diagrams, matching)
    rows = rows.where(np.isin(rows.dimensions, shown))
    never = draw_plane(axes, np.concatenate([rows.starts, rows.ends]))
    rows = replace(
        rows,
        starts=np.where(np.isneginf(rows.starts), never, rows.starts),
        ends=np.where(np.isneginf(rows.ends), never, rows.ends),
    )
    for dimension in shown:
        _draw_dots(axes, rows.where(rows.dimensions == dimension), int(dimension))
    for fate, (colour, purpose) in FATE_STYLES.items():
        # Arrows to partners end on each other and on dots. In front, their heads can be seen.
        layer = 4 if fate == "matched" else 2
        _draw_arrows(axes, rows.where(rows.fates == fate), colour, purpose, layer)
    if legend and len(rows.fates):
        axes.legend(loc="lower right", fontsize=8, handletextpad=0.4, labelspacing=0.3)
    return axes


def _rows(diagrams: object, matching: bool) -> _Rows:
    """The dots of diagrams or of an explanation. Without a matching, no dot moves."""
    if isinstance(diagrams, Explanation):
        dots, goals, fates = diagrams.dots, diagrams.goals, diagrams.fates
    elif not isinstance(diagrams, PersistenceDiagrams):
        raise TypeError(
            f"diagrams must be PersistenceDiagrams or an Explanation, got {type(diagrams).__name__}"
        )
    elif len(diagrams) != 1:
        raise ValueError(f"expected the diagrams of one image, got those of {len(diagrams)}")
    else:
        diagrams.check()
        dots = goals = diagrams.values.astype(np.float64)
        fates = np.full(len(dots), "plain")
    # A class that is born with the frame dies at a pixel. Diagrams of other libraries have neither
    # birth pixels nor death pixels.
    framed = (diagrams.pixels[:, 0] < 0) & (diagrams.pixels[:, 1] >= 0)
    rows = _Rows(dots[:, ::-1], goals[:, ::-1], fates, framed, diagrams.dimensions)
    if not matching:
        rows = rows.where(fates != "missing")
        rows.fates[:] = "plain"
    return rows


def _draw_dots(axes: Axes, rows: _Rows, dimension: int) -> None:
    """The dots of one dimension: ignored ones faint, missing ones hollow, framed ones ringed."""
    colour, marker, name = DIMENSION_STYLES[dimension]
    names = f"{name}s" if name != "cavity" else "cavities"
    ignored, missing = rows.fates == "ignored", rows.fates == "missing"
    own: dict[str, Any] = {"s": 28, "color": colour, "edgecolors": "white", "linewidths": 0.5}
    hollow: dict[str, Any] = {"s": 70, "facecolors": "none", "linewidths": 1.4}
    for what, places, style in (
        (names, rows.starts[~ignored & ~missing], own),
        (f"{names} ignored", rows.starts[ignored], own | {"alpha": 0.25}),
        (f"{names} born with frame", rows.starts[rows.framed], hollow | {"edgecolors": BLACK}),
        (f"{names} missing", rows.ends[missing], hollow | {"edgecolors": colour}),
    ):
        if len(places):
            label = f"{what}: {len(places)}"
            axes.scatter(*places.T, marker=marker, label=label, zorder=3, **style)
    for death, birth in rows.ends[missing]:
        middle = (death + birth) / 2
        axes.plot([middle, death], [middle, birth], color=colour, lw=1, ls="--", zorder=1)


def _draw_arrows(axes: Axes, rows: _Rows, colour: str, purpose: str, layer: int) -> None:
    if len(rows.fates) == 0:
        return
    axes.quiver(
        *rows.starts.T,
        *(rows.ends - rows.starts).T,
        angles="xy",
        scale_units="xy",
        scale=1,
        units="inches",
        width=0.017,
        headwidth=6,
        headlength=7,
        headaxislength=6,
        color=colour,
        label=f"{purpose}: {len(rows.fates)}",
        zorder=layer,
    )
