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

from toponet._ground.reporting import progress_bar
from toponet._ground.validation import thread_count
from toponet.data import PatchSampler
from toponet.data.patches import Batch
from toponet.data.training_scale import TrainingScale
from toponet.evaluation.protocol import badness
from toponet.prediction.checkpoint import save_checkpoint
from toponet.prediction.device import cpu_threads
from toponet.training.beginning import Beginning, find_beginning
from toponet.training.config import TrainConfig
from toponet.training.engine import make_fabric
from toponet.training.evaluation import (
    METRIC_NAMES,
    THRESHOLD,
    conventions,
    evaluate,
    predict_all,
)
from toponet.training.experiment_log import ExperimentLog
from toponet.training.image_parts import load_parts
from toponet.training.interruption import InterruptedTrainingError, Interruption
from toponet.training.loggers import check_logger
from toponet.training.objective import TrainingDivergedError, check_finite
from toponet.training.prefetch import prefetched
from toponet.training.progress import show_losses, summary
from toponet.training.ranks import any_rank, average_sums, collected, share_buffers, shared_out
from toponet.training.report import make_report, result_table, save_report
from toponet.training.run_folder import RunFolder
from toponet.training.schedule import lr_factor, topo_factor
from toponet.training.state import EpochSums, Row
from toponet.training.step import Stepper, every
from toponet.training.topo_losses import make_topo_loss

