"""What other people's code sets around the loss must not show in its result."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from toponet import TopologicalLoss, TopoNetLoss
from toponet.losses.functional import topological_loss

RANDOM: dict[str, Any] = {"patch_size": 9, "patches": "random", "patches_per_image": 3}


def problem(channels: int = 2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(6)
    likelihood = torch.rand((2, channels, 23, 30), generator=generator)
    return likelihood, (torch.rand((2, channels, 23, 30), generator=generator) > 0.6).float()


def value_and_gradient(criterion: Any, f: Tensor, *args: Any, **more: Any) -> tuple[Tensor, Tensor]:
    x = f.clone().requires_grad_()
    value = criterion(x, *args, **more)
    value.backward()
    assert x.grad is not None
    return value.detach(), x.grad


@pytest.mark.parametrize("default", [{"device": "meta"}, {"dtype": torch.float64}], ids=str)
@pytest.mark.parametrize("options", [{}, {"patch_size": 9}, RANDOM], ids=str)
@pytest.mark.parametrize("kind", [TopologicalLoss, TopoNetLoss])
def test_torchs_defaults_do_not_reach_into_the_loss(
    kind: Any, options: dict[str, Any], default: dict[str, Any]
) -> None:
    """Tensors on the CPU are computed on the CPU, wherever new tensors would lie."""
    f, g = problem()
    valid = torch.ones(2, 1, 23, 30)
    valid[:, :, :4] = 0
    indices = torch.randint(2, (2, 23, 30), generator=torch.Generator().manual_seed(0))

    def results() -> list[tuple[Tensor, Tensor]]:
        torch.manual_seed(4)
        criterion = kind(**options, class_weights=(1, 2))
        return [
            value_and_gradient(criterion, f, g),
            value_and_gradient(criterion, f, indices),
            value_and_gradient(criterion, f, g, valid=valid),
        ]

    expected = results()
    try:
        torch.set_default_device(default.get("device"))
        torch.set_default_dtype(default.get("dtype", torch.float32))
        found = results()
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
    for mine, theirs in zip(found, expected, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))


def test_torchs_default_device_does_not_reach_into_explanations_and_kept_diagrams() -> None:
    f, g = problem()
    criterion = TopologicalLoss(patch_size=12)
    soft = 0.5 * (f + g)
    with torch.device("meta"):
        kept = criterion.target_diagrams(soft)
        value = criterion(f, target_diagrams=kept)
        explained = criterion.explain(f, target_diagrams=kept)
    assert value == criterion(f, target_diagrams=criterion.target_diagrams(soft))
    assert len(explained) == len(kept)


@pytest.mark.parametrize("use_reentrant", [False, True])
@pytest.mark.parametrize("own_generator", [False, True])
@pytest.mark.parametrize("preserve_rng_state", [False, True])
def test_under_checkpointing_loss_and_gradient_are_of_the_same_patches_or_refused(
    use_reentrant: bool, own_generator: bool, preserve_rng_state: bool
) -> None:
    """Checkpointing computes the loss twice and sets torch's own generator back, if asked to."""
    f, g = problem(1)
    generator = torch.Generator().manual_seed(1) if own_generator else None
    criterion = TopologicalLoss(**RANDOM, generator=generator)
    f.requires_grad_()
    torch.manual_seed(3)
    value: Any = checkpoint(
        criterion, f, g, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state
    )
    if own_generator or not preserve_rng_state:
        with pytest.raises(RuntimeError, match="on other random patches than in the forward pass"):
            value.backward()
        return
    value.backward()
    torch.manual_seed(3)
    expected, gradient = value_and_gradient(criterion, f.detach(), g)
    assert value == expected
    assert f.grad is not None
    assert torch.equal(f.grad, gradient)


