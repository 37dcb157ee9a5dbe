"""Random patches with the margin that a network needs around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toponet._validation import check_whole
from toponet.data.image_set import ImageSet, Normalisation


def pad_reflected(image: NDArray[np.float32], margin: int) -> NDArray[np.float32]:
    """(C, H, W) with ``margin`` reflected pixels on each side; images may be smaller than it."""
    return np.pad(image, ((0, 0), (margin, margin), (margin, margin)), mode="reflect")


class Batch(NamedTuple):
    """Patches with their truths.

    Attributes:
        images: (B, C, P + 2 margin, P + 2 margin) float32.
        truths: (B, 1, P, P) float32.
        valid: (B, 1, P, P) bool: pixels that count; None = all.
    """

    images: Tensor
    truths: Tensor
    valid: Tensor | None


class PatchSampler:
    """Draws random overlapping patches, turned and flipped at random.

    Positions are uniform over all places where the patch fits into its image; an image is drawn in
    proportion to their number. All eight symmetries of the square are equally likely.

    Args:
        data: The images; each must be at least as large as a patch.
        normalisation: Applied to the images.
        patch_size: Side of the truth's patch in pixels.
        margin: Pixels of image around it, reflected at the image's border.

    Raises:
        ValueError: If an image is smaller than a patch; it is named.
    """

    def __init__(
        self,
        data: ImageSet,
        normalisation: Normalisation,
        patch_size: int,
        margin: int,
    ) -> None:
        """Pads and normalises all images once."""
        check_whole("patch_size", patch_size, least=1)
        check_whole("margin", margin, least=0)
        for name, mask in zip(data.names, data.masks, strict=True):
            if min(mask.shape) < patch_size:
                raise ValueError(
                    f"image {name} has {mask.shape[0]} x {mask.shape[1]} pixels, smaller than a "
                    f"patch of {patch_size} x {patch_size}"
                )
        self.patch_size = patch_size
        self.margin = margin
        self.generator = np.random.default_rng()
        self.images = [pad_reflected(normalisation.apply(image), margin) for image in data.images]
        self.masks = data.masks
        places = [np.prod(np.array(mask.shape) - patch_size + 1) for mask in data.masks]
        self.probabilities = np.array(places) / np.sum(places)

    def reseed(self, seed: Sequence[int]) -> None:
        """What is drawn from here on follows from the seed alone."""
        self.generator = np.random.default_rng(seed)

    def batch(self, size: int) -> Batch:
        """A batch of ``size`` patches."""
        pairs = [self._patch() for _ in range(size)]
        images = torch.from_numpy(np.stack([image for image, _ in pairs]))
        truths = torch.from_numpy(np.stack([truth for _, truth in pairs]))
        return Batch(images, truths, None)

    def _patch(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        i = self.generator.choice(len(self.images), p=self.probabilities)
        free = np.array(self.masks[i].shape) - self.patch_size + 1
        row, column = self.generator.integers(0, free)
        turns, flip = self.generator.integers(0, (4, 2))
        side = self.patch_size + 2 * self.margin
        image = self.images[i][:, row : row + side, column : column + side]
        truth = self.masks[i][None, row : row + self.patch_size, column : column + self.patch_size]

        def turned(patch: NDArray[np.generic]) -> NDArray[np.float32]:
            patch = np.rot90(patch, turns, axes=(1, 2))
            return np.ascontiguousarray(patch[..., ::-1] if flip else patch, dtype=np.float32)

        return turned(image), turned(truth)
