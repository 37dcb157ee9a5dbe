"""Axes over the epochs of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from toponet._ground.validation import check_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def mark_start(axes: Axes, epochs: NDArray[Any], topo_start_epoch: int) -> bool:
    """Whole epochs on x, and a line where the topological term joins; whether there is one.

    Raises:
        TypeError: If the start isn't a whole number.
        ValueError: If it is negative.
    """
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    start = check_whole("topo_start_epoch", topo_start_epoch, least=0)
    joins = len(epochs) > 0 and bool(epochs.min() < start <= epochs.max())
    if joins:
        axes.axvline(start - 0.5, color="0.6", lw=1)
    return joins
