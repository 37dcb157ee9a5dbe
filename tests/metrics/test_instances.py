"""Metrics of label maps: pairs of pixels counted one by one, and what background means."""

from __future__ import annotations

import itertools
import math
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from toponet import metrics
from toponet.metrics.instances import PREDICTED_BACKGROUNDS

maps = st.tuples(st.integers(1, 4), st.integers(1, 5)).flatmap(
    lambda shape: st.tuples(
        *[hnp.arrays(np.int64, shape, elements=st.integers(-1, 2)) for _ in range(2)]
    )
)
conventions = st.sampled_from(
    [(None, "segment"), *itertools.product((0, 2), PREDICTED_BACKGROUNDS)]
)


def labelled_pixels(
    pair: tuple[NDArray[np.int64], NDArray[np.int64]], background: int | None, mode: str
) -> list[tuple[Any, Any]]:
    """Prediction's and truth's label of each pixel that is compared, one by one."""
    kept = []
    for place, (p, t) in enumerate(zip(*(each.ravel().tolist() for each in pair), strict=True)):
        if t == background and background is not None:
            continue
        if p == background and background is not None:
            if mode == "ignored":
                continue
            p = ("loose", place) if mode == "pixels" else p
        kept.append((p, t))
    return kept


@hypothesis.settings(max_examples=300)
@hypothesis.given(pair=maps, convention=conventions)
def test_scores_are_shares_of_pairs_of_pixels(
    pair: tuple[NDArray[np.int64], NDArray[np.int64]], convention: tuple[int | None, str]
) -> None:
    """Oracle: all pairs, one by one. A share of no pairs is 1."""
    labels = labelled_pixels(pair, *convention)
    together = [(a[0] == b[0], a[1] == b[1]) for a, b in itertools.combinations(labels, 2)]
    predicted, true = (sum(each[k] for each in together) for k in (0, 1))
    both = sum(p and t for p, t in together)
    expected = (
        2 * both / (predicted + true) if predicted + true else 1,
        both / predicted if predicted else 1,
        both / true if true else 1,
    )
    options: dict[str, Any] = dict(
        zip(("background", "predicted_background"), convention, strict=True)
    )
    assert metrics.instance_rand_score(*pair, **options) == pytest.approx(expected)
    metric = metrics.InstanceRandScore(**options)
    metric.update(*pair)
    assert list(map(float, metric.compute().values())) == pytest.approx(expected, abs=1e-6)


@hypothesis.settings(max_examples=300)
@hypothesis.given(pair=maps, convention=conventions)
def test_split_and_merge_are_conditional_entropies_of_the_pixels(
    pair: tuple[NDArray[np.int64], NDArray[np.int64]], convention: tuple[int | None, str]
) -> None:
    """Oracle: the mean over the pixels of what is left to say about each of them, in bits."""
    labels = labelled_pixels(pair, *convention)
    expected = []
    for known in (1, 0):
        bits = [
            math.log2(sum(b[known] == a[known] for b in labels) / sum(b == a for b in labels))
            for a in labels
        ]
        expected.append(sum(bits) / max(len(bits), 1))
    options: dict[str, Any] = dict(
        zip(("background", "predicted_background"), convention, strict=True)
    )
    found = metrics.instance_variation_of_information(*pair, **options)
    assert found == pytest.approx(expected, abs=1e-9)
    metric = metrics.InstanceVariationOfInformation(**options)
    metric.update(*pair)
    measured = metric.compute()
    assert list(measured) == ["instance_voi_split", "instance_voi_merge"]
    assert list(map(float, measured.values())) == pytest.approx(expected, abs=1e-6)


