"""Random fields that images are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]


def blur(image: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Gaussian, reflected at the border."""
    from scipy.ndimage import gaussian_filter

    blurred: NDArray[np.float64] = gaussian_filter(image, sigma, mode="reflect")
    return blurred


def smooth_field(rng: np.random.Generator, size: Size, sigma: float) -> NDArray[np.float64]:
    """Gaussian noise of correlation length ``sigma`` pixels, mean about 0, deviation about 1."""
    # The deviation of blurred white noise, by theory: an image smaller than sigma has none to
    # measure.
    scale = 2 * np.sqrt(np.pi) * sigma
    field: NDArray[np.float64] = scale * blur(rng.normal(0, 1, size), sigma)
    return field


def unit_field(rng: np.random.Generator, size: Size, sigma: float) -> NDArray[np.float64]:
    """A smooth field between 0 and 1."""
    from scipy.special import expit

    field: NDArray[np.float64] = expit(2 * smooth_field(rng, size, sigma))
    return field


def spots(
    rng: np.random.Generator, size: Size, radius: float, density: float
) -> NDArray[np.float64]:
    """Soft spots between 0 and 1, ``density`` of them a pixel."""
    seeds = (rng.random(size) < density).astype(np.float64)
    return np.minimum(blur(seeds, radius) * (2 * np.pi * radius**2), 1)


def painted(
    image: NDArray[np.float64], alpha: NDArray[np.float64], colour: tuple[float, float, float]
) -> NDArray[np.float64]:
    """(3, H, W) with a colour laid over it; 1 = opaque."""
    return image * (1 - alpha) + np.array(colour)[:, None, None] * alpha
