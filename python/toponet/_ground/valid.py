"""The one meaning of ``valid``, for loss, metrics, evaluation, inspection and pictures.

``valid`` says which pixels count, such as a field of view or labelled regions. A pixel that doesn't
count is taken for structure in prediction and truth, as a frame is. So no hole opens to it, no cell
holds it, and its value doesn't matter. A share of pixels is a share of the pixels that count. A
patch counts if one of its pixels counts. All patches of an image that count have the same weight.
An image in which no pixel counts is left out of means.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet._ground.boxes import Boxes, cut
from toponet._ground.spaces import IMAGES, Space
from toponet._ground.validation import binary_mask, binary_masks


def valid_pixels(
    valid: ArrayLike | None, shape: tuple[int, ...], space: Space = IMAGES
) -> NDArray[np.bool_] | None:
    """``valid`` as booleans of the images' shape, (H, W) or (B, H, W); None = all pixels count.

    Volumes come in batches, (B, D, H, W).

    Raises:
        TypeError: If it doesn't hold real numbers or booleans.
        ValueError: If it has another shape, or holds other values than 0 and 1.
    """
    if valid is None:
        return None
    if len(shape) == 2:
        counted = binary_mask("valid", valid)
    else:
        counted = binary_masks("valid", valid, space) != 0
    if counted.shape != shape:
        raise ValueError(
            f"valid must have the shape of the {space.noun}s, {shape}, got {counted.shape}: one "
            f"value for each {space.element}"
        )
    return counted


def taken_for_structure(pixels: NDArray[Any], valid: NDArray[np.generic] | None) -> NDArray[Any]:
    """Masks or likelihoods in which the pixels that don't count are 1."""
    return pixels if valid is None else np.where(valid, pixels, pixels.dtype.type(1))


def patches_that_count(valid: NDArray[np.bool_], space: Space = IMAGES) -> NDArray[np.bool_]:
    """(...) Whether each of the patches (..., h, w) of ``valid`` holds a pixel that counts."""
    return np.asarray(valid.any(axis=tuple(range(-space.spatial_dims, 0))))


def patch_weights(valid: NDArray[np.bool_], boxes: Boxes) -> NDArray[np.float64]:
    """(N * P,) The weight of each patch in its image: the patches that count share a weight of 1.

    If no pixel of an image counts, all its patches have weight 0.

    Args:
        valid: (N, H, W) or (N, D, H, W).
        boxes: (N * P, 4) or (N * P, 6), image after image.
    """
    per_image = len(boxes) // len(valid)
    counts: NDArray[np.float64] = np.zeros((len(valid), per_image))
    for patch, box in enumerate(boxes):
        image = patch // per_image
        counts[image, patch % per_image] = cut(valid[image], box).any()
    weights: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return weights.reshape(-1)
