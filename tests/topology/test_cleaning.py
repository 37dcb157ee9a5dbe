"""Masks without what is too small to be meant."""

from __future__ import annotations

import numpy as np
import pytest

from toponet.topology.cleaning import clean_mask, find_tiny


def test_what_is_as_large_as_the_bound_stays() -> None:
    """Specks and holes of three and of four pixels; the bound is four."""
    mask = np.zeros((12, 30), np.uint8)
    mask[2, 3:6] = mask[2, 12:16] = 1
    mask[5:] = 1
    mask[8, 3:6] = mask[8, 12:16] = 0
    cleaned = clean_mask(mask, 8, 4)
    assert not cleaned[2, 3:6].any()
    assert cleaned[8, 3:6].all()
    cleaned[2, 3:6], cleaned[8, 3:6] = 1, 0
    np.testing.assert_array_equal(cleaned, mask)
    tiny = find_tiny(mask, 8, 4)
    assert tiny.speck_centres.tolist() == [[2, 4]]
    assert tiny.hole_centres.tolist() == [[8, 4]]


def test_specks_go_first() -> None:
    """The hole in a ring goes with the ring; filled first, it would be a speck of its own."""
    mask = np.zeros((9, 11), np.uint8)
    mask[3:6, 4:7] = 1
    mask[4, 5] = 0
    assert not clean_mask(mask, 8, 9).any()


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_nothing_tiny_is_left(connectivity: int, share: float) -> None:
    """Of noise, in which nearly everything is tiny."""
    mask = np.random.default_rng(0).random((40, 53)) < share
    cleaned = clean_mask(mask, connectivity, 5)
    tiny = find_tiny(cleaned, connectivity, 5)
    assert not tiny.holes.any()
    assert not tiny.specks.any()
    assert (cleaned != mask).any()
