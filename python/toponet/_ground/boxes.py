"""Boxes in images and volumes: (P, 4) arrays of row, column, height and width, of images.

Of volumes they are (P, 6): the corner with the smallest indices, then the sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.int64]


def whole_box(sides: Sequence[int]) -> Boxes:
    """The image as its only patch."""
    return np.array([[*(0 for _ in sides), *sides]])


def grid_boxes(sides: Sequence[int], patch_size: int) -> Boxes:
    """A grid of patches: each side is divided into the fewest parts of at most ``patch_size``.

    Every pixel lies in one patch. The parts are equal to within a pixel. With parts of exactly
    ``patch_size``, the last patch could be a few pixels wide, and would have a topology of its own.
    """
    starts, lengths = zip(*(_parts(side, patch_size) for side in sides), strict=True)
    table = [*np.meshgrid(*starts, indexing="ij"), *np.meshgrid(*lengths, indexing="ij")]
    return np.stack(table, axis=-1).reshape(-1, 2 * len(sides))


def random_boxes(corners: NDArray[np.int64], sides: Sequence[int], patch_size: int) -> Boxes:
    """Patches with these corners (P, 2), in volumes (P, 3); no side is longer than the image's."""
    size = np.minimum(sides, patch_size)
    return np.concatenate([corners, np.broadcast_to(size, corners.shape)], axis=1)


def cut(images: NDArray[Any], box: NDArray[np.int64]) -> NDArray[Any]:
    """The part of images (..., H, W) that lies in one box (4,): a view, no copy."""
    corner, sides = np.split(box, 2)
    slices = (slice(start, start + side) for start, side in zip(corner, sides, strict=True))
    place: tuple[Any, ...] = (..., *slices)
    part: NDArray[Any] = images[place]
    return part


def free_corners(sides: Sequence[int], patch_size: int) -> tuple[int, ...]:
    """The number of places along each side at which a patch may start."""
    return tuple(max(side - patch_size, 0) + 1 for side in sides)


def _parts(side: int, patch_size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    count = -(-side // patch_size)
    edges = np.arange(count + 1) * side // count
    return edges[:-1], np.diff(edges)
