"""Rectangles of an image: (P, 4) arrays of row, column, height and width."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.int64]


def whole_box(height: int, width: int) -> Boxes:
    """The image as its only patch."""
    return np.array([[0, 0, height, width]])


def grid_boxes(height: int, width: int, patch_size: int) -> Boxes:
    """A grid of patches: each side is divided into the fewest parts of at most ``patch_size``.

    Every pixel lies in one patch. The parts are equal to within a pixel. With parts of exactly
    ``patch_size``, the last patch could be a few pixels wide, and would have a topology of its own.
    """
    (rows, heights), (columns, widths) = (
        _parts(side, patch_size) for side in (height, width)
    )  # fmt: skip
    grid = (len(rows), len(columns))
    table = [
        np.broadcast_to(part, grid)
        for part in (rows[:, None], columns, heights[:, None], widths)
    ]  # fmt: skip
    return np.stack(table, axis=-1).reshape(-1, 4)


def random_boxes(corners: NDArray[np.int64], height: int, width: int, patch_size: int) -> Boxes:
    """Patches with (P, 2) upper left corners; no side is longer than the image's."""
    size = (min(height, patch_size), min(width, patch_size))
    return np.concatenate([corners, np.broadcast_to(size, corners.shape)], axis=1)


def cut(images: NDArray[Any], box: NDArray[np.int64]) -> NDArray[Any]:
    """The part of images (..., H, W) that lies in one box (4,): a view, no copy."""
    row, column, height, width = box
    part: NDArray[Any] = images[..., row : row + height, column : column + width]
    return part


def free_corners(height: int, width: int, patch_size: int) -> tuple[int, int]:
    """The number of rows and of columns at which a patch may start."""
    return max(height - patch_size, 0) + 1, max(width - patch_size, 0) + 1


def _parts(side: int, patch_size: int) -> tuple[Boxes, Boxes]:
    count = -(-side // patch_size)
    edges = np.arange(count + 1) * side // count
    return edges[:-1], np.diff(edges)
