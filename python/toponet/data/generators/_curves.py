"""Random curves and the thin structures around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet.data.generators._fields import Size

STEP = 0.5  # Pixels between two points of a curve.
# Of a structure: all pixels this near to a curve make one connected piece.
LEAST_HALF_WIDTH = 0.8


@dataclass(frozen=True)
class Curve:
    """A structure's middle line.

    Attributes:
        points: (n, 2) rows and columns, ``STEP`` apart.
        headings: (n,) directions in radians; 0 = along the columns.
        half_width: Of the structure, in pixels; at least ``LEAST_HALF_WIDTH``.
    """

    points: NDArray[np.float64]
    headings: NDArray[np.float64]
    half_width: float

    def until(self, end: int) -> Curve:
        """The first ``end`` points."""
        return Curve(self.points[:end], self.headings[:end], self.half_width)


def wander(
    rng: np.random.Generator,
    start: NDArray[np.float64],
    heading: float,
    length: float,
    half_width: float,
    bends: dict[float, float],
) -> Curve:
    """A curve that goes astray but never turns back.

    Args:
        rng: Of the bends.
        start: Row and column.
        heading: The mean direction.
        length: In pixels.
        half_width: Of the structure.
        bends: For each length in pixels, by how many radians the heading varies over it.
    """
    from scipy.ndimage import gaussian_filter1d

    count = max(2, round(length / STEP))
    headings = np.full(count, heading)
    for pixels, radians in bends.items():
        sigma = pixels / STEP
        scale = np.sqrt(2 * np.sqrt(np.pi) * sigma)
        headings += radians * scale * gaussian_filter1d(rng.normal(0, 1, count), sigma)
    moves = STEP * np.stack([np.sin(headings), np.cos(headings)], axis=1)
    moves[0] = 0
    return Curve(start + np.cumsum(moves, axis=0), headings, half_width)


def pixels_of(curve: Curve) -> NDArray[np.intp]:
    """(n, 2) rows and columns of the pixels, inside the image or not."""
    return np.floor(curve.points + 0.5).astype(np.intp)


def inside(curve: Curve, size: Size) -> NDArray[np.bool_]:
    """Which of its points lie in the image."""
    pixels = pixels_of(curve)
    within: NDArray[np.bool_] = np.all((pixels >= 0) & (pixels < np.array(size)), axis=1)
    return within


def until_outside(curve: Curve, size: Size) -> Curve:
    """The curve up to where it leaves the image, and the first point beyond."""
    outside = np.flatnonzero(~inside(curve, size))
    return curve.until(int(outside[0]) + 1) if len(outside) else curve


def values_along(curve: Curve, image: NDArray[Any]) -> NDArray[Any]:
    """The image's values at the curve's points, clipped to the image."""
    rows, columns = np.clip(pixels_of(curve), 0, np.array(image.shape) - 1).T
    values: NDArray[Any] = image[rows, columns]
    return values


def depth_inside(curves: list[Curve], size: Size) -> NDArray[np.float64]:
    """How far inside a structure each pixel lies: half width minus distance to its middle line.

    Positive inside. Structures of one half width are measured together, and the deepest counts, so
    that thin branches don't cut into the trunk.
    """
    from scipy.spatial import cKDTree

    pixels = np.moveaxis(np.indices(size, dtype=np.float64), 0, -1)
    depth = np.full(size, -np.inf)
    for half_width in {curve.half_width for curve in curves}:
        points = [curve.points for curve in curves if curve.half_width == half_width]
        distance, _ = cKDTree(np.concatenate(points)).query(pixels)
        depth = np.maximum(depth, half_width - distance)
    return depth


def border_point(rng: np.random.Generator, size: Size) -> tuple[NDArray[np.float64], float]:
    """A point on the image's border, and a heading to somewhere around its middle."""
    side = int(rng.integers(4))
    along = rng.uniform(0, 1)
    height, width = size[0] - 1, size[1] - 1
    start = np.array(
        [(0, along * width), (height, along * width), (along * height, 0), (along * height, width)]
    )[side]
    target = rng.uniform(0.3, 0.7, 2) * (height, width)
    rows, columns = target - start
    return start, float(np.arctan2(rows, columns))
