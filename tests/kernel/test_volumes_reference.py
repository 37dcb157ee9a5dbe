"""The definition in three dimensions against itself and other libraries: is the oracle right?"""

from __future__ import annotations

import itertools
from typing import Any

import hypothesis
import numpy as np
import pytest
from numpy.typing import NDArray

import reference
import strategies
import volume_peers
import volume_reference
from random_images import random_volume


@hypothesis.settings(max_examples=120)
@hypothesis.given(strategies.volumes(), strategies.volume_connectivities, strategies.frames)
def test_duality_gives_what_reduction_gives(
    volume: NDArray[Any], connectivity: int, frame: bool
) -> None:
    """Pieces and cavities by the elder rule, against the boundary matrix in all dimensions."""
    rows = volume_reference.persistence(volume, connectivity, frame)
    assert rows == volume_reference.rows_by_reduction(volume, connectivity, frame)


@hypothesis.settings(max_examples=60)
@hypothesis.given(strategies.volumes(), strategies.volume_connectivities, strategies.frames)
def test_labels_and_euler_number_count_the_dots_alive(
    volume: NDArray[Any], connectivity: int, frame: bool
) -> None:
    rows = volume_reference.persistence(volume, connectivity, frame)
    dots = reference.values_of(volume, rows)
    for threshold in np.unique(volume)[-4:]:
        alive = [d for d, birth, death in dots if birth >= threshold > death]
        expected = volume_reference.betti_numbers(volume >= threshold, connectivity, frame)
        assert tuple(map(alive.count, range(3))) == expected


@pytest.mark.parametrize("peer", ["gudhi", "cripser"])
def test_peers_find_the_same_voxels(peer: str) -> None:
    intervals_of = volume_peers.INSTALLED.get(peer) or pytest.skip(f"{peer} isn't installed")
    rng = np.random.default_rng(3)
    kinds = list(itertools.product([6, 26], [False, True]))
    found = []
    for _ in range(30):
        volume = random_volume(rng, largest_side=5)
        for connectivity, frame in kinds:
            rows = volume_reference.persistence(volume, connectivity, frame)
            assert rows == volume_peers.rows_by(intervals_of, volume, connectivity, frame)
            found += [row[0] for row in rows]
    assert min(found.count(d) for d in range(3)) > 50
