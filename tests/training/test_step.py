"""One step against the formula that it minimises, differentiated as a whole by torch."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from toponet.data.patches import Batch
from toponet.training.base_losses import cross_entropy
from toponet.training.batches import Batches, every
from toponet.training.config import TrainConfig
from toponet.training.objective import Objective
from toponet.training.state import EpochSums, TrainingState
from toponet.training.trainer import Trainer

WEIGHT = 3.0


class SquaredError(nn.Module):
    """In place of a topological loss: its gradient is known, and none of its values are equal."""

    def forward(self, input: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        counts = torch.ones_like(input) if valid is None else valid
        return ((input - target) ** 2 * counts).sum(dim=(1, 2, 3)).mean()


class Nothing(nn.Module):
    """A loss that is content with everything."""

    def forward(self, input: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        return 0 * input.sum()


def make(loss: nn.Module | None = None, **options: Any) -> Trainer:
    """A trainer whose step of gradient descent at rate 1 moves the weights by the gradient itself.

    Its run has what a step needs and nothing else: no data, no folder.
    """
    fabric = Fabric(accelerator="cpu", devices=1)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Tanh(), nn.Conv2d(2, 1, 1))
    optimiser = torch.optim.SGD(network.parameters(), lr=1.0)
    config = TrainConfig(batch_size=6, **options)
    model, optimiser = fabric.setup(network, optimiser)
    objective = Objective(config, 1, fabric.device)
    objective.topological_loss = loss or SquaredError()
    trainer = Trainer.__new__(Trainer)
    trainer.config = config
    run: Any = SimpleNamespace(
        fabric=fabric, model=model, optimiser=optimiser, objective=objective, state=TrainingState(),
        batches=Batches(config, fabric, sampler=None),  # type: ignore[arg-type]
    )  # fmt: skip
    trainer.run = run
    return trainer


def make_batch(seed: int, with_valid: bool) -> Batch:
    """Six patches; of each another number of pixels counts, of the last none."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(6, 1, 5, 7, generator=generator)
    truths = (torch.rand(6, 1, 5, 7, generator=generator) < 0.4).float()
    if not with_valid:
        return Batch(images, truths, None)
    shares = torch.tensor([1, 0.8, 0.6, 0.4, 0.2, 0])[:, None, None, None]
    return Batch(images, truths, torch.rand(6, 1, 5, 7, generator=generator) < shares)