def bricks() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Four instances with background between them; two are merged, and one is split."""
    truth = np.zeros((9, 14), dtype=np.int64)
    truth[:4, :6], truth[:4, 7:], truth[5:, :6], truth[5:, 7:] = 1, 2, 3, 4
    prediction = truth.copy()
    prediction[:4, :14] = 1
    prediction[5:, 3] = 0
    prediction[5:, 4:6] = 5
    return prediction, truth


def test_merging_costs_precision_and_splitting_recall() -> None:
    prediction, truth = bricks()
    merged, split = truth.copy(), truth.copy()
    merged[:4] = 1
    split[5:, 4:6] = 9
    by_merging = metrics.instance_rand_score(merged, truth)
    by_splitting = metrics.instance_rand_score(split, truth)
    assert by_merging.recall == 1 > by_merging.precision
    assert by_splitting.precision == 1 > by_splitting.recall
    assert metrics.instance_variation_of_information(merged, truth).split == pytest.approx(0)
    assert metrics.instance_variation_of_information(split, truth).merge == pytest.approx(0)
    assert metrics.instance_rand_score(truth, truth) == (1, 1, 1)
    assert max(metrics.instance_rand_score(prediction, truth)) < 1


@pytest.mark.parametrize(
    "option", [{"background": 4}, {"background": None}, {"predicted_background": "pixels"},
               {"predicted_background": "ignored"}], ids=str,
)  # fmt: skip
def test_every_option_changes_the_numbers_and_is_printed(option: dict[str, Any]) -> None:
    pair = bricks()
    for function, name in (
        (metrics.instance_rand_score, "InstanceRandScore"),
        (metrics.instance_variation_of_information, "InstanceVariationOfInformation"),
    ):
        assert function(*pair, **option) != function(*pair)
        printed = [repr(getattr(metrics, name)(**given)) for given in (option, {})]
        assert printed[0] != printed[1]
        assert "instances by number" in printed[0]
        convention = metrics.InstanceConvention(**option)
        assert str(convention) in printed[0]


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]
)
def test_any_whole_dtype_will_do_and_numbers_may_be_large(dtype: type[np.integer[Any]]) -> None:
    """Renaming instances changes nothing. Neighbouring numbers stay apart, up to the largest."""
    prediction, truth = bricks()
    expected = (
        metrics.instance_rand_score(prediction, truth),
        metrics.instance_variation_of_information(prediction, truth),
    )
    most = np.iinfo(dtype).max
    renamed = [np.where(each > 0, most - each.astype(dtype), 0).astype(dtype) for each in bricks()]
    for pair in (renamed, [torch.from_numpy(each) for each in renamed]):
        assert metrics.instance_rand_score(*pair) == expected[0]
        assert metrics.instance_variation_of_information(*pair) == pytest.approx(expected[1])


def test_what_does_not_count_is_excluded_and_may_hold_anything() -> None:
    prediction, truth = bricks()
    valid = np.ones(truth.shape, dtype=bool)
    valid[:4, 7:] = valid[5:, :6] = False
    for function in (
        metrics.instance_rand_score,
        metrics.instance_variation_of_information,
    ):
        perfect = function(truth, truth)
        assert function(prediction, truth, valid=valid) == pytest.approx(tuple(perfect))
        spoilt = [np.where(valid, each, 77) for each in (prediction, truth)]
        assert function(*spoilt, valid=valid) == function(prediction, truth, valid=valid)
        batch = [np.stack([each, each]) for each in (prediction, truth)]
        counts = np.stack([np.ones_like(valid), valid & False])
        assert function(*batch, valid=counts) == function(prediction, truth)
        with pytest.raises(ValueError, match="valid must hold at least one pixel that counts"):
            function(prediction, truth, valid=valid & False)


def test_arrays_of_the_caller_are_left_alone() -> None:
    prediction, truth = bricks()
    valid = np.ones(truth.shape, dtype=bool)
    before = [each.copy() for each in (prediction, truth, valid)]
    for mode in PREDICTED_BACKGROUNDS:
        metrics.instance_rand_score(prediction, truth, valid=valid, predicted_background=mode)
    for array, copy in zip((prediction, truth, valid), before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_images_count_the_same_and_batches_add_up() -> None:
    prediction, truth = bricks()
    small = np.array([[1, 1, 0, 2]]), np.array([[1, 0, 0, 1]])
    metric = metrics.InstanceRandScore()
    metric.update(torch.from_numpy(prediction)[None, None], torch.from_numpy(truth)[None, None])
    metric.update(*small)
    each = [metrics.instance_rand_score(*pair) for pair in ((prediction, truth), small)]
    measured = [float(value) for value in metric.compute().values()]
    assert measured == pytest.approx(np.mean(each, axis=0).tolist(), rel=1e-6)
    assert list(metric.compute()) == ["instance_ari", "instance_precision", "instance_recall"]
    assert metric.higher_is_better
    assert metrics.InstanceVariationOfInformation().higher_is_better is False


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 5)])
@pytest.mark.parametrize("value", [0, 3])
def test_constant_and_thin_maps_are_perfect_against_themselves(
    shape: tuple[int, int], value: int
) -> None:
    constant = np.full(shape, value)
    for background in (0, None):
        assert metrics.instance_rand_score(constant, constant, background=background) == (1, 1, 1)
        found = metrics.instance_variation_of_information(constant, constant, background=background)
        assert found == pytest.approx((0, 0), abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "sentence"),
    [
        (([[0.5]], [[1]]), {}, TypeError, "prediction must hold whole numbers, one for each inst"),
        (([[1]], [[True]]), {}, TypeError, "target must hold whole numbers, .*got bool"),
        (([[1]], [[1, 2]]), {}, ValueError, "must have the same shape"),
        (([[1]], [[1]]), {"background": 0.0}, TypeError, "background must be a whole number or N"),
        (([[1]], [[1]]), {"predicted_background": "x"}, ValueError, "must be one of 'segment', "),
        (([[1]], [[1]]), {"background": None, "predicted_background": "ignored"}, ValueError,
         "predicted_background has no meaning without background"),
    ],
)  # fmt: skip
def test_what_is_no_label_map_or_option_is_refused(
    arguments: tuple[Any, Any], options: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        metrics.instance_rand_score(*arguments, **options)
    with pytest.raises(error, match=sentence):
        metrics.instance_variation_of_information(*arguments, **options)
    if options:
        with pytest.raises(error, match=sentence):
            metrics.InstanceRandScore(**options)
        with pytest.raises(error, match=sentence):
            metrics.InstanceVariationOfInformation(**options)
