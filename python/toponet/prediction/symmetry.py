"""The eight turns and flips of an image, and the mean of what a network makes of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray


def mean_over_symmetries(
    predict: Callable[[NDArray[np.float32]], NDArray[np.float32]], image: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Likelihood (H, W), the same however the image lay; but for rounding.

    Training shows patches in all eight positions alike, so none is better than another.

    Args:
        predict: Gives the likelihood (H, W) of an image (C, H, W).
        image: (C, H, W).
    """
    total = np.zeros(image.shape[1:], dtype=np.float32)
    for turns, flipped in product(range(4), (False, True)):
        turned = np.rot90(image[..., ::-1] if flipped else image, turns, axes=(1, 2))
        answer = np.rot90(predict(np.ascontiguousarray(turned)), -turns)
        total += answer[:, ::-1] if flipped else answer
    return total / np.float32(8)
