"""The parts of images that a Betti error looks at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet._ground.boxes import free_corners, grid_boxes
from toponet._ground.spaces import space_of
from toponet._ground.valid import patches_that_count
from toponet.metrics.conventions import BettiConvention


class PatchStack(NamedTuple):
    """Patches of equal size that count.

    Attributes:
        image: (n,) The index of the image of each patch.
        prediction: (n, h, w) or (n, d, h, w) The patches of the predictions.
        target: The same shape. The patches of the targets, at the same places.
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
    """All patches of masks (B, H, W) or (B, D, H, W) that count, one stack for each size.

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
        corners = {shape[1:]: np.zeros((len(target), 1, len(shape) - 1), dtype=np.int64)}
    elif seed is None:
        corners = _grid_corners(shape, side)
    else:
        drawn = _random_corners(shape, side, int(convention.patches), (seed, update), valid)
        corners = {tuple(min(side, whole) for whole in shape[1:]): drawn}
    return [_stack(prediction, target, valid, where, size) for size, where in corners.items()]


def _grid_corners(
    shape: Sequence[int], patch_size: int
) -> dict[tuple[int, ...], NDArray[np.int64]]:
    """(B, n, 2) upper left corners for each height and width; every pixel is in one patch.

    The sides of two patches differ by one pixel at most, so there are at most 4 sizes. Corners in
    volumes are (B, n, 3), and there are at most 8 sizes.
    """
    by_size = defaultdict(list)
    batch, *sides = shape
    for box in grid_boxes(sides, patch_size).tolist():
        by_size[tuple(box[len(sides) :])].append(box[: len(sides)])
    return {
        size: np.broadcast_to(np.array(corners), (batch, len(corners), len(sides)))
        for size, corners in by_size.items()
    }


def _random_corners(
    shape: Sequence[int],
    patch_size: int,
    patches: int,
    seed: tuple[int, int],
    valid: NDArray[np.bool_] | None,
) -> NDArray[np.int64]:
    """(B, patches, 2) upper left corners, or (B, patches, 3); one when the image is one patch."""
    batch, *sides = shape
    free = free_corners(sides, patch_size)
    if max(free) == 1:
        return np.zeros((batch, 1, len(free)), dtype=np.int64)
    generator = np.random.default_rng(seed)
    corners = generator.integers(0, free, (batch, patches, len(free)))
    if valid is not None:
        for k in range(batch):
            counts = _corners_that_count(valid[k], patch_size)
            places = np.argwhere(counts)
            missed = np.flatnonzero(~counts[tuple(corners[k].T)])
            if len(places) and len(missed):
                corners[k, missed] = places[generator.integers(0, len(places), len(missed))]
    return corners


def _corners_that_count(valid: NDArray[np.bool_], patch_size: int) -> NDArray[np.bool_]:
    """Whether a pixel counts in the patch whose upper left corner is at each place."""
    inside = valid.astype(np.int64)
    for axis, side in enumerate(valid.shape):
        # The sum over any window is the difference of two sums that begin at the image's border.
        sums = np.pad(inside, [(int(other == axis), 0) for other in range(valid.ndim)])
        sums = np.moveaxis(sums.cumsum(axis=axis), axis, 0)
        length = min(patch_size, side)
        inside = np.moveaxis(sums[length:] - sums[:-length], 0, axis)
    counts: NDArray[np.bool_] = inside > 0
    return counts


def _stack(
    prediction: NDArray[np.uint8],
    target: NDArray[np.uint8],
    valid: NDArray[np.bool_] | None,
    corners: NDArray[np.int64],
    size: tuple[int, ...],
) -> PatchStack:
    image = np.broadcast_to(np.arange(len(target))[:, None], corners.shape[:2]).ravel()
    places = corners.reshape(-1, len(size))
    if valid is not None:
        kept = patches_that_count(_windows(valid, size, image, places), space_of(len(size)))
        image, places = image[kept], places[kept]
    if size == target.shape[1:]:  # Windows would take longer to make than to look at.
        return PatchStack(image, prediction[image], target[image])
    cut = (_windows(masks, size, image, places) for masks in (prediction, target))
    return PatchStack(image, *cut)


def _windows(
    masks: NDArray[Any],
    size: tuple[int, ...],
    image: NDArray[np.int64],
    places: NDArray[np.int64],
) -> NDArray[Any]:
    """(n, *size) The windows of these images at these corners."""
    axes = tuple(range(1, masks.ndim))
    views = np.lib.stride_tricks.sliding_window_view(masks, size, axis=axes)
    cut: NDArray[Any] = views[(image, *places.T)]
    return cut
