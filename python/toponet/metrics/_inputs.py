"""What all metrics ask of their inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from toponet._validation import batch_of_2d, binary_masks

Masks = ArrayLike | Tensor


def to_numpy(name: str, images: Masks) -> NDArray[Any]:
    """A numpy array of numbers or booleans, wherever the images are."""
    array = _from_torch(name, images) if isinstance(images, Tensor) else _from_numpy(name, images)
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} must hold numbers or booleans, got {array.dtype}")
    return array


def mask_pair(prediction: Masks, target: Masks) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Two (B, H, W) arrays of bytes 0 and 1 of the same shape."""
    masks = (
        binary_masks("prediction", to_numpy("prediction", prediction)),
        binary_masks("target", to_numpy("target", target)),
    )
    check_same_shape(*masks)
    return masks


def likelihood_and_mask(prediction: Masks, target: Masks) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """A (B, H, W) array in [0, 1] (a mask is one) and a mask of the same shape."""
    likelihood = batch_of_2d("prediction", to_numpy("prediction", prediction))
    low, high = likelihood.min(), likelihood.max()
    if not (low >= 0 and high <= 1):
        raise ValueError(f"prediction must lie in [0, 1], got values from {low} to {high}")
    mask = binary_masks("target", to_numpy("target", target))
    check_same_shape(likelihood, mask)
    return likelihood, mask


def without_channel(name: str, images: Masks) -> NDArray[Any]:
    """(B, 1, H, W), as networks have it, to (B, H, W); other shapes as they are."""
    array = to_numpy(name, images)
    if array.ndim != 4:
        return array
    if array.shape[1] != 1:
        raise ValueError(f"{name} must have one channel, got shape {array.shape}")
    return array[:, 0]


def check_same_shape(prediction: NDArray[Any], target: NDArray[Any]) -> None:
    """Raises ValueError if the shapes differ."""
    if prediction.shape != target.shape:
        raise ValueError(
            "prediction and target must have the same shape, got "
            f"{prediction.shape} and {target.shape}"
        )


def _from_numpy(name: str, images: ArrayLike) -> NDArray[Any]:
    try:
        return np.asarray(images)
    except ValueError:
        raise ValueError(f"{name} must be an array: its rows differ in length") from None


def _from_torch(name: str, images: Tensor) -> NDArray[Any]:
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
        raise TypeError(f"{name} must hold numbers or booleans, got {images.dtype}") from None
