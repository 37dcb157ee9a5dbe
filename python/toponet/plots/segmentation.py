"""Segmentations beside their truth, with wrong topology marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet._ground.valid import taken_for_structure, valid_pixels
from toponet._ground.validation import binary_mask, check_connectivity, check_flag
from toponet.plots._arrays import Numbers, real_array
from toponet.plots.canvas import (
    grey_or_colour,
    likelihood_map,
    ring_style,
    show,
    show_mask,
    stretched,
)
from toponet.plots.style import BLUE, MISTAKE_STYLES, VERMILION
from toponet.topology.mistakes import find_mistakes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_mistakes(
    axes: Axes,
    prediction: Numbers,
    truth: Numbers,
    connectivity: int = 8,
    *,
    valid: ArrayLike | None = None,
) -> Axes:
    """The predicted mask, with a ring around each cell or piece that is wrong.

    Red circle: a true cell that has grown together with another one, or is gone. Blue square: a
    predicted cell that doesn't exist in the truth. Orange diamond: a piece of structure that only
    one of the masks has.

    Args:
        axes: The axes to draw into.
        prediction: (H, W) mask, 1 = structure.
        truth: The same shape.
        connectivity: Connectivity of the structure, 4 or 8.
        valid: The same shape: 1 where a pixel counts; None = everywhere. A pixel that doesn't count
            is drawn in grey. It is taken for structure in both masks, as loss and metrics do.

    Returns:
        The axes; the marks are labelled for a legend, with their numbers.

    Raises:
        TypeError: If an array holds no numbers, or is a masked array.
        ValueError: If the masks haven't the same shape (H, W), hold other values than 0 and 1, or
            the connectivity is neither 4 nor 8.
    """
    masks = _checked_masks(prediction, truth, valid, connectivity)
    show_mask(axes, masks.prediction, masks.valid)
    _mark_mistakes(axes, masks, connectivity, frame=False)
    return axes


def plot_errors(
    axes: Axes,
    prediction: Numbers,
    truth: Numbers,
    connectivity: int = 8,
    *,
    frame: bool = False,
    valid: ArrayLike | None = None,
) -> Axes:
    """The truth with the pixels that the prediction gets wrong, and rings as in `plot_mistakes`.

    Red pixel: structure that the prediction misses. Blue pixel: structure that only the prediction
    has.

    Args:
        axes: The axes to draw into.
        prediction: (H, W) mask, 1 = structure.
        truth: The same shape.
        connectivity: Connectivity of the structure, 4 or 8.
        frame: Whether a frame of structure surrounds both, as in the loss of a patch. All structure
            that touches the border is then one piece.
        valid: The same as in :func:`plot_mistakes`.

    Returns:
        The axes; the marks are labelled for a legend, with their numbers.

    Raises:
        TypeError: For the reasons of :func:`plot_mistakes`; if ``frame`` isn't True or False.
        ValueError: For the reasons of :func:`plot_mistakes`.
    """
    from matplotlib.colors import to_rgb

    masks = _checked_masks(prediction, truth, valid, connectivity)
    check_flag("frame", frame)
    predicted, true = masks.prediction, masks.truth
    picture = np.ones((*true.shape, 3))
    picture[true] = 0.35
    picture[true & ~predicted] = to_rgb(VERMILION)
    picture[predicted & ~true] = 0.4 + 0.6 * np.array(to_rgb(BLUE))
    if masks.valid is not None:
        picture[~masks.valid] = 0.75
    show(axes, picture)
    _mark_mistakes(axes, masks, connectivity, frame)
    return axes


class _Masks(NamedTuple):
    """Two masks (H, W), and which pixels count. A pixel that doesn't count is structure in both."""

    prediction: NDArray[np.bool_]
    truth: NDArray[np.bool_]
    valid: NDArray[np.bool_] | None


