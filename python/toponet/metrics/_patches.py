"""The parts of images that a Betti error looks at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from toponet._boxes import free_corners, grid_boxes
from toponet.metrics.conventions import BettiConvention


def patch_stacks(
    masks: NDArray[np.uint8], convention: BettiConvention, update: int
) -> Iterator[NDArray[np.uint8]]:
    """All patches of masks (B, H, W), as stacks (n, h, w) of equal size.

    Args:
        masks: The same shape gives the same patches.
        convention: Says which.
        update: Random positions differ from one number to the next.
    """
    if convention.patch_size is None:
        yield masks
    elif convention.seed is None:
        yield from _grid(masks, convention.patch_size)
    else:
        corners = _corners(
            masks.shape, convention.patch_size, int(convention.patches), (convention.seed, update)
        )
        yield _cut(masks, corners, convention.patch_size)


def _grid(masks: NDArray[np.uint8], patch_size: int) -> Iterator[NDArray[np.uint8]]:
    """Every pixel in one patch; sides differ by one pixel at most, so there are up to 4 stacks."""
    by_size = defaultdict(list)
    _, rows, columns = masks.shape
    for row, column, height, width in grid_boxes(rows, columns, patch_size):
        by_size[height, width].append(masks[:, row : row + height, column : column + width])
    yield from map(np.concatenate, by_size.values())


def _corners(
    shape: tuple[int, ...], patch_size: int, patches: int, seed: tuple[int, int]
) -> NDArray[np.int64]:
    """(B, patches, 2) upper left corners; (B, 1, 2) when the image is one patch."""
    batch, height, width = shape
    free = free_corners(height, width, patch_size)
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
