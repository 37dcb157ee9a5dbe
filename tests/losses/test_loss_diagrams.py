"""Targets as diagrams computed before, and what the loss explains of itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import toponet
from toponet.topology.explanation import explain_matching

MATCHINGS = ["complete", "wasserstein", "persistence"]


def problem(shape: tuple[int, ...] = (2, 2, 11, 14)) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    likelihood = torch.rand(shape, generator=generator, dtype=torch.float64)
    return likelihood, torch.rand(shape, generator=generator) > 0.6


def loss_and_gradient(
    loss: toponet.TopologicalLoss, likelihood: Tensor, *args: Any, **kwargs: Any
) -> tuple[Tensor, Tensor]:
    f = likelihood.clone().requires_grad_()
    value = loss(f, *args, **kwargs)
    value.sum().backward()
    assert f.grad is not None
    return value.detach(), f.grad


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"frame": False},
        {"dims": (1,)},
        {"connectivity": 4, "matching": "wasserstein"},
        {"patch_size": 6},
        {"include_background": False},
        {"reduction": "none", "min_persistence": 0.3},
    ],
    ids=str,
)
def test_diagrams_of_binary_targets_do_what_the_targets_do(options: dict[str, Any]) -> None:
    likelihood, target = problem()
    loss = toponet.TopologicalLoss(**options)
    expected = loss_and_gradient(loss, likelihood, target)
    kept = loss.target_diagrams(target)
    result = loss_and_gradient(loss, likelihood, target_diagrams=kept)
    torch.testing.assert_close(result, expected)


def test_diagrams_of_binary_targets_need_no_transport(monkeypatch: pytest.MonkeyPatch) -> None:
    likelihood, target = problem()
    loss = toponet.TopologicalLoss()
    kept = loss.target_diagrams(target)
    monkeypatch.setattr("toponet.losses.diagram_loss.explain_patches", None)  # The general route.
    loss(likelihood, target_diagrams=kept)


@pytest.mark.parametrize("matching", MATCHINGS)
@pytest.mark.parametrize("frame", [True, False])
def test_soft_targets_take_the_transport_route(matching: str, frame: bool) -> None:
    """Oracle: `match` by POT, image by image; the gradient by differences of the loss."""
    likelihood, _ = problem((2, 1, 7, 9))
    soft = (problem((2, 1, 7, 9))[0].flip(0) * 4).round() / 4  # Five grey levels.
    loss = toponet.TopologicalLoss(matching=matching, frame=frame, reduction="none")
    kept = loss.target_diagrams(soft)
    losses, _ = loss_and_gradient(loss, likelihood, target_diagrams=kept)
    for image in range(2):
        cost = 0.0
        for dimension in (0, 1):
            values = [
                toponet.persistence(x[image, 0].numpy(), dims=(dimension,), frame=frame).values
                for x in (likelihood, soft)
            ]
            cost += toponet.match(*values, matching=matching, method="pot").cost
        assert losses[image, 0].item() == pytest.approx(cost)
    torch.autograd.gradcheck(
        lambda f: loss(f, target_diagrams=kept), likelihood.requires_grad_(), eps=1e-7
    )


def test_soft_targets_work_on_patches_valid_pixels_and_weighted_dimensions() -> None:
    likelihood, _ = problem()
    soft = problem()[0].flip(0)
    valid = torch.ones(2, 11, 14)
    valid[1, :6] = 0
    loss = toponet.TopologicalLoss(patch_size=6, dim_weights=(0.5, 2), reduction="sum")
    kept = loss.target_diagrams(soft, valid=valid)
    value, gradient = loss_and_gradient(loss, likelihood, target_diagrams=kept, valid=valid)
    assert (gradient[1, :, :6] == 0).all()
    assert (gradient[0] != 0).any()
    explained = loss.explain(likelihood, target_diagrams=kept, valid=valid)
    # Image 0 has two rows and three columns of patches a channel, image 1 one row of them.
    assert len(explained) == 2 * 6 + 2 * 3
    assert explained[4].corner == (5, 4)
    by_hand = sum(e.loss for e in explained[:12]) / 6 + sum(e.loss for e in explained[12:]) / 3
    assert value.item() == pytest.approx(by_hand)


def test_soft_targets_are_their_own_optimum() -> None:
    likelihood, _ = problem()
    loss = toponet.TopologicalLoss()
    value, gradient = loss_and_gradient(
        loss, likelihood, target_diagrams=loss.target_diagrams(likelihood)
    )
    assert value == 0
    assert (gradient == 0).all()


def test_diagrams_kept_one_by_one_make_a_batch() -> None:
    likelihood, target = problem()
    loss = toponet.TopologicalLoss()
    kept = [loss.target_diagrams(target[i : i + 1]) for i in range(2)]
    batch = toponet.PersistenceDiagrams.concatenate(kept)
    assert loss(likelihood, target_diagrams=batch) == loss(likelihood, target)


@pytest.mark.parametrize("matching", MATCHINGS)
def test_explanations_are_the_loss_dot_by_dot(matching: str) -> None:
    likelihood, target = problem()
    likelihood = likelihood / 2
    loss = toponet.TopologicalLoss(
        matching=matching, reduction="none", min_persistence=0.05, dim_weights=(1, 0.5)
    )
    losses, gradient = loss_and_gradient(loss, likelihood, target)
    explanations = loss.explain(likelihood, target)
    assert len(explanations) == 4
    for k, explanation in enumerate(explanations):
        b, c = divmod(k, 2)
        assert explanation.shape == (11, 14)
        assert explanation.loss == pytest.approx(losses[b, c].item())
        np.testing.assert_allclose(explanation.gradient(), gradient[b, c].numpy(), atol=1e-12)
        assert explanation.share(0) + explanation.share(1) == pytest.approx(1)
        betti = toponet.betti_numbers(target[b, c].numpy(), frame=True)[0]
        for d in (0, 1):
            wanted = explanation.count("matched", d) + explanation.count("missing", d)
            assert wanted == betti[d]
        used = explanation.pixels >= 0
        flat = likelihood[b, c].flatten().numpy()
        np.testing.assert_array_equal(flat[explanation.pixels[used]], explanation.dots[used])
        assert "matched" in repr(explanation)


def test_explanations_name_each_fate() -> None:
    """A gap in a membrane, a weak speck, a weaker one, and a hole that can't be found."""
    truth = torch.zeros(1, 7, 13)
    truth[0, 3] = 1
    truth[0, :, 6] = 1
    likelihood = torch.full((1, 7, 13), 0.1)
    likelihood[0, 3] = 0.9
    likelihood[0, 3, 3] = 0.4
    likelihood[0, 1, 2], likelihood[0, 5, 10] = 0.5, 0.12
    (explanation,) = toponet.TopologicalLoss(min_persistence=0.05).explain(likelihood, truth)
    assert [explanation.count(fate, 0) for fate in ("removed", "ignored")] == [1, 1]
    assert explanation.count("matched", 1) == 2
    assert explanation.count("missing", 1) == 2
    assert explanation.share(1) > explanation.share(0) > 0
    speck = explanation.fates == "removed"
    assert explanation.pixels[speck][0].tolist()[0] == 1 * 13 + 2


