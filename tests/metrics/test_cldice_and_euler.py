"""clDice and the error of the Euler number, against scikit-image and hand-made cases."""

from __future__ import annotations

import itertools
from typing import Any

import hypothesis
import numpy as np
import pytest
import skimage.measure
from numpy.typing import ArrayLike, NDArray
from skimage.morphology import skeletonize

import strategies
from toponet import metrics
from toponet.metrics.centreline import SKELETONS


@pytest.mark.parametrize("skeleton", SKELETONS)
@hypothesis.settings(max_examples=200)
@hypothesis.given(images=strategies.images(batch=2))
def test_cldice_is_the_harmonic_mean_of_the_shares_of_the_skeletons(
    skeleton: str, images: NDArray[np.float64]
) -> None:
    """Oracle: the formula of the paper, wherever it is defined."""
    prediction, truth = images >= 0.5
    score = metrics.cldice_score(prediction, truth, skeleton=skeleton)
    lines = [skeletonize(mask, method=skeleton) != 0 for mask in (prediction, truth)]
    if not (lines[0].any() and lines[1].any()):
        assert score == (lines[0].any() == lines[1].any())
        return
    precision = (lines[0] & truth).sum() / lines[0].sum()
    sensitivity = (lines[1] & prediction).sum() / lines[1].sum()
    if precision + sensitivity == 0:
        assert score == 0
    else:
        expected = 2 * precision * sensitivity / (precision + sensitivity)
        assert score == pytest.approx(expected)


@pytest.mark.parametrize("skeleton", SKELETONS)
def test_a_perfect_prediction_has_cldice_1_whatever_the_mask(skeleton: str) -> None:
    """Every mask of 3 x 4 pixels: no skeleton vanishes or leaves its mask."""
    masks = (np.arange(2**12)[:, None] >> np.arange(12) & 1).reshape(-1, 3, 4)
    assert metrics.cldice_score(masks, masks, skeleton=skeleton) == 1


def test_precision_and_sensitivity_both_count() -> None:
    """Symmetric, by hand: a whole wall, and one that is there in part."""
    wall, part = np.zeros((2, 5, 12), dtype=int)
    wall[2], part[2, :9] = 1, 1
    expected = 2 * 1 * (9 / 12) / (1 + 9 / 12)
    assert metrics.cldice_score(part, wall) == pytest.approx(expected)
    assert metrics.cldice_score(wall, part) == pytest.approx(expected)


def test_the_two_skeletons_differ() -> None:
    block, truth = np.zeros((2, 9, 11), dtype=int)
    block[2:7, 2:9] = 1
    truth[2:4, 2:9] = 1
    scores = [metrics.cldice_score(block, truth, skeleton=name) for name in SKELETONS]
    assert scores[0] != scores[1]
    assert metrics.cldice_score(block, truth) == scores[0]


NONE, ALL = np.zeros((4, 6)), np.ones((4, 6))
# Prediction, truth; clDice and the error of the framed Euler number.
ENDS: dict[str, tuple[ArrayLike, ArrayLike, float, float]] = {
    "1 x 1, both structure": ([[1]], [[1]], 1, 0),
    "1 x 1, both background": ([[0]], [[0]], 1, 0),
    "1 x 1, structure missed": ([[0]], [[1]], 0, 1),
    "1 x 1, structure invented": ([[1]], [[0]], 0, 1),
    "1 x 5, a pixel missed": ([[1, 1, 0, 1, 1]], [[1, 1, 1, 1, 1]], 8 / 9, 1),
    "apart": ([[1, 0, 0]], [[0, 0, 1]], 0, 0),
    "all structure, perfect": (ALL, ALL, 1, 0),
    "all structure, all missed": (NONE, ALL, 0, 1),
    "no structure, perfect": (NONE, NONE, 1, 0),
    "no structure, all invented": (ALL, NONE, 0, 1),
}


@pytest.mark.parametrize("end", ENDS)
def test_both_have_their_stated_values_at_the_ends(end: str) -> None:
    prediction, truth, cldice, euler = ENDS[end]
    assert metrics.cldice_score(prediction, truth) == pytest.approx(cldice)
    assert metrics.euler_number_error(prediction, truth) == euler


