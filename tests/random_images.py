"""Small random images and volumes, drawn fast where hypothesis would be slow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]


def random_pair(rng: np.random.Generator) -> tuple[Image, Image]:
    """Two images of one shape, with few levels; one in three times they are equal mostly."""
    shape = tuple(rng.integers(1, 10, 2))
    levels = rng.choice([2, 2, 3, 4, 6, 40], 2)
    f, g = (rng.integers(0, n, shape) / (n - 1) for n in levels)
    if rng.integers(3) == 0:
        g = np.where(rng.random(shape) < 0.8, f, g)
    return f, g


def random_volume(rng: np.random.Generator, largest_side: int = 6) -> NDArray[Any]:
    """Noise of few levels in [0, 1], mostly light or mostly dark, in float32 or float64."""
    shape = tuple(rng.integers(1, largest_side + 1, 3))
    levels = rng.choice([2, 3, 4, 6, 40])
    noise = rng.random(shape) ** rng.choice([0.3, 1, 3])
    grey: NDArray[Any] = np.floor(noise * levels) / (levels - 1)
    return grey.astype(np.float32) if rng.integers(2) else grey
