"""Losses by epoch: the paper's figure 6(b)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from toponet.plots._style import BLACK, BLUE, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_losses(
    axes: Axes,
    epochs: Sequence[int],
    bce: Sequence[float],
    topo: Sequence[float],
    total: Sequence[float],
    topo_start_epoch: int,
) -> Axes:
    """Cross-entropy and total loss on the left axis, topological loss on the right one.

    Args:
        axes: Drawn into.
        epochs: Numbers of the epochs.
        bce: Mean cross-entropy of each epoch.
        topo: Mean topological loss (unweighted) of each epoch.
        total: Mean of what was minimised.
        topo_start_epoch: Where the topological term joins; marked by a line.

    Returns:
        The axes.
    """
    from matplotlib.ticker import MaxNLocator

    right = axes.twinx()
    lines = [
        *axes.plot(epochs, bce, color=BLUE, marker="o", ms=3, label="cross-entropy"),
        *axes.plot(epochs, total, color=BLACK, marker="s", ms=3, ls="--", label="total"),
        *right.plot(epochs, topo, color=VERMILION, marker="^", ms=3, label="topological (right)"),
    ]
    if epochs and epochs[0] < topo_start_epoch <= epochs[-1]:
        axes.axvline(topo_start_epoch - 0.5, color="0.6", lw=1)
        axes.annotate(
            " topological term on",
            (topo_start_epoch - 0.5, 1.01),
            xycoords=("data", "axes fraction"),
            color="0.4",
            fontsize=8,
        )
    axes.set_xlabel("epoch")
    axes.set_ylabel("cross-entropy, total")
    right.set_ylabel("topological loss of a patch")
    axes.set_ylim(bottom=0)
    right.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    # Below: somewhere inside, a curve of one of the two axes would run under it.
    axes.legend(
        handles=lines,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),
        ncols=3,
        fontsize=8,
        frameon=False,
    )
    return axes
