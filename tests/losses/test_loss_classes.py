"""The loss with several classes: channels, indices, activations, weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import toponet
from toponet.losses.functional import topological_loss

CLASSES = 3


def problem() -> tuple[Tensor, Tensor]:
    """Logits (2, 3, 13, 17) and class indices (2, 13, 17)."""
    generator = torch.Generator().manual_seed(4)
    logits = 3 * torch.randn((2, CLASSES, 13, 17), generator=generator, dtype=torch.float64)
    return logits, torch.randint(CLASSES, (2, 13, 17), generator=generator)


def masks_of(indices: Tensor) -> Tensor:
    return F.one_hot(indices, CLASSES).movedim(-1, 1)


@pytest.mark.parametrize("include_background", [True, False])
@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.int16])
def test_class_indices_are_masks_one_against_the_rest(
    include_background: bool, dtype: torch.dtype
) -> None:
    logits, indices = problem()
    options: dict[str, Any] = {"softmax": True, "include_background": include_background}
    expected = topological_loss(logits, masks_of(indices), **options)
    assert topological_loss(logits, indices.to(dtype), **options) == expected
    assert topological_loss(logits, indices[:, None].to(dtype), **options) == expected


def test_each_channel_is_a_binary_problem() -> None:
    logits, indices = problem()
    likelihood, masks = logits.softmax(dim=1), masks_of(indices)
    each = topological_loss(likelihood, masks, reduction="none")
    for k in range(CLASSES):
        alone = topological_loss(likelihood[:, k], masks[:, k], reduction="none")
        torch.testing.assert_close(each[:, k], alone)
    without = topological_loss(likelihood, masks, reduction="none", include_background=False)
    torch.testing.assert_close(without, each[:, 1:])


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_activations_are_torchs(activation: str) -> None:
    logits, indices = problem()
    likelihood = logits.sigmoid() if activation == "sigmoid" else logits.softmax(dim=1)
    options: dict[str, Any] = {activation: True}
    x, y = (logits.clone().requires_grad_() for _ in range(2))
    loss = topological_loss(x, indices, **options)
    loss.backward()
    expected = topological_loss(
        y.sigmoid() if activation == "sigmoid" else y.softmax(dim=1), masks_of(indices)
    )
    expected.backward()
    assert loss == expected
    assert loss == topological_loss(likelihood, indices)
    torch.testing.assert_close(x.grad, y.grad)


def test_class_weights_are_factors_of_the_channels_that_count() -> None:
    logits, indices = problem()
    options: dict[str, Any] = {"softmax": True, "reduction": "none"}
    each = topological_loss(logits, indices, **options)
    weighted = topological_loss(logits, indices, class_weights=(0.5, 2, 0), **options)
    torch.testing.assert_close(weighted, each * torch.tensor([0.5, 2, 0], dtype=each.dtype))
    weighted = topological_loss(
        logits, indices, class_weights=(3, 1), include_background=False, **options
    )
    torch.testing.assert_close(weighted, each[:, 1:] * torch.tensor([3.0, 1], dtype=each.dtype))


def test_dimension_weights_are_factors_of_the_dimensions() -> None:
    logits, indices = problem()
    x, y = (logits.clone().requires_grad_() for _ in range(2))
    loss = topological_loss(x, indices, softmax=True, dim_weights=(0.25, 3))
    loss.backward()
    expected = 0.25 * topological_loss(y, indices, softmax=True, dims=(0,))
    expected = expected + 3 * topological_loss(y, indices, softmax=True, dims=(1,))
    expected.backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(x.grad, y.grad)


def test_valid_pixels_of_a_class_problem_may_leave_out_what_has_no_class() -> None:
    logits, indices = problem()
    valid = torch.ones(2, 13, 17)
    valid[:, :4] = 0
    unlabelled = torch.where(valid == 0, 255, indices)
    expected = topological_loss(logits, indices, valid=valid, softmax=True)
    assert topological_loss(logits, unlabelled, valid=valid, softmax=True) == expected
    # A mask for each channel loses the background's as well.
    each = valid[:, None].repeat(1, CLASSES, 1, 1)
    options: dict[str, Any] = {"softmax": True, "include_background": False}
    without = topological_loss(logits, indices, valid=valid, **options)
    assert topological_loss(logits, indices, valid=each, **options) == without


def test_a_label_that_counts_in_any_channel_must_be_a_class() -> None:
    """255 where channel 0 doesn't count, but channels 1 and 2 do, has no class in them."""
    logits, indices = problem()
    indices[0, 5, 7] = 255
    valid = torch.ones(2, CLASSES, 13, 17)
    sentence = "class indices from 0 to 2, got 255"
    kept = toponet.TopologicalLoss().target_diagrams(masks_of(indices % CLASSES).double())
    for losers in ([0], [1], [2], [0, 1], [0, 2], [1, 2]):
        some = valid.clone()
        some[0, losers, 5, 7] = 0
        for softmax in (False, True):
            for loss in (
                toponet.TopologicalLoss(softmax=softmax, sigmoid=not softmax),
                toponet.TopoNetLoss(softmax=softmax),
                toponet.TopoNetLoss(softmax=softmax, include_background=False),
            ):
                with pytest.raises(ValueError, match=sentence):
                    loss(logits, indices, valid=some)
        with pytest.raises(ValueError, match=sentence):
            toponet.TopoNetLoss()(logits, indices, valid=some, target_diagrams=kept)
    valid[0, :, 5, 7] = 0
    topological_loss(logits, indices, valid=valid, softmax=True)
    toponet.TopoNetLoss()(logits, indices, valid=valid)
    valid[0, 0, 5, 7] = 1  # Channel 0 alone, which doesn't count here.
    topological_loss(logits, indices, valid=valid, softmax=True, include_background=False)


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"sigmoid": True, "softmax": True}, ValueError, "exclude each other"),
        ({"softmax": 1}, TypeError, "softmax must be True or False, got 1"),
        ({"sigmoid": "yes"}, TypeError, "sigmoid must be True or False, got 'yes'"),
        ({"include_background": None}, TypeError, "include_background must be True or False"),
        ({"class_weights": 2.0}, TypeError, "class_weights must be a sequence of numbers, got 2.0"),
        ({"class_weights": ()}, ValueError, "class_weights must hold at least one number"),
        ({"class_weights": (1, -1)}, ValueError, "each of class_weights must be at least 0"),
        ({"dim_weights": (1,)}, ValueError, "dim_weights must hold 2 numbers, got 1"),
        ({"dim_weights": (1, float("nan"))}, ValueError, "each of dim_weights must be"),
        ({"dim_weights": ("1", 2)}, TypeError, "each of dim_weights must be a number, got '1'"),
    ],
)
def test_options_of_classes_are_checked_in_the_constructor(
    options: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        toponet.TopologicalLoss(**options)


@pytest.mark.parametrize(
    ("options", "channels", "target", "error", "sentence"),
    [
        ({"softmax": True}, 1, torch.zeros(2, 1, 13, 17), ValueError, "softmax needs more than"),
        (
            {"include_background": False},
            1,
            torch.zeros(2, 1, 13, 17),
            ValueError,
            "include_background=False needs more than one channel, got 1",
        ),
        (
            {"class_weights": (1, 2)},
            3,
            torch.zeros(2, 3, 13, 17),
            ValueError,
            "one weight for each of the 3 channels that count, got 2",
        ),
        ({}, 3, torch.full((2, 13, 17), 3), ValueError, "class indices from 0 to 2, got 3"),
        ({}, 3, torch.full((2, 13, 17), -1), ValueError, "class indices from 0 to 2, got -1"),
        ({}, 3, torch.zeros(2, 13, 17), TypeError, "class indices in a whole dtype, got torch.fl"),
        ({}, 3, torch.zeros(2, 2, 13, 17), ValueError, r"\(2, 3, 13, 17\) and \(2, 2, 13, 17\)"),
    ],
)
def test_classes_that_do_not_fit_get_one_clear_sentence(
    options: dict[str, Any], channels: int, target: Tensor, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        toponet.TopologicalLoss(**options)(torch.rand(2, channels, 13, 17), target)


def test_total_loss_with_softmax_is_torchs_cross_entropy_and_weighted_topology() -> None:
    logits, indices = problem()
    options: dict[str, Any] = {"softmax": True, "include_background": False}
    total = toponet.TopoNetLoss(topo_weight=0.3, **options)(logits, indices)
    expected = F.cross_entropy(logits, indices) + 0.3 * topological_loss(logits, indices, **options)
    torch.testing.assert_close(total, expected)
    each = toponet.TopoNetLoss(reduction="none", **options)(logits, indices)
    assert each.shape == (2,)


@pytest.mark.parametrize("softmax", [True, False])
def test_total_loss_looks_at_valid_pixels_only(softmax: bool) -> None:
    logits, indices = problem()
    valid = torch.ones(2, 13, 17)
    valid[0, :6] = 0
    loss = toponet.TopoNetLoss(softmax=softmax, topo_weight=0.0)
    wild = logits.clone()
    wild[0, :, :6] = torch.tensor([torch.nan, torch.inf, 0.0])[:, None, None]
    wild.requires_grad_()
    masked = loss(wild, indices, valid=valid)
    masked.backward()
    assert wild.grad is not None
    assert (wild.grad[0, :, :6] == 0).all()
    assert torch.isfinite(wild.grad).all()
    rest = loss(logits[:1, :, 6:], indices[:1, 6:])
    torch.testing.assert_close(masked.detach(), (rest + loss(logits[1:], indices[1:])) / 2)


def test_total_loss_takes_logits() -> None:
    with pytest.raises(TypeError, match="takes logits"):
        toponet.TopoNetLoss(sigmoid=True)
