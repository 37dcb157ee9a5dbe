"""A set of images with their truths, its folds and its normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import binary_mask, check_flag


@dataclass(frozen=True)
class ImageSet:
    """Images with binary truths; sizes may differ, channels may not.

    Attributes:
        names: One for each image.
        images: (C, H, W) float32 each, in the files' own grey values.
        masks: (H, W) uint8 each, 1 = structure.
        valid: (H, W) uint8 each, 1 = the pixel counts (it lies in the field of view, or was
            labelled), or None where all pixels do; by default None for every image.
        dtypes: Of each image's grey values in its file, such as "uint16"; by default "float32".

    Raises:
        ValueError: If a mask holds anything but 0 and 1, or a valid mask isn't as large as its
            image, or isn't there for each image.
    """

    names: tuple[str, ...]
    images: tuple[NDArray[np.float32], ...]
    masks: tuple[NDArray[np.uint8], ...]
    valid: tuple[NDArray[np.uint8] | None, ...] = ()
    dtypes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Fills in what wasn't given: no valid masks, float32."""
        if not self.valid:
            object.__setattr__(self, "valid", (None,) * len(self.names))
        if not self.dtypes:
            object.__setattr__(self, "dtypes", ("float32",) * len(self.names))
        if len(self.valid) != len(self.names):
            raise ValueError(
                f"valid must have one entry for each of {len(self.names)} images, got "
                f"{len(self.valid)}"
            )
        for name, mask, valid in zip(self.names, self.masks, self.valid, strict=True):
            binary_mask(f"the truth of image {name}", mask)
            if valid is not None:
                binary_mask(f"the valid mask of image {name}", valid)
            if valid is not None and valid.shape != mask.shape:
                raise ValueError(
                    f"the valid mask of image {name} has shape {valid.shape}, its truth "
                    f"{mask.shape}"
                )

    def __len__(self) -> int:
        """Number of images."""
        return len(self.names)

    @property
    def channels(self) -> int:
        """Channels of every image."""
        return int(self.images[0].shape[0])

    def subset(self, indices: Sequence[int]) -> ImageSet:
        """The images at these indices, in this order."""
        return ImageSet(
            tuple(self.names[i] for i in indices),
            tuple(self.images[i] for i in indices),
            tuple(self.masks[i] for i in indices),
            tuple(self.valid[i] for i in indices),
            tuple(self.dtypes[i] for i in indices),
        )


@dataclass(frozen=True)
class Normalisation:
    """What is done to grey values before a network sees them: less the mean, by the deviation.

    Attributes:
        mean: Of each channel, over all pixels of the training images together.
        std: Its standard deviation, likewise.
        per_image: Take mean and deviation of each image itself instead, whose grey scale then
            doesn't matter.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    per_image: bool = False

    def __post_init__(self) -> None:
        """Refuses what would make NaN or infinity of an image."""
        check_flag("per_image", self.per_image)
        if len(self.mean) != len(self.std) or not all(
            np.isfinite(m) and np.isfinite(s) and s > 0
            for m, s in zip(self.mean, self.std, strict=True)
        ):
            raise ValueError(
                f"normalisation needs finite means and positive deviations, got {self.mean} and "
                f"{self.std}"
            )

    @classmethod
    def of(cls, images: Sequence[NDArray[np.float32]], per_image: bool = False) -> Normalisation:
        """Of all pixels of (C, H, W) images together; a constant channel gets deviation 1."""
        pixels = sum(image[0].size for image in images)
        mean = sum(image.sum(axis=(1, 2), dtype=np.float64) for image in images) / pixels
        squares = sum(
            ((image - mean[:, None, None]) ** 2).sum(axis=(1, 2), dtype=np.float64)
            for image in images
        )
        std = np.sqrt(squares / pixels)
        std[std == 0] = 1.0
        return cls(tuple(map(float, mean)), tuple(map(float, std)), per_image)

    def apply(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mean 0 and deviation 1: of this image, or of all training images together."""
        source = Normalisation.of([image]) if self.per_image else self
        mean, std = (
            np.array(values, dtype=np.float32)[:, None, None]
            for values in (source.mean, source.std)
        )
        normalised: NDArray[np.float32] = (image - mean) / std
        return normalised


def fold_split(
    count: int, folds: int, fold: int, inner_fold: int | None = None
) -> tuple[list[int], list[int]]:
    """Indices for training and for validation: contiguous blocks.

    Neighbouring slices of a volume resemble each other; a shuffled split would validate on images
    that were all but seen.

    Args:
        count: Images in all.
        folds: Number of blocks, at least 2.
        fold: The block for validation.
        inner_fold: If given, ``fold`` is in neither of the two lists; the other images are split
            likewise, and this block of them is for validation.

    Raises:
        ValueError: If there are fewer than 2 folds, more folds than images, or no such fold.
    """
    if folds < 2:
        raise ValueError(f"folds must be at least 2, got {folds}")
    training, validation = _block(list(range(count)), folds, fold, "fold")
    if inner_fold is not None:
        training, validation = _block(training, folds, inner_fold, "inner_fold")
    return training, validation


def _block(indices: list[int], folds: int, fold: int, name: str) -> tuple[list[int], list[int]]:
    """All but one block, and that block."""
    if not 0 <= fold < folds:
        raise ValueError(f"{name} must lie between 0 and folds - 1 = {folds - 1}, got {fold}")
    if len(indices) < folds:
        raise ValueError(f"{folds} folds need at least {folds} images, got {len(indices)}")
    block = [int(i) for i in np.array_split(indices, folds)[fold]]
    return [i for i in indices if i not in block], block
