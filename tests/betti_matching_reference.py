"""The definition of Betti matching, in plain Python: what the kernel must equal, dot for dot.

Slow and obvious on purpose. Features of f and of g are partners if their images in the comparison
image c = max(f, g) are the same feature of c. Clusters are explicit sets of pixels. A pixel where
several clusters meet joins them one after the other, in the order of their smallest neighbour
index, the frame or the outside first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from reference import OUTSIDE, Row, neighbours, persistence

Image = NDArray[np.floating]
Cluster = set[int]
Value = Callable[[int], float]


def merges(
    order: list[int], shape: tuple[int, int], connectivity: int
) -> Iterator[tuple[int, Cluster, Cluster]]:
    """(pixel, cluster, cluster): two clusters that the pixel joins, the growing one first."""
    cluster_of: dict[int, Cluster] = {}
    for pixel in order:
        growing = {pixel}
        cluster_of[pixel] = growing
        if pixel == OUTSIDE:
            continue
        for neighbour in sorted(set(neighbours(pixel, shape, connectivity))):
            if neighbour not in cluster_of or neighbour in growing:
                continue
            other = cluster_of[neighbour]
            yield pixel, set(growing), set(other)
            growing |= other
            for member in other:
                cluster_of[member] = growing


def values_of(image: Image, outside: float) -> Value:
    """The value of a pixel of an image, or of what surrounds it."""
    flat = image.ravel()
    return lambda pixel: outside if pixel == OUTSIDE else float(flat[pixel])


def entry_key(value: Value) -> Callable[[int], tuple[float, int]]:
    """The total order of an image: the first to enter has the smallest key."""
    return lambda pixel: (-value(pixel), pixel)


def betti_matching(
    f: Image,
    g: Image,
    connectivity: int = 8,
    frame: bool = False,
    frame_value: float = 1.0,
) -> list[tuple[Row, Row]]:
    """Partners: rows of f and of g, each as ``reference.persistence`` gives them."""
    surroundings = math.inf if frame else -math.inf
    images = [values_of(image, surroundings) for image in (f, g)]
    common = values_of(np.maximum(f, g), surroundings)
    pixels = ([OUTSIDE] if frame else []) + list(range(f.size))
    rows = [persistence(image, connectivity, frame, frame_value) for image in (f, g)]
    rows_c = persistence(np.maximum(f, g), connectivity, frame, frame_value)
    lives_in_c = {(0, birth) for d, birth, _ in rows_c if d == 0}
    lives_in_c |= {(1, death) for d, _, death in rows_c if d == 1}
    pairs = []
    if not frame:  # What never dies.
        never = [next(row for row in r if row[0] == 0 and row[2] == OUTSIDE) for r in rows]
        pairs.append((never[0], never[1]))

    upwards = sorted(pixels, key=entry_key(common))
    for pixel, *clusters in merges(upwards, f.shape, connectivity):
        died = []
        for value, of_image in zip(images, rows, strict=True):
            eldest = [min(cluster, key=entry_key(value)) for cluster in clusters]
            younger = max(eldest, key=entry_key(value))
            if value(younger) > common(pixel):  # Its image lives for a while.
                died += [row for row in of_image if row[0] == 0 and row[1] == younger]
        younger = max((min(cluster, key=entry_key(common)) for cluster in clusters),
                      key=entry_key(common))  # fmt: skip
        if len(died) == 2 and (0, younger) in lives_in_c:
            pairs.append((died[0], died[1]))

    reached: list[dict[int, Row]] = [{}, {}]  # The hole of c, by its death pixel -> the hole.
    background = list(range(f.size)) + ([] if frame else [OUTSIDE])
    for value, of_image, found in zip(images, rows, reached, strict=True):
        downwards = sorted(background, key=entry_key(value), reverse=True)
        if not frame:
            downwards.remove(OUTSIDE)
            downwards.insert(0, OUTSIDE)
        events = [
            (pixel, value(pixel), first, second)
            for pixel, first, second in merges(downwards, f.shape, 12 - connectivity)
        ]
        for pixel, born, first, second in events:
            losers = [
                min(
                    (max(cluster, key=dark_key(image)) for cluster in (first, second)),
                    key=dark_key(image),
                )
                for image in (value, common)
            ]
            if born > common(losers[1]):
                found[losers[1]] = next(r for r in of_image if r == (1, pixel, losers[0]))
        if frame:  # The whole image is a hole of the frame.
            lowest = [max(background, key=dark_key(image)) for image in (value, common)]
            if frame_value > common(lowest[1]):
                found[lowest[1]] = next(r for r in of_image if r == (1, OUTSIDE, lowest[0]))
    for death in reached[0].keys() & reached[1].keys():
        if (1, death) in lives_in_c:
            pairs.append((reached[0][death], reached[1][death]))
    return sorted(pairs, key=lambda pair: rows[0].index(pair[0]))


def dark_key(value: Value) -> Callable[[int], tuple[float, float]]:
    """The larger, the sooner a pixel is background; the outside is it from the beginning."""
    return lambda pixel: (-value(pixel), math.inf if pixel == OUTSIDE else pixel)