def test_the_likelihoods_dots_come_first_in_the_order_of_its_diagram() -> None:
    """Also where components of the truth are missing, which stand before the holes otherwise."""
    truth = torch.zeros(1, 9, 13)
    truth[0, 1::2, 1::2] = 1
    likelihood = torch.full((1, 9, 13), 0.2)
    likelihood[0, 2:5, 3:6] = 0.75
    likelihood[0, 3, 4] = 0.5
    (explanation,) = toponet.TopologicalLoss().explain(likelihood, truth)
    assert explanation.count("missing", 0) > 1
    diagram = toponet.persistence(likelihood[0].numpy(), frame=True)
    assert set(diagram.dimensions.tolist()) == {0, 1}
    rows = slice(0, len(diagram.values))
    np.testing.assert_array_equal(explanation.dots[rows], diagram.values)
    np.testing.assert_array_equal(explanation.pixels[rows], diagram.pixels)
    assert (explanation.fates[len(diagram.values) :] == "missing").all()


def test_the_class_that_never_dies_is_explained() -> None:
    likelihood, target = problem((1, 1, 6, 8))
    loss = toponet.TopologicalLoss(frame=False)
    (explanation,) = loss.explain(likelihood, target)
    assert np.isneginf(explanation.dots[0, 1])
    assert explanation.forces[0, 1] == 0
    assert explanation.loss == pytest.approx(loss(likelihood, target).item())