LOOK_EVERY = 5
BATCHES_TO_BALANCE = 8


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
        check_logger(config.logger)
        self.fabric = make_fabric(config)
        self.console = console or Console()
        if not self.fabric.is_global_zero:
            self.console = Console(quiet=True)
        # Before anything of it is read: another process may be about to change it.
        opened = RunFolder(config, resume, self.fabric.is_global_zero) if resume else None
        try:
            beginning = find_beginning(config, resume)
            self.state = beginning.state
            training, self.validation = load_parts(config, self.console)
            self.normalisation = beginning.normalisation(config, training)
            self.scale = TrainingScale.of(training)
            for line in beginning.warnings(training):
                self.console.print(line, highlight=False, markup=False, soft_wrap=True)
            self._build(beginning)
            self.sampler = PatchSampler(
                training,
                self.normalisation,
                config.patch_size,
                self.network.margin,
                config.brightness,
                config.contrast,
            )
            self._open_folder(opened, beginning.metrics)
        except BaseException:
            if opened is not None:
                opened.release()
            raise

    def _build(self, beginning: Beginning) -> None:
        """Network, optimiser and loss, as they were at the start or in its checkpoint."""
        config = self.config
        self.network = beginning.network(config, len(self.normalisation.mean))
        optimiser = torch.optim.Adam(self.network.parameters(), lr=config.lr)
        # Convolutions on the CPU and on tensor cores are 1.4 times as fast with channels last. Not
        # in bfloat16 on the CPU: there, oneDNN's weight gradient of dilated convolutions is NaN.
        on_cpu = self.fabric.device.type == "cpu"
        if not (on_cpu and config.precision == "bf16-mixed"):
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # Weights are kept under the network's own names, compiled or not, in DDP or not.
        model: Any = torch.compile(self.network) if config.compile else self.network
        self.model, self.optimiser = self.fabric.setup(model, optimiser)
        beginning.restore_optimiser(optimiser)
        topo_loss = make_topo_loss(config, self.threads, self.fabric.device)
        self.stepper = Stepper(config, self.fabric, self.model, self.optimiser, topo_loss)

    def _open_folder(self, opened: RunFolder | None, metrics: Row) -> None:
        """Makes the run folder, with a checkpoint of the given metrics, or goes on in the old."""
        self.folder = opened or RunFolder(self.config, write=self.fabric.is_global_zero)
        # A fresh name has the time in it, which the ranks needn't agree on.
        self.folder.path = self.fabric.broadcast(self.folder.path)
        try:
            if opened:
                self.folder.rewrite_metrics(self.state.rows)
            else:
                self._save("last", metrics)
            self.log = ExperimentLog(self.config, self.folder, self.validation, self.state.epoch)
        except (OSError, ValueError):
            if not opened:  # Else the name is taken by a run that can't be gone on with.
                self.folder.discard()
            raise

    def train(self) -> dict[str, Any]:
        """Runs all epochs that are left, writes the report and returns it.

        Raises:
            TrainingDivergedError: If the cross-entropy or a likelihood is NaN or infinite.
            InterruptedTrainingError: After SIGINT or SIGTERM, when the state is saved.
        """
        try:
            with cpu_threads(self.threads):
                return self._train()
        finally:
            self.folder.release()

    def _train(self) -> dict[str, Any]:
        config, state = self.config, self.state
        if config.topo_weight and config.topo_start_epoch > config.epochs:
            self.console.print(
                f"cross-entropy alone: the topological loss would start in epoch "
                f"{config.topo_start_epoch} of {config.epochs}",
                highlight=False,
            )
        likelihoods: list[NDArray[np.float32]] = []
        with Interruption() as interruption, self.log:
            while state.epoch < config.epochs:
                epoch = state.epoch + 1
                try:
                    row = self._train_epoch(epoch, interruption)
                    started = time.perf_counter()
                    likelihoods = self._predict_validation(epoch)
                except TrainingDivergedError as error:
                    message = f"training diverged in epoch {epoch}: {error}"
                    raise TrainingDivergedError(message) from None
                measured = evaluate(
                    likelihoods, self.validation.masks, config.protocol, self.validation.valid
                )
                row.update(measured)
                row["seconds"] += time.perf_counter() - started
                self.folder.save_mask(epoch, likelihoods[0] >= THRESHOLD)
                # Before the checkpoint, so that no step is missing after a sudden death.
                self.log.epoch(row, likelihoods)
                self._end_epoch(row, measured)
        likelihoods = likelihoods or self._predict_validation(state.epoch)
        report = make_report(config, state, self.validation)
        if self.fabric.is_global_zero:
            save_report(
                self.folder,
                config,
                state.rows,
                report,
                self.validation,
                likelihoods,
                self.console,
            )
        self.console.print(result_table(report).rich())
        for note in report["notes"]:
            self.console.print(note, highlight=False, markup=False, soft_wrap=True)
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
        by, value = config.best_metric, measured[config.best_metric]
        if state.best is None or badness(by, value) < badness(by, state.best):
            state.best = value
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
                look = sums.steps % LOOK_EVERY == 0 or weight > 0
                losses += self.stepper.step(batch, weight, look, sums)
                sums.steps += 1
                sums.seconds += time.perf_counter() - started
                show_losses(progress, task, f"{epoch}/{config.epochs}", sums)
                if any_rank(self.fabric, interruption.signal_number is not None):
                    average_sums(self.fabric, losses, sums)
                    self._stop(epoch, interruption.signal_number or 0)
        average_sums(self.fabric, losses, sums)
        check_finite(losses[0])
        return {"epoch": epoch, **sums.to_row(), "lr": lr, "topo_weight": weight}

    def _choose_topo_weight(self, epoch: int) -> float:
        """As given, or such that the gradients' norms have the ratio that was asked for."""
        config = self.config
        if config.topo_weight != "auto":
            return float(config.topo_weight)
        weight = self.stepper.balancing_weight(self._batches(epoch, 0, BATCHES_TO_BALANCE))
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
            yield every(batch, self.fabric.global_rank, self.fabric.world_size)

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
            share_buffers(self.fabric, self.network)
            mine = shared_out(self.fabric, range(len(self.validation)))
            task = progress.add_task(f"epoch {epoch}: validation", total=len(mine))
            likelihoods = predict_all(
                self.network,
                self.validation.subset(mine),
                self.normalisation,
                self.fabric.device,
                lambda done, _: progress.update(task, completed=done),
            )
        likelihoods = collected(self.fabric, likelihoods)
        if not all(np.isfinite(likelihood).all() for likelihood in likelihoods):
            raise TrainingDivergedError(
                f"the likelihood of a {self.config.measured} image isn't finite; try a smaller lr "
                "or topo_weight"
            )
        return likelihoods

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
                "training_scale": asdict(self.scale),
                "conventions": conventions(self.config.protocol),
                "threshold": THRESHOLD,
                "metrics": measured,
            },
        )