def weights_of(model: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def entropy_by_hand(logits: Tensor, batch: Batch) -> Tensor:
    """Image by image, pixel by pixel that counts."""
    f, g = torch.sigmoid(logits), batch.truths
    pixels = -(g * torch.log(f) + (1 - g) * torch.log(1 - f))
    counted = torch.ones_like(pixels, dtype=torch.bool) if batch.valid is None else batch.valid
    images = zip(pixels, counted, strict=True)
    zero = pixels.new_zeros(())
    return torch.stack([p[c].mean() if c.any() else zero for p, c in images]).mean()


def gradient_and_losses(
    model: nn.Module, batch: Batch, weight: float
) -> tuple[Tensor, list[float]]:
    """The whole batch at once: the gradient, cross-entropy and total."""
    logits = model(batch.images)
    bce = entropy_by_hand(logits, batch)
    total = bce + weight * SquaredError()(torch.sigmoid(logits), batch.truths, batch.valid)
    gradients = torch.autograd.grad(total, list(model.parameters()))
    return torch.cat([part.flatten() for part in gradients]), [bce.item(), total.item()]


@pytest.mark.parametrize("accumulate", [1, 2, 3])
@pytest.mark.parametrize("with_valid", [False, True])
@pytest.mark.parametrize("weight", [0.0, WEIGHT])
def test_a_step_goes_down_the_gradient_of_both_losses(
    accumulate: int, with_valid: bool, weight: float
) -> None:
    """Twice: nothing of the first step's gradient may be left in the second."""
    trainer = make(accumulate=accumulate)
    for seed in (1, 2):
        batch = make_batch(seed, with_valid)
        expected, losses = gradient_and_losses(trainer.run.model, batch, weight)
        before = weights_of(trainer.run.model)
        found = trainer.step(batch, weight)
        torch.testing.assert_close(before - weights_of(trainer.run.model), expected)
        assert found.tolist() == pytest.approx(losses, rel=1e-5)


@pytest.mark.parametrize("with_valid", [False, True])
def test_the_cross_entropy_is_the_mean_over_the_pixels_that_count(with_valid: bool) -> None:
    batch = make_batch(3, with_valid)
    logits = 2 * batch.images
    found = cross_entropy(logits, batch.truths, batch.valid)
    torch.testing.assert_close(found, entropy_by_hand(logits, batch))


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_look_is_noted_as_the_mean_over_the_batch(accumulate: int) -> None:
    """Without weight, every fifth step looks."""
    trainer, batch = make(accumulate=accumulate), make_batch(1, False)
    f = torch.sigmoid(trainer.run.model(batch.images)).detach()
    expected = SquaredError()(f, batch.truths).item()
    trainer.run.state.sums = EpochSums(steps=4)
    trainer.step(batch, 0.0)
    assert trainer.run.state.sums == EpochSums(steps=4)
    trainer = make(accumulate=accumulate)
    sums = trainer.run.state.sums = EpochSums(steps=5)
    bce = trainer.step(batch, 0.0)[0].item()
    assert sums.looks == 1
    assert sums.topo == pytest.approx(expected, rel=1e-5)
    assert sums.bce == pytest.approx(bce, rel=1e-5)
    assert sums.topo_seconds > 0


def test_clipping_shortens_the_whole_gradient_and_keeps_its_direction() -> None:
    """Its norm, not its single values; and not each part's."""
    batch = make_batch(1, False)
    steps = []
    for clip_norm in (None, 1e6, 0.125):
        trainer = make(accumulate=2, clip_norm=clip_norm)
        before = weights_of(trainer.run.model)
        trainer.step(batch, WEIGHT)
        steps.append(before - weights_of(trainer.run.model))
    whole, same, short = steps
    torch.testing.assert_close(same, whole)
    assert whole.norm() > 1
    torch.testing.assert_close(short, 0.125 * whole / whole.norm(), rtol=1e-4, atol=1e-6)


def test_ranks_wait_for_each_other_at_the_last_part_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make(accumulate=3)
    held_back: list[bool] = []

    def note(module: nn.Module, enabled: bool) -> AbstractContextManager[None]:
        held_back.append(enabled)
        return nullcontext()

    monkeypatch.setattr(trainer.run.fabric, "no_backward_sync", note)
    trainer.step(make_batch(1, False), 0.0)
    assert held_back == [True, True, False]


def test_the_balancing_weight_gives_the_gradients_the_ratio_that_was_asked_for() -> None:
    """With respect to the logits, over all batches together."""
    run = make().run
    batches = [make_batch(seed, True) for seed in (1, 2, 3)]
    norms = torch.zeros(2)
    for batch in batches:
        leaf = run.model(batch.images).detach().requires_grad_()
        topological = SquaredError()(torch.sigmoid(leaf), batch.truths, batch.valid)
        losses = (entropy_by_hand(leaf, batch), topological)
        norms += torch.stack([torch.autograd.grad(loss, leaf)[0].norm() for loss in losses])
    weight = run.objective.balancing_weight(run.fabric, run.model, batches, 0.25)
    assert weight * norms[1].item() == pytest.approx(0.25 * norms[0].item(), rel=1e-5)
    assert run.model.training


def test_a_loss_without_gradient_gets_no_weight() -> None:
    run = make(Nothing()).run
    batches = [make_batch(1, False)]
    assert run.objective.balancing_weight(run.fabric, run.model, batches, 10.0) == 0


def test_every_takes_each_patch_once() -> None:
    batch = make_batch(1, True)
    parts = [every(batch, first, 2) for first in (0, 1)]
    for k, part in enumerate(parts):
        assert torch.equal(part.images, batch.images[k::2])
        assert part.valid is not None
        assert batch.valid is not None
        assert torch.equal(part.valid, batch.valid[k::2])
    assert every(make_batch(1, False), 0, 2).valid is None
