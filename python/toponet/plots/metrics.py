"""Metrics by epoch, and masks side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike, NDArray

from toponet._ground.valid import taken_for_structure, valid_pixels
from toponet._ground.validation import binary_mask
from toponet.plots._arrays import Numbers, curve, real_array
from toponet.plots._epochs import mark_start
from toponet.plots.canvas import grey_or_colour, show, show_mask, stretched
from toponet.plots.segmentation import plot_mistakes
from toponet.plots.style import BLUE

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
    truth: Numbers,
    masks: Mapping[str, Numbers],
    connectivity: int = 8,
    *,
    image: Numbers | None = None,
    valid: ArrayLike | None = None,
) -> NDArray[Any]:
    """The truth and masks beside it, with wrong topology marked; each title counts the marks.

    The marks are those of :func:`plot_mistakes`.

    Args:
        figure: Drawn into.
        truth: (H, W) mask, 1 = structure.
        masks: Of the same shape, by title.
        connectivity: Of the structure.
        image: (C, H, W) with one or three channels, any range, for a panel before the truth.
        valid: (H, W): 1 where a pixel counts; None = everywhere. As of :func:`plot_mistakes`.

    Returns:
        The axes: the image's, if there is one, the truth's and one for each mask.

    Raises:
        TypeError: If an array holds no numbers, or is a masked one.
        ValueError: If shapes don't fit, or a mask holds anything but 0 and 1.
    """
    given = real_array("truth", truth)
    counted = valid_pixels(valid, given.shape)
    true = binary_mask("truth", taken_for_structure(given, counted))
    before = 1 if image is None else 2
    row: NDArray[Any] = figure.subplots(1, before + len(masks), squeeze=False)[0]
    if image is not None:
        show(row[0], stretched(grey_or_colour(image, true.shape)))
        row[0].set_title("image", fontsize=10)
    show_mask(row[before - 1], true, counted)
    row[before - 1].set_title("truth", fontsize=10)
    for axes, (title, mask) in zip(row[before:], masks.items(), strict=True):
        plot_mistakes(axes, mask, true, connectivity, valid=counted)
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
