"""Brightness and contrast of patches, changed at random while a network is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_number


class IntensityChange:
    """Other brightness and contrast for each patch, as other exposures would have given it.

    A patch ``v`` with mean ``m`` becomes ``m + (1 + c) (v - m) + b``, with ``b`` and ``c`` uniform
    between the negative and the positive of what is given; the same for all of its channels.

    Args:
        brightness: Largest ``b``, in deviations of the normalised images, at least 0.
        contrast: Largest ``c``, at least 0 and below 1.

    Raises:
        ValueError: If one of them is out of range.
    """

    def __init__(self, brightness: float, contrast: float) -> None:
        """Loads MONAI, which takes seconds, only if there is something to change."""
        check_intensity(brightness, contrast)
        self.transform = None
        if brightness or contrast:
            from monai.transforms.compose import Compose
            from monai.transforms.intensity.array import (
                RandScaleIntensityFixedMean,
                RandShiftIntensity,
            )

            scale = RandScaleIntensityFixedMean(prob=1.0, factors=contrast)
            self.transform = Compose([scale, RandShiftIntensity(brightness, prob=1.0)])

    def reseed(self, seed: Sequence[int]) -> None:
        """What is drawn from here on follows from the seed alone."""
        if self.transform is not None:
            reseed_transform(self.transform, seed)

    def __call__(self, patch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The patch (C, H, W) with the next brightness and contrast."""
        if self.transform is None:
            return patch
        return np.asarray(self.transform(patch), dtype=np.float32)


def reseed_transform(transform: Any, seed: Sequence[int]) -> None:
    """What a transform of MONAI's draws from here on follows from the numbers alone."""
    (state,) = np.random.SeedSequence(seed).generate_state(1)
    transform.set_random_state(seed=int(state))


def check_intensity(brightness: float, contrast: float) -> None:
    """Raises ValueError if one of them is out of range."""
    check_number("brightness", brightness, least=0)
    if check_number("contrast", contrast, least=0) >= 1:
        raise ValueError(f"contrast must be at least 0 and below 1, got {contrast}")
