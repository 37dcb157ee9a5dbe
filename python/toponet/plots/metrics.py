"""Metrics by epoch, and masks side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet.plots._style import BLUE
from toponet.plots.segmentation import plot_mistakes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_metric(
    axes: Axes,
    epochs: Sequence[int],
    values: Sequence[float],
    topo_start_epoch: int,
    title: str,
) -> Axes:
    """One metric over the epochs, with a line where the topological term joins.

    Args:
        axes: Drawn into.
        epochs: Numbers of the epochs.
        values: Of the metric.
        topo_start_epoch: First epoch with the term.
        title: Above the axes.

    Returns:
        The axes.
    """
    from matplotlib.ticker import MaxNLocator

    axes.plot(epochs, values, color=BLUE, marker="o", ms=3)
    if epochs and epochs[0] < topo_start_epoch <= epochs[-1]:
        axes.axvline(topo_start_epoch - 0.5, color="0.6", lw=1)
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return axes


def plot_masks(
    figure: Figure,
    truth: NDArray[np.generic],
    masks: Mapping[str, NDArray[np.generic]],
    connectivity: int = 8,
) -> NDArray[Any]:
    """The truth and masks beside it, with wrong topology marked; each title counts the marks.

    Args:
        figure: Drawn into.
        truth: (H, W) mask, 1 = structure.
        masks: Of the same shape, by title.
        connectivity: Of the structure.

    Returns:
        The axes, one more than there are masks.
    """
    row: NDArray[Any] = figure.subplots(1, 1 + len(masks), squeeze=False)[0]
    row[0].imshow(1 - 0.85 * (truth != 0), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    row[0].set_title("truth", fontsize=10)
    row[0].set_axis_off()
    for axes, (title, mask) in zip(row[1:], masks.items(), strict=True):
        plot_mistakes(axes, mask, truth, connectivity)
        marks = sum(len(artist.get_offsets()) for artist in axes.collections)
        axes.set_title(f"{title}: {marks} mistakes", fontsize=10)
    return row
