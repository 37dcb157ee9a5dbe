"""The loss inside other people's training: MONAI, Lightning, torch.compile, DDP, checkpointing."""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn
from torch.utils.data import DataLoader, Dataset

import toponet
from toponet._ground.validation import thread_count


def batch(seed: int = 0, channels: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand((2, 1, 24, 32), generator=generator)
    return images, (torch.rand((2, channels, 24, 32), generator=generator) > 0.7).float()


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1))


def gradients(model: nn.Module) -> list[Tensor]:
    found = [parameter.grad for parameter in model.parameters()]
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in found)
    return [gradient.clone() for gradient in found if gradient is not None]


@pytest.mark.slow
def test_it_joins_a_monai_training_in_three_lines() -> None:
    from monai.losses.dice import DiceLoss
    from monai.networks.nets.unet import UNet

    torch.manual_seed(0)
    model = UNet(spatial_dims=2, in_channels=1, out_channels=1, channels=(4, 8), strides=(2,))
    dice = DiceLoss(sigmoid=True)
    topological = toponet.TopologicalLoss(sigmoid=True, patch_size=16)
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    alone = []
    for step in range(3):
        images, masks = batch(step)
        logits = model(images)
        loss = dice(logits, masks)
        (without,) = torch.autograd.grad(loss, logits, retain_graph=True)
        loss = loss + 0.01 * topological(logits, masks)
        logits.retain_grad()
        optimiser.zero_grad()
        loss.backward()
        alone.append((logits.grad - without).abs().sum().item())
        optimiser.step()
    assert min(alone) > 0
    gradients(model)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_it_joins_a_lightning_training_in_three_lines(tmp_path: Path) -> None:
    lightning = pytest.importorskip("lightning", reason="needs Lightning: pip install '.[test]'")

    class Segmenter(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.network = network()
            self.criterion = toponet.TopoNetLoss(topo_weight=0.05)
            self.seen: list[float] = []

        def training_step(self, pair: tuple[Tensor, Tensor], index: int) -> Tensor:
            images, masks = pair
            return self.criterion(self.network(images), masks)  # type: ignore[no-any-return]

        def on_after_backward(self) -> None:
            self.seen.append(sum(g.abs().sum().item() for g in gradients(self.network)))

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters())

    class Pairs(Dataset[tuple[Tensor, Tensor]]):
        def __len__(self) -> int:
            return 4

        def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
            images, masks = batch(index)
            return images[0], masks[0]

    model = Segmenter()
    trainer = lightning.Trainer(
        max_steps=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(model, DataLoader(Pairs(), batch_size=2))
    assert len(model.seen) == 2
    assert min(model.seen) > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # torch's own, at any break.
def test_compiled_models_train_with_it() -> None:
    """One graph before the loss and one behind it; aot_eager needs no compiler of its own."""
    images, masks = batch()
    model = network()
    criterion = toponet.TopologicalLoss(sigmoid=True)
    criterion(model(images), masks).mul(3).backward()
    expected = gradients(model)
    model.zero_grad()

    def step(images: Tensor, masks: Tensor) -> Tensor:
        loss: Tensor = criterion(model(images), masks)
        return loss * 3

    torch._dynamo.reset()
    report = torch._dynamo.explain(step)(images, masks)
    assert (report.graph_count, report.graph_break_count) == (2, 1)
    model.zero_grad()
    compiled: Any = torch.compile(step, backend="aot_eager")
    compiled(images, masks).backward()
    torch.testing.assert_close(gradients(model), expected)


def test_activation_checkpointing_gives_the_same_gradient() -> None:
    from torch.utils.checkpoint import checkpoint

    images, masks = batch()
    model = network()
    criterion = toponet.TopologicalLoss(
        sigmoid=True, patch_size=9, patches="random", patches_per_image=3
    )
    torch.manual_seed(1)
    criterion(model(images), masks).backward()
    expected = gradients(model)
    model.zero_grad()
    torch.manual_seed(1)

    def forward(images: Tensor) -> Tensor:
        return criterion(model(images), masks)  # type: ignore[no-any-return]

    loss: Any = checkpoint(forward, images, use_reentrant=False)
    loss.backward()
    torch.testing.assert_close(gradients(model), expected)


def test_deterministic_algorithms_are_enough() -> None:
    images, masks = batch()
    model = network()
    torch.use_deterministic_algorithms(True)
    try:
        found = []
        for _ in range(2):
            model.zero_grad()
            toponet.TopologicalLoss(sigmoid=True, patch_size=9)(model(images), masks).backward()
            found.append(gradients(model))
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize(
    "criterion", [toponet.TopologicalLoss(sigmoid=True), toponet.TopoNetLoss()]
)
def test_autocast_computes_it_in_float32(criterion: nn.Module) -> None:
    images, masks = batch()
    model = network()
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(images)
        assert logits.dtype == torch.bfloat16
        loss = criterion(logits, masks)
    assert loss.dtype == torch.float32
    loss.backward()
    gradients(model)
    same = criterion(logits.detach().float(), masks)
    assert loss.item() == same.item()


def test_copies_and_pickles_keep_every_option() -> None:
    images, masks = batch()
    loss = toponet.TopologicalLoss(
        sigmoid=True,
        patch_size=9,
        patches="random",
        patches_per_image=2,
        generator=torch.Generator().manual_seed(3),
        dim_weights=(0.5, 1),
    )
    copies = [copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))]
    expected = loss(images, masks).item()
    assert [same(images, masks).item() for same in copies] == [expected] * 2


def _rank(rank: int, folder: str) -> None:
    """One of two processes; the second has no valid pixel."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2
    )
    model = nn.parallel.DistributedDataParallel(network())
    images, masks = batch()
    valid = torch.full((2, 24, 32), rank == 0)
    loss = toponet.TopologicalLoss(sigmoid=True, num_threads=1)(model(images), masks, valid=valid)
    loss.backward()
    found = [parameter.grad for parameter in model.parameters()]
    torch.save((loss.detach(), found), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_a_rank_with_nothing_to_do_joins_with_a_zero(tmp_path: Path) -> None:
    spawn(_rank, (str(tmp_path),), nprocs=2)
    (loss, mine), (nothing, theirs) = (torch.load(tmp_path / f"{r}.pt") for r in (0, 1))
    assert nothing == 0 < loss
    model = network()
    images, masks = batch()
    toponet.TopologicalLoss(sigmoid=True)(model(images), masks).backward()
    for a, b, alone in zip(mine, theirs, gradients(model), strict=True):
        torch.testing.assert_close(a, alone / 2)
        assert torch.equal(a, b)


class ThreadCounts(Dataset[int]):
    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> int:
        return thread_count(None)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_data_loader_worker_gets_one_thread_and_ranks_share_the_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [int(n) for n in DataLoader(ThreadCounts(), num_workers=1)] == [1, 1]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(12), raising=False)
    assert thread_count(None) == 12
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert thread_count(None) == 3
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "100")
    assert thread_count(None) == 1
    assert thread_count(5) == 5
