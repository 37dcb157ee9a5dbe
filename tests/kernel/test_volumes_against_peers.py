"""Other libraries on volumes: GUDHI's cubical complexes and cripser, in both constructions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import toponet
import volume_peers
from diagram_rows import dots_of, rows_of
from random_images import random_volume

peers = pytest.mark.parametrize("peer", ["gudhi", "cripser"])
connectivities = pytest.mark.parametrize("connectivity", [6, 26])
frames = pytest.mark.parametrize("frame", [False, True])


def volumes(seed: int) -> Iterator[NDArray[Any]]:
    """Small ones with many ties, and some larger ones."""
    rng = np.random.default_rng(seed)
    for k in range(75):
        yield random_volume(rng, largest_side=10 if k % 10 == 0 else 6)


@peers
@connectivities
@frames
def test_critical_voxels_agree_with_a_peers(peer: str, connectivity: int, frame: bool) -> None:
    """The peer is given the total order, so that it has no tie to break."""
    intervals_of = volume_peers.INSTALLED.get(peer) or pytest.skip(f"{peer} isn't installed")
    for volume in volumes(connectivity + frame):
        diagrams = toponet.persistence(
            volume, spatial_dims=3, connectivity=connectivity, frame=frame, num_threads=1
        )
        assert rows_of(diagrams) == volume_peers.rows_by(intervals_of, volume, connectivity, frame)


@peers
@connectivities
@frames
def test_values_agree_with_a_peers_however_it_breaks_ties(
    peer: str, connectivity: int, frame: bool
) -> None:
    intervals_of = volume_peers.INSTALLED.get(peer) or pytest.skip(f"{peer} isn't installed")
    for volume in volumes(connectivity + frame + 100):
        diagrams = toponet.persistence(
            volume, spatial_dims=3, connectivity=connectivity, frame=frame, num_threads=1
        )
        assert sorted(dots_of(diagrams.finite())) == volume_peers.dots_by(
            intervals_of, volume, connectivity, frame
        )


@connectivities
def test_a_volume_of_thousands_of_tunnels_agrees_with_gudhi(connectivity: int) -> None:
    """Columns of the reduction then have more rows than two levels of 64 bits hold."""
    volume = np.random.default_rng(connectivity).random((33, 29, 31)).astype(np.float32)
    diagrams = toponet.persistence(volume, spatial_dims=3, connectivity=connectivity)
    expected = volume_peers.rows_by(volume_peers.gudhi_intervals, volume, connectivity, False)
    assert rows_of(diagrams) == expected
    assert np.bincount(diagrams.dimensions)[1] > 64**2
