"""The loss beside the topological one is a choice; pixels that aren't valid don't count in it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import Tensor

from data_layouts import membrane_folder
from toponet.cli.train import describe_names, parse
from toponet.prediction.checkpoint import load_checkpoint
from toponet.training import TrainConfig, Trainer
from toponet.training.base_losses import BASE_LOSSES

pytestmark = pytest.mark.usefixtures("no_pictures")

every_loss = pytest.mark.parametrize("name", list(BASE_LOSSES))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return membrane_folder(tmp_path_factory.mktemp("membranes"), (48, 40))


def train(folder: Path, out: Path, **options: Any) -> dict[str, Any]:
    tiny = {
        "epochs": 2, "iterations_per_epoch": 2, "batch_size": 4, "patch_size": 17,
        "topo_start_epoch": 2, "device": "cpu", "num_threads": 1,
        "segmentation_metric": "none",
    }  # fmt: skip
    config = TrainConfig(**{**tiny, "data": str(folder), "out": str(out), **options})
    return Trainer(config, Console(quiet=True)).train()


def weights_of(run: Path) -> Tensor:
    state = load_checkpoint(run / "checkpoints" / "last.ckpt")["model"]
    return torch.cat([tensor.flatten().float() for tensor in state.values()])


def column(run: Path, name: str) -> list[float]:
    with (run / "metrics.csv").open() as file:
        return [float(row[name]) for row in csv.DictReader(file)]


def batch(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(4, 1, 9, 13, generator=generator)
    truths = (torch.rand(4, 1, 9, 13, generator=generator) > 0.6).float()
    return logits, truths, torch.rand(4, 1, 9, 13, generator=generator) > 0.3


def test_the_names_are_those_of_the_command_line() -> None:
    for name, loss in BASE_LOSSES.items():
        assert f"  {name}: {loss.help}" in describe_names()
        assert parse(["--base-loss", name]).base_loss == name
    with pytest.raises(ValueError, match="base_loss must be one of 'cross_entropy', 'cross_en"):
        TrainConfig(base_loss="dice")


@pytest.mark.parametrize("with_valid", [False, True])
def test_the_dice_loss_is_that_of_the_definition(with_valid: bool) -> None:
    """Oracle: 1 - 2 |f g| / (|f| + |g|) of each image's valid pixels, in numpy."""
    logits, truths, valid = batch()
    counted = valid if with_valid else None
    found = BASE_LOSSES["cross_entropy_dice"].make()(logits, truths, counted)
    found = found - BASE_LOSSES["cross_entropy"].make()(logits, truths, counted)
    dice = []
    for x, y, v in zip(logits.numpy(), truths.numpy(), valid.numpy(), strict=True):
        f, g = 1 / (1 + np.exp(-x)), y
        if with_valid:
            f, g = f[v], g[v]
        dice.append(1 - 2 * (f * g).sum() / (f.sum() + g.sum()))
    assert found.item() == pytest.approx(np.mean(dice), abs=1e-5)


@every_loss
def test_pixels_that_arent_valid_have_neither_value_nor_gradient(name: str) -> None:
    loss = BASE_LOSSES[name].make()
    logits, truths, valid = batch()
    other = torch.where(valid, logits, -logits)
    assert loss(logits, truths, valid) == loss(other, truths, valid)
    flipped = torch.where(valid, truths, 1 - truths)
    assert loss(logits, truths, valid) == loss(logits, flipped, valid)
    assert loss(logits, truths, None) != loss(logits, flipped, None)
    leaf = logits.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(leaf, truths, valid), leaf)
    assert (gradient[~valid] == 0).all()
    assert (gradient[valid] != 0).all()


@every_loss
def test_parts_of_a_batch_have_the_mean_of_the_whole(name: str) -> None:
    """So that ranks and accumulated parts take the same step as one process."""
    loss = BASE_LOSSES[name].make()
    logits, truths, valid = batch()
    halves = [loss(logits[k::2], truths[k::2], valid[k::2]) for k in (0, 1)]
    torch.testing.assert_close(sum(halves) / 2, loss(logits, truths, valid))


def test_the_base_loss_changes_weights_table_and_report(folder: Path, tmp_path: Path) -> None:
    ends, reports = [], []
    for name in BASE_LOSSES:
        reports.append(train(folder, tmp_path / name, base_loss=name))
        ends.append(weights_of(tmp_path / name))
    assert not torch.equal(*ends)
    plain, dice = (column(tmp_path / name, "bce") for name in BASE_LOSSES)
    assert dice[0] > plain[0] + 0.1
    for name, report in zip(BASE_LOSSES, reports, strict=True):
        label = BASE_LOSSES[name].label
        assert (report["base_loss"], report["config"]["base_loss"]) == (label, name)
        page = (tmp_path / name / "report.md").read_text()
        assert f"base loss {label};" in page
        assert f"| {label} phase |" in page


def test_a_base_loss_in_parts_is_the_same_step(folder: Path, tmp_path: Path) -> None:
    numbers = []
    for accumulate in (1, 2):
        out = tmp_path / str(accumulate)
        train(folder, out, base_loss="cross_entropy_dice", accumulate=accumulate)
        numbers.append([column(out, name) for name in ("bce", "topo", "total")])
    np.testing.assert_allclose(numbers[1], numbers[0], rtol=1e-4)


def test_the_weight_is_balanced_against_the_base_loss_of_the_run(
    folder: Path, tmp_path: Path
) -> None:
    """The ratio that was asked for is that of the logged gradients, whatever the base loss."""
    weights = []
    for name in BASE_LOSSES:
        report = train(
            folder, tmp_path / name, base_loss=name, topo_weight="auto", topo_ratio=10.0,
            lr=1e-9, iterations_per_epoch=8, batch_size=2,
        )  # fmt: skip
        weights.append(report["topo_weight"])
        ratio = column(tmp_path / name, "gradient_ratio")[-1]
        assert ratio * report["topo_weight"] == pytest.approx(10, rel=1e-3)
    assert weights[0] != pytest.approx(weights[1], rel=0.01)


def test_a_run_with_another_base_loss_cannot_be_taken_for_it(folder: Path, tmp_path: Path) -> None:
    """The configuration in the run folder names it; one without it is refused."""
    plain = TrainConfig(base_loss="cross_entropy_dice").to_plain()
    assert TrainConfig.from_plain(plain).base_loss == "cross_entropy_dice"
    del plain["base_loss"]
    with pytest.raises(ValueError, match="lacks options: base_loss"):
        TrainConfig.from_plain(plain)
