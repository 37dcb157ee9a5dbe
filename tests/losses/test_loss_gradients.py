"""The gradient in front of other gradients, and behind valid masks that differ by channel."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from toponet import TopologicalLoss, TopoNetLoss

CLASSES = 3
UPSTREAM = [-1.0, 0.0, 1e-6, -1e6, 0.37, -2.5]


def problem() -> tuple[Tensor, Tensor]:
    """Logits (2, 3, 13, 17) and class indices (2, 13, 17)."""
    generator = torch.Generator().manual_seed(8)
    logits = 2 * torch.randn((2, CLASSES, 13, 17), generator=generator, dtype=torch.float64)
    return logits, torch.randint(CLASSES, (2, 13, 17), generator=generator)


def masks_of(indices: Tensor) -> Tensor:
    return F.one_hot(indices, CLASSES).movedim(-1, 1)


def valid_by_channel() -> Tensor:
    """(2, 3, 13, 17): every combination of channels somewhere, and one channel nowhere."""
    generator = torch.Generator().manual_seed(3)
    valid = torch.rand((2, CLASSES, 13, 17), generator=generator) > 0.25
    valid[1, 2] = False
    return valid


@pytest.mark.parametrize(
    "options",
    [{}, {"patch_size": 6}, {"softmax": True, "class_weights": (1, 2, 3)}, {"dims": (1,)}],
    ids=str,
)
@pytest.mark.parametrize("route", ["target", "valid", "diagrams"])
def test_the_gradient_is_linear_in_the_gradient_that_comes_in(
    options: dict[str, Any], route: str
) -> None:
    """Of any sign and size, another one for each image and channel; oracle: one at a time."""
    logits, indices = problem()
    softmax = options.get("softmax", False)
    f = logits if softmax else logits.sigmoid()
    criterion = TopologicalLoss(reduction="none", **options)
    arguments: dict[str, Any] = {"target": masks_of(indices)}
    if route == "valid":
        arguments["valid"] = valid_by_channel()
    if route == "diagrams":
        soft = 0.3 + 0.4 * logits.flip(0).sigmoid()
        arguments = {"target_diagrams": criterion.target_diagrams(soft)}

    def gradient(upstream: Tensor) -> Tensor:
        x = f.clone().requires_grad_()
        criterion(x, **arguments).backward(upstream)
        assert x.grad is not None
        return x.grad

    upstream = torch.tensor(UPSTREAM, dtype=torch.float64).reshape(2, CLASSES)
    expected = torch.zeros_like(f)
    for place in range(upstream.numel()):
        one = torch.zeros_like(upstream)
        one.view(-1)[place] = 1
        part = gradient(one)
        assert part.abs().sum() > 0 or (route == "valid" and place == 5)
        assert (part[1 - place // CLASSES] == 0).all()  # The other image's.
        expected += upstream.view(-1)[place] * part
    torch.testing.assert_close(gradient(upstream), expected)


@pytest.mark.parametrize("factor", [-1.0, -0.01, 0.0, 1000.0])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("kind", [TopologicalLoss, TopoNetLoss])
def test_a_loss_that_is_multiplied_has_its_gradient_multiplied(
    kind: Any, reduction: str, factor: float
) -> None:
    """Also by a negative number, as where a loss is maximised."""
    logits, indices = problem()
    x, y = (logits.sigmoid().requires_grad_() for _ in range(2))
    criterion = kind(reduction=reduction)
    criterion(x, masks_of(indices)).backward()
    (factor * criterion(y, masks_of(indices))).backward()
    assert x.grad is not None
    torch.testing.assert_close(y.grad, factor * x.grad)


@pytest.mark.parametrize("include_background", [True, False])
def test_with_softmax_a_pixel_counts_in_the_channels_that_say_so(include_background: bool) -> None:
    """Oracle: torch's softmax, with what isn't valid in a channel overwritten by foreground.

    A pixel that counts in one channel keeps its logits in all, since the softmax needs them; in the
    others its probability isn't looked at and gets no gradient.
    """
    logits, indices = problem()
    valid = valid_by_channel()
    options: dict[str, Any] = {"include_background": include_background, "reduction": "none"}
    x, y = (logits.clone().requires_grad_() for _ in range(2))
    loss = TopologicalLoss(softmax=True, **options)(x, masks_of(indices), valid=valid)
    loss.sum().backward()
    expected = TopologicalLoss(**options)(
        y.softmax(dim=1).masked_fill(~valid, 1.0), masks_of(indices).bool() | ~valid
    )
    # A channel without a valid pixel doesn't count.
    expected = torch.where(valid.any(dim=(2, 3))[:, -expected.shape[1] :], expected, 0.0)
    expected.sum().backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(x.grad, y.grad)
    nowhere = ~valid.any(dim=1, keepdim=True)
    assert nowhere.any()
    assert x.grad is not None
    assert (x.grad * nowhere == 0).all()


def test_the_gradient_of_a_channels_invalid_pixels_is_cleared() -> None:
    """Critical pixels may be invalid ones, which are 1; with softmax nothing else holds them back.

    Of two channels the first counts nowhere but in one pixel, so all that moves comes from it.
    """
    logits = torch.zeros(1, 2, 5, 7, dtype=torch.float64, requires_grad=True)
    valid = torch.zeros(1, 2, 5, 7, dtype=torch.bool)
    valid[0, 0, 2, 3] = True
    valid[0, 1] = True
    target = torch.zeros(1, 2, 5, 7)
    target[0, 0] = 1
    criterion = TopologicalLoss(softmax=True, frame=False, reduction="none")
    criterion(logits, target, valid=valid)[0, 0].backward()
    assert logits.grad is not None
    assert logits.grad[0, :, 2, 3].abs().min() > 0
    logits.grad[0, :, 2, 3] = 0
    assert (logits.grad == 0).all()


def test_the_cross_entropy_of_classes_counts_pixels_that_are_valid_in_every_channel() -> None:
    """Oracle: torch's cross-entropy of these pixels; its gradient too."""
    logits, indices = problem()
    valid = valid_by_channel()
    valid[1, 2, :4] = True
    everywhere = valid.all(dim=1)
    assert 0 < everywhere.sum() < valid.any(dim=1).sum()
    x, y = (logits.clone().requires_grad_() for _ in range(2))
    loss = TopoNetLoss(softmax=True, topo_weight=0, reduction="none")(x, indices, valid=valid)
    each = F.cross_entropy(y, indices, reduction="none")
    expected = torch.stack([each[b][everywhere[b]].mean() for b in range(2)])
    torch.testing.assert_close(loss, expected)
    loss.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(x.grad, y.grad)


def test_the_cross_entropy_of_single_channels_counts_each_channels_own_pixels() -> None:
    logits, indices = problem()
    valid = valid_by_channel()
    masks = masks_of(indices).double()
    x, y = (logits.clone().requires_grad_() for _ in range(2))
    loss = TopoNetLoss(topo_weight=0, reduction="none")(x, masks, valid=valid)
    each = F.binary_cross_entropy_with_logits(y, masks, reduction="none")
    expected = torch.stack([each[b][valid[b]].mean() for b in range(2)])
    torch.testing.assert_close(loss, expected)
    loss.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(x.grad, y.grad)
