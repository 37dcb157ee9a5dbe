"""Random patches with the margin that a network needs around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_whole
from toponet.data.augmentation import Augmentation
from toponet.data.image_set import ImageSet, Normalisation
from toponet.data.intensity import IntensityChange

if TYPE_CHECKING:
    from torch import Tensor

# Of a patch without a valid pixel; enough for images of which one place in a hundred is valid.
REDRAWS = 500


class Batch(NamedTuple):
    """Patches for one step.

    Attributes:
        images: (B, C, P + 2 margin, P + 2 margin), float32.
        truths: (B, 1, P, P), float32, 0 or 1.
        valid: (B, 1, P, P), bool: the pixels that count; None if they do in all of the data.
    """

    images: Tensor
    truths: Tensor
    valid: Tensor | None


def pad_reflected(image: NDArray[np.float32], margin: int) -> NDArray[np.float32]:
    """(C, H, W) with ``margin`` reflected pixels on each side; images may be smaller than it."""
    return np.pad(image, ((0, 0), (margin, margin), (margin, margin)), mode="reflect")


class PatchSampler:
    """Draws random overlapping patches, turned and flipped at random.

    Positions are uniform over all places where the patch fits into its image; an image is drawn in
    proportion to their number. A patch without any valid pixel is drawn again, up to ``REDRAWS``
    times. All eight symmetries of the square are equally likely.

    Args:
        data: The images; each must be at least as large as a patch.
        normalisation: Applied to the images.
        patch_size: Side of the truth's patch in pixels.
        margin: Pixels of image around it, reflected at the image's border.
        brightness: See :class:`IntensityChange`; 0 = as it is.
        contrast: Likewise.
        augmentation: See :class:`Augmentation`.

    Raises:
        ValueError: If an image is smaller than a patch, or has no valid pixel; it is named. If
            brightness or contrast is out of range, or there is no such augmentation.
    """

    def __init__(
        self,
        data: ImageSet,
        normalisation: Normalisation,
        patch_size: int,
        margin: int,
        brightness: float = 0.0,
        contrast: float = 0.0,
        augmentation: str = "none",
    ) -> None:
        """Pads and normalises all images once."""
        check_whole("patch_size", patch_size, least=1)
        check_whole("margin", margin, least=0)
        for name, mask, valid in zip(data.names, data.masks, data.valid, strict=True):
            if min(mask.shape) < patch_size:
                raise ValueError(
                    f"image {name} has {mask.shape[0]} x {mask.shape[1]} pixels, smaller than a "
                    f"patch of {patch_size} x {patch_size}"
                )
            if valid is not None and not valid.any():
                raise ValueError(f"image {name} has no valid pixel")
        self.patch_size = patch_size
        self.margin = margin
        self.generator = np.random.default_rng()
        self.intensity = IntensityChange(brightness, contrast)
        self.augmentation = Augmentation(augmentation)
        # Of truth and valid pixels around a patch: what comes into it when the patch is turned.
        self.surroundings = margin if self.augmentation.moves else 0
        self.images = [pad_reflected(normalisation.apply(image), margin) for image in data.images]
        self.masks = data.masks
        self.valid = data.valid
        self.truths = [self._surrounded(mask) for mask in data.masks]
        self.counted = [
            self._surrounded(np.broadcast_to(np.uint8(1), mask.shape) if valid is None else valid)
            for mask, valid in zip(data.masks, data.valid, strict=True)
        ]
        places = [np.prod(np.array(mask.shape) - patch_size + 1) for mask in data.masks]
        self.probabilities = np.array(places) / np.sum(places)

    def reseed(self, seed: Sequence[int]) -> None:
        """What is drawn from here on follows from the seed alone."""
        self.generator = np.random.default_rng(seed)
        self.intensity.reseed(seed)
        self.augmentation.reseed(seed)

    def batch(self, size: int) -> Batch:
        """``size`` patches; what they are follows from the last seed and the calls since."""
        import torch  # Here, because images are looked up without it.

        patches = [self._patch() for _ in range(size)]
        images, truths, valid = (
            torch.from_numpy(np.stack(arrays)) for arrays in zip(*patches, strict=True)
        )
        everywhere = all(mask is None for mask in self.valid)
        return Batch(images, truths, None if everywhere else valid)

    def _patch(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        i, row, column = self._place()
        turns, flip = self.generator.integers(0, (4, 2))

        def turned(of_image: NDArray[Any], around: int) -> NDArray[np.float32]:
            side = self.patch_size + 2 * around
            patch = of_image[:, row : row + side, column : column + side]
            patch = np.rot90(patch, turns, axes=(1, 2))
            return np.ascontiguousarray(patch[..., ::-1] if flip else patch, dtype=np.float32)

        image, truth, valid = self.augmentation(
            self.intensity(turned(self.images[i], self.margin)),
            turned(self.truths[i], self.surroundings),
            turned(self.counted[i], self.surroundings),
        )
        inside = slice(self.surroundings, self.surroundings + self.patch_size)
        return image, truth[:, inside, inside], valid[:, inside, inside].astype(np.bool_)

    def _place(self) -> tuple[int, int, int]:
        """Image, row and column of a patch with a valid pixel."""
        for _ in range(1 + REDRAWS):
            i = int(self.generator.choice(len(self.images), p=self.probabilities))
            free = np.array(self.masks[i].shape) - self.patch_size + 1
            row, column = (int(start) for start in self.generator.integers(0, free))
            if self._has_valid_pixel(i, row, column):
                break
        return i, row, column

    def _has_valid_pixel(self, i: int, row: int, column: int) -> bool:
        valid = self.valid[i]
        end_row, end_column = row + self.patch_size, column + self.patch_size
        return valid is None or bool(valid[row:end_row, column:end_column].any())

    def _surrounded(self, mask: NDArray[np.uint8]) -> NDArray[Any]:
        """(1, H, W) with its surroundings; without any, no memory is taken for it."""
        if not self.surroundings:
            return mask[None]
        return pad_reflected(mask[None].astype(np.float32), self.surroundings)
