"""Pixel-wise accuracy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toponet.metrics._inputs import Masks, mask_pair


def pixel_accuracy(prediction: Masks, target: Masks) -> float:
    """Share of pixels at which the masks are equal, in [0, 1], over all images together.

    Args:
        prediction: (H, W) or (B, H, W); 0 and 1 in any dtype, numpy or torch.
        target: The same shape.

    Raises:
        ValueError: If shapes differ, or a value is neither 0 nor 1.

    Example:
        >>> from toponet.metrics import pixel_accuracy
        >>> pixel_accuracy([[0, 1], [1, 1]], [[0, 1], [1, 0]])
        0.75
    """
    return float(equal_pixels(prediction, target).mean())


def equal_pixels(prediction: Masks, target: Masks) -> NDArray[np.bool_]:
    """(B, H, W): where the masks are equal."""
    predicted, truth = mask_pair(prediction, target)
    equal: NDArray[np.bool_] = predicted == truth
    return equal
