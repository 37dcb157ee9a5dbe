"""Pixel-wise accuracy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toponet.metrics.inputs import Masks, masks_to_compare, mean_over_images

EQUAL_SHARE = "share of equal pixels"  # The convention, in words.


def pixel_accuracy(prediction: Masks, target: Masks, *, valid: Masks | None = None) -> float:
    """Share of pixels at which the masks are equal, in [0, 1], mean over images.

    The share is defined for every pair of masks. It is 1 if they are equal, also if they have no
    structure or nothing else.

    Args:
        prediction: (H, W) or (B, H, W); 0 and 1 in any dtype, numpy or torch.
        target: The same shape.
        valid: The same shape: 1 where a pixel counts; None = everywhere. The share is taken among
            the pixels that count. An image in which no pixel counts isn't part of the mean.

    Raises:
        TypeError: If an array doesn't hold numbers, or is a masked array.
        ValueError: If shapes differ, a value that counts is neither 0 nor 1, or no pixel counts.

    Example:
        >>> from toponet.metrics import pixel_accuracy
        >>> pixel_accuracy([[0, 1], [1, 1]], [[0, 1], [1, 0]])
        0.75
    """
    return mean_over_images(equal_shares(prediction, target, valid))[0]


def equal_shares(
    prediction: Masks, target: Masks, valid: Masks | None = None
) -> NDArray[np.float64]:
    """(images, 1) The share of equal pixels, for each image in which a pixel counts."""
    compared = masks_to_compare(prediction, target, valid)
    equal = compared.prediction == compared.target
    counts = np.ones_like(equal) if compared.valid is None else compared.valid
    shares = [(equal[k] & counts[k]).sum() / counts[k].sum() for k in compared.images]
    return np.reshape(shares, (-1, 1))
