"""Metrics by epoch, and masks side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet.plots._arrays import Numbers, curve
from toponet.plots._canvas import show, show_structure, stretched
from toponet.plots._epochs import mark_start
from toponet.plots._style import BLUE
from toponet.plots.segmentation import plot_mistakes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_metric(
    axes: Axes,
    epochs: Numbers,
    values: Numbers,
    topo_start_epoch: int,
    title: str,
) -> Axes:
    """One metric over the epochs, with a line where the topological term joins.

    Args:
        axes: Drawn into.
        epochs: Numbers of the epochs: list, array or tensor, as the values.
        values: Of the metric.
        topo_start_epoch: First epoch with the term.
        title: Above the axes.

    Returns:
        The axes.

    Raises:
        TypeError: If something doesn't hold real numbers.
        ValueError: If something isn't one row of numbers, or there isn't one for each epoch.
    """
    numbers, rows = curve(epochs, values=values)
    axes.plot(numbers, rows["values"], color=BLUE, marker="o", ms=3)
    mark_start(axes, numbers, topo_start_epoch)
    axes.set_title(title, fontsize=10)
    return axes


def plot_masks(
    figure: Figure,
    truth: NDArray[np.generic],
    masks: Mapping[str, NDArray[np.generic]],
    connectivity: int = 8,
    *,
    image: NDArray[np.floating[Any]] | None = None,
) -> NDArray[Any]:
    """The truth and masks beside it, with wrong topology marked; each title counts the marks.

    The marks are those of :func:`plot_mistakes`.

    Args:
        figure: Drawn into.
        truth: (H, W) mask, 1 = structure.
        masks: Of the same shape, by title.
        connectivity: Of the structure.
        image: (C, H, W) with one or three channels, any range, for a panel before the truth.

    Returns:
        The axes: the image's, if there is one, the truth's and one for each mask.
    """
    before = 1 if image is None else 2
    row: NDArray[Any] = figure.subplots(1, before + len(masks), squeeze=False)[0]
    if image is not None:
        show(row[0], stretched(image))
        row[0].set_title("image", fontsize=10)
    show_structure(row[before - 1], truth != 0)
    row[before - 1].set_title("truth", fontsize=10)
    for axes, (title, mask) in zip(row[before:], masks.items(), strict=True):
        plot_mistakes(axes, mask, truth, connectivity)
        marks = sum(len(artist.get_offsets()) for artist in axes.collections)
        axes.set_title(f"{title}: {marks} mistakes", fontsize=10)
    if masks:
        _explain_marks(figure, row[-1])
    return row


def _explain_marks(figure: Figure, axes: Axes) -> None:
    """What the rings mean, below all panels: their numbers differ and are left out."""
    marks, labels = axes.get_legend_handles_labels()
    meanings = [label.rpartition(":")[0] for label in labels]
    figure.legend(marks, meanings, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
