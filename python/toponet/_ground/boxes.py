"""Rectangles of an image: (P, 4) arrays of row, column, height and width."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.int64]


def whole_box(height: int, width: int) -> Boxes:
    """The image as its only patch."""
    return np.array([[0, 0, height, width]])


def grid_boxes(height: int, width: int, patch_size: int) -> Boxes:
    """Each side divided into the fewest, nearly equal parts of at most ``patch_size``.

    Every pixel lies in one patch. Equal parts leave no slivers at the rim, where a patch a few
    pixels wide would have a topology of its own.
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
    """Patches with (P, 2) upper left corners, cut down to the image where it is smaller."""
    size = (min(height, patch_size), min(width, patch_size))
    return np.concatenate([corners, np.broadcast_to(size, corners.shape)], axis=1)


def free_corners(height: int, width: int, patch_size: int) -> tuple[int, int]:
    """How many rows and columns a patch may start at."""
    return max(height - patch_size, 0) + 1, max(width - patch_size, 0) + 1


def _parts(side: int, patch_size: int) -> tuple[Boxes, Boxes]:
    count = -(-side // patch_size)
    edges = np.arange(count + 1) * side // count
    return edges[:-1], np.diff(edges)
