"""The definition of persistence, in plain Python: what the kernel must equal, pixel for pixel.

Slow and obvious on purpose. Pixels enter one by one in the total order (larger value first, then
smaller index, the frame before all); components follow the elder rule; holes are components of the
background under the dual connectivity, followed in the opposite order.

volume_reference.py does the same in three dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from numpy.typing import NDArray

OUTSIDE = -1  # The frame, or the background around the image.
Row = tuple[int, int, int]  # dimension, birth pixel, death pixel; -1 = frame or never
Pair = tuple[int, int]
NeighboursOf = Callable[[int], Iterable[int]]


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


def merge_tree(order: list[int], neighbours_of: NeighboursOf) -> list[Pair]:
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
        for neighbour in neighbours_of(pixel):
            if neighbour not in elder_of:
                continue
            a, b = sorted((root(pixel), root(neighbour)), key=age.__getitem__)
            if a != b:
                elder_of[b] = a
                deaths.append((b, pixel))
    deaths.append((order[0], OUTSIDE))
    return deaths


def pieces_and_holes(
    values: NDArray[np.floating],
    neighbours_of: NeighboursOf,
    dual_neighbours_of: NeighboursOf,
    frame: bool,
    frame_value: float,
) -> tuple[list[Pair], list[Pair]]:
    """(birth pixel, death pixel) of the pieces, and of the background's pieces that they enclose.

    A hole is born where its background meets an elder one, and dies at the last of its pixels.
    """
    order = sorted(range(values.size), key=lambda p: (-values[p], p))
    first, last = ([OUTSIDE], []) if frame else ([], [OUTSIDE])
    pieces, holes = [], []
    for birth, death in merge_tree(first + order, neighbours_of):
        essential = death == OUTSIDE
        if (essential and not frame) or (not essential and values[birth] != values[death]):
            pieces.append((birth, death))
    for death, birth in merge_tree(last + order[::-1], dual_neighbours_of):
        if birth == OUTSIDE and not frame:
            continue  # The outside itself: no hole.
        value = frame_value if birth == OUTSIDE else values[birth]
        if value != values[death]:
            holes.append((birth, death))
    return pieces, holes


def in_order(rows: list[Row]) -> list[Row]:
    """By dimension, death pixel and birth pixel."""
    return sorted(rows, key=lambda row: (row[0], row[2], row[1]))


def persistence(
    image: NDArray[np.floating],
    connectivity: int = 8,
    frame: bool = False,
    frame_value: float = 1.0,
) -> list[Row]:
    """Rows (dimension, birth pixel, death pixel) of one (H, W) image, in the kernel's order."""
    pieces, holes = pieces_and_holes(
        image.ravel(),
        partial(neighbours, shape=image.shape, connectivity=connectivity),
        partial(neighbours, shape=image.shape, connectivity=12 - connectivity),
        frame,
        frame_value,
    )
    return in_order([(0, *pair) for pair in pieces] + [(1, *pair) for pair in holes])


def values_of(image: NDArray[np.floating], rows: list[Row]) -> list[tuple[int, float, float]]:
    """(dimension, birth, death); the frame's value is 1, what never dies has death -inf."""
    flat = image.ravel()
    return [
        (d, float(flat[b]) if b >= 0 else 1.0, float(flat[x]) if x >= 0 else -math.inf)
        for d, b, x in rows
    ]
