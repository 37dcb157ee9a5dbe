"""The callback for Lightning starts the topological loss late, ramps it and logs its pull."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import toponet
from toponet.integrations.lightning import TopologyCallback

# Lightning's own: few batches, no workers, a loader without shuffling.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def data() -> DataLoader[Any]:
    """Three batches of two images, which aren't square."""
    images = torch.rand((6, 1, 12, 17), generator=torch.Generator().manual_seed(0))
    return DataLoader(TensorDataset(images, (images > 0.6).float()), batch_size=2)


class Segmenter(lightning.LightningModule):
    """One convolution. Its learning rate is 0, so that each epoch sees the same logits."""

    def __init__(self, criterion: nn.Module | None = None, keywords: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = nn.Conv2d(1, 1, 3, padding=1)
        self.criterion = toponet.TopoNetLoss(0.7) if criterion is None else criterion
        self.keywords = keywords

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        images, masks = batch
        logits = self.network(images)
        loss: Tensor = (
            self.criterion(logits=logits, target=masks)
            if self.keywords
            else self.criterion(logits, masks)
        )
        return loss

    def validation_step(self, batch: list[Tensor], index: int) -> None:
        self.criterion(self.network(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.0)


class Record(Callback):
    """What was logged and weighted, epoch by epoch."""

    def __init__(self) -> None:
        self.weights: list[float] = []
        self.logged: list[dict[str, float]] = []

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        assert isinstance(pl_module, Segmenter)
        assert isinstance(pl_module.criterion, toponet.TopoNetLoss)
        self.weights.append(pl_module.criterion.topo_weight)
        self.logged.append({
            name.removeprefix("topology/"): float(value)
            for name, value in trainer.callback_metrics.items()
        })  # fmt: skip


def fit(
    callback: TopologyCallback,
    module: Segmenter | None = None,
    epochs: int = 4,
    folder: Path | None = None,
    resume: Path | None = None,
) -> Record:
    record = Record()
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        callbacks=[callback, record],
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(module or Segmenter(), data(), data(), ckpt_path=resume)
    if folder is not None:
        trainer.save_checkpoint(folder / "last.ckpt")
    return record


def norms(module: Segmenter, batch: int) -> tuple[float, float]:
    """Oracle: the norms of both gradients at the logits of one batch, by torch alone."""
    images, masks = list(data())[batch]
    logits = module.network(images).detach().requires_grad_()
    losses = (
        F.binary_cross_entropy_with_logits(logits, masks),
        toponet.TopologicalLoss(sigmoid=True)(logits, masks),
    )
    base, topo = (torch.autograd.grad(loss, logits)[0].norm().item() for loss in losses)
    return base, topo


def test_the_weight_is_0_before_the_start_and_grows_over_the_ramp() -> None:
    record = fit(TopologyCallback(0.3, start_epoch=1, ramp_epochs=2), epochs=5)
    assert record.weights == pytest.approx([0, 0.1, 0.2, 0.3, 0.3])
    assert fit(TopologyCallback(0.3, start_epoch=0), epochs=1).weights == [0.3]


def test_what_is_logged_are_the_gradients_at_the_logits() -> None:
    """Of the last batch that was compared: with every_n_steps=2, the third of three."""
    module = Segmenter()
    base, topo = norms(module, 2)
    callback = TopologyCallback(0.3, start_epoch=1, topo_ratio=5, every_n_steps=2)
    before, after = fit(callback, module, epochs=2).logged
    assert before["weight"] == before["gradient_ratio"] == 0
    assert after["weight"] == pytest.approx(0.3)
    assert after["gradient_ratio"] == pytest.approx(0.3 * topo / base, rel=1e-5)
    assert before["balancing_weight"] == pytest.approx(5 * base / topo, rel=1e-5)


def test_auto_is_the_weight_at_which_the_gradients_have_the_ratio() -> None:
    """From the means over the batches that were compared in the epoch before the start."""
    module = Segmenter()
    seen = [norms(module, batch) for batch in (0, 2)]
    expected = 5 * sum(base for base, _ in seen) / sum(topo for _, topo in seen)
    callback = TopologyCallback(start_epoch=2, topo_ratio=5, every_n_steps=2)
    assert fit(callback, module).weights == pytest.approx([0, 0, expected, expected], rel=1e-5)


def test_all_steps_are_compared_if_asked_for() -> None:
    module = Segmenter()
    seen = [norms(module, batch) for batch in range(3)]
    expected = 30 * sum(base for base, _ in seen) / sum(topo for _, topo in seen)
    callback = TopologyCallback(start_epoch=1, every_n_steps=1)
    assert fit(callback, module, epochs=2).weights == pytest.approx([0, expected], rel=1e-5)


def test_a_training_that_goes_on_keeps_the_weight_that_was_chosen(tmp_path: Path) -> None:
    first = TopologyCallback(start_epoch=1, topo_ratio=5)
    fit(first, epochs=2, folder=tmp_path)
    second = TopologyCallback(start_epoch=1, topo_ratio=7)
    weights = fit(second, epochs=3, resume=tmp_path / "last.ckpt").weights
    assert weights == [first.chosen]
    given = TopologyCallback(0.2, start_epoch=1)
    given.load_state_dict(first.state_dict())
    assert given.chosen == 0.2


def test_losses_are_recognised_by_keywords_and_with_a_base_loss_of_their_own() -> None:
    def squares(logits: Tensor, target: Tensor) -> Tensor:
        return ((logits - target) ** 2).sum()

    module = Segmenter(toponet.TopoNetLoss(base_loss=squares), keywords=True)
    images, masks = next(iter(data()))
    logits = module.network(images).detach()
    base, (_, topo) = 2 * (logits - masks).norm().item(), norms(module, 0)
    (logged,) = fit(TopologyCallback(0.3, start_epoch=0), module, epochs=1).logged
    assert logged["gradient_ratio"] == pytest.approx(0.3 * topo / base, rel=1e-5)


def test_the_loss_is_left_alone_after_training() -> None:
    module = Segmenter()
    fit(TopologyCallback(0.3, start_epoch=0), module, epochs=1)
    assert isinstance(module.criterion, toponet.TopoNetLoss)
    assert not module.criterion._forward_hooks
    assert module.criterion.topo_weight == 0.3


def test_a_module_without_one_toponet_loss_is_refused() -> None:
    with pytest.raises(ValueError, match="one TopoNetLoss, Segmenter has 0"):
        fit(TopologyCallback(0.3, start_epoch=0), Segmenter(nn.BCEWithLogitsLoss()))
    both = Segmenter(toponet.TopoNetLoss(base_loss=toponet.TopoNetLoss()))
    with pytest.raises(ValueError, match="has 2"):
        fit(TopologyCallback(0.3, start_epoch=0), both)


def test_a_weight_that_cant_be_chosen_is_an_error() -> None:
    class Silent(Segmenter):
        def training_step(self, batch: list[Tensor], index: int) -> Tensor:
            loss: Tensor = self.network(batch[0]).sum()
            return loss

    with pytest.raises(ValueError, match="wasn't called in epoch 0"):
        fit(TopologyCallback(start_epoch=1), Silent(), epochs=2)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"topo_weight": -1, "start_epoch": 1}, ValueError),
        ({"topo_weight": "automatic", "start_epoch": 1}, TypeError),
        ({"start_epoch": 0}, ValueError),
        ({"start_epoch": 1, "ramp_epochs": -1}, ValueError),
        ({"start_epoch": 1, "topo_ratio": -1}, ValueError),
        ({"start_epoch": 1, "every_n_steps": 0}, ValueError),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        TopologyCallback(**options)
