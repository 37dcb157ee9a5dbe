"""Tests and intervals that take the runs of one fold for one observation."""

from __future__ import annotations

import itertools

import hypothesis
import numpy as np
import pytest
from comparison.statistics import fold_means, interval, p_value, smallest_p
from hypothesis import strategies as st
from scipy import stats


@hypothesis.settings(max_examples=20)
@hypothesis.given(st.lists(st.integers(-3, 3), min_size=2, max_size=5))
def test_p_is_the_share_of_flips_that_are_as_extreme(differences: list[int]) -> None:
    """Oracle: all flips of the signs of whole folds, counted one by one."""
    runs = {(fold, seed): d + 0.25 * seed - 0.25
            for fold, d in enumerate(differences) for seed in range(3)}  # fmt: skip
    means = fold_means(runs)
    assert means.tolist() == differences
    sums = [sum(s * d for s, d in zip(signs, differences, strict=True))
            for signs in itertools.product((1, -1), repeat=len(differences))]  # fmt: skip
    extreme = sum(abs(found) >= abs(sum(differences)) for found in sums)
    assert p_value(means) == pytest.approx(extreme / len(sums))


def test_more_seeds_of_a_fold_allow_no_smaller_p() -> None:
    folds, seeds = 3, 10
    runs = {(fold, seed): 1.0 for fold in range(folds) for seed in range(seeds)}
    assert p_value(fold_means(runs)) == smallest_p(folds) == 0.25
    assert p_value(np.array(list(runs.values()))) < 0.01
    assert (smallest_p(6), smallest_p(1), smallest_p(0)) == (1 / 32, 1.0, 1.0)


def test_each_fold_counts_the_same_however_many_seeds_it_has() -> None:
    assert fold_means({(0, 0): 1.0, (0, 1): 3.0, (2, 0): 5.0}).tolist() == [2.0, 5.0]


def test_the_interval_is_that_of_students_t() -> None:
    """Oracle: scipy's test of one sample."""
    folds = np.array([1.0, 2.0, 4.0])
    expected = stats.ttest_1samp(folds, 0).confidence_interval(0.95)
    assert interval(folds) == pytest.approx((expected.low, expected.high))
    assert interval(folds[:1]) is None
