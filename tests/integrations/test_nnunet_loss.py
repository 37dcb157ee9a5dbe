"""nnU-Net's loss with topology, against the topological losses of the classes one by one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import toponet
from nnunet_stand_in import DeepSquares
from toponet.integrations.nnunet_loss import BATCHES_TO_BALANCE, Labels, LossWithTopology

SIZE = (12, 17)
IGNORED = 5  # Columns at the right, where there is an ignore label.
CLASSES = Labels(has_regions=False, ignore_label=None)
IGNORING = Labels(has_regions=False, ignore_label=3)
REGIONS = Labels(has_regions=True, ignore_label=None)
REGIONS_IGNORING = Labels(has_regions=True, ignore_label=3)
EVERY_KIND = [CLASSES, IGNORING, REGIONS, REGIONS_IGNORING]
every_kind = pytest.mark.parametrize("labels", EVERY_KIND, ids=str)


def make(labels: Labels = CLASSES, weight: float | None = 0.5, **more: Any) -> LossWithTopology:
    ratio = more.pop("ratio", 10.0)
    loss = LossWithTopology(DeepSquares(), labels, more, weight, ratio)
    loss.active = True
    return loss


def batch(labels: Labels, seed: int = 0) -> tuple[list[Tensor], list[Tensor], Tensor, Tensor]:
    """Outputs and targets at two resolutions, the true masks (B, C, H, W) and what is valid."""
    generator = torch.Generator().manual_seed(seed)
    channels = 2 if labels.has_regions else 3
    output = [
        torch.randn((2, channels, *size), generator=generator, requires_grad=True)
        for size in (SIZE, (6, 9))
    ]
    classes = torch.randint(0, 3, (2, 1, *SIZE), generator=generator, dtype=torch.int16)
    valid = torch.ones((2, 1, *SIZE), dtype=torch.bool)
    if labels.ignore_label is not None:
        valid[..., -IGNORED:] = False
    if labels.has_regions:
        masks = torch.cat([classes >= 1, classes == 2], dim=1)
        target = masks if labels.ignore_label is None else torch.cat([masks, ~valid], dim=1)
    else:
        masks = torch.cat([classes == 1, classes == 2], dim=1)
        target = torch.where(valid, classes, 3)
    return output, [target, target[..., ::2, ::2]], masks, valid


def one_by_one(labels: Labels, logits: Tensor, masks: Tensor, valid: Tensor) -> Tensor:
    """The mean over the images and foreground channels, each taken for an image of its own."""
    f = logits.sigmoid() if labels.has_regions else logits.softmax(dim=1)[:, 1:]
    criterion = toponet.TopologicalLoss(reduction="sum")
    losses = [
        criterion(f[k : k + 1, c : c + 1], masks[k : k + 1, c : c + 1], valid=valid[k : k + 1])
        for k in range(2)
        for c in range(2)
    ]
    return torch.stack(losses).mean()


@every_kind
def test_the_weighted_topological_loss_of_each_class_or_region_is_added(labels: Labels) -> None:
    output, target, masks, valid = batch(labels)
    expected = DeepSquares()(output, target) + 0.5 * one_by_one(labels, output[0], masks, valid)
    torch.testing.assert_close(make(labels)(output, target), expected)


@every_kind
def test_topology_moves_the_full_resolution_only_and_no_ignored_pixel(labels: Labels) -> None:
    output, target, _, valid = batch(labels)
    added = make(labels)(output, target) - DeepSquares()(output, target)
    full, coarse = torch.autograd.grad(added, output)
    assert not coarse.any()
    ignored = ~valid.expand_as(full)
    assert full[~ignored].any()
    assert full[ignored].abs().sum() < 1e-6  # The two squares don't cancel to the last bit.


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.float32])
def test_labels_may_have_any_dtype(dtype: torch.dtype) -> None:
    """Reason: versions of nnU-Net differ in it."""
    output, target, _, _ = batch(IGNORING)
    expected = make(IGNORING)(output, target)
    assert make(IGNORING)(output, [t.to(dtype) for t in target]) == expected


def test_regions_may_be_numbers() -> None:
    output, target, _, _ = batch(REGIONS_IGNORING)
    expected = make(REGIONS_IGNORING)(output, target)
    assert make(REGIONS_IGNORING)(output, [t.float() for t in target]) == expected


def test_without_deep_supervision_there_is_one_tensor() -> None:
    class Squares(torch.nn.Module):
        def forward(self, output: Tensor, target: Tensor) -> Tensor:
            return output.square().mean()

    output, target, masks, valid = batch(CLASSES)
    for weight in (0.5, None):
        loss = LossWithTopology(Squares(), CLASSES, {}, weight, 10.0)
        loss.active = True
        found = loss(output[0], target[0])
        assert loss.weight is not None
        topology = one_by_one(CLASSES, output[0], masks, valid)
        torch.testing.assert_close(found, output[0].square().mean() + loss.weight * topology)


def test_the_options_of_the_topological_loss_change_it() -> None:
    output, target, _, _ = batch(CLASSES)
    everything = make(CLASSES)(output, target)
    for options in ({"dims": (1,)}, {"patch_size": 6}, {"class_weights": (1.0, 0.0)}):
        assert make(CLASSES, **options)(output, target) != everything


def test_before_its_start_and_with_weight_0_there_is_the_base_loss_alone() -> None:
    output, target, _, _ = batch(CLASSES)
    idle = make(CLASSES)
    idle.active = False
    for loss in (idle, make(CLASSES, weight=0.0)):
        assert loss(output, target) == DeepSquares()(output, target)
        assert loss.take_mean() is None


def norms(labels: Labels, seed: int) -> list[float]:
    """Of the gradients of both losses at the full-resolution logits, by torch as a whole."""
    output, target, masks, valid = batch(labels, seed)
    losses = DeepSquares()(output, target), one_by_one(labels, output[0], masks, valid)
    return [torch.autograd.grad(loss, output[0])[0].norm().item() for loss in losses]


@pytest.mark.parametrize("ratio", [0.25, 10.0])
def test_the_weight_gives_the_gradients_the_ratio_that_was_asked_for(ratio: float) -> None:
    """Over the first batches together; from then on the weight stays."""
    loss = make(REGIONS, weight=None, ratio=ratio)
    seen: list[list[float]] = []
    for seed in range(BATCHES_TO_BALANCE):
        loss(*batch(REGIONS, seed)[:2])
        seen.append(norms(REGIONS, seed))
        base, topo = (sum(column) for column in zip(*seen, strict=True))
        assert loss.weight == pytest.approx(ratio * base / topo, rel=1e-4)
    settled = loss.weight
    loss(*batch(REGIONS, 99)[:2])
    assert loss.weight == settled


def test_a_weight_that_is_given_or_was_measured_before_isnt_measured() -> None:
    given, resumed = make(weight=0.5), make(weight=None)
    resumed.settle(0.5)
    for loss in (given, resumed):
        loss(*batch(CLASSES)[:2])
        assert loss.weight == 0.5


def test_validation_measures_nothing_and_uses_the_weight() -> None:
    loss = make(weight=None)
    output, target, _, _ = batch(CLASSES)
    with torch.no_grad():
        assert loss(output, target) == DeepSquares()(output, target)
    trained = loss(output, target)
    weight = loss.weight
    with torch.no_grad():
        assert loss(output, target) == trained
    assert loss.weight == weight


def test_the_mean_topological_loss_is_that_of_the_training_steps() -> None:
    loss = make(CLASSES)
    expected = []
    for seed in (1, 2):
        output, target, masks, valid = batch(CLASSES, seed)
        loss(output, target)
        expected.append(one_by_one(CLASSES, output[0], masks, valid).item())
    with torch.no_grad():
        loss(*batch(CLASSES, 3)[:2])
    assert loss.take_mean() == pytest.approx(sum(expected) / 2, rel=1e-5)
    assert loss.take_mean() is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_logits_that_arent_finite_have_no_topology(value: float) -> None:
    """nnU-Net leaves such a step out, because its own loss isn't finite either."""
    loss = make(CLASSES, weight=None)
    output, target, _, _ = batch(CLASSES)
    loss(output, target)
    weight = loss.weight
    broken = [output[0].detach().clone(), output[1]]
    broken[0][0, 0, 0, 0] = value
    assert not loss(broken, target).isfinite()
    assert loss.weight == weight


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_measures_nearly_the_same_weight(dtype: torch.dtype) -> None:
    """Reason: a gradient of 1e-8 for each pixel would be 0 in half precision."""

    class Faint(DeepSquares):
        def forward(self, output: list[Tensor], target: list[Tensor]) -> Tensor:
            return 1e-6 * super().forward(output, target)

    weights = []
    output, target, _, _ = batch(CLASSES)
    for kind in (torch.float32, dtype):
        loss = LossWithTopology(Faint(), CLASSES, {}, None, 10.0)
        loss.active = True
        loss([o.to(kind) for o in output], target)
        assert loss.weight is not None
        weights.append(loss.weight)
    assert weights[1] == pytest.approx(weights[0], rel=0.05)


def test_ranks_agree_on_the_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ranks with batches of their own; each gets the sum of both."""
    ours, theirs = norms(CLASSES, 1), torch.tensor(norms(CLASSES, 2))
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda both: both.add_(theirs))
    loss = make(CLASSES, weight=None, ratio=2.0)
    loss(*batch(CLASSES, 1)[:2])
    base, topo = (a + b for a, b in zip(ours, theirs.tolist(), strict=True))
    assert loss.weight == pytest.approx(2 * base / topo, rel=1e-4)
