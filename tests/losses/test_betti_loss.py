"""The loss under Betti matching: its value, its gradient, and what it refuses."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

import strategies
import toponet
from toponet.losses.functional import topological_loss


def random_problem(seed: int = 0, shape: tuple[int, ...] = (3, 2, 13, 17)) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    likelihood = torch.rand(shape, generator=generator, dtype=torch.float64)
    target = (torch.rand(shape, generator=generator) > 0.6).double()
    return likelihood, target


def cost_by_pairs(matching: toponet.BettiMatching, least: float, weight: float) -> float:
    """Oracle: |p - q|^2 of partners, and half the squared persistence of what has none."""
    f, g = (
        np.where(np.isinf(of.values), 0.0, of.values)  # What never dies has no death to compare.
        for of in (matching.diagrams_f, matching.diagrams_g)
    )
    residuals = f[matching.pairs[:, 0]] - g[matching.pairs[:, 1]]
    noise = f[matching.unmatched_f] @ np.array([1.0, -1.0])
    missing = g[matching.unmatched_g] @ np.array([1.0, -1.0])
    alone = (noise[noise > least] ** 2).sum() + (missing**2).sum()
    return float((residuals**2).sum() + weight * alone / 2)


@hypothesis.settings(max_examples=400)
@hypothesis.given(
    image=strategies.images(),
    seed=st.integers(0, 99),
    connectivity=strategies.connectivities,
    frame=strategies.frames,
    least=st.sampled_from([0.0, 0.3]),
    weight=st.sampled_from([1.0, 0.5]),
)
def test_the_loss_is_the_cost_of_the_pairs_of_betti_matching(
    image: NDArray[Any], seed: int, connectivity: int, frame: bool, least: float, weight: float
) -> None:
    """The kernel never computes the diagram of a binary target; the oracle does."""
    rng = np.random.default_rng(seed)
    like = (image > rng.random()) ^ (rng.random(image.shape) < 0.1)
    for target in (like, rng.random(image.shape) > 0.5, np.zeros_like(like), np.ones_like(like)):
        loss = topological_loss(
            torch.from_numpy(image)[None],
            torch.from_numpy(target)[None],
            connectivity=connectivity,
            frame=frame,
            matching="betti",
            min_persistence=least,
            unmatched_weight=weight,
        )
        matching = toponet.betti_matching(
            image, target.astype(float), connectivity=connectivity, frame=frame
        )
        assert loss.item() == pytest.approx(cost_by_pairs(matching, least, weight), abs=1e-9)


@hypothesis.settings(max_examples=150)
@hypothesis.given(
    image=strategies.images(batch=2),
    seed=st.integers(0, 99),
    connectivity=strategies.connectivities,
    frame=strategies.frames,
    dims=st.sampled_from([(0,), (1,), (0, 1)]),
)
def test_the_explanation_has_the_loss_and_the_gradient_of_the_kernel(
    image: NDArray[Any], seed: int, connectivity: int, frame: bool, dims: tuple[int, ...]
) -> None:
    likelihood = torch.from_numpy(image).requires_grad_()
    target = torch.from_numpy(np.random.default_rng(seed).random(image.shape) > 0.5)
    loss = toponet.TopologicalLoss(
        dims=dims,
        connectivity=connectivity,
        frame=frame,
        matching="betti",
        min_persistence=0.2,
        reduction="none",
        dim_weights=(0.5, 2.0),
        unmatched_weight=3.0,
    )
    losses = loss(likelihood, target)
    losses.sum().backward()
    assert likelihood.grad is not None
    for one, explanation, gradient in zip(
        losses, loss.explain(likelihood, target), likelihood.grad.numpy(), strict=True
    ):
        assert one.item() == pytest.approx(explanation.loss, abs=1e-9)
        np.testing.assert_allclose(gradient, explanation.gradient(), atol=1e-9)


def test_patches_and_pixels_that_do_not_count_are_those_of_the_other_matchings() -> None:
    likelihood, target = random_problem(1, (2, 3, 30, 23))
    valid = torch.rand(2, 1, 30, 23, generator=torch.Generator().manual_seed(2)) > 0.2
    loss = toponet.TopologicalLoss(matching="betti", patch_size=12)
    f = likelihood.clone().requires_grad_()
    value = loss(f, target, valid=valid)
    value.backward()
    assert f.grad is not None
    assert not f.grad[~valid.expand_as(f)].any()
    explained = loss.explain(likelihood, target, valid=valid)
    assert value.item() == pytest.approx(np.mean([e.loss for e in explained]), rel=1e-6)
    assert {e.corner for e in explained} == {(r, c) for r in (0, 10, 20) for c in (0, 11)}


@pytest.mark.parametrize("frame", [True, False])
@pytest.mark.parametrize("connectivity", [4, 8])
def test_gradcheck_passes(frame: bool, connectivity: int) -> None:
    likelihood, target = random_problem(shape=(2, 1, 7, 9))
    loss = toponet.TopologicalLoss(connectivity=connectivity, frame=frame, matching="betti")
    torch.autograd.gradcheck(lambda f: loss(f, target), likelihood.requires_grad_(), eps=1e-7)


def test_a_cell_at_the_wrong_place_is_pulled_away_where_another_matching_is_content() -> None:
    """A ring here, the true ring there: by values alone they are partners."""
    likelihood, target = torch.zeros(2, 1, 1, 7, 16, dtype=torch.float64)
    likelihood[..., 1:6, 1:6] = 0.9
    likelihood[..., 3, 3] = 0.0
    target[..., 1:6, 9:14] = 1
    target[..., 3, 11] = 0
    by_value = toponet.TopologicalLoss(dims=(1,), frame=False)
    by_place = toponet.TopologicalLoss(dims=(1,), frame=False, matching="betti")
    assert by_value(likelihood, target).item() == pytest.approx(0.01)
    assert by_place(likelihood, target).item() == pytest.approx(0.9**2 / 2 + 0.5)
    (explanation,) = by_place.explain(likelihood, target)
    assert explanation.fates.tolist() == ["removed", "missing"]
    assert explanation.goal_pixels[1, 1] == 3 * 16 + 11
    at_home = torch.where(target > 0, 0.9, 0.0).to(torch.float64)
    (explanation,) = by_place.explain(at_home, target)
    assert explanation.fates.tolist() == ["matched"]
    assert explanation.goal_pixels.tolist() == explanation.pixels.tolist()


def test_threads_do_not_change_the_result() -> None:
    likelihood, target = random_problem(3, (9, 1, 65, 65))
    results = []
    for threads in (1, 4):
        f = likelihood.clone().requires_grad_()
        loss = toponet.TopologicalLoss(matching="betti", num_threads=threads)(f, target)
        loss.backward()
        assert f.grad is not None
        results.append((loss.item(), f.grad))
    assert results[0][0] == results[1][0]
    assert torch.equal(results[0][1], results[1][1])


def test_the_total_loss_takes_it() -> None:
    likelihood, target = random_problem(4)
    logits = torch.logit(likelihood)
    total = toponet.TopoNetLoss(topo_weight=0.3, matching="betti", unmatched_weight=0.5)
    alone = toponet.TopologicalLoss(matching="betti", unmatched_weight=0.5)
    without = toponet.TopoNetLoss(topo_weight=0.0)
    expected = without(logits, target) + 0.3 * alone(likelihood, target)
    assert total(logits, target).item() == pytest.approx(expected.item())


def test_diagrams_of_targets_are_refused_because_they_know_no_places() -> None:
    likelihood, target = random_problem()
    diagrams = toponet.TopologicalLoss().target_diagrams(target)
    loss = toponet.TopologicalLoss(matching="betti")
    for call in (
        lambda: loss(likelihood, target_diagrams=diagrams),
        lambda: loss.explain(likelihood, target_diagrams=diagrams),
        lambda: loss.target_diagrams(target),
    ):
        with pytest.raises(ValueError, match="'betti' finds partners by their place"):
            call()
    with pytest.raises(ValueError, match=r"toponet\.betti_matching takes images"):
        toponet.match([[1.0, 0.0]], [[1.0, 0.0]], matching="betti")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"unmatched_weight": 0.5}, "needs matching='betti'"),
        ({"matching": "betti", "unmatched_weight": -1.0}, "unmatched_weight must be at least 0"),
    ],
)
def test_weights_that_mean_nothing_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        toponet.TopologicalLoss(**options)


@pytest.fixture(scope="module")
def peer() -> ModuleType:
    """The module of topolosses' ``BettiMatchingLoss``."""
    pytest.importorskip("topolosses", reason="topolosses isn't installed: pip install '.[bench]'")
    from betti_matching_peer import betti_matching_loss

    return betti_matching_loss()