def test_what_does_not_count_is_structure_before_skeletons_are_made_and_has_no_share() -> None:
    """A strip that doesn't count: walls end in it, and its own skeleton isn't compared."""
    truth, prediction = np.zeros((2, 12, 18), dtype=int)
    truth[4:8], prediction[4:8, 4:] = 1, 1
    valid = np.ones_like(truth)
    valid[:, :4] = 0
    assert metrics.cldice_score(prediction, truth) < 1
    assert metrics.cldice_score(prediction, truth, valid=valid) == 1
    prediction[6:] = prediction[:, 6:8] = 0
    filled = [np.where(valid, mask, 1) for mask in (prediction, truth)]
    lines = [skeletonize(mask != 0) & (valid != 0) for mask in filled]
    precision = (lines[0] & (truth != 0)).sum() / lines[0].sum()
    sensitivity = (lines[1] & (prediction != 0)).sum() / lines[1].sum()
    expected = 2 * precision * sensitivity / (precision + sensitivity)
    assert metrics.cldice_score(prediction, truth, valid=valid) == pytest.approx(expected)
    assert expected < 1


@pytest.mark.parametrize("connectivity", [4, 8])
@hypothesis.settings(max_examples=200)
@hypothesis.given(images=strategies.images(batch=2))
def test_euler_numbers_are_scikit_images(connectivity: int, images: NDArray[np.float64]) -> None:
    """Without a frame; with one, those of the padded image, without the frame's own piece."""
    masks = images >= 0.5
    for frame, padding in ((False, 0), (True, 1)):
        numbers = [
            skimage.measure.euler_number(np.pad(mask, padding, constant_values=True),
                                         connectivity=connectivity // 4)
            for mask in masks
        ]  # fmt: skip
        error = metrics.euler_number_error(*masks, connectivity=connectivity, frame=frame)
        assert error == abs(numbers[0] - numbers[1])


def test_the_euler_error_is_bounded_by_the_betti_errors() -> None:
    rng = np.random.default_rng(0)
    masks = rng.random((2, 9, 20, 27)) < 0.5
    errors = metrics.betti_number_error(*masks)
    assert 0 < metrics.euler_number_error(*masks) <= errors[0] + errors[1]


def test_batches_are_means_over_images_of_both() -> None:
    rng = np.random.default_rng(1)
    masks = rng.random((2, 3, 20, 27)) < 0.5
    for function in (metrics.cldice_score, metrics.euler_number_error):
        each = [function(p, t) for p, t in zip(*masks, strict=True)]
        assert function(*masks) == pytest.approx(np.mean(each))
        assert len(set(each)) > 1


def test_the_classes_print_their_convention() -> None:
    options: list[dict[str, Any]] = [{}, {"connectivity": 4}, {"frame": False}]
    printed = [repr(metrics.EulerNumberError(**option)) for option in options]
    assert all(a != b for a, b in itertools.combinations(printed, 2))
    assert "over whole images, connectivity 4, with frame" in printed[1]
    assert "skeletons (lee)" in repr(metrics.CldiceScore(skeleton="lee"))
    assert "best of 19 thresholds" in repr(metrics.AdaptedRandScore(maximal=True))
    assert "cells = 4-connected" in repr(metrics.VariationOfInformation())
    assert "share of equal pixels" in repr(metrics.PixelAccuracy())


def test_options_that_make_no_sense_are_refused() -> None:
    for take in (lambda: metrics.cldice_score([[1]], [[1]], skeleton="thin"),
                 lambda: metrics.CldiceScore(skeleton="thin")):  # fmt: skip
        with pytest.raises(ValueError, match="skeleton must be one of 'zhang', 'lee', got 'thin'"):
            take()
    for build in (lambda: metrics.euler_number_error([[1]], [[1]], connectivity=6),
                  lambda: metrics.EulerNumberError(connectivity=6)):  # fmt: skip
        with pytest.raises(ValueError, match="connectivity must be one of 4, 8, got 6"):
            build()
