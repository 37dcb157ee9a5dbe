"""Losses by epoch: the paper's figure 6(b)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toponet.plots._arrays import Numbers, curve
from toponet.plots._epochs import mark_start
from toponet.plots.style import BLACK, BLUE, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_losses(
    axes: Axes,
    epochs: Numbers,
    bce: Numbers,
    topo: Numbers,
    total: Numbers,
    topo_start_epoch: int,
) -> Axes:
    """Cross-entropy and total loss on the left axis, topological loss on the right one.

    Args:
        axes: Drawn into.
        epochs: Numbers of the epochs: list, array or tensor, as the losses.
        bce: Mean cross-entropy of each epoch.
        topo: Mean topological loss (unweighted) of each epoch.
        total: Mean of what was minimised.
        topo_start_epoch: Where the topological term joins; marked by a line.

    Returns:
        The axes.

    Raises:
        TypeError: If something doesn't hold real numbers.
        ValueError: If something isn't one row of numbers, or there isn't one for each epoch.
    """
    numbers, losses = curve(epochs, bce=bce, topo=topo, total=total)
    right = axes.twinx()
    lines = [
        *axes.plot(numbers, losses["bce"], color=BLUE, marker="o", ms=3, label="cross-entropy"),
        *axes.plot(numbers, losses["total"], color=BLACK, marker="s", ms=3, ls="--", label="total"),
        *right.plot(
            numbers, losses["topo"], color=VERMILION, marker="^", ms=3, label="topological (right)"
        ),
    ]
    if mark_start(axes, numbers, topo_start_epoch):
        axes.annotate(
            " topological term on",
            (topo_start_epoch - 0.5, 1.01),
            xycoords=("data", "axes fraction"),
            color="0.4",
            fontsize=8,
        )
    axes.set_ylabel("cross-entropy, total")
    right.set_ylabel("topological loss of a patch")
    axes.set_ylim(bottom=0)
    right.set_ylim(bottom=0)
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