def _checked_masks(
    prediction: Numbers, truth: Numbers, valid: ArrayLike | None, connectivity: int
) -> _Masks:
    check_connectivity(connectivity)
    given = real_array("prediction", prediction), real_array("truth", truth)
    if given[0].ndim != 2 or given[0].shape != given[1].shape:
        raise ValueError(
            "prediction and truth must have the same shape (H, W), got "
            f"{given[0].shape} and {given[1].shape}: take one image and one channel of a batch"
        )
    counted = valid_pixels(valid, given[0].shape)
    predicted, true = (taken_for_structure(mask, counted) for mask in given)
    return _Masks(binary_mask("prediction", predicted), binary_mask("truth", true), counted)


def _mark_mistakes(axes: Axes, masks: _Masks, connectivity: int, frame: bool) -> None:
    mistakes = find_mistakes(masks.prediction, masks.truth, connectivity, frame)
    style = ring_style(sum(map(len, mistakes)))
    for kind, (colour, marker, label) in MISTAKE_STYLES.items():
        centres = getattr(mistakes, kind)
        axes.scatter(
            centres[:, 1],
            centres[:, 0],
            marker=marker,
            edgecolors=colour,
            label=f"{label}: {len(centres)}",
            **style,
        )


def plot_segmentation(
    figure: Figure,
    image: Numbers,
    truth: Numbers,
    likelihood: Numbers,
    connectivity: int = 8,
    *,
    valid: ArrayLike | None = None,
) -> NDArray[Any]:
    """Image, truth, likelihood, and the mask at 0.5 with wrong topology marked, in a row.

    Args:
        figure: The figure to draw into.
        image: (C, H, W) with one or three channels, any range.
        truth: (H, W) mask, 1 = structure.
        likelihood: (H, W) in [0, 1].
        connectivity: Connectivity of the structure, 4 or 8.
        valid: The same as in :func:`plot_mistakes`.

    Returns:
        The four axes.

    Raises:
        TypeError: If an array holds no numbers, or is a masked array.
        ValueError: If shapes don't fit, the truth holds other values than 0 and 1, the likelihood
            leaves [0, 1], or the connectivity is neither 4 nor 8.
    """
    truth_shape = real_array("truth", truth).shape
    counted = valid_pixels(valid, truth_shape)
    values = likelihood_map(likelihood, counted)
    masks = _checked_masks(values >= 0.5, truth, counted, connectivity)
    picture = stretched(grey_or_colour(image, truth_shape))
    row: NDArray[Any] = figure.subplots(1, 4, squeeze=True)
    show(row[0], picture)
    show_mask(row[1], masks.truth, counted)
    show(row[2], values, "viridis")
    plot_mistakes(row[3], values >= 0.5, truth, connectivity, valid=counted)
    for axes, title in zip(row, ("image", "truth", "likelihood", "cut at 0.5"), strict=True):
        axes.set_title(title, fontsize=10)
    marks, labels = row[3].get_legend_handles_labels()
    figure.legend(marks, labels, loc="outside lower right", ncols=3, fontsize=9, frameon=False)
    return row


def plot_masks(
    figure: Figure,
    truth: Numbers,
    masks: Mapping[str, Numbers],
    connectivity: int = 8,
    *,
    image: Numbers | None = None,
    valid: ArrayLike | None = None,
) -> NDArray[Any]:
    """The truth and masks beside it, with wrong topology marked. Each title counts the marks.

    The marks are the same as in :func:`plot_mistakes`.

    Args:
        figure: The figure to draw into.
        truth: (H, W) mask, 1 = structure.
        masks: Masks of the same shape, by title.
        connectivity: Connectivity of the structure, 4 or 8.
        image: (C, H, W) with one or three channels, any range, for a panel before the truth.
        valid: The same as in :func:`plot_mistakes`.

    Returns:
        The axes of the image (if there is one), of the truth and of each mask.

    Raises:
        TypeError: If an array holds no numbers, or is a masked array.
        ValueError: If shapes don't fit, or a mask holds other values than 0 and 1.
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
    """A legend of the rings below all panels. It leaves out their numbers, which differ."""
    marks, labels = axes.get_legend_handles_labels()
    meanings = [label.rpartition(":")[0] for label in labels]
    figure.legend(marks, meanings, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
