"""TopoNetLoss with another base loss than cross-entropy, and its two terms by themselves."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import toponet


def problem() -> tuple[Tensor, Tensor]:
    """Logits of few levels and masks, (2, 1, 9, 13)."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randint(-3, 4, (2, 1, 9, 13), generator=generator).float()
    return logits, torch.randint(0, 2, logits.shape, generator=generator).float()


def squares(logits: Tensor, target: Tensor) -> Tensor:
    return ((logits - target) ** 2).mean()


def squares_of_each(logits: Tensor, target: Tensor) -> Tensor:
    return ((logits - target) ** 2).mean(dim=(1, 2, 3))


def test_the_loss_is_the_base_loss_and_the_weighted_topological_loss() -> None:
    """The gradient too: it is what a training uses."""
    logits, target = problem()
    x, y = (logits.clone().requires_grad_() for _ in range(2))
    total = toponet.TopoNetLoss(0.3, base_loss=squares)(x, target)
    expected = squares(y, target) + 0.3 * toponet.TopologicalLoss(sigmoid=True)(y, target)
    torch.testing.assert_close(total, expected)
    total.backward()
    expected.backward()
    torch.testing.assert_close(x.grad, y.grad)


def test_each_image_has_its_own_loss_without_reduction() -> None:
    logits, target = problem()
    loss = toponet.TopoNetLoss(0.3, "none", base_loss=squares_of_each)
    topological = toponet.TopologicalLoss(sigmoid=True, reduction="none")(logits, target)
    expected = squares_of_each(logits, target) + 0.3 * topological.mean(dim=1)
    torch.testing.assert_close(loss(logits, target), expected)


@pytest.mark.parametrize(
    ("base_loss", "reduction", "sentence"),
    [
        (squares_of_each, "mean", r"shape \(\) for reduction='mean', got \(2,\)"),
        (squares, "none", r"shape \(2,\) for reduction='none', got \(\)"),
    ],
)
def test_a_base_loss_of_another_reduction_is_refused(
    base_loss: Any, reduction: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        toponet.TopoNetLoss(reduction=reduction, base_loss=base_loss)(*problem())


def test_what_cant_be_called_is_no_base_loss() -> None:
    with pytest.raises(TypeError, match="base_loss must be a function or module, got 'dice'"):
        toponet.TopoNetLoss(base_loss="dice")  # type: ignore[arg-type]


def test_a_module_is_shown_and_moves_with_the_loss() -> None:
    loss = toponet.TopoNetLoss(base_loss=nn.BCEWithLogitsLoss(pos_weight=torch.ones(1)))
    assert "BCEWithLogitsLoss" in repr(loss)
    moved = loss.double().base_loss
    assert isinstance(moved, nn.BCEWithLogitsLoss)
    assert moved.pos_weight is not None
    assert moved.pos_weight.dtype == torch.float64


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("softmax", [False, True])
def test_the_terms_make_up_the_loss(reduction: str, softmax: bool) -> None:
    logits, target = problem()
    if softmax:
        logits, target = torch.cat([logits, -logits.flip(-1)], dim=1), target.long()
    valid = torch.ones(2, 9, 13)
    valid[:, :, :5] = 0
    loss = toponet.TopoNetLoss(0.3, reduction, softmax=softmax)
    base = loss.base_term(logits, target, valid=valid)
    topological = loss.topological_term(logits, target, valid=valid)
    torch.testing.assert_close(loss(logits, target, valid=valid), base + 0.3 * topological)
    assert not torch.equal(base, loss.base_term(logits, target))
    assert not torch.equal(topological, loss.topological_term(logits, target))


def test_without_weight_the_topological_loss_isnt_computed() -> None:
    """Reason: before its start the term costs no time."""

    def refuse(*_: Any, **__: Any) -> Tensor:
        raise AssertionError

    loss = toponet.TopoNetLoss(0.0)
    loss.topological_loss.register_forward_pre_hook(refuse, with_kwargs=True)
    logits, target = problem()
    assert loss(logits, target) == loss.base_term(logits, target)
    loss.topo_weight = 0.3
    with pytest.raises(AssertionError):
        loss(logits, target)
