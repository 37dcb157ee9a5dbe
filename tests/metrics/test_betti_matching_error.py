"""Betti matching error and score: what they count, per dimension, and their ends."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

import strategies
import toponet
from toponet import metrics

Mask = NDArray[Any]


def two_rings() -> tuple[Mask, Mask]:
    """A ring each, at different places."""
    here, there = np.zeros((2, 5, 12), dtype=np.uint8)
    here[1:4, 1:4] = there[1:4, 8:11] = 1
    here[2, 2] = there[2, 9] = 0
    return here, there


def counts_by_pairs(f: Mask, g: Mask, connectivity: int, frame: bool) -> NDArray[np.int64]:
    """Oracle: (dims, 3) features with a partner, of f only, of g only, from the pairs of dots.

    The piece that never dies is a feature of a mask that has any.
    """
    matching = toponet.betti_matching(f > 0, g > 0, connectivity=connectivity, frame=frame)
    counts = np.zeros((2, 3), dtype=np.int64)
    rows = [
        (matching.diagrams_f, matching.pairs[:, 0]),
        (matching.diagrams_f, matching.unmatched_f),
        (matching.diagrams_g, matching.unmatched_g),
    ]
    for column, (diagrams, chosen) in enumerate(rows):
        for d in (0, 1):
            finite = np.isfinite(diagrams.values[chosen, 1])
            counts[d, column] = ((diagrams.dimensions[chosen] == d) & finite).sum()
    if not frame:
        counts[0] += (f.any() and g.any(), f.any() and not g.any(), g.any() and not f.any())
    return counts


@hypothesis.settings(max_examples=300)
@hypothesis.given(
    f=strategies.masks,
    seed=st.integers(0, 999),
    connectivity=strategies.connectivities,
    frame=strategies.frames,
)
def test_error_and_scores_are_counts_of_the_pairs_of_betti_matching(
    f: Mask, seed: int, connectivity: int, frame: bool
) -> None:
    rng = np.random.default_rng(seed)
    options: dict[str, Any] = {
        "patches": "whole", "connectivity": connectivity, "frame": frame,
    }  # fmt: skip
    for g in (f ^ (rng.random(f.shape) < 0.1), rng.random(f.shape) < 0.5, np.zeros_like(f), f):
        counts = counts_by_pairs(f, g, connectivity, frame)
        matched, only_f, only_g = counts.T
        error = metrics.betti_matching_error(f, g, **options)
        assert list(error) == (only_f + only_g).tolist()
        shares = metrics.betti_matching_error(f, g, normalised=True, **options)
        scores = metrics.betti_matching_score(f, g, **options)
        for d in (0, 1):
            wrong, true = only_f[d] + only_g[d], matched[d] + only_g[d]
            assert shares[d] == (min(wrong / true, 1) if true else float(wrong > 0))
            found = matched[d] + only_f[d]
            assert scores.precision[d] == (matched[d] / found if found else 1)
            assert scores.recall[d] == (matched[d] / true if true else 1)
            both = found + true
            assert scores.f1[d] == pytest.approx(2 * matched[d] / both if both else 1)


@hypothesis.settings(max_examples=200)
@hypothesis.given(
    f=strategies.masks, seed=st.integers(0, 999), connectivity=strategies.connectivities,
    frame=st.sampled_from([True, False, "rim"]),
)  # fmt: skip
def test_it_is_at_least_the_betti_error_and_has_its_parity(
    f: Mask, seed: int, connectivity: int, frame: bool | str
) -> None:
    """Features without partner are the difference of Betti numbers, and pairs beyond it."""
    g = np.random.default_rng(seed).random(f.shape) < 0.5
    options: dict[str, Any] = {"connectivity": connectivity, "frame": frame, "patches": "whole"}
    for error, matching_error in zip(
        metrics.betti_error(f, g, **options),
        metrics.betti_matching_error(f, g, **options),
        strict=True,
    ):
        assert matching_error >= error
        assert (matching_error - error) % 2 == 0


def test_rings_at_different_places_are_wrong_although_the_betti_numbers_are_right() -> None:
    here, there = two_rings()
    whole: dict[str, Any] = {"patches": "whole"}
    assert tuple(metrics.betti_error(here, there, **whole)) == (0, 0)
    assert tuple(metrics.betti_matching_error(here, there, **whole)) == (2, 2)
    assert tuple(metrics.betti_matching_error(here, here, **whole)) == (0, 0)
    shifted = np.roll(here, 1, axis=1)
    assert tuple(metrics.betti_matching_error(here, shifted, **whole)) == (0, 2)
    score = metrics.betti_matching_score(here, shifted, **whole)
    # The frame's own hole, around the rings, is found; the ring's isn't.
    assert score.precision == score.recall == score.f1 == {0: 1.0, 1: 0.5}


def test_patches_that_count_nothing_alike_are_averaged_in_an_image() -> None:
    """Four patches, of which one misses the ring: a mean of the error, a sum for the shares."""
    truth = np.zeros((10, 10), dtype=np.uint8)
    truth[1:4, 1:4] = 1
    truth[2, 2] = 0
    prediction = np.zeros_like(truth)
    grid: dict[str, Any] = {"patches": "grid", "patch_size": 5}
    # Each framed patch has a hole of its own, which is found.
    assert tuple(metrics.betti_matching_error(prediction, truth, **grid)) == (0.25, 0.25)
    shares = metrics.betti_matching_error(prediction, truth, normalised=True, **grid)
    assert tuple(shares) == (1.0, 1 / 5)
    assert metrics.betti_matching_score(prediction, truth, **grid).recall == {0: 0.0, 1: 0.8}


def test_a_patch_size_of_none_means_whole_images() -> None:
    rng = np.random.default_rng(0)
    f, g = rng.random((2, 2, 90, 80)) < 0.4
    whole = metrics.betti_matching_error(f, g, patch_size=None)
    assert tuple(whole) == tuple(metrics.betti_matching_error(f, g, patches="whole"))
    assert whole.convention.patch_size is None
    assert tuple(whole) != tuple(metrics.betti_matching_error(f, g))
    assert metrics.BettiMatchingError(patch_size=None).convention == whole.convention


def test_tensors_and_random_patches_are_those_of_the_betti_error() -> None:
    rng = np.random.default_rng(1)
    f, g = rng.random((2, 3, 90, 80)) < 0.4
    options: dict[str, Any] = {"patches": 7, "patch_size": 20, "seed": 3}
    expected = tuple(metrics.betti_matching_error(f, g, **options))
    tensors = (torch.from_numpy(f), torch.from_numpy(g))
    assert tuple(metrics.betti_matching_error(*tensors, **options)) == expected
    metric = metrics.BettiMatchingError(**options)
    assert [float(x) for x in metric(*tensors).values()] == pytest.approx(expected)
    # The second update draws other patches.
    assert [float(x) for x in metric(*tensors).values()] != pytest.approx(expected)
    assert tuple(metrics.betti_matching_error(f, g, dims=(1,), **options)) == expected[1:]


def test_results_say_what_they_count() -> None:
    here, there = two_rings()
    error = metrics.betti_matching_error(here, there, convention="betti-matching")
    assert str(error) == (
        "Betti matching error 0.000 (components), 2.000 (holes): mean features without partner "
        "over whole images, connectivity 4, without frame (betti-matching)"
    )
    shares = metrics.betti_matching_error(here, there, normalised=True, patch_size=None)
    assert "as a share of the true ones (at most 1)" in str(shares)
    score = metrics.betti_matching_score(here, there, patch_size=None, dims=(1,))
    assert str(score).startswith("Betti matching precision 0.500 recall 0.500 F1 0.500 (holes): ")
    metric = metrics.BettiMatchingError(patch_size=None, normalised=True)
    metric.update(torch.from_numpy(here), torch.from_numpy(there))
    assert metric.result() == shares
    kept = metrics.BettiMatchingScore(patch_size=None, dims=(1,))
    kept.update(torch.from_numpy(here), torch.from_numpy(there))
    assert kept.result() == score


def test_the_papers_protocol_counts_whole_images() -> None:
    rng = np.random.default_rng(2)
    f, g = (torch.from_numpy(rng.random((2, 1, 40, 50))) for _ in range(2))
    g = (g > 0.6).float()
    measured = metrics.protocol_metrics("betti-matching")
    measured.update(f, g)
    result = {name: float(value) for name, value in measured.compute().items()}
    mask = (f >= 0.5).numpy()[:, 0]
    truth = g.numpy()[:, 0]
    options: dict[str, Any] = {"convention": "betti-matching"}
    assert result["betti_matching_error_0"] == pytest.approx(
        metrics.betti_matching_error(mask, truth, **options)[0]
    )
    assert result["betti_error_1"] == pytest.approx(metrics.betti_error(mask, truth, **options)[1])
    assert list(result) == [
        "accuracy",
        "betti_error_0",
        "betti_error_1",
        "betti_matching_error_0",
        "betti_matching_error_1",
        "cldice",
    ]


def test_options_that_mean_nothing_are_refused() -> None:
    here, there = two_rings()
    with pytest.raises(TypeError, match="normalised must be True or False"):
        metrics.betti_matching_error(here, there, normalised=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="fixes connectivity=4"):
        metrics.betti_matching_error(here, there, convention="betti-matching", connectivity=8)
    with pytest.raises(ValueError, match="0 and 1"):
        metrics.betti_matching_error(here * 2, there)


@pytest.fixture(scope="module")
def peer() -> ModuleType:
    """Betti-Matching-3D as topolosses carries it."""
    pytest.importorskip("topolosses", reason="topolosses isn't installed: pip install '.[bench]'")
    from betti_matching_peer import betti_matching_loss

    module: ModuleType = betti_matching_loss().betti_matching
    return module


def test_the_papers_error_is_that_of_betti_matching_3d(peer: ModuleType) -> None:
    """Of smooth masks that aren't empty, so that both have a piece that never dies."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        noise = gaussian_filter(rng.normal(size=(2, 48, 37)), (0, 2, 2))
        f, g = noise > np.quantile(noise, rng.uniform(0.2, 0.8))
        (result,) = peer.compute_matching([1.0 - f], [1.0 - g], include_input2_unmatched_pairs=True)
        expected = np.add(result.num_unmatched_input1, result.num_unmatched_input2)
        error = metrics.betti_matching_error(f, g, convention="betti-matching")
        assert list(error) == expected.tolist()
