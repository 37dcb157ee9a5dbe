"""Metrics against scikit-image, against hand-made cases, and their conventions."""

from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
import pytest
import skimage.measure
import skimage.metrics
import torch
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

import strategies
from toponet import metrics

mask_pairs = hypothesis.strategies.tuples(strategies.shapes).flatmap(
    lambda s: hypothesis.strategies.tuples(hnp.arrays(np.bool_, s[0]), hnp.arrays(np.bool_, s[0]))
)


def wall(column: int = 5, gap: int | None = None) -> NDArray[np.uint8]:
    """Two cells of 7 x 5 pixels, and a wall between them that may have a gap."""
    mask = np.zeros((7, 11), dtype=np.uint8)
    mask[:, column] = 1
    if gap is not None:
        mask[gap, column] = 0
    return mask


@pytest.mark.parametrize("connectivity", [4, 8])
@hypothesis.settings(max_examples=200, deadline=None)
@hypothesis.given(pair=mask_pairs)
def test_rand_and_information_agree_with_scikit_image(
    connectivity: int, pair: tuple[NDArray[np.bool_], NDArray[np.bool_]]
) -> None:
    predicted, truth = pair
    hypothesis.assume((~truth).sum() >= 2)
    cells = [
        skimage.measure.label(~mask, connectivity=1 if connectivity == 8 else 2)
        for mask in (truth, predicted)
    ]
    with np.errstate(invalid="ignore"):
        error = skimage.metrics.adapted_rand_error(*cells, ignore_labels=(0,))[0]
    score = metrics.adapted_rand_score(predicted, truth, connectivity=connectivity)
    assert score == pytest.approx(0.0 if np.isnan(error) else 1 - error)
    split, merge = skimage.metrics.variation_of_information(*cells, ignore_labels=(0,))
    voi = metrics.variation_of_information(predicted, truth, connectivity=connectivity)
    assert voi == pytest.approx((split, merge))


def test_a_broken_wall_merges_two_cells() -> None:
    """By hand: 35 + 35 pixels in one; precision 1/2, recall 1, one bit lost."""
    score = metrics.adapted_rand_score(wall(gap=3), wall())
    pairs_together = 2 * 35 * 34
    assert score == pytest.approx(2 * pairs_together / (pairs_together + 70 * 69))
    voi = metrics.variation_of_information(wall(gap=3), wall())
    assert voi.split == pytest.approx(0)
    assert voi.merge == pytest.approx(1)
    error = metrics.betti_error(wall(gap=3), wall())
    assert (error[0], error[1]) == (0, 1)


def test_a_wall_too_many_splits_a_cell() -> None:
    predicted = np.maximum(wall(), wall(column=8))
    voi = metrics.variation_of_information(predicted, wall())
    assert voi.merge == pytest.approx(0)
    assert voi.split > 0.3
    assert metrics.adapted_rand_score(predicted, wall()) < 1
    assert metrics.betti_error(predicted, wall())[1] == 1


def test_perfect_predictions_score_perfectly() -> None:
    truth = np.stack([wall(), wall(column=2)])
    assert metrics.pixel_accuracy(truth, truth) == 1
    assert metrics.adapted_rand_score(truth, truth) == 1
    assert metrics.variation_of_information(truth, truth) == pytest.approx((0, 0))
    assert tuple(metrics.betti_error(truth, truth)) == (0, 0)


def test_connectivity_decides_whether_a_diagonal_separates() -> None:
    """A diagonal line of single pixels: under 8 it separates, under 4 it doesn't."""
    truth = np.eye(9, dtype=np.uint8)
    broken = truth.copy()
    broken[4, 4] = 0
    assert metrics.adapted_rand_score(broken, truth, connectivity=8) < 0.8
    assert metrics.adapted_rand_score(broken, truth, connectivity=4) == 1
    assert metrics.variation_of_information(broken, truth, connectivity=8).merge > 0.9
    assert metrics.variation_of_information(broken, truth, connectivity=4).merge == 0
    assert metrics.betti_error(broken, truth, connectivity=8)[1] == 1
    assert metrics.betti_error(broken, truth, connectivity=4)[1] == 0


def test_the_maximal_score_takes_the_best_threshold() -> None:
    likelihood = np.where(wall(gap=3), 0.9, 0.1)
    likelihood[3, 5] = 0.3
    assert metrics.adapted_rand_score(likelihood, wall()) < 0.7
    assert metrics.adapted_rand_score(likelihood, wall(), maximal=True) == 1


