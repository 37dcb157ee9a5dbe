"""Metrics where there is next to nothing to compare: every value is stated, and tested here."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from toponet import metrics

CROSS = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
NONE, ALL = np.zeros((4, 6)), np.ones((4, 6))

# Prediction, truth; accuracy, adapted Rand, split and merge in bits, errors of Betti numbers.
ENDS: dict[str, tuple[ArrayLike, ArrayLike, float, float, tuple[float, float], tuple[int, int]]] = {
    "1 x 1, both structure": ([[1]], [[1]], 1, 1, (0, 0), (0, 0)),
    "1 x 1, both background": ([[0]], [[0]], 1, 1, (0, 0), (0, 0)),
    "1 x 1, structure missed": ([[0]], [[1]], 0, 1, (0, 0), (0, 1)),
    "1 x 1, structure invented": ([[1]], [[0]], 0, 1, (0, 0), (0, 1)),
    "one-pixel cells, perfect": (CROSS, CROSS, 1, 1, (0, 0), (0, 0)),
    "one-pixel cells, all merged": (np.zeros((3, 3)), CROSS, 4 / 9, 0, (0, 2), (0, 3)),
    "one-pixel cells, all structure": (np.ones((3, 3)), CROSS, 5 / 9, 0, (0, 2), (0, 4)),
    "one cell, cut in pixels": ([[0, 1, 0]], [[0, 0, 0]], 2 / 3, 0, (math.log2(3), 0), (0, 1)),
    "all structure, perfect": (ALL, ALL, 1, 1, (0, 0), (0, 0)),
    "all structure, all missed": (NONE, ALL, 0, 1, (0, 0), (0, 1)),
    "no structure, perfect": (NONE, NONE, 1, 1, (0, 0), (0, 0)),
    "no structure, all invented": (ALL, NONE, 0, 1, (0, 0), (0, 1)),
    "single background pixel, perfect": ([[1, 0, 1]], [[1, 0, 1]], 1, 1, (0, 0), (0, 0)),
    "single background pixel, filled": ([[1, 1, 1]], [[1, 0, 1]], 2 / 3, 1, (0, 0), (0, 1)),
}  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_each_metric_has_its_stated_value(end: str) -> None:
    prediction, truth, accuracy, rand, information, errors = ENDS[end]
    expected: dict[str, Any] = {
        "PixelAccuracy": (metrics.pixel_accuracy, [accuracy]),
        "AdaptedRandScore": (metrics.adapted_rand_score, [rand]),
        "VariationOfInformation": (metrics.variation_of_information, list(information)),
        "BettiError": (metrics.betti_error, list(errors)),
        "BettiNumberError": (metrics.betti_number_error, list(errors)),
    }
    for name, (function, values) in expected.items():
        result = function(prediction, truth)
        result = [result] if isinstance(result, float) else list(result)
        assert result == pytest.approx(values), name
        measured = getattr(metrics, name)()(np.array(prediction), np.array(truth))
        measured = measured.values() if isinstance(measured, dict) else [measured]
        assert [float(value) for value in measured] == pytest.approx(values), name
    maximal = metrics.adapted_rand_score(prediction, truth, maximal=True)
    assert maximal == pytest.approx(rand)


@pytest.mark.parametrize("connectivity", [4, 8])
def test_a_perfect_prediction_is_perfect_whatever_the_cells(connectivity: int) -> None:
    """Masks of 3 x 4 pixels: every one of them."""
    masks = (np.arange(2**12)[:, None] >> np.arange(12) & 1).reshape(-1, 3, 4)
    assert metrics.adapted_rand_score(masks, masks, connectivity=connectivity) == 1
    voi = metrics.variation_of_information(masks, masks, connectivity=connectivity)
    assert voi == pytest.approx((0, 0), abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", range(1, 20))
def test_a_likelihood_at_a_threshold_is_structure(k: int, dtype: type[np.floating[Any]]) -> None:
    """A wall exactly at a threshold stands there; one just below it, in a cell, is gone."""
    truth = np.zeros((7, 11))
    truth[:, 5] = 1
    likelihood = (truth * (k / 20)).astype(dtype)
    likelihood[:, 8] = k / 20 - 0.01
    assert metrics.adapted_rand_score(likelihood, truth, maximal=True) == 1
    assert metrics.adapted_rand_score(likelihood * 0 + truth.astype(dtype) / 2, truth) == 1
