"""Betti error on patches: does each part of the image have the right topology?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toponet._validation import check_connectivity, check_flag, check_whole
from toponet.metrics._inputs import Masks, mask_pair
from toponet.persistence import betti_numbers


@dataclass(frozen=True)
class BettiError:
    """Betti error per dimension, with the convention that it was measured by.

    Unpacks and indexes like the pair (dimension 0, dimension 1).
    """

    dimension_0: float
    dimension_1: float
    patch_size: int
    patches: int
    seed: int
    connectivity: int
    frame: bool

    def __getitem__(self, dimension: int) -> float:
        """The error of one dimension."""
        return (self.dimension_0, self.dimension_1)[dimension]

    def __iter__(self) -> Iterator[float]:
        """Dimension 0, then dimension 1."""
        return iter((self.dimension_0, self.dimension_1))

    @property
    def convention(self) -> str:
        """What the numbers mean, in one line."""
        return (
            f"mean |difference of Betti numbers| over {self.patches} random patches an image of "
            f"{self.patch_size} x {self.patch_size}, seed {self.seed}, connectivity "
            f"{self.connectivity}, {'with' if self.frame else 'without'} frame"
        )

    def __str__(self) -> str:
        """Both numbers and the convention."""
        return (
            f"Betti error {self.dimension_0:.3f} (components), {self.dimension_1:.3f} (holes): "
            f"{self.convention}"
        )


def betti_error(
    prediction: Masks,
    target: Masks,
    *,
    patch_size: int = 65,
    patches: int = 100,
    seed: int = 0,
    connectivity: int = 8,
    frame: bool = True,
) -> BettiError:
    """Mean absolute difference of Betti numbers over random patches; 0 is perfect.

    The paper reports dimension 1 (holes) only; dimension 0 (components) is ours.

    Args:
        prediction: Mask (H, W) or (B, H, W), 1 = structure, numpy or torch.
        target: Mask of the same shape.
        patch_size: Side of the square patches in pixels; an image smaller than that is one patch.
        patches: Patches per image, drawn uniformly and with replacement.
        seed: Of the positions; the same seed and sizes give the same positions.
        connectivity: Of the structure.
        frame: Surround each patch by structure, as the loss does by default.

    Raises:
        ValueError: If shapes differ, a value is neither 0 nor 1, or an option is out of range.

    Source: Hu et al., NeurIPS 2019, section 3.

    Example:
        >>> import numpy as np
        >>> from toponet.metrics import betti_error
        >>> truth = np.zeros((9, 9), dtype=int)
        >>> truth[4] = 1
        >>> broken = truth.copy()
        >>> broken[4, 4] = 0
        >>> betti_error(broken, truth)[1]
        1.0
    """
    check_connectivity(connectivity)
    check_flag("frame", frame)
    check_whole("patch_size", patch_size, least=1)
    check_whole("patches", patches, least=1)
    check_whole("seed", seed, least=0)
    predicted, truth = mask_pair(prediction, target)
    corners = _corners(truth.shape, patch_size, patches, seed)
    numbers = [
        betti_numbers(_cut(masks, corners, patch_size), connectivity=connectivity, frame=frame)
        for masks in (predicted, truth)
    ]
    dimension_0, dimension_1 = np.abs(numbers[0] - numbers[1]).mean(axis=0)
    return BettiError(
        float(dimension_0), float(dimension_1), patch_size, patches, seed, connectivity, frame
    )


def _corners(shape: tuple[int, ...], patch_size: int, patches: int, seed: int) -> NDArray[np.int64]:
    """(B, patches, 2) upper left corners; (B, 1, 2) when the image is one patch."""
    batch, height, width = shape
    free = (max(height - patch_size, 0) + 1, max(width - patch_size, 0) + 1)
    if free == (1, 1):
        return np.zeros((batch, 1, 2), dtype=np.int64)
    return np.random.default_rng(seed).integers(0, free, (batch, patches, 2))


def _cut(
    masks: NDArray[np.uint8], corners: NDArray[np.int64], patch_size: int
) -> NDArray[np.uint8]:
    """All patches of all images, one after the other."""
    size = tuple(min(patch_size, side) for side in masks.shape[1:])
    windows = np.lib.stride_tricks.sliding_window_view(masks, size, axis=(1, 2))
    image = np.arange(len(masks))[:, None]
    return windows[image, corners[..., 0], corners[..., 1]].reshape(-1, *size)
