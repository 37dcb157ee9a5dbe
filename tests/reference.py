"""The definition of persistence, in plain Python: what the kernel must equal, pixel for pixel.

Slow and obvious on purpose. Pixels enter one by one in the total order (larger value first, then
smaller index, the frame before all); components follow the elder rule; holes are components of the
background under the dual connectivity, followed in the opposite order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

OUTSIDE = -1  # The frame, or the background around the image.
Row = tuple[int, int, int]  # dimension, birth pixel, death pixel; -1 = frame or never


def neighbours(pixel: int, shape: tuple[int, int], connectivity: int) -> Iterable[int]:
    """Neighbours of a pixel; OUTSIDE stands for all that lie beyond the border."""
    row, column = divmod(pixel, shape[1])
    for dr in (-1, 0, 1):
        for dc in (-1, 0, 1):
            if (dr, dc) == (0, 0) or (connectivity == 4 and dr and dc):
                continue
            r, c = row + dr, column + dc
            inside = 0 <= r < shape[0] and 0 <= c < shape[1]
            yield r * shape[1] + c if inside else OUTSIDE


def merge_tree(
    order: list[int], shape: tuple[int, int], connectivity: int
) -> list[tuple[int, int]]:
    """(first pixel, pixel where it meets an elder) of every component; the eldest never does."""
    elder_of: dict[int, int] = {}
    age = {pixel: k for k, pixel in enumerate(order)}
    deaths = []

    def root(pixel: int) -> int:
        while elder_of[pixel] != pixel:
            pixel = elder_of[pixel]
        return pixel

    for pixel in order:
        elder_of[pixel] = pixel
        if pixel == OUTSIDE:
            continue
        for neighbour in neighbours(pixel, shape, connectivity):
            if neighbour not in elder_of:
                continue
            a, b = sorted((root(pixel), root(neighbour)), key=age.__getitem__)
            if a != b:
                elder_of[b] = a
                deaths.append((b, pixel))
    deaths.append((order[0], OUTSIDE))
    return deaths


def persistence(
    image: NDArray[np.floating],
    connectivity: int = 8,
    frame: bool = False,
    frame_value: float = 1.0,
) -> list[Row]:
    """Rows (dimension, birth pixel, death pixel) of one (H, W) image, in the kernel's order."""
    values = image.ravel()
    order = sorted(range(values.size), key=lambda p: (-values[p], p))
    first, last = ([OUTSIDE], []) if frame else ([], [OUTSIDE])
    rows: list[Row] = []
    for birth, death in merge_tree(first + order, image.shape, connectivity):
        essential = death == OUTSIDE
        if (essential and not frame) or (not essential and values[birth] != values[death]):
            rows.append((0, birth, death))
    dual = merge_tree(last + order[::-1], image.shape, 12 - connectivity)
    for death, birth in dual:
        if birth == OUTSIDE and not frame:
            continue  # The outside itself: no hole.
        value = frame_value if birth == OUTSIDE else values[birth]
        if value != values[death]:
            rows.append((1, birth, death))
    return sorted(rows, key=lambda row: (row[0], row[2], row[1]))


def values_of(image: NDArray[np.floating], rows: list[Row]) -> list[tuple[int, float, float]]:
    """(dimension, birth, death); the frame's value is 1, what never dies has death -inf."""
    flat = image.ravel()
    return [
        (d, float(flat[b]) if b >= 0 else 1.0, float(flat[x]) if x >= 0 else -math.inf)
        for d, b, x in rows
    ]