def test_batches_are_means_over_images() -> None:
    predicted, truth = np.stack([wall(gap=1), wall()]), np.stack([wall(), wall(column=3)])
    for name in ("adapted_rand_score", "variation_of_information", "pixel_accuracy"):
        metric = getattr(metrics, name)
        each = [metric(p, t) for p, t in zip(predicted, truth, strict=True)]
        np.testing.assert_allclose(metric(predicted, truth), np.mean(each, axis=0))


def test_torch_and_numpy_give_the_same() -> None:
    predicted, truth = wall(gap=2), wall()
    for name in metrics.__all__:
        if name[0].isupper():
            continue
        metric = getattr(metrics, name)
        expected = metric(predicted, truth)
        for dtype in (torch.bool, torch.int64, torch.float32, torch.bfloat16):
            tensors = (torch.from_numpy(predicted).to(dtype), torch.from_numpy(truth).to(dtype))
            assert metric(*tensors) == expected


@pytest.mark.parametrize("structure", [0, 1])
def test_empty_and_full_truths_are_defined(structure: int) -> None:
    truth = np.full((5, 8), structure)
    for prediction in (truth, 1 - truth, wall()[:5, :8]):
        assert 0 <= metrics.adapted_rand_score(prediction, truth) <= 1
        assert np.isfinite(metrics.variation_of_information(prediction, truth)).all()
    assert metrics.adapted_rand_score(truth, truth) == 1


def random_masks(seed: int = 0) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    return rng.random((2, 70, 90)) > 0.5, rng.random((2, 70, 90)) > 0.6


@pytest.mark.parametrize(
    "option", [{"patch_size": 33}, {"patches": 7}, {"seed": 1}, {"connectivity": 4},
               {"frame": False}], ids=str,
)  # fmt: skip
def test_every_option_of_the_betti_error_changes_it_and_is_printed(option: dict[str, Any]) -> None:
    default = metrics.betti_error(*random_masks())
    changed = metrics.betti_error(*random_masks(), **option)
    assert tuple(changed) != tuple(default)
    assert metrics.betti_error(*random_masks()) == default
    assert str(changed).split(": ")[1] != str(default).split(": ")[1]


def test_the_betti_error_is_the_mean_over_the_patches() -> None:
    """Oracle: one patch at a time, positions drawn in the same way."""
    from toponet import betti_numbers

    predicted, truth = random_masks()
    corners = np.random.default_rng(5).integers(0, (70 - 20 + 1, 90 - 20 + 1), (2, 9, 2))
    differences = []
    for b in range(2):
        for r, c in corners[b]:
            cut = (b, slice(r, r + 20), slice(c, c + 20))
            numbers = [betti_numbers(m[cut], frame=True)[0] for m in (predicted, truth)]
            differences.append(np.abs(numbers[0] - numbers[1]))
    error = metrics.betti_error(predicted, truth, patch_size=20, patches=9, seed=5)
    np.testing.assert_allclose(tuple(error), np.mean(differences, axis=0))


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("pixel_accuracy", (np.zeros((2, 3)), np.zeros((3, 2))), r"\(1, 2, 3\) and \(1, 3, 2\)"),
        ("pixel_accuracy", (np.full((2, 3), 0.5), np.zeros((2, 3))), "prediction .* got 0.5"),
        ("betti_error", (np.zeros((2, 3)), np.full((2, 3), 255)), "target .* got 255"),
        ("adapted_rand_score", (np.full((2, 3), 3.0), np.zeros((2, 3))), r"in \[0, 1\], .* 3.0"),
        ("variation_of_information", (np.zeros(3), np.zeros(3)), "shape"),
    ],
)
def test_bad_input_gets_one_clear_sentence(
    name: str, arguments: tuple[Any, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        getattr(metrics, name)(*arguments)


def test_bad_options_of_the_betti_error_are_refused() -> None:
    with pytest.raises(ValueError, match="patch_size must be at least 1, got 0"):
        metrics.betti_error(*random_masks(), patch_size=0)
    with pytest.raises(ValueError, match="patches must be at least 1, got 0"):
        metrics.betti_error(*random_masks(), patches=0)
    for name in ("patch_size", "patches", "seed"):
        with pytest.raises(TypeError, match=f"{name} must be a whole number, got 2.5"):
            metrics.betti_error(*random_masks(), **{name: 2.5})  # type: ignore[arg-type]
