"""Pairs of small random images, drawn fast where hypothesis would be slow."""

from __future__ import annotations

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
