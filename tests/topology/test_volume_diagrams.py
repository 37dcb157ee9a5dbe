"""Diagrams of volumes: a third dimension goes wherever the first two go."""

from __future__ import annotations

from pathlib import Path

import gudhi
import numpy as np
import pytest

import toponet
from diagram_rows import dots_of


@pytest.fixture
def diagrams() -> toponet.PersistenceDiagrams:
    """Of two volumes with pieces, tunnels and cavities."""
    volumes = np.random.default_rng(8).integers(0, 20, (2, 6, 7, 5)) / 20
    found = toponet.persistence(volumes, spatial_dims=3)
    assert set(found.dimensions) == {0, 1, 2}
    return found


def test_each_dimension_is_taken_by_its_number(diagrams: toponet.PersistenceDiagrams) -> None:
    for i in range(2):
        rows = slice(diagrams.splits[i], diagrams.splits[i + 1])
        for d in range(3):
            chosen = diagrams.dimensions[rows] == d
            assert chosen.any()
            for taken in (diagrams[i, d], diagrams[i].dimension(d)):
                np.testing.assert_array_equal(taken.pixels, diagrams.pixels[rows][chosen])
                assert (taken.dimensions == d).all()
    with pytest.raises(ValueError, match="dimension must be at most 2, got 3"):
        diagrams.dimension(3)


def test_saved_diagrams_are_the_same_again(
    diagrams: toponet.PersistenceDiagrams, tmp_path: Path
) -> None:
    diagrams.save(tmp_path / "volumes.npz")
    loaded = toponet.PersistenceDiagrams.load(tmp_path / "volumes.npz")
    for name in ("values", "pixels", "dimensions", "splits"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(diagrams, name))


def test_other_libraries_get_all_dimensions_and_give_them_back(
    diagrams: toponet.PersistenceDiagrams,
) -> None:
    there_and_back = [
        toponet.PersistenceDiagrams.from_gudhi(diagrams.to_gudhi()),
        toponet.PersistenceDiagrams.from_scikit_tda(diagrams.to_scikit_tda()),
    ]
    for back in there_and_back:
        np.testing.assert_array_equal(back.splits, diagrams.splits)
        assert sorted(dots_of(back)) == sorted(dots_of(diagrams))
    assert [len(parts) for parts in diagrams.to_scikit_tda()] == [3, 3]


def test_gudhis_diagrams_of_a_volume_are_read_as_they_are() -> None:
    volume = np.random.default_rng(3).integers(0, 9, (5, 6, 4)) / 8
    for connectivity, cells in ((26, "top_dimensional_cells"), (6, "vertices")):
        cubical = gudhi.CubicalComplex(**{cells: -volume})
        theirs = toponet.PersistenceDiagrams.from_gudhi([cubical.persistence(min_persistence=0)])
        ours = toponet.persistence(volume, spatial_dims=3, connectivity=connectivity)
        assert sorted(dots_of(theirs)) == sorted(dots_of(ours))


def test_what_is_no_dimension_of_a_volume_is_refused() -> None:
    with pytest.raises(ValueError, match="must have dimensions 0, 1 and 2"):
        toponet.PersistenceDiagrams.from_gudhi([[(3, (-0.5, -0.25))]])
    with pytest.raises(ValueError, match="death"):
        toponet.PersistenceDiagrams.from_gudhi([[(2, (-0.5, float("inf")))]])