def matched_dots(peer: ModuleType, image: Tensor, target: Tensor) -> set[tuple[float, ...]]:
    """Births and deaths of the dots of the image that the peer matches."""
    f, g = (x.numpy().astype(np.float64) for x in (image, target))
    (result,) = peer.betti_matching.compute_matching([1 - f], [1 - g])
    dots: set[tuple[float, ...]] = set()
    for ends in zip(
        result.input1_matched_birth_coordinates,
        result.input1_matched_death_coordinates,
        strict=True,
    ):
        dots |= set(zip(*(f[tuple(np.array(end).T)].tolist() for end in ends), strict=True))
    return dots


def test_value_and_gradient_are_half_those_of_topolosses(peer: ModuleType) -> None:
    """Of a likelihood without ties: connectivity 4, no frame, and what never dies left out.

    The peer leaves out the test that the image of a feature lives. Where it has other partners for
    this reason, its loss is another one.
    """
    theirs = peer.BettiMatchingLoss(use_base_loss=False, alpha=1.0, include_background=True)
    ours = toponet.TopologicalLoss(matching="betti", connectivity=4, frame=False)
    rng = np.random.default_rng(0)
    equal = 0
    for _ in range(400):
        shape = tuple(rng.integers(3, 16, 2))
        ranks = torch.from_numpy(rng.permutation(shape[0] * shape[1]).reshape(shape))
        # Exact in single precision, which the peer takes.
        image = (ranks + 1).float() / 1024
        target = torch.from_numpy(rng.random(shape) < 0.4).float()
        f = image[None, None].clone().requires_grad_()
        peer_loss = theirs(f, target[None, None])
        (peer_gradient,) = torch.autograd.grad(peer_loss, f)
        (explanation,) = ours.explain(f, target[None, None])
        lives = np.isinf(explanation.dots[:, 1])
        gradient = explanation.gradient()
        gradient.flat[explanation.pixels[lives, 0]] -= explanation.forces[lives, 0]
        value = explanation.loss - explanation.costs[lives].sum()
        matched = explanation.dots[(explanation.fates == "matched") & ~lives]
        if matched_dots(peer, image, target) == set(map(tuple, matched.tolist())):
            assert peer_loss.item() == pytest.approx(2 * value, rel=1e-5)
            np.testing.assert_allclose(peer_gradient[0, 0], 2 * gradient, atol=1e-5)
            equal += 1
    assert equal > 100
