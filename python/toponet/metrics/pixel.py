"""Pixel-wise accuracy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toponet._ground.spaces import IMAGES, Space, space_of
from toponet.metrics.inputs import Masks, masks_to_compare, mean_over_images


def pixel_accuracy(
    prediction: Masks, target: Masks, *, spatial_dims: int = 2, valid: Masks | None = None
) -> float:
    """Share of pixels at which the masks are equal, in [0, 1], mean over images.

    The share is defined for every pair of masks. It is 1 if they are equal, also if they have no
    structure or nothing else.

    Args:
        prediction: (H, W) or (B, H, W); 0 and 1 in any dtype, numpy or torch. With
            ``spatial_dims=3`` a volume, (D, H, W) or (B, D, H, W).
        target: The same shape.
        spatial_dims: 2 = images, 3 = volumes.
        valid: The same shape: 1 where a pixel counts; None = everywhere. The share is taken among
            the pixels that count. An image in which no pixel counts isn't part of the mean.

    Raises:
        TypeError: If an array doesn't hold numbers, or is a masked array.
        ValueError: If shapes differ, a value that counts is neither 0 nor 1, or no pixel counts; if
            ``spatial_dims`` is neither 2 nor 3.

    Example:
        >>> from toponet.metrics import pixel_accuracy
        >>> pixel_accuracy([[0, 1], [1, 1]], [[0, 1], [1, 0]])
        0.75
    """
    shares = equal_shares(prediction, target, valid, space_of(spatial_dims))
    return mean_over_images(shares)[0]


def describe_accuracy(space: Space = IMAGES) -> str:
    """The convention of :func:`pixel_accuracy` in words."""
    return f"share of equal {space.element}s"


def equal_shares(
    prediction: Masks, target: Masks, valid: Masks | None = None, space: Space = IMAGES
) -> NDArray[np.float64]:
    """(images, 1) The share of equal pixels, for each image in which a pixel counts."""
    compared = masks_to_compare(prediction, target, valid, space)
    equal = compared.prediction == compared.target
    counts = np.ones_like(equal) if compared.valid is None else compared.valid
    shares = [(equal[k] & counts[k]).sum() / counts[k].sum() for k in compared.images]
    return np.reshape(shares, (-1, 1))
