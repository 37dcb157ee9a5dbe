"""A trainer of nnU-Net's with topology, on top of a stand-in for nnU-Net's own."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import pytest
import torch

from nnunet_stand_in import StandIn
from toponet._ground.validation import thread_count
from toponet.integrations.nnunet import WithTopology
from toponet.losses import TopologicalLoss


class Topology(WithTopology, StandIn):
    """As the trainers that are installed."""


def train_epoch(trainer: Any, epoch: int, steps: int = 1) -> None:
    trainer.current_epoch = epoch
    trainer.on_train_epoch_start()
    generator = torch.Generator().manual_seed(epoch)
    for _ in range(steps):
        output = [torch.randn((1, 2, 32 // k, 48 // k), generator=generator) for k in (1, 2)]
        labels = torch.randint(0, 2, (1, 1, 32, 48), generator=generator)
        trainer.loss([o.requires_grad_() for o in output], [labels, labels[..., ::2, ::2]])
    trainer.on_train_epoch_end([{}] * steps)


def with_options(**options: Any) -> Any:
    """A trainer whose class has these attributes."""
    return type("Own", (Topology,), options)()


@pytest.mark.parametrize(("start", "first"), [(None, 5), (0, 0), (8, 8)])
def test_topology_joins_at_its_epoch(start: int | None, first: int) -> None:
    """By default half-way through the ten epochs."""
    trainer = with_options(topo_start_epoch=start)
    active = []
    for epoch in range(10):
        train_epoch(trainer, epoch)
        active.append(trainer.loss.active)
    assert active == [epoch >= first for epoch in range(10)]


def test_an_epoch_with_topology_says_so_in_the_log() -> None:
    trainer = with_options(topo_start_epoch=1, topo_weight=0.25)
    train_epoch(trainer, 0, steps=2)
    train_epoch(trainer, 1, steps=2)
    assert trainer.log[:4] == ["epoch 0", "2 steps", "epoch 1", "2 steps"]
    assert len(trainer.log) == 5
    assert re.fullmatch(r"topological loss \d+\.\d{4}, weight 0\.25", trainer.log[4])


def test_the_ratio_changes_the_measured_weight_and_a_given_weight_is_used() -> None:
    weights = []
    for options in ({"topo_ratio": 1.0}, {"topo_ratio": 3.0}, {"topo_weight": 0.125}):
        trainer = with_options(topo_start_epoch=0, **options)
        train_epoch(trainer, 0)
        weights.append(trainer.loss.weight)
    assert weights[1] == pytest.approx(3 * weights[0])
    assert weights[2] == 0.125


def test_the_options_reach_the_topological_loss() -> None:
    loss = with_options(topo_options={"matching": "betti", "dims": (1,)}).loss.topological
    assert (loss.options.matching, loss.patch_size) == ("betti", None)
    assert Topology().loss.topological.patch_size == 65


def test_training_goes_on_with_the_weight_of_the_checkpoint() -> None:
    """nnU-Net keeps and loads the state of the optimiser."""
    trainer = with_options(topo_start_epoch=3)
    train_epoch(trainer, 3)
    resumed = with_options(topo_start_epoch=3)
    resumed.optimizer.load_state_dict(trainer.optimizer.state_dict())
    train_epoch(resumed, 4)
    assert resumed.loss.weight == trainer.loss.weight
    fresh = with_options(topo_start_epoch=3)
    train_epoch(fresh, 4)
    assert fresh.loss.weight != trainer.loss.weight


def test_a_given_weight_stands_against_that_of_the_checkpoint() -> None:
    trainer = with_options(topo_start_epoch=0, topo_weight=0.125)
    trainer.optimizer.param_groups[0]["topo_weight"] = 7.0
    train_epoch(trainer, 0)
    assert trainer.loss.weight == 0.125


def test_labels_are_those_of_the_data_set() -> None:
    loss = Topology(ignore_label=3, regions=True).loss
    assert (loss.labels.has_regions, loss.labels.ignore_label) == (True, 3)
    assert loss.topological.sigmoid
    assert not Topology().loss.topological.include_background


def test_volumes_are_compared_as_volumes() -> None:
    """As in 3d_fullres; the finer output alone counts, as in 2-D."""
    trainer = Topology(patch_size=(16, 32, 48), ignore_label=2)
    assert trainer.loss.topological.options.spatial_dims == 3
    trainer.loss.active = True
    trainer.loss.settle(0.5)
    logits = torch.randn(2, 2, 6, 7, 8, generator=torch.Generator().manual_seed(0))
    coarse = logits[..., ::2, ::2, ::2]
    labels = torch.randint(3, (2, 1, 6, 7, 8), generator=torch.Generator().manual_seed(1)).float()
    targets = [labels, labels[..., ::2, ::2, ::2]]
    with torch.no_grad():
        found = trainer.loss([logits, coarse], targets)
        base = trainer.loss.base([logits, coarse], targets)
    topology = TopologicalLoss(spatial_dims=3, softmax=True, include_background=False)
    expected = topology(logits, labels.long().clamp(max=1), valid=labels != 2)
    torch.testing.assert_close(found - base, 0.5 * expected)


def test_matchings_of_images_are_refused_for_volumes() -> None:
    own = type("Own", (Topology,), {"topo_options": {"matching": "betti"}})
    with pytest.raises(ValueError, match="'betti' is for images"):
        own(patch_size=(16, 32, 48))


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"topo_start_epoch": -1}, ValueError, "topo_start_epoch"),
        ({"topo_weight": -1.0}, ValueError, "topo_weight"),
        ({"topo_weight": "much"}, TypeError, "topo_weight"),
        ({"topo_ratio": float("nan")}, ValueError, "topo_ratio"),
        ({"topo_options": {"matching": "none"}}, ValueError, "matching"),
        ({"topo_options": {"bogus": 1}}, TypeError, "bogus"),
        ({"topo_options": {"softmax": True}}, TypeError, "softmax"),
    ],
)
def test_options_that_cant_be_used_are_refused_when_the_loss_is_made(
    options: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        with_options(**options)


def test_ranks_share_the_cores_of_their_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """nnU-Net starts its ranks itself, and tells nobody how many."""

    class Rank(Topology):
        topo_options: ClassVar[dict[str, Any]] = {}

        def _build_loss(self) -> Any:
            self.is_ddp = True
            return super()._build_loss()

    cores = 12
    monkeypatch.setattr("toponet.integrations.nnunet.thread_count", lambda given: cores)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 4)
    assert Rank().loss.topological.options.num_threads == 3
    assert Topology().loss.topological.options.num_threads == cores
    chosen = type("Chosen", (Rank,), {"topo_options": {"num_threads": 2}})()
    assert chosen.loss.topological.options.num_threads == 2
    monkeypatch.undo()
    assert Topology().loss.topological.options.num_threads == thread_count(None)
