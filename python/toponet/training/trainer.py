"""The training loop: cross-entropy first, topology from its start epoch on."""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from torch import Tensor
from torch.nn import functional as F

from toponet._validation import thread_count
from toponet.data import (
    ImageSet,
    Normalisation,
    PatchSampler,
    fold_split,
    load_data,
)
from toponet.losses import TopologicalLoss
from toponet.models import DIVE
from toponet.training.checkpoint import load_checkpoint, restore, save_checkpoint
from toponet.training.config import TrainConfig
from toponet.training.evaluation import THRESHOLD, conventions, evaluate, predict_all
from toponet.training.report import (
    metrics_table,
    save_loss_picture,
    save_segmentation_picture,
    save_topology_picture,
)
from toponet.training.run_folder import RunFolder

Row = dict[str, float]


class TrainingDivergedError(RuntimeError):
    """The loss is no longer a finite number."""


class Trainer:
    """Trains DIVE on one fold of a data set and keeps everything in a run folder.

    Everything that a caller can get wrong is found in the constructor, before anything is written.

    Args:
        config: See :class:`TrainConfig`.
        console: Where progress and results are shown.

    Raises:
        ValueError: If data, fold, device or checkpoint can't be used.
        OSError: If a file can't be read or the run folder can't be made.
    """

    def __init__(self, config: TrainConfig, console: Console | None = None) -> None:
        """Loads the data, builds the network, makes the run folder."""
        self.config = config
        self.console = console or Console()
        self.threads = thread_count(config.num_threads)
        if config.device == "cuda" and not torch.cuda.is_available():
            raise ValueError("device 'cuda' was asked for, but torch finds no CUDA device")
        if config.precision == "16-mixed" and (
            config.device == "cpu" or not torch.cuda.is_available()
        ):
            raise ValueError(
                "precision '16-mixed' needs a CUDA device; use 'bf16-mixed' on the CPU"
            )
        self.fabric = Fabric(
            accelerator=config.device,
            devices=1,
            precision=config.precision,  # type: ignore[arg-type]
        )
        on_cpu = self.fabric.device.type == "cpu"

        start = load_checkpoint(Path(config.start_from)) if config.start_from else None
        self.epochs_done = int(start["epoch"]) if start else 0
        at_start = start is not None and self.epochs_done == config.topo_start_epoch - 1
        self.before: Row | None = start["metrics"] if start and at_start else None
        if self.epochs_done >= config.epochs:
            raise ValueError(
                f"{config.start_from} has {self.epochs_done} epochs already; expected less than "
                f"--epochs {config.epochs}"
            )
        data = self._load_data()
        training, validation = fold_split(len(data), config.folds, config.fold)
        self.validation = data.subset(validation)
        train_set = data.subset(training)
        self.normalisation = (
            Normalisation(**start["normalisation"]) if start else Normalisation.of(train_set.images)
        )
        if len(self.normalisation.mean) != data.channels:
            raise ValueError(
                f"{config.start_from} was trained on {len(self.normalisation.mean)} channel(s), "
                f"{config.data} has {data.channels}"
            )
        self.sampler = PatchSampler(train_set, self.normalisation, config.patch_size, DIVE.margin)

        torch.manual_seed(config.seed)
        model = DIVE(data.channels)
        optimiser = torch.optim.Adam(model.parameters(), lr=config.lr)
        if start:
            restore(Path(str(config.start_from)), start, model, optimiser)
        # Convolutions on the CPU and on tensor cores are 1.4 times as fast with channels last. Not
        # in bfloat16 on the CPU: there, oneDNN's weight gradient of dilated convolutions is NaN.
        if not (on_cpu and config.precision == "bf16-mixed"):
            model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model, self.optimiser = self.fabric.setup(model, optimiser)
        self.topological_loss = TopologicalLoss(**config.loss_options, num_threads=self.threads)
        self.folder = RunFolder(config)

    def train(self) -> dict[str, Any]:
        """Runs all epochs, writes the report and returns it.

        Raises:
            TrainingDivergedError: If the cross-entropy is NaN or infinite.
        """
        config = self.config
        if self.fabric.device.type == "cpu":
            torch.set_num_threads(self.threads)
        rows: list[Row] = []
        best = float("inf")
        for epoch in range(self.epochs_done + 1, config.epochs + 1):
            started = time.perf_counter()
            row: Row = {"epoch": epoch, **self._train_epoch(epoch)}
            likelihoods = self._predict_validation(epoch)
            measured = evaluate(
                likelihoods, self.validation.masks, config.patch_size, config.connectivity
            )
            row.update(measured, seconds=time.perf_counter() - started)
            rows.append(row)
            self.folder.append_metrics(row)
            self._save("last", epoch, measured)
            if measured["voi"] < best:
                best = measured["voi"]
                self._save("best", epoch, measured)
            if epoch == config.topo_start_epoch - 1:
                self.before = measured
                self._save("cross_entropy", epoch, measured)
            self.console.print(_summary(row, config.epochs), highlight=False)

        report = {
            "toponet": version("toponet"),
            "cross_entropy_phase": self.before,
            "final": measured,
            "conventions": conventions(config.patch_size, config.connectivity),
            "config": {**asdict(config), "dims": list(config.dims)},
        }
        self.folder.write_report(report)
        save_loss_picture(self.folder.path / "losses.png", rows, config.topo_start_epoch)
        save_segmentation_picture(
            self.folder.path / "segmentation.png",
            self.validation.images[0],
            self.validation.masks[0],
            likelihoods[0],
            config.connectivity,
        )
        save_topology_picture(
            self.folder.path / "topology.png",
            self.validation.masks[0],
            likelihoods[0],
            TopologicalLoss(
                **config.loss_options, patch_size=config.patch_size, num_threads=self.threads
            ),
        )
        self.console.print(metrics_table(self.before, measured))
        self.console.print(f"Everything is in {self.folder.path}", highlight=False, soft_wrap=True)
        return report

    def _train_epoch(self, epoch: int) -> Row:
        """Mean losses of the epoch, and the seconds that the topological loss took."""
        config = self.config
        topo_active = epoch >= config.topo_start_epoch
        sums = torch.zeros(3)
        topo_seconds = 0.0
        self.model.train()
        self.sampler.reseed((config.seed, epoch))
        for group in self.optimiser.param_groups:
            group["lr"] = config.lr * lr_factor(epoch, config.epochs)
        with _progress(self.console) as progress:
            task = progress.add_task("", total=config.iterations_per_epoch)
            for iteration in range(1, config.iterations_per_epoch + 1):
                images, truths, _ = self.fabric.to_device(self.sampler.batch(config.batch_size))
                logits = self.model(images)
                bce = F.binary_cross_entropy_with_logits(logits.float(), truths)
                if not torch.isfinite(bce):  # Waits for the device, as the next line does anyway.
                    raise TrainingDivergedError(
                        f"training diverged in epoch {epoch}: the cross-entropy is {bce.item()}; "
                        "try a smaller lr or topo_weight"
                    )
                began = time.perf_counter()
                with torch.set_grad_enabled(topo_active):  # Before its start it is only logged.
                    topo = self.topological_loss(torch.sigmoid(logits.float()), truths)
                topo_seconds += time.perf_counter() - began
                total = bce + config.topo_weight * topo if topo_active else bce
                self.optimiser.zero_grad()
                self.fabric.backward(total)
                self.optimiser.step()
                sums += torch.stack([bce, topo, total]).detach().cpu()
                _show_losses(progress, task, epoch, config.epochs, sums / iteration)
        bce_mean, topo_mean, total_mean = (sums / config.iterations_per_epoch).tolist()
        return {
            "bce": bce_mean,
            "topo": topo_mean,
            "total": total_mean,
            "topo_seconds": topo_seconds,
        }

    def _predict_validation(self, epoch: int) -> list[Any]:
        with _progress(self.console) as progress:
            task = progress.add_task(f"epoch {epoch}: validation", total=len(self.validation))
            return predict_all(
                self.model,
                self.validation,
                self.normalisation,
                DIVE.margin,
                self.fabric.device,
                lambda done, _: progress.update(task, completed=done),
            )

    def _load_data(self) -> ImageSet:
        with _progress(self.console) as progress:
            task = progress.add_task(f"images: {self.config.data}", total=None)

            def advance(done: int, count: int) -> None:
                progress.update(task, completed=done, total=count)

            return load_data(self.config.data, seed=self.config.seed, progress=advance)

    def _save(self, name: str, epoch: int, measured: Row) -> None:
        save_checkpoint(
            self.folder.checkpoints / f"{name}.ckpt",
            {
                "toponet": version("toponet"),
                "epoch": epoch,
                "model": self.model.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "config": {**asdict(self.config), "dims": list(self.config.dims)},
                "normalisation": asdict(self.normalisation),
                "conventions": conventions(self.config.patch_size, self.config.connectivity),
                "threshold": THRESHOLD,
                "metrics": measured,
            },
        )


def lr_factor(epoch: int, epochs: int) -> float:
    """Half a cosine from 1 in the first epoch to near 0 in the last."""
    return 0.5 * (1 + math.cos(math.pi * (epoch - 1) / epochs))


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,  # In a log file one line an epoch is better.
    )


def _show_losses(progress: Progress, task: TaskID, epoch: int, epochs: int, means: Tensor) -> None:
    bce, topo, _ = means.tolist()
    progress.update(
        task,
        advance=1,
        description=f"epoch {epoch}/{epochs}  cross-entropy {bce:.3f}  topological {topo:.2f}",
    )


def _summary(row: Row, epochs: int) -> str:
    return (
        f"epoch {int(row['epoch'])}/{epochs}  cross-entropy {row['bce']:.4f}  topological "
        f"{row['topo']:.3f}  accuracy {row['accuracy']:.4f}  ari {row['ari']:.4f}  voi "
        f"{row['voi']:.4f}  betti errors {row['betti_error_0']:.3f} {row['betti_error_1']:.3f}  "
        f"({row['seconds']:.0f} s, topology {row['topo_seconds']:.2f} s)"
    )
