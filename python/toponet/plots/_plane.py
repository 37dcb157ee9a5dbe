"""The plane of a persistence diagram, in the paper's orientation: death on x, birth on y."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = NDArray[np.float64]


def draw_plane(axes: Axes, places: Points) -> float:
    """Draws diagonal, limits and ticks for dots at these places (death, birth).

    Returns:
        The death at which a class stands that never dies: at the left, at the tick "never". Its own
        death is -inf.
    """
    from matplotlib.ticker import MaxNLocator

    values = places[np.isfinite(places)]
    # Probabilities are drawn in the unit square, so that pictures are comparable.
    low, high = min(0.0, values.min(initial=0)), max(1.0, values.max(initial=1))
    room = 0.06 * (high - low)
    ticks = [t for t in MaxNLocator(5).tick_values(low, high) if low <= t <= high]
    labels = [f"{t:g}" for t in ticks]
    axes.set_yticks(ticks, labels)
    left, never = low - room, low - 3 * room
    if np.isneginf(places).any():
        left = never - room
        axes.axvline(never, color="0.6", lw=0.8, ls=":", zorder=0)
        ticks, labels = [never, *ticks], ["never", *labels]
    axes.set_xticks(ticks, labels)
    axes.plot([low, high], [low, high], color="0.6", lw=0.8, zorder=0)
    axes.set(xlim=(left, high + room), ylim=(low - room, high + room), aspect="equal")
    axes.set(xlabel="death", ylabel="birth")
    return float(never)
