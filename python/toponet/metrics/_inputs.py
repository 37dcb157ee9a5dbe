"""What all metrics ask of their inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from toponet._validation import batch_of_2d, binary_masks

Masks = ArrayLike | Tensor


def to_numpy(images: Masks) -> NDArray[Any]:
    """A numpy array, wherever the images are."""
    if isinstance(images, Tensor):
        images = images.detach().cpu()
        if images.dtype == torch.bfloat16:  # numpy has no such type.
            images = images.float()
        return np.asarray(images.numpy())
    return np.asarray(images)


def mask_pair(prediction: Masks, target: Masks) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Two (B, H, W) arrays of bytes 0 and 1 of the same shape."""
    masks = (
        binary_masks("prediction", to_numpy(prediction)),
        binary_masks("target", to_numpy(target)),
    )
    check_same_shape(*masks)
    return masks


def likelihood_and_mask(prediction: Masks, target: Masks) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """A (B, H, W) array in [0, 1] (a mask is one) and a mask of the same shape."""
    likelihood = to_numpy(prediction)
    if likelihood.dtype.kind not in "buif":
        raise TypeError(f"prediction must hold numbers or booleans, got {likelihood.dtype}")
    likelihood = batch_of_2d("prediction", likelihood)
    low, high = likelihood.min(), likelihood.max()
    if not (low >= 0 and high <= 1):
        raise ValueError(f"prediction must lie in [0, 1], got values from {low} to {high}")
    mask = binary_masks("target", to_numpy(target))
    check_same_shape(likelihood, mask)
    return likelihood, mask


def check_same_shape(prediction: NDArray[Any], target: NDArray[Any]) -> None:
    """Raises ValueError if the shapes differ."""
    if prediction.shape != target.shape:
        raise ValueError(
            "prediction and target must have the same shape, got "
            f"{prediction.shape} and {target.shape}"
        )
