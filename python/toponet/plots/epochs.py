"""Numbers by epoch: the losses (the paper's figure 6(b)) and one metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from toponet._ground.validation import check_whole
from toponet.plots._arrays import Numbers, real_array
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
    base_loss: str = "cross-entropy",
) -> Axes:
    """Base loss and total loss on the left axis, topological loss on the right one.

    Args:
        axes: The axes to draw into.
        epochs: Numbers of the epochs: list, array or tensor, like the losses.
        bce: Mean base loss of each epoch.
        topo: Mean topological loss (unweighted) of each epoch.
        total: Mean of the total loss, which was minimised.
        topo_start_epoch: First epoch with the topological term; a line marks it.
        base_loss: What the base loss is called in the legend.

    Returns:
        The axes.

    Raises:
        TypeError: If an argument doesn't hold real numbers.
        ValueError: If an argument isn't one row of numbers, one for each epoch.
    """
    numbers, losses = _curve(epochs, bce=bce, topo=topo, total=total)
    right = axes.twinx()
    lines = [
        *axes.plot(numbers, losses["bce"], color=BLUE, marker="o", ms=3, label=base_loss),
        *axes.plot(numbers, losses["total"], color=BLACK, marker="s", ms=3, ls="--", label="total"),
        *right.plot(
            numbers, losses["topo"], color=VERMILION, marker="^", ms=3, label="topological (right)"
        ),
    ]
    if _mark_start(axes, numbers, topo_start_epoch):
        axes.annotate(
            " topological term on",
            (topo_start_epoch - 0.5, 1.01),
            xycoords=("data", "axes fraction"),
            color="0.4",
            fontsize=8,
        )
    axes.set_ylabel(f"{base_loss}, total")
    right.set_ylabel("topological loss of a patch")
    axes.set_ylim(bottom=0)
    right.set_ylim(bottom=0)
    # The legend lies below the axes. Inside, it would hide a part of a curve.
    axes.legend(
        handles=lines,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),
        ncols=3,
        fontsize=8,
        frameon=False,
    )
    return axes


def plot_metric(
    axes: Axes,
    epochs: Numbers,
    values: Numbers,
    topo_start_epoch: int,
    title: str,
) -> Axes:
    """One metric over the epochs, with a line where the topological term joins.

    Args:
        axes: The axes to draw into.
        epochs: Numbers of the epochs: list, array or tensor, like the values.
        values: Values of the metric.
        topo_start_epoch: First epoch with the topological term.
        title: Title above the axes.

    Returns:
        The axes.

    Raises:
        TypeError: If an argument doesn't hold real numbers.
        ValueError: If an argument isn't one row of numbers, one for each epoch.
    """
    numbers, rows = _curve(epochs, values=values)
    axes.plot(numbers, rows["values"], color=BLUE, marker="o", ms=3)
    _mark_start(axes, numbers, topo_start_epoch)
    axes.set_title(title, fontsize=10)
    return axes


def _curve(epochs: Numbers, **values: Numbers) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """The numbers of the epochs and the values by name, one for each epoch.

    Raises:
        TypeError: If an argument holds no real numbers.
        ValueError: If an argument isn't one row of numbers, one for each epoch.
    """
    numbers = {
        name: real_array(name, given) for name, given in {"epochs": epochs, **values}.items()
    }
    for name, row in numbers.items():
        if row.ndim != 1:
            raise ValueError(f"{name} must be one row of numbers, got shape {row.shape}")
        if len(row) != len(numbers["epochs"]):
            raise ValueError(
                f"{name} must hold one number for each of {len(numbers['epochs'])} epochs, got "
                f"{len(row)}"
            )
    return numbers.pop("epochs"), numbers


def _mark_start(axes: Axes, epochs: NDArray[Any], topo_start_epoch: int) -> bool:
    """Puts whole epochs on x, and draws a line where the topological term joins, if it does.

    Returns:
        Whether there is a line.

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
