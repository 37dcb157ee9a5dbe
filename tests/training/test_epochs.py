"""What goes on from one epoch to the next: the batches and the topological weight."""

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
from toponet.training import TrainConfig, Trainer

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return membrane_folder(tmp_path_factory.mktemp("membranes"), (48, 40))


def train(folder: Path, out: Path, **options: Any) -> list[dict[str, str]]:
    """The rows of metrics.csv."""
    config = TrainConfig(
        data=str(folder), out=str(out), device="cpu", iterations_per_epoch=2, batch_size=2,
        patch_size=17, metric_patch_size=17, topo_start_epoch=2, num_threads=1,
        segmentation_metric="none", **options,
    )  # fmt: skip
    Trainer(config, Console(quiet=True)).train()
    with (out / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_every_epoch_has_batches_of_its_own_and_they_follow_from_the_seed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, seen = Trainer.step, []

    def note(self: Trainer, batch: Any, *rest: Any) -> Tensor:
        seen.append(batch.images)
        return original(self, batch, *rest)

    monkeypatch.setattr(Trainer, "step", note)
    for k, seed in enumerate((0, 0, 1)):
        train(folder, tmp_path / str(k), epochs=2, seed=seed)
    batches = [torch.cat(seen[start : start + 4]).numpy() for start in (0, 4, 8)]
    np.testing.assert_array_equal(batches[0], batches[1])
    patches = np.concatenate([batches[0], batches[2]]).reshape(16, -1)
    assert len(np.unique(patches, axis=0)) == 16


def test_the_automatic_weight_is_chosen_once(folder: Path, tmp_path: Path) -> None:
    rows = train(folder, tmp_path / "run", epochs=3, topo_weight="auto", lr=0.01)
    weights = [float(row["topo_weight"]) for row in rows]
    assert weights[0] == 0
    assert weights[1] == weights[2] > 0


@pytest.mark.parametrize(("metric", "best"), [("ari", 2), ("voi", 3)])
def test_the_best_checkpoint_is_the_first_of_the_best(
    metric: str, best: int, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Higher is better for some metrics; of equally good epochs the first is kept."""
    values = iter([0.5, 0.75, 0.25, 0.75, 0.25])

    def measure(*_: Any) -> dict[str, float]:
        value = next(values)
        names = ("accuracy", "ari", "voi", "betti_error_0", "betti_error_1")
        return dict.fromkeys(names, value)

    monkeypatch.setattr("toponet.training.trainer.evaluate", measure)
    train(folder, tmp_path / "run", epochs=5, best_metric=metric, topo_weight=0.0)
    path = tmp_path / "run" / "checkpoints" / "best.ckpt"
    assert torch.load(path, weights_only=True)["epoch"] == best