def test_an_explanation_of_no_loss_has_no_shares() -> None:
    target = torch.zeros(1, 5, 6)
    (explanation,) = toponet.TopologicalLoss().explain(target, target)
    assert explanation.loss == explanation.share(0) == explanation.share(1) == 0


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({}, ValueError, "expected either target or target_diagrams, got none"),
        ({"target": "t", "target_diagrams": "d"}, ValueError, "target_diagrams, got both"),
        ({"target_diagrams": "one"}, ValueError, "one diagram for each of the 4 patches .*got 1"),
        ({"target_diagrams": "frameless"}, ValueError, "frame=True .* expected 0 .* got 1 in"),
        ({"target_diagrams": 3}, TypeError, "target_diagrams must be .*PersistenceDiagrams, got i"),
    ],
)
@pytest.mark.parametrize("method", ["forward", "explain"])
def test_targets_that_do_not_fit_get_one_clear_sentence(
    method: str, arguments: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    likelihood, target = problem()
    loss = toponet.TopologicalLoss()
    kept = loss.target_diagrams(target)
    values: dict[Any, Any] = {
        "t": target,
        "d": kept,
        "one": kept[0],
        "frameless": toponet.TopologicalLoss(frame=False).target_diagrams(target),
        3: 3,
    }
    given = {name: values[value] for name, value in arguments.items()}
    with pytest.raises(error, match=sentence):
        getattr(loss, method)(likelihood, **given)


@pytest.mark.parametrize("method", ["forward", "explain"])
@pytest.mark.parametrize("dims", [(0,), (0, 1), (1,)], ids=str)
def test_a_hole_that_never_dies_is_not_taken_for_the_component_that_does_not(
    method: str, dims: tuple[int, ...]
) -> None:
    """Without a frame one class never dies, and that is a component."""
    loss = toponet.TopologicalLoss(frame=False, dims=dims)
    target = toponet.PersistenceDiagrams(
        np.array([[1.0, -np.inf]]),
        np.array([[3, -1]], np.int32),
        np.array([1], np.int8),
        np.array([0, 1]),
    )
    with pytest.raises(ValueError, match=r"target_diagrams can't be used: .* never dies in row 0"):
        getattr(loss, method)(torch.rand(1, 1, 5, 6), target_diagrams=target)


def test_random_patches_have_no_diagrams_to_keep() -> None:
    _, target = problem()
    loss = toponet.TopologicalLoss(patch_size=5, patches="random")
    with pytest.raises(ValueError, match="use patches='grid'"):
        loss.target_diagrams(target)
    kept = toponet.TopologicalLoss().target_diagrams(target)
    with pytest.raises(ValueError, match="use patches='grid'"):
        loss(target.double(), target_diagrams=kept)


def test_targets_to_keep_must_be_tensors_of_probabilities() -> None:
    loss = toponet.TopologicalLoss()
    with pytest.raises(TypeError, match=r"target must be a torch.Tensor, got ndarray"):
        loss.target_diagrams(np.zeros((1, 5, 5)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"values in \[0, 1\]"):
        loss.target_diagrams(torch.full((1, 5, 5), 2))


def test_the_partners_of_an_image_matched_with_itself_lie_where_its_dots_do() -> None:
    image = np.random.default_rng(5).permutation(12 * 17).reshape(12, 17) / (12 * 17)
    diagrams = toponet.persistence(image, frame=True)
    explanation = explain_matching(diagrams, diagrams[0], image.shape, matching="wasserstein")
    assert (explanation.fates == "matched").all()
    np.testing.assert_array_equal(explanation.goal_pixels, explanation.pixels)


def test_targets_without_partner_keep_their_pixels_and_removed_dots_have_none() -> None:
    truth = np.zeros((7, 9))
    truth[2:5, 2:5] = 1
    truth[3, 3] = 0  # A component and two holes, of which the flat map has the frame's alone.
    blank, speck = np.full((7, 9), 0.5), np.zeros((7, 9))
    speck[5, 7] = 0.2
    wanted, nothing, noise = (toponet.persistence(i, frame=True) for i in (truth, blank, speck))
    missing = explain_matching(nothing, wanted, truth.shape)
    pixels = missing.goal_pixels[missing.fates == "missing"].tolist()
    assert len(pixels) == 2
    assert all(pixel in wanted.pixels.tolist() for pixel in pixels)
    removed = explain_matching(noise, nothing, truth.shape)
    assert (removed.goal_pixels[removed.fates == "removed"] == -1).all()
    assert "removed" in removed.fates


def test_diagrams_of_empty_and_full_targets_do_what_the_targets_do() -> None:
    """Without a frame, the component of an empty target is born at 0, not at 1."""
    likelihood, target = problem((3, 1, 8, 9))
    target[0], target[1] = 0, 1
    loss = toponet.TopologicalLoss(frame=False, reduction="none")
    expected = loss_and_gradient(loss, likelihood, target)
    result = loss_and_gradient(
        loss, likelihood, target_diagrams=loss.target_diagrams(target.double())
    )
    torch.testing.assert_close(result, expected)


def test_soft_targets_on_patches_are_the_mean_of_the_patches_alone() -> None:
    """Loss and gradient; oracle: patches cut out by torch."""
    likelihood, target = problem((1, 1, 12, 16))
    soft = 0.5 * (likelihood.flip(2) + target)
    whole, on_patches = toponet.TopologicalLoss(), toponet.TopologicalLoss(patch_size=8)
    result = loss_and_gradient(
        on_patches, likelihood, target_diagrams=on_patches.target_diagrams(soft)
    )
    f = likelihood.clone().requires_grad_()
    parts = [(r, c) for r in (0, 6) for c in (0, 8)]
    expected = torch.zeros((), dtype=torch.float64)
    for r, c in parts:
        kept = whole.target_diagrams(soft[..., r : r + 6, c : c + 8])
        part = whole(f[..., r : r + 6, c : c + 8], target_diagrams=kept)
        expected = expected + part / len(parts)
    expected.backward()
    torch.testing.assert_close(result[0], expected.detach())
    torch.testing.assert_close(result[1], f.grad)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("options", [{}, {"patch_size": 6}, {"patch_size": 9}], ids=str)
def test_whatever_memory_holds_before_does_not_reach_the_gradient(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], soft: bool
) -> None:
    likelihood, target = problem()
    loss = toponet.TopologicalLoss(**options)
    arguments: dict[str, Any] = {"target": target}
    if soft:
        arguments = {"target_diagrams": loss.target_diagrams(0.5 * (likelihood.flip(2) + target))}
    expected = loss_and_gradient(loss, likelihood, **arguments)

    def full_of_nan(shape: tuple[int, ...], dtype: torch.dtype, _: torch.device) -> Tensor:
        return torch.full(shape, torch.nan, dtype=dtype)

    monkeypatch.setattr("toponet.losses._function._host_buffer", full_of_nan)
    torch.testing.assert_close(loss_and_gradient(loss, likelihood, **arguments), expected)
