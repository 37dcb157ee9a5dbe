"""Membranes between cells, as electron microscopes show them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toponet.data.generators._fields import Size, blur, smooth_field, spots, unit_field
from toponet.data.samples import Sample

CELL_SIZE = 26.0  # Mean distance of cell centres in pixels.


def membranes(rng: np.random.Generator, size: Size) -> Sample:
    """Voronoi-like cells with membranes that fade and break in the image, but not in the truth.

    Membranes vary in width and staining; cells have texture, dark organelles that aren't
    membranes, blur and noise. Grey values lie around 0 to 1, membranes are dark.
    """
    border_distance = _distance_to_borders(rng, size)
    half_width = 1.3 + 0.9 * unit_field(rng, size, 30)
    mask = border_distance < half_width

    profile = np.exp(-((border_distance / (half_width + 0.4)) ** 2))
    stain = 0.3 + 0.35 * unit_field(rng, size, 12) + 0.25 * unit_field(rng, size, 50)
    stain *= 1 - 0.9 * spots(rng, size, radius=3.0, density=1 / 900)  # Gaps.
    cytoplasm = 0.68 + 0.10 * smooth_field(rng, size, 2.5) + 0.06 * smooth_field(rng, size, 20)
    organelles = 0.35 * spots(rng, size, radius=2.2, density=1 / 700)
    organelles += 0.25 * spots(rng, size, radius=4.0, density=1 / 4000)
    image = cytoplasm - stain * profile - organelles * (1 - profile)
    image = blur(image, 0.7) + rng.normal(0, 0.07, size)
    return Sample(image[None].astype(np.float32), mask.astype(np.uint8))


def _distance_to_borders(rng: np.random.Generator, size: Size) -> NDArray[np.float64]:
    """Distance of each pixel to the nearest border between cells, whose walls are wavy."""
    from scipy.spatial import cKDTree

    margin = 2 * CELL_SIZE
    area = (size[0] + 2 * margin) * (size[1] + 2 * margin)
    centres = rng.uniform(-margin, np.array(size) + margin, (max(3, int(area / CELL_SIZE**2)), 2))
    pixels = np.moveaxis(np.indices(size, dtype=np.float64), 0, -1)
    pixels += np.stack([4 * smooth_field(rng, size, 8) for _ in range(2)], axis=-1)
    distances, nearest = cKDTree(centres).query(pixels, k=2)
    # Half the difference of the squared distances, over the centres' distance, is the distance to
    # the line between them.
    apart = np.linalg.norm(centres[nearest[..., 0]] - centres[nearest[..., 1]], axis=-1)
    border: NDArray[np.float64] = (distances[..., 1] ** 2 - distances[..., 0] ** 2) / (2 * apart)
    return border
