"""Checks of the inputs of all metrics."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet._ground.probabilities import rounding_tolerance, without_rounding
from toponet._ground.spaces import IMAGES, Space
from toponet._ground.valid import taken_for_structure, valid_pixels
from toponet._ground.validation import as_batch, binary_masks, number_array

if TYPE_CHECKING:
    from torch import Tensor

Masks: TypeAlias = "ArrayLike | Tensor"


class Comparison(NamedTuple):
    """What is compared, (B, H, W) or (B, D, H, W) each.

    A pixel that doesn't count is structure in both.

    Attributes:
        prediction: Masks of bytes 0 and 1, or likelihoods.
        target: Masks of bytes 0 and 1.
        valid: Which pixels count; None = all.
    """

    prediction: NDArray[Any]
    target: NDArray[np.uint8]
    valid: NDArray[np.bool_] | None

    @property
    def images(self) -> NDArray[np.intp]:
        """Indices of the images in which a pixel counts."""
        return _images_that_count(len(self.target), self.valid)


class Labels(NamedTuple):
    """Label maps that are compared, (B, H, W) each, or (B, D, H, W).

    Attributes:
        prediction: Whole numbers.
        target: Whole numbers.
        valid: Which pixels count; None = all.
    """

    prediction: NDArray[Any]
    target: NDArray[Any]
    valid: NDArray[np.bool_] | None

    @property
    def images(self) -> NDArray[np.intp]:
        """Indices of the images in which a pixel counts."""
        return _images_that_count(len(self.target), self.valid)


def to_numpy(name: str, images: Masks) -> NDArray[Any]:
    """A numpy array of real numbers; the images may be on any device."""
    return number_array(name, _from_torch(name, images) if _is_tensor(images) else images)


def masks_to_compare(
    prediction: Masks, target: Masks, valid: Masks | None, space: Space = IMAGES
) -> Comparison:
    """Two masks of the same shape. Values where ``valid`` is 0 don't matter."""
    compared = _arrays_to_compare(prediction, target, valid, space)
    return compared._replace(prediction=binary_masks("prediction", compared.prediction, space))


def likelihood_to_compare(
    prediction: Masks, target: Masks, valid: Masks | None, space: Space = IMAGES
) -> Comparison:
    """A likelihood in [0, 1] (or a mask) and a mask. Values where ``valid`` is 0 don't matter.

    Values that rounding left just outside [0, 1] are set to 0 or 1.
    """
    compared = _arrays_to_compare(prediction, target, valid, space)
    values, inside = without_rounding(compared.prediction, _tolerance(prediction))
    if not inside:
        raise ValueError(
            f"prediction must lie in [0, 1], got values from {values.min()} to {values.max()}"
        )
    return compared._replace(prediction=values)


def labels_to_compare(
    prediction: Masks, target: Masks, valid: Masks | None, space: Space = IMAGES
) -> Labels:
    """Two label maps of the same shape. Values where ``valid`` is 0 don't matter."""
    arrays = _arrays_of_one_shape(prediction, target, valid, space)
    for name, array in zip(("prediction", "target"), arrays, strict=False):
        if array is not None and array.dtype.kind not in "iu":
            raise TypeError(
                f"{name} must hold whole numbers, one for each instance, got {array.dtype}: "
                "convert a label map to an integer dtype, and number the cells of a mask by "
                "toponet.topology.label_cells"
            )
    return Labels(*arrays)


def without_channel(name: str, images: Masks, space: Space = IMAGES) -> NDArray[Any]:
    """Turns the shape (B, 1, H, W) of networks into (B, H, W); other shapes stay.

    Of volumes it is (B, 1, D, H, W).
    """
    array = to_numpy(name, images)
    if array.ndim != space.spatial_dims + 2:
        return array
    if array.shape[1] != 1:
        raise ValueError(
            f"{name} must have one channel, got shape {array.shape}: expected "
            f"(B, 1, {space.axes}); pass channels one by one, and move a last axis to the front"
        )
    return array[:, 0]


def likelihood_without_channel(name: str, images: Masks, space: Space = IMAGES) -> NDArray[Any]:
    """As :func:`without_channel`, without what rounding left outside [0, 1].

    The numpy array of a tensor in bfloat16 no longer tells how coarsely it was rounded.
    """
    array = without_channel(name, images, space)
    return without_rounding(array, _tolerance(images))[0] if array.size else array


def mean_over_images(rows: NDArray[np.float64]) -> list[float]:
    """The mean of each column. Each row is an image, and all images count the same.

    Raises:
        ValueError: If there is no row.
    """
    if len(rows) == 0:
        raise ValueError("valid must hold at least one pixel that counts")
    means: list[float] = rows.mean(axis=0).tolist()
    return means


def _images_that_count(count: int, valid: NDArray[np.bool_] | None) -> NDArray[np.intp]:
    if valid is None:
        return np.arange(count)
    return np.flatnonzero(valid.any(axis=tuple(range(1, valid.ndim))))


def _arrays_to_compare(
    prediction: Masks, target: Masks, valid: Masks | None, space: Space
) -> Comparison:
    """A mask of the truth, and a prediction whose values aren't checked."""
    predicted, truth, counted = _arrays_of_one_shape(prediction, target, valid, space)
    return Comparison(
        taken_for_structure(predicted, counted),
        binary_masks("target", taken_for_structure(truth, counted), space),
        counted,
    )


def _arrays_of_one_shape(
    prediction: Masks, target: Masks, valid: Masks | None, space: Space
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_] | None]:
    """A batch each. The values of prediction and truth aren't checked."""
    predicted = as_batch("prediction", to_numpy("prediction", prediction), space)
    truth = as_batch("target", to_numpy("target", target), space)
    if predicted.shape != truth.shape:
        raise ValueError(
            "prediction and target must have the same shape, got "
            f"{predicted.shape} and {truth.shape}"
        )
    counted = None
    if valid is not None:
        counted = valid_pixels(
            as_batch("valid", to_numpy("valid", valid), space), truth.shape, space
        )
    return predicted, truth, counted


def _is_tensor(images: Masks) -> TypeGuard[Tensor]:
    """Whoever has a tensor has imported torch already; here it isn't imported for others."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(images, torch.Tensor)


def _tolerance(images: Masks) -> float:
    """How far outside [0, 1] rounding may have left them, in the type in which they are given."""
    dtype = images.dtype if _is_tensor(images) else np.asarray(images).dtype
    return rounding_tolerance(dtype)


def _from_torch(name: str, images: Tensor) -> NDArray[Any]:
    import torch

    if images.is_meta:
        raise ValueError(f"{name} must hold values, got a tensor on the meta device")
    if images.layout != torch.strided or images.is_nested:
        raise TypeError(f"{name} must be a dense tensor; call to_dense() or pad it first")
    images = images.detach().cpu()
    if images.dtype == torch.bfloat16:  # numpy has no such type.
        images = images.float()
    try:
        return np.asarray(images.numpy())
    except TypeError:  # float8, quantised and packed types: numpy has none of them.
        raise TypeError(f"{name} must hold real numbers, got {images.dtype}") from None
