"""The training loop (paper, eq. 2.1): cross-entropy first, then cross-entropy plus topology."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor
from torch.nn import functional as F

from toponet._validation import thread_count
from toponet.checkpoint import (
    load_checkpoint,
    restore_network,
    restore_optimiser,
    save_checkpoint,
)
from toponet.data import Normalisation, PatchSampler, fold_split, load_data
from toponet.data.patches import Batch
from toponet.losses import TopologicalLoss
from toponet.prediction.model import build_network
from toponet.reporting import progress_bar
from toponet.training.config import TrainConfig
from toponet.training.engine import make_fabric
from toponet.training.evaluation import METRIC_NAMES, THRESHOLD, conventions, evaluate, predict_all
from toponet.training.interruption import InterruptedTrainingError, Interruption
from toponet.training.prefetch import prefetched
from toponet.training.progress import show_losses, summary
from toponet.training.report import (
    HIGHER_IS_BETTER,
    metrics_table,
    save_pictures,
    save_report_page,
)
from toponet.training.run_folder import RunFolder
from toponet.training.schedule import Balance, balance, lr_factor, topo_factor
from toponet.training.state import EpochSums, Row, TrainingState

LOOK_EVERY = 5
BATCHES_TO_BALANCE = 8


class TrainingDivergedError(RuntimeError):
    """The loss is no longer a finite number."""


class Trainer:
    """Trains a network on one fold of a data set and keeps everything in a run folder.

    Everything that a caller can get wrong is found in the constructor, before anything is written.

    Args:
        config: See :class:`TrainConfig`.
        console: Where progress and results are shown.
        resume: The run folder to go on in, whose configuration ``config`` is; None = a new one.

    Raises:
        ValueError: If data, fold, device or checkpoint can't be used.
        OSError: If a file can't be read or the run folder can't be made.
    """

    def __init__(
        self, config: TrainConfig, console: Console | None = None, resume: Path | None = None
    ) -> None:
        """Loads the data, builds the network, makes or opens the run folder."""
        self.config = config
        self.threads = thread_count(config.num_threads)
        self.fabric = make_fabric(config)
        self.console = console or Console()
        if not self.fabric.is_global_zero:
            self.console = Console(quiet=True)
        start_from = str(resume / "checkpoints" / "last.ckpt") if resume else config.start_from
        start = load_checkpoint(Path(start_from)) if start_from else None
        self.state = TrainingState()
        if start and resume:
            self.state = TrainingState.from_plain(start["state"])
        elif start:
            self.state.epoch = int(start["epoch"])
            if self.state.epoch == config.topo_start_epoch - 1:
                self.state.before = start["metrics"]
        # A run that died between its last epoch and its report still lacks the report.
        unreported = resume is not None and not (resume / "report.json").exists()
        if self.state.epoch >= config.epochs and not unreported:
            raise ValueError(
                f"{start_from} has {self.state.epoch} epochs already; expected less than "
                f"--epochs {config.epochs}"
            )
        with progress_bar(self.console) as progress:
            task = progress.add_task(f"images: {config.data}", total=None)

            def advance(done: int, count: int) -> None:
                progress.update(task, completed=done, total=count)

            data = load_data(config.data, seed=config.seed, progress=advance)
        training, validation = fold_split(len(data), config.folds, config.fold)
        self.validation = data.subset(validation)
        train_set = data.subset(training)
        self.normalisation = (
            Normalisation(**start["normalisation"]) if start else Normalisation.of(train_set.images)
        )
        if len(self.normalisation.mean) != data.channels:
            raise ValueError(
                f"{start_from} was trained on {len(self.normalisation.mean)} channel(s), "
                f"{config.data} has {data.channels}"
            )
        self._build(start, Path(str(start_from)))
        self.sampler = PatchSampler(
            train_set, self.normalisation, config.patch_size, self.network.margin
        )
        self.folder = RunFolder(config, resume, self.fabric.is_global_zero)
        # A fresh name has the time in it, which the ranks needn't agree on.
        self.folder.path = self.fabric.broadcast(self.folder.path)
        if resume:
            self.folder.rewrite_metrics(self.state.rows)
        else:
            self._save("last", start["metrics"] if start else {})

    def _build(self, start: dict[str, Any] | None, path: Path) -> None:
        """Network, optimiser and loss, as they were at the start or in its checkpoint."""
        config = self.config
        torch.manual_seed(config.seed)
        self.network = build_network(config.network, len(self.normalisation.mean))
        optimiser = torch.optim.Adam(self.network.parameters(), lr=config.lr)
        if start:
            restore_network(path, start, self.network)
            restore_optimiser(path, start, optimiser)
        if self.state.random_state is not None:
            torch.set_rng_state(self.state.random_state)
        # Convolutions on the CPU and on tensor cores are 1.4 times as fast with channels last. Not
        # in bfloat16 on the CPU: there, oneDNN's weight gradient of dilated convolutions is NaN.
        on_cpu = self.fabric.device.type == "cpu"
        if not (on_cpu and config.precision == "bf16-mixed"):
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # Weights are kept under the network's own names, compiled or not, in DDP or not.
        model: Any = torch.compile(self.network) if config.compile else self.network
        self.model, self.optimiser = self.fabric.setup(model, optimiser)
        self.topological_loss = TopologicalLoss(**config.loss_options, num_threads=self.threads)

    def train(self) -> dict[str, Any]:
        """Runs all epochs that are left, writes the report and returns it.

        Raises:
            TrainingDivergedError: If the cross-entropy is NaN or infinite.
            InterruptedTrainingError: After SIGINT or SIGTERM, when the state is saved.
        """
        config, state = self.config, self.state
        if self.fabric.device.type == "cpu":
            torch.set_num_threads(self.threads)
        likelihoods: list[NDArray[np.float32]] = []
        with Interruption() as interruption:
            while state.epoch < config.epochs:
                row = self._train_epoch(state.epoch + 1, interruption)
                started = time.perf_counter()
                likelihoods = self._predict_validation(state.epoch + 1)
                measured = evaluate(
                    likelihoods,
                    self.validation.masks,
                    config.patch_size,
                    config.connectivity,
                    self.validation.valid,
                )
                row.update(measured)
                row["seconds"] += time.perf_counter() - started
                self.folder.save_mask(state.epoch + 1, likelihoods[0] >= THRESHOLD)
                self._end_epoch(row, measured)
        likelihoods = likelihoods or self._predict_validation(state.epoch)
        final = {name: state.rows[-1][name] for name in METRIC_NAMES}
        report = {
            "toponet": version("toponet"),
            "cross_entropy_phase": state.before,
            "final": final,
            "topo_weight": state.topo_weight,
            "conventions": conventions(config.patch_size, config.connectivity),
            "config": config.to_plain(),
        }
        if self.fabric.is_global_zero:
            self.folder.write_report(report)
            save_pictures(
                self.folder.path,
                config,
                state.rows,
                self.validation,
                likelihoods[0],
                self.folder.read_masks(),
            )
            save_report_page(self.folder.path / "report.md", report)
        self.console.print(metrics_table(state.before, final))
        self.console.print(f"Everything is in {self.folder.path}", highlight=False, soft_wrap=True)
        return report

    def _end_epoch(self, row: Row, measured: Row) -> None:
        """Remembers and saves; metrics.csv after the checkpoint could lack a row for ever."""
        config, state = self.config, self.state
        state.epoch += 1
        state.sums = EpochSums()
        state.rows.append(row)
        ends_phase = state.epoch == config.topo_start_epoch - 1
        if ends_phase:
            state.before = measured
        names = ["last"]
        sign = -1 if config.best_metric in HIGHER_IS_BETTER else 1
        if state.best is None or sign * measured[config.best_metric] < sign * state.best:
            state.best = measured[config.best_metric]
            names.append("best")
        if ends_phase:
            names.append("cross_entropy")
        if config.save_every and state.epoch % config.save_every == 0:
            names.append(f"epoch_{state.epoch:04d}")
        self.folder.append_metrics(row)
        for name in reversed(names):  # A run that dies here goes on from the epoch before.
            self._save(name, measured)
        self.console.print(summary(row, config.epochs), highlight=False)

    def _train_epoch(self, epoch: int, interruption: Interruption) -> Row:
        """What the epoch adds to metrics.csv but the metrics."""
        config, state = self.config, self.state
        factor = topo_factor(epoch, config.topo_start_epoch, config.topo_ramp_epochs)
        if factor and state.topo_weight is None:
            state.topo_weight = self._choose_topo_weight(epoch)
        weight = factor * (state.topo_weight or 0.0)
        lr = config.lr * lr_factor(config.lr_schedule, epoch, config.epochs)
        for group in self.optimiser.param_groups:
            group["lr"] = lr
        self.model.train()
        sums = state.sums
        # On the device, so that adding to it waits for nothing.
        losses = torch.tensor(sums.losses, device=self.fabric.device)
        with progress_bar(self.console) as progress:
            task = progress.add_task("", total=config.iterations_per_epoch)
            for batch in self._batches(epoch, sums.steps, config.iterations_per_epoch):
                started = time.perf_counter()
                # Before its start the topological loss is only logged, and not at every step,
                # because it waits for the device.
                losses += self._step(batch, weight, sums.steps % LOOK_EVERY == 0 or weight > 0)
                sums.steps += 1
                sums.seconds += time.perf_counter() - started
                show_losses(progress, task, f"{epoch}/{config.epochs}", sums)
                if self._any_rank(interruption.signal_number is not None):
                    self._average_over_ranks(losses)
                    self._stop(epoch, interruption.signal_number or 0)
        self._average_over_ranks(losses)
        self._check_finite(losses[0], epoch)
        return {"epoch": epoch, **sums.to_row(), "lr": lr, "topo_weight": weight}

    def _step(self, batch: Batch, weight: float, look: bool) -> Tensor:
        """One step of the optimiser, its batch in parts; cross-entropy and what was minimised."""
        parts = self.config.accumulate
        losses = torch.zeros(2, device=self.fabric.device)
        self.optimiser.zero_grad()
        for k in range(parts):
            images, truths, valid = self.fabric.to_device(_every(batch, k, parts))
            with self.fabric.no_backward_sync(self.model, enabled=k < parts - 1):
                logits = self.model(images).float()
                total = bce = cross_entropy(logits, truths, valid)
                minimised = bce
                if look:
                    topo, gradient = self._look(logits, truths, valid)
                    if weight:
                        total = bce + weight * topo
                        # The same gradient as the loss's own, which is known already.
                        minimised = bce + weight * (logits * gradient).sum()
                self.fabric.backward(minimised / parts)
            losses += torch.stack([bce, total]).detach() / parts
        self.state.sums.looks += look
        if self.config.clip_norm is not None:
            self.fabric.clip_gradients(self.model, self.optimiser, max_norm=self.config.clip_norm)
        self.optimiser.step()
        return losses

    def _look(self, logits: Tensor, truths: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor]:
        """The topological loss and its gradient; and what is logged of both losses."""
        sums, parts = self.state.sums, self.config.accumulate
        began = time.perf_counter()
        found = self._balance(logits, truths, valid)
        bce, topo, *norms = (torch.stack(found.values) / parts).tolist()
        sums.topo_seconds += time.perf_counter() - began
        sums.bce += bce
        sums.topo += topo
        sums.norms = [a + b for a, b in zip(sums.norms, norms, strict=True)]
        return found.values[1], found.topo_gradient

    def _balance(self, logits: Tensor, truths: Tensor, valid: Tensor | None) -> Balance:
        leaf = logits.detach().requires_grad_()
        bce = cross_entropy(leaf, truths, valid)
        self._check_finite(bce, self.state.epoch + 1)
        topo = self.topological_loss(torch.sigmoid(leaf), truths, valid=valid)
        return balance(leaf, bce, topo)

    def _choose_topo_weight(self, epoch: int) -> float:
        """As given, or such that the gradients' norms have the ratio that was asked for."""
        config = self.config
        if config.topo_weight != "auto":
            return float(config.topo_weight)
        norms = torch.zeros(2, device=self.fabric.device)
        for batch in self._batches(epoch, 0, BATCHES_TO_BALANCE):
            images, truths, valid = self.fabric.to_device(batch)
            with torch.no_grad():
                logits = self.model(images).float()
            norms += torch.stack(self._balance(logits, truths, valid).values[2:])
        bce_norm, topo_norm = self._reduced(norms, "mean").tolist()
        weight = config.topo_ratio * bce_norm / topo_norm if topo_norm else 0.0
        self.console.print(
            f"topological weight {weight:.4g}: its gradient is {config.topo_ratio:g} times the "
            "cross-entropy's",
            highlight=False,
        )
        return weight

    def _batches(self, epoch: int, begin: int, end: int) -> Iterator[Batch]:
        """This rank's part of each step's batch; an epoch's follow from its number and the seed."""
        seed = (self.config.seed, epoch)
        pin = self.fabric.device.type == "cuda"
        for batch in prefetched(self.sampler, seed, range(begin, end), self.config.batch_size, pin):
            yield _every(batch, self.fabric.global_rank, self.fabric.world_size)

    def _check_finite(self, loss: Tensor, epoch: int) -> None:
        if not torch.isfinite(loss):
            raise TrainingDivergedError(
                f"training diverged in epoch {epoch}: the cross-entropy is {loss.item()}; "
                "try a smaller lr or topo_weight"
            )

    def _any_rank(self, flag: bool) -> bool:
        """Whether the flag is set on any rank: all have to leave the loop at the same step."""
        if self.fabric.world_size == 1:
            return flag
        total = self._reduced(torch.tensor(float(flag), device=self.fabric.device), "sum")
        return bool(total > 0)

    def _reduced(self, tensor: Tensor, how: str) -> Tensor:
        """Over the ranks."""
        result = self.fabric.all_reduce(tensor, reduce_op=how)
        assert isinstance(result, Tensor)
        return result

    def _average_over_ranks(self, losses: Tensor) -> None:
        sums = self.state.sums
        sums.losses = losses.tolist()
        if self.fabric.world_size == 1:
            return
        looks = torch.tensor([sums.bce, sums.topo, *sums.norms], device=losses.device)
        means = self._reduced(torch.cat([losses, looks]), "mean").tolist()
        sums.losses, (sums.bce, sums.topo), sums.norms = means[:2], means[2:4], means[4:]

    def _stop(self, epoch: int, signal_number: int) -> NoReturn:
        rows = self.state.rows
        metrics = {name: rows[-1][name] for name in METRIC_NAMES} if rows else {}
        self._save("last", metrics)
        raise InterruptedTrainingError(
            f"stopped in epoch {epoch} after step {self.state.sums.steps}; go on with: "
            f"toponet-train --resume {self.folder.path}",
            signal_number,
        )

    def _predict_validation(self, epoch: int) -> list[NDArray[np.float32]]:
        with progress_bar(self.console) as progress:
            task = progress.add_task(f"epoch {epoch}: validation", total=len(self.validation))
            return predict_all(
                self.network,
                self.validation,
                self.normalisation,
                self.fabric.device,
                lambda done, _: progress.update(task, completed=done),
            )

    def _save(self, name: str, measured: Row) -> None:
        if not self.fabric.is_global_zero:
            return
        save_checkpoint(
            self.folder.checkpoints / f"{name}.ckpt",
            {
                "toponet": version("toponet"),
                "epoch": self.state.epoch,
                "model": self.network.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "state": self.state.to_plain(),
                "config": self.config.to_plain(),
                "normalisation": asdict(self.normalisation),
                "conventions": conventions(self.config.patch_size, self.config.connectivity),
                "threshold": THRESHOLD,
                "metrics": measured,
            },
        )


def cross_entropy(logits: Tensor, truths: Tensor, valid: Tensor | None) -> Tensor:
    """Mean over the images of the mean over each one's valid pixels."""
    if valid is None:
        return F.binary_cross_entropy_with_logits(logits, truths)
    per_pixel = F.binary_cross_entropy_with_logits(logits, truths, reduction="none")
    counts = valid.sum(dim=(1, 2, 3)).clamp(min=1)
    return ((per_pixel * valid).sum(dim=(1, 2, 3)) / counts).mean()


def _every(batch: Batch, first: int, step: int) -> Batch:
    """Every step-th patch from the first one on."""
    return Batch(*(None if part is None else part[first::step] for part in batch))  # type: ignore[arg-type]
