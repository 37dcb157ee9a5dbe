"""Patches as other microscopes and other places would have given them, for training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_choice
from toponet.data.intensity import reseed_transform

# "intensity" = noise, blur and gamma; "all" = these, and turned, scaled and bent as well.
AUGMENTATIONS = ("none", "intensity", "all")

Patch = NDArray[np.float32]


class Augmentation:
    """Changes patches at random by MONAI's transforms.

    "intensity" changes the image alone. Each of the three is drawn with the given probability:
    Gaussian noise of up to 0.2 deviations (a half), a Gaussian blur of 0.5 to 1 pixels (a third),
    and a gamma of 0.7 to 1.5 (a half) that leaves mean and deviation as they are.

    "all" comes with a change of place before that, for half of the patches: image, truth and valid
    pixels are turned by any angle, scaled by up to a fifth, and bent by up to 2 pixels at the nodes
    of a grid of 32 pixels. The truth is taken from the nearest pixel. Structure of less than three
    pixels may break by that, and the topological loss would learn the break.

    Args:
        kind: "none", "intensity" or "all".

    Raises:
        ValueError: If there is no such kind.
    """

    def __init__(self, kind: str = "none") -> None:
        """Loads MONAI, which takes seconds, only if there is something to change."""
        check_choice("augmentation", kind, AUGMENTATIONS)
        self.kind = kind
        self.transforms: Any = None
        if kind != "none":
            from monai.transforms.compose import Compose

            self.transforms = Compose([*(_places() if self.moves else ()), *_intensities()])

    @property
    def moves(self) -> bool:
        """Whether the truth moves with the image, so that it must be known around the patch too."""
        return self.kind == "all"

    def reseed(self, seed: Sequence[int]) -> None:
        """What is drawn from here on follows from the seed alone."""
        if self.transforms is not None:
            reseed_transform(self.transforms, [*seed, 1])

    def __call__(self, image: Patch, truth: Patch, valid: Patch) -> tuple[Patch, Patch, Patch]:
        """Image (C, H, W), truth (1, h, w) and valid pixels (1, h, w) of the next patch.

        Unless ``moves``, truth and valid pixels may be smaller than the image: they stay.
        """
        if self.transforms is None:
            return image, truth, valid
        parts = {"image": image, "truth": truth, "valid": valid}
        changed = self.transforms(parts if self.moves else {"image": image})
        parts.update({name: np.asarray(part, np.float32) for name, part in changed.items()})
        return parts["image"], parts["truth"], parts["valid"]


def _places() -> list[Any]:
    from monai.transforms.spatial.dictionary import Rand2DElasticd

    return [
        Rand2DElasticd(
            keys=("image", "truth", "valid"),
            spacing=32,
            magnitude_range=(0.0, 2.0),
            prob=0.5,
            rotate_range=math.pi,
            scale_range=0.2,
            mode=("bilinear", "nearest", "nearest"),
            padding_mode="reflection",
        )
    ]


def _intensities() -> list[Any]:
    from monai.transforms.intensity.dictionary import (
        RandAdjustContrastd,
        RandGaussianNoised,
        RandGaussianSmoothd,
    )

    image, sigma = ("image",), (0.5, 1.0)
    return [
        RandGaussianNoised(image, prob=0.5, std=0.2, sample_std=True),
        RandGaussianSmoothd(image, sigma_x=sigma, sigma_y=sigma, prob=1 / 3),
        RandAdjustContrastd(image, prob=0.5, gamma=(0.7, 1.5), retain_stats=True),
    ]
