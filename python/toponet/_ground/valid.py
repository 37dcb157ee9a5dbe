"""The one meaning of ``valid``, for loss, metrics, evaluation, inspection and pictures.

``valid`` says which pixels count: a field of view, labelled regions. A pixel that doesn't count is
taken for structure, in prediction and truth alike, as a frame is: no hole opens to it, no cell
holds it, and its value doesn't matter. Shares of pixels are shares of those that count. A patch
counts if one of its pixels does; all patches of an image that count have the same weight. An image
in which no pixel counts says nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet._ground.boxes import Boxes, cut
from toponet._ground.validation import binary_mask, binary_masks


def valid_pixels(valid: ArrayLike | None, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """``valid`` as booleans of the images' shape, (H, W) or (B, H, W); None = all pixels count.

    Raises:
        TypeError: If it doesn't hold numbers or booleans.
        ValueError: If it has another shape, or holds anything but 0 and 1.
    """
    if valid is None:
        return None
    counted = binary_mask("valid", valid) if len(shape) == 2 else binary_masks("valid", valid) != 0
    if counted.shape != shape:
        raise ValueError(
            f"valid must have the shape of the images, {shape}, got {counted.shape}: one value for "
            "each pixel"
        )
    return counted


def taken_for_structure(pixels: NDArray[Any], valid: NDArray[np.generic] | None) -> NDArray[Any]:
    """Masks or likelihoods in which the pixels that don't count are 1."""
    return pixels if valid is None else np.where(valid, pixels, pixels.dtype.type(1))


def patches_that_count(valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of patches (..., h, w) of ``valid``, which hold a pixel that counts: (...)."""
    return np.asarray(valid.any(axis=(-2, -1)))


def patch_weights(valid: NDArray[np.bool_], boxes: Boxes) -> NDArray[np.float64]:
    """(N * P,) Each image's weight of 1, shared by its patches that count.

    Args:
        valid: (N, H, W).
        boxes: (N * P, 4), image after image. An image in which nothing counts has weights of 0.
    """
    per_image = len(boxes) // len(valid)
    counts: NDArray[np.float64] = np.zeros((len(valid), per_image))
    for patch, box in enumerate(boxes):
        image = patch // per_image
        counts[image, patch % per_image] = patches_that_count(cut(valid[image], box))
    weights: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return weights.reshape(-1)
