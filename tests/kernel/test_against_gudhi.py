"""A third opinion: GUDHI's cubical complexes, fed the array itself (never flat dimensions)."""

from __future__ import annotations

import gudhi
import numpy as np
import pytest
from numpy.typing import NDArray

import toponet


def gudhi_dots(image: NDArray[np.float64], connectivity: int) -> list[list[float]]:
    """(dimension, birth, death) of the superlevel filtration, without the essential class."""
    cells = {"top_dimensional_cells" if connectivity == 8 else "vertices": -image}
    dots = gudhi.CubicalComplex(**cells).persistence(homology_coeff_field=2, min_persistence=0)
    return sorted([d, -b, -x] for d, (b, x) in dots if np.isfinite(x) and b != x)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("frame", [False, True])
def test_diagrams_agree_with_gudhi_on_random_images_with_ties(
    connectivity: int, frame: bool
) -> None:
    """1,000 images of each kind; the frame is padding for GUDHI."""
    rng = np.random.default_rng(connectivity + frame)
    for _ in range(1000):
        shape = rng.integers(1, 14, 2)
        image = rng.integers(0, rng.integers(2, 8), shape) / 8
        diagrams = toponet.persistence(image, connectivity=connectivity, frame=frame, num_threads=1)
        finite = np.isfinite(diagrams.values).all(axis=1)
        ours = sorted(
            [int(d), float(b), float(x)]
            for d, (b, x) in zip(diagrams.dimensions[finite], diagrams.values[finite], strict=True)
        )
        given = np.pad(image, 1, constant_values=1.0) if frame else image
        assert ours == gudhi_dots(given, connectivity)
