"""Labels of components: as many as there are pixels for, and counterparts in another mask."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from toponet import betti_numbers, metrics
from toponet.prediction.conventions import Conventions
from toponet.prediction.segmentation import Segmentation
from toponet.topology.cleaning import find_tiny
from toponet.topology.labelling import label_cells, label_structure, without_partner


@pytest.fixture(scope="module")
def net() -> NDArray[np.uint8]:
    """67,600 cells of one pixel each: more than 16 bits number."""
    mask = np.ones((521, 521), dtype=np.uint8)
    mask[1::2, 1::2] = 0
    return mask


def test_more_cells_than_16_bits_number_are_told_apart(net: NDArray[np.uint8]) -> None:
    labels = label_cells(net, 8)
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(np.unique(labels), np.arange(260**2 + 1))
    np.testing.assert_array_equal(label_structure(1 - net, 8), labels)
    assert betti_numbers(net)[0].tolist() == [1, 260**2]
    assert len(find_tiny(net, 8, 2).hole_centres) == 260**2
    shown = Segmentation(
        np.zeros((1, *net.shape), np.float32), net.astype(np.float32), Conventions(0.5, 8, 1)
    )
    np.testing.assert_array_equal(shown.cells, labels)


def test_partners_of_many_cells_are_found(net: NDArray[np.uint8]) -> None:
    """Their numbers' products need more than 32 bits. Without one cell, one has no partner."""
    lacking = net.copy()
    lacking[399, 201] = 1
    labels, fewer = label_cells(net, 8), label_cells(lacking, 8)
    assert without_partner(labels, fewer).tolist() == [[399, 201]]
    assert len(without_partner(fewer, labels)) == 0


def test_metrics_of_many_cells(net: NDArray[np.uint8]) -> None:
    assert metrics.adapted_rand_score(net, net) == 1
    voi = metrics.variation_of_information(0 * net, net)
    assert voi == pytest.approx((0, np.log2(260**2)))
    assert metrics.betti_number_error(0 * net, net)[1] == 260**2 - 1


def test_structure_has_the_connectivity_and_cells_have_the_other_one() -> None:
    diagonal = np.eye(2, dtype=np.uint8)
    for connectivity, pieces, cells in ((8, 1, 2), (4, 2, 1)):
        assert label_structure(diagonal, connectivity).max() == pieces
        assert label_cells(diagonal, connectivity).max() == cells


def test_partners_are_mutual_and_of_equal_ones_the_first_is_taken() -> None:
    """One cell in two pieces: the larger one is its partner, or the first of two equal ones."""
    whole = np.array([[1, 1, 1, 1, 1, 1]])
    for pieces, lonely in (
        ([1, 1, 1, 1, 0, 2], 5),
        ([1, 0, 2, 2, 2, 2], 0),
        ([1, 1, 0, 0, 2, 2], 4.5),
    ):
        assert without_partner(np.array([pieces]), whole).tolist() == [[0, lonely]]
        assert len(without_partner(whole, np.array([pieces]))) == 0
