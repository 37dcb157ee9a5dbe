"""Synthetic membranes between cells, as electron microscopes show them: no file needed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from toponet.data.image_set import ImageSet

CELL_SIZE = 26.0  # Mean distance of cell centres in pixels.


def synthetic_membranes(
    count: int = 12,
    size: tuple[int, int] = (256, 256),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> ImageSet:
    """Voronoi-like cells with membranes that fade and break in the image, but not in the truth.

    Membranes vary in width and staining; cells have texture, dark organelles that aren't
    membranes, blur and noise. Grey values lie around 0 to 1, membranes are dark.

    Args:
        count: Number of images, at least 1.
        size: Height and width in pixels.
        seed: The same seed gives the same images; image i doesn't depend on ``count``.
        progress: Called with (images made, ``count``) after each image.

    Raises:
        ValueError: If ``count`` or a side is smaller than 1.
    """
    if count < 1 or min(size) < 1:
        raise ValueError(
            f"expected at least one image of at least one pixel, got {count} of {size}"
        )
    images, masks = [], []
    for i in range(count):
        image, mask = _membranes(np.random.default_rng([seed, i]), size)
        images.append(image[None])
        masks.append(mask)
        if progress is not None:
            progress(i + 1, count)
    names = tuple(f"membranes_{i:03d}" for i in range(count))
    return ImageSet(names, tuple(images), tuple(masks))


def _membranes(
    rng: np.random.Generator, size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    border_distance = _distance_to_borders(rng, size)
    half_width = 1.3 + 0.9 * _unit_field(rng, size, 30)
    mask = border_distance < half_width

    profile = np.exp(-((border_distance / (half_width + 0.4)) ** 2))
    stain = 0.3 + 0.35 * _unit_field(rng, size, 12) + 0.25 * _unit_field(rng, size, 50)
    stain *= 1 - 0.9 * _spots(rng, size, radius=3.0, density=1 / 900)  # Gaps.
    cytoplasm = 0.68 + 0.10 * _smooth_field(rng, size, 2.5) + 0.06 * _smooth_field(rng, size, 20)
    organelles = 0.35 * _spots(rng, size, radius=2.2, density=1 / 700)
    organelles += 0.25 * _spots(rng, size, radius=4.0, density=1 / 4000)
    image = cytoplasm - stain * profile - organelles * (1 - profile)
    image = _blur(image, 0.7) + rng.normal(0, 0.07, size)
    return image.astype(np.float32), mask.astype(np.uint8)


def _distance_to_borders(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float64]:
    """Distance of each pixel to the nearest border between cells, whose walls are wavy."""
    from scipy.spatial import cKDTree

    margin = 2 * CELL_SIZE
    area = (size[0] + 2 * margin) * (size[1] + 2 * margin)
    centres = rng.uniform(-margin, np.array(size) + margin, (max(3, int(area / CELL_SIZE**2)), 2))
    pixels = np.moveaxis(np.indices(size, dtype=np.float64), 0, -1)
    pixels += np.stack([4 * _smooth_field(rng, size, 8) for _ in range(2)], axis=-1)
    distances, nearest = cKDTree(centres).query(pixels, k=2)
    # Half the difference of the squared distances, over the centres' distance, is the distance to
    # the line between them.
    apart = np.linalg.norm(centres[nearest[..., 0]] - centres[nearest[..., 1]], axis=-1)
    border: NDArray[np.float64] = (distances[..., 1] ** 2 - distances[..., 0] ** 2) / (2 * apart)
    return border


def _blur(image: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter

    blurred: NDArray[np.float64] = gaussian_filter(image, sigma, mode="reflect")
    return blurred


def _smooth_field(
    rng: np.random.Generator, size: tuple[int, int], sigma: float
) -> NDArray[np.float64]:
    """Gaussian noise of correlation length ``sigma`` pixels, mean about 0, deviation about 1."""
    # The deviation of blurred white noise, by theory: an image smaller than sigma has none to
    # measure.
    scale = 2 * np.sqrt(np.pi) * sigma
    field: NDArray[np.float64] = scale * _blur(rng.normal(0, 1, size), sigma)
    return field


def _unit_field(
    rng: np.random.Generator, size: tuple[int, int], sigma: float
) -> NDArray[np.float64]:
    """A smooth field between 0 and 1."""
    field: NDArray[np.float64] = 1 / (1 + np.exp(-2 * _smooth_field(rng, size, sigma)))
    return field


def _spots(
    rng: np.random.Generator, size: tuple[int, int], radius: float, density: float
) -> NDArray[np.float64]:
    """Soft spots between 0 and 1, ``density`` of them a pixel."""
    seeds = (rng.random(size) < density).astype(np.float64)
    return np.minimum(_blur(seeds, radius) * (2 * np.pi * radius**2), 1)
