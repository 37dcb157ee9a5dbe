"""The parts of images that a Betti error looks at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet._ground.boxes import free_corners, grid_boxes
from toponet._ground.valid import patches_that_count
from toponet.metrics.conventions import BettiConvention


class PatchStack(NamedTuple):
    """Patches of equal size that count.

    Attributes:
        image: (n,) The index of the image of each patch.
        prediction: (n, h, w) The patches of the predictions.
        target: (n, h, w) The patches of the targets, at the same places.
    """

    image: NDArray[np.int64]
    prediction: NDArray[np.uint8]
    target: NDArray[np.uint8]


def patch_stacks(
    prediction: NDArray[np.uint8],
    target: NDArray[np.uint8],
    valid: NDArray[np.bool_] | None,
    convention: BettiConvention,
    update: int,
) -> list[PatchStack]:
    """All patches of masks (B, H, W) that count, one stack for each size.

    Args:
        prediction: Masks.
        target: Masks of the same shape.
        valid: The same shape: which pixels count; None = all. A patch in which no pixel counts is
            left out. Random patches are drawn where a pixel counts, if the image has one.
        convention: Says which patches are taken.
        update: The number of the update. Each number has random positions of its own.
    """
    side, seed, shape = convention.patch_size, convention.seed, target.shape
    corners: Mapping[tuple[int, ...], NDArray[np.int64]]
    if side is None:
        corners = {shape[1:]: np.zeros((len(target), 1, 2), dtype=np.int64)}
    elif seed is None:
        corners = _grid_corners(shape, side)
    else:
        drawn = _random_corners(shape, side, int(convention.patches), (seed, update), valid)
        corners = {(min(side, shape[1]), min(side, shape[2])): drawn}
    return [_stack(prediction, target, valid, where, size) for size, where in corners.items()]


def _grid_corners(
    shape: Sequence[int], patch_size: int
) -> dict[tuple[int, ...], NDArray[np.int64]]:
    """(B, n, 2) upper left corners for each height and width; every pixel is in one patch.

    The sides of two patches differ by one pixel at most, so there are at most 4 sizes.
    """
    by_size = defaultdict(list)
    batch, height, width = shape
    for row, column, *size in grid_boxes(height, width, patch_size).tolist():
        by_size[tuple(size)].append((row, column))
    return {
        size: np.broadcast_to(np.array(corners), (batch, len(corners), 2))
        for size, corners in by_size.items()
    }


def _random_corners(
    shape: Sequence[int],
    patch_size: int,
    patches: int,
    seed: tuple[int, int],
    valid: NDArray[np.bool_] | None,
) -> NDArray[np.int64]:
    """(B, patches, 2) upper left corners; (B, 1, 2) when the image is one patch."""
    batch, height, width = shape
    free = free_corners(height, width, patch_size)
    if free == (1, 1):
        return np.zeros((batch, 1, 2), dtype=np.int64)
    generator = np.random.default_rng(seed)
    corners = generator.integers(0, free, (batch, patches, 2))
    if valid is not None:
        for k in range(batch):
            counts = _corners_that_count(valid[k], patch_size)
            places = np.argwhere(counts)
            missed = np.flatnonzero(~counts[corners[k, :, 0], corners[k, :, 1]])
            if len(places) and len(missed):
                corners[k, missed] = places[generator.integers(0, len(places), len(missed))]
    return corners


def _corners_that_count(valid: NDArray[np.bool_], patch_size: int) -> NDArray[np.bool_]:
    """Whether a pixel counts in the patch whose upper left corner is at each place."""
    height, width = (min(patch_size, side) for side in valid.shape)
    # Sums over all rectangles that begin in the upper left corner of the image. Four of them give
    # the sum over any window.
    sums = np.pad(valid.astype(np.int64), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width]
    counts: NDArray[np.bool_] = inside + sums[:-height, :-width] > 0
    return counts


def _stack(
    prediction: NDArray[np.uint8],
    target: NDArray[np.uint8],
    valid: NDArray[np.bool_] | None,
    corners: NDArray[np.int64],
    size: tuple[int, ...],
) -> PatchStack:
    image = np.broadcast_to(np.arange(len(target))[:, None], corners.shape[:2]).ravel()
    rows, columns = corners.reshape(-1, 2).T
    if valid is not None:
        windows = np.lib.stride_tricks.sliding_window_view(valid, size, axis=(1, 2))
        kept = patches_that_count(windows[image, rows, columns])
        image, rows, columns = image[kept], rows[kept], columns[kept]
    if size == target.shape[1:]:  # Windows would take longer to make than to look at.
        return PatchStack(image, prediction[image], target[image])
    cut = (
        np.lib.stride_tricks.sliding_window_view(masks, size, axis=(1, 2))[image, rows, columns]
        for masks in (prediction, target)
    )
    return PatchStack(image, *cut)
