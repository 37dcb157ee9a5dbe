"""Roads seen from above, as aerial photographs show them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toponet.data.generators._curves import (
    Curve,
    border_point,
    depth_inside,
    inside,
    pixels_of,
    until_outside,
    values_along,
    wander,
)
from toponet.data.generators._fields import Size, blur, painted, smooth_field, spots, unit_field
from toponet.data.samples import Sample

LAND = np.array([(0.36, 0.43, 0.27), (0.25, 0.34, 0.22), (0.45, 0.42, 0.32), (0.40, 0.47, 0.31)])
ROOFS = ((0.72, 0.70, 0.68), (0.45, 0.43, 0.43), (0.55, 0.40, 0.34), (0.88, 0.87, 0.85))
TREE = (0.16, 0.24, 0.15)


def roads(rng: np.random.Generator, size: Size) -> Sample:
    """A network in which every road meets another or the border.

    In the image, trees and their shadows hide parts of it; driveways, tracks, roofs and edges of
    fields aren't roads of the truth. RGB around 0 to 1.
    """
    network = _network(rng, size)
    depth = depth_inside(network, size)
    mask = depth > 0

    colour = _land(rng, size)
    tracks = [_crossing(rng, size, 0.8) for _ in range(2)]
    track = np.clip(depth_inside(tracks, size) + 0.7, 0, 1)
    colour = painted(colour, 0.5 * track * unit_field(rng, size, 8), (0.66, 0.60, 0.50))
    colour = _with_houses(rng, colour, depth)

    tarmac = np.clip(depth + 0.5, 0, 1) * (0.75 + 0.25 * unit_field(rng, size, 15))
    shade = 0.58 + 0.06 * smooth_field(rng, size, 40)
    colour = colour * (1 - tarmac) + np.stack([shade, shade, shade + 0.01]) * tarmac
    trees = np.clip(3 * spots(rng, size, 2.6, 1 / 260) * unit_field(rng, size, 20) - 0.6, 0, 1)
    shadow = np.roll(trees, (2, 2), axis=(0, 1))
    colour = painted(colour, 0.55 * shadow, (0.12, 0.14, 0.16))
    colour = painted(colour, 0.95 * trees, TREE)
    colour += 0.05 * trees * smooth_field(rng, size, 1)

    colour = np.stack([blur(channel, 0.6) for channel in colour])
    image = colour + rng.normal(0, 0.02, colour.shape)
    return Sample(image.astype(np.float32), mask.astype(np.uint8))


def _network(rng: np.random.Generator, size: Size) -> list[Curve]:
    """Main roads from border to border, and side roads from one road to the next."""
    taken = np.zeros(size, dtype=np.bool_)
    curves: list[Curve] = []

    def add(curve: Curve) -> None:
        curves.append(curve)
        rows, columns = pixels_of(curve)[inside(curve, size)].T
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):  # No other road slips through.
            below, right = np.minimum(rows + row, size[0] - 1), columns + column
            taken[below, np.minimum(right, size[1] - 1)] = True

    for _ in range(2 + round(max(size) / 400)):
        add(_crossing(rng, size, 3.2))
    for _ in range(size[0] * size[1] // 1200):
        stem = curves[rng.integers(len(curves))]
        at = int(rng.integers(len(stem.points)))
        heading = float(stem.headings[at]) + rng.choice([-1, 1]) * np.pi / 2 + rng.normal(0, 0.08)
        road = wander(rng, stem.points[at], heading, rng.uniform(30, 150), 1.9, {20: 0.10})
        road = until_outside(road, size)
        met = np.flatnonzero(values_along(road.until(len(road.points) - 1), taken)[20:])
        if len(met):
            road = road.until(20 + int(met[0]) + 1)
        if len(road.points) >= 40 and _apart(road, taken):
            add(road)
    return curves


def _apart(road: Curve, taken: NDArray[np.bool_]) -> bool:
    """Whether the middle of the road keeps its distance from all others."""
    from scipy.ndimage import distance_transform_edt

    distance = values_along(road, distance_transform_edt(~taken))
    middle = distance[len(distance) // 4 : -len(distance) // 4]
    return bool((middle > 8).all())


def _crossing(rng: np.random.Generator, size: Size, half_width: float) -> Curve:
    start, heading = border_point(rng, size)
    curve = wander(rng, start, heading, 2.0 * sum(size), half_width, {25: 0.18, 60: 0.15})
    return until_outside(curve, size)


def _land(rng: np.random.Generator, size: Size) -> NDArray[np.float64]:
    """(3, H, W): fields of different colours with hedges between them."""
    from scipy.spatial import cKDTree

    count = max(3, size[0] * size[1] // 4000)
    centres = rng.uniform(0, 1, (count, 2)) * size
    pixels = np.moveaxis(np.indices(size, dtype=np.float64), 0, -1)
    distances, nearest = cKDTree(centres).query(pixels, k=2)
    colour = np.moveaxis(LAND[rng.integers(len(LAND), size=count)][nearest[..., 0]], -1, 0)
    colour = colour * (1 + 0.08 * smooth_field(rng, size, 1.5) + 0.08 * smooth_field(rng, size, 12))
    hedge = np.exp(-(((distances[..., 1] - distances[..., 0]) / 2) ** 2))
    return painted(colour, 0.6 * hedge * unit_field(rng, size, 10), TREE)


def _with_houses(
    rng: np.random.Generator, colour: NDArray[np.float64], depth: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Roofs near the roads, some with a driveway of the roads' own colour."""
    from skimage.draw import polygon

    size = depth.shape
    towards = np.arctan2(*np.gradient(np.pad(depth, 1, mode="edge")))  # The nearest road.
    places = np.argwhere((depth < -6) & (depth > -14))
    for _ in range(min(len(places), size[0] * size[1] // 700)):
        row, column = places[rng.integers(len(places))]
        heading = towards[row + 1, column + 1]
        roof = ROOFS[rng.integers(len(ROOFS))]
        sides = rng.uniform(2, 5, 2)
        boxes = [(0.0, sides[0], sides[1], roof)]
        if rng.random() < 0.4:
            boxes.insert(0, (6.0, 5.0, 0.7, (0.6, 0.6, 0.6)))
        for ahead, length, width, paint in boxes:
            along = np.array([-length, -length, length, length]) + ahead
            across = np.array([-width, width, width, -width])
            rows, columns = polygon(
                row + along * np.sin(heading) + across * np.cos(heading),
                column + along * np.cos(heading) - across * np.sin(heading),
                size,
            )
            colour[:, rows, columns] = np.array(paint)[:, None]
    return colour