def test_checkpointed_losses_may_wait_for_each_others_backward() -> None:
    """Two calls, two recomputations: each draws what it drew, by the function as by the module."""
    f, g = problem(1)
    f.requires_grad_()
    criterion = TopologicalLoss(**RANDOM)

    def function(x: Tensor, y: Tensor) -> Tensor:
        return topological_loss(x, y, **RANDOM)

    gradients = []
    for saved in (True, False):
        torch.manual_seed(8)
        parts = [
            checkpoint(loss, f, g, use_reentrant=False) if saved else loss(f, g)
            for loss in (criterion, function)
        ]
        (gradient,) = torch.autograd.grad(parts[0] + 2 * parts[1], f)
        gradients.append(gradient)
    assert torch.equal(*gradients)


EPSILONS = [
    (torch.float64, 2.0**-52),
    (torch.float32, 2.0**-23),
    (torch.float16, 2.0**-10),
    (torch.bfloat16, 2.0**-7),
]


@pytest.mark.parametrize(("dtype", "epsilon"), EPSILONS)
@pytest.mark.parametrize("binary", [True, False])
def test_probabilities_that_rounding_left_outside_count_as_0_and_1(
    dtype: torch.dtype, epsilon: float, binary: bool
) -> None:
    """Also in their gradient, which isn't cut off: a clamp's would be 0."""
    f = problem(1)[0]
    f[:, :, 3:6, 3:6], f[:, :, 10:13, 4:9], f[:, :, 17:19, 20:24] = 1, 0, 0
    inside = f.to(dtype)
    outside = inside.clone()
    outside[inside == 1], outside[inside == 0] = 1 + 4 * epsilon, -4 * epsilon
    assert outside.max() > 1
    given = outside.clone()
    criterion = TopologicalLoss()
    target: dict[str, Any] = {"target": torch.zeros_like(f)}
    if not binary:
        target = {"target_diagrams": criterion.target_diagrams(0.2 + 0.3 * f)}
    expected = value_and_gradient(criterion, inside, **target)
    found = value_and_gradient(criterion, outside, **target)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert found[1][outside > 1].abs().sum() > 0
    assert found[1][outside < 0].abs().sum() > 0
    assert len(criterion.explain(outside, **target)) == 2
    assert criterion(outside, **target) == expected[0]
    assert torch.equal(outside, given)  # The caller's own tensor.
    if dtype != torch.float64:
        beyond = outside.clone()
        beyond[1, 0, 5, 5] = 1 + 6 * epsilon
        with pytest.raises(ValueError, match=r"logits .* clamp\(0, 1\) .* \(image 1 of the batch"):
            criterion(beyond, **target)


def test_soft_targets_too_may_be_rounded() -> None:
    soft = problem(1)[0].bfloat16()
    soft[0, 0, 2, 2], soft[0, 0, 9, 9] = 1.0078125, -0.0078125
    criterion = TopologicalLoss()
    kept = criterion.target_diagrams(soft)
    assert criterion(soft.clamp(0, 1), target_diagrams=kept) == 0
    soft[0, 0, 2, 2] = 1.0625
    with pytest.raises(ValueError, match=r"target must hold values in \[0, 1\]"):
        criterion.target_diagrams(soft)


@pytest.mark.parametrize(
    ("value", "advice"),
    [(1.001, "clamp"), (-0.02, "clamp"), (1.2, "apply sigmoid"), (-3.0, "apply sigmoid")],
)
def test_what_rounding_does_not_explain_is_refused_with_the_right_cure(
    value: float, advice: str
) -> None:
    """Near [0, 1] an interpolation may be at fault; far from it, there was no activation."""
    f, g = problem(1)
    f = f.double()
    f[0, 0, 4, 4] = value
    with pytest.raises(ValueError, match=f"got {value:g}") as caught:
        TopologicalLoss()(f, g)
    assert advice in str(caught.value)
    assert ("clamp" in str(caught.value)) == (advice == "clamp")


def test_probabilities_in_eight_bits_are_not_rounded_from_logits() -> None:
    """Four epsilons of float8 would let 1.5 pass."""
    f, g = problem(1)
    f[0, 0, 4, 4] = 1.125
    with pytest.raises(ValueError, match="must hold probabilities"):
        TopologicalLoss()(f.to(torch.float8_e4m3fn), g)
