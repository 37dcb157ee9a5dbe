"""The training loop (paper, eq. 2.1): the base loss first, then the base loss plus topology."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from toponet._ground.reporting import progress_bar
from toponet._ground.validation import thread_count
from toponet.data.patches import Batch
from toponet.prediction.device import cpu_threads
from toponet.training.config import TrainConfig
from toponet.training.evaluation import THRESHOLD, evaluate
from toponet.training.interruption import Interruption
from toponet.training.objective import TrainingDivergedError
from toponet.training.preparation import prepare_run
from toponet.training.progress import introduction, say, show_losses, summary, tell
from toponet.training.ranks import any_rank, average_sums
from toponet.training.report import finish_report
from toponet.training.schedule import lr_factor, topo_factor
from toponet.training.segmentation_choice import settle_choice
from toponet.training.state import Row
from toponet.training.validation import predict_validation

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
        self.run, self.log = prepare_run(config, console or Console(), resume, self.threads)
        self.folder = self.run.folder
        self.validation = self.run.validation

    def train(self) -> dict[str, Any]:
        """Runs all epochs that are left, writes the report and returns it.

        Raises:
            TrainingDivergedError: If the base loss or a likelihood is NaN or infinite.
            InterruptedTrainingError: After SIGINT or SIGTERM, when the state is saved.
        """
        try:
            with cpu_threads(self.threads):
                return self._train()
        finally:
            self.folder.release()

    def _train(self) -> dict[str, Any]:
        run, state = self.run, self.run.state
        self._announce()
        likelihoods: list[NDArray[np.float32]] = []
        with Interruption() as interruption, self.log:
            while state.epoch < self.config.epochs:
                epoch = state.epoch + 1
                try:
                    row = self._train_epoch(epoch, interruption)
                    started = time.perf_counter()
                    likelihoods = predict_validation(run, epoch)
                except TrainingDivergedError as error:
                    message = f"training diverged in epoch {epoch}: {error}"
                    raise TrainingDivergedError(message) from None
                measured = self._measure(likelihoods)
                row.update(measured)
                row["seconds"] += time.perf_counter() - started
                self.folder.save_mask(epoch, likelihoods[0] >= THRESHOLD)
                # Before the checkpoint, so that no step is missing after a sudden death.
                self.log.epoch(row, likelihoods)
                run.end_epoch(row, measured)
                say(run.console, summary(row, self.config.epochs, run.objective.label))
        settle_choice(run)
        return finish_report(run, likelihoods or predict_validation(run, state.epoch))

    def _train_epoch(self, epoch: int, interruption: Interruption) -> Row:
        """Returns what the epoch adds to metrics.csv, without the metrics."""
        run, sums = self.run, self.run.state.sums
        weight = self._topo_weight(epoch)
        lr = self._set_learning_rate(epoch)
        run.model.train()
        # On the device, so that adding to it waits for nothing.
        losses = torch.tensor(sums.losses, device=run.fabric.device)
        with progress_bar(run.console) as progress:
            task = progress.add_task("", total=self.config.iterations_per_epoch)
            for batch in run.batches.of_epoch(epoch, sums.steps, self.config.iterations_per_epoch):
                started = time.perf_counter()
                losses += self.step(batch, weight)
                sums.steps += 1
                sums.seconds += time.perf_counter() - started
                title = f"{epoch}/{self.config.epochs}"
                show_losses(progress, task, title, run.objective.label, sums)
                if any_rank(run.fabric, interruption.signal_number is not None):
                    average_sums(run.fabric, losses, sums)
                    run.stop(epoch, interruption.signal_number or 0)
        average_sums(run.fabric, losses, sums)
        run.objective.check_finite(losses[0])
        return {"epoch": epoch, **sums.to_row(), "lr": lr, "topo_weight": weight}

    def step(self, batch: Batch, weight: float) -> Tensor:
        """One step of the optimiser on this rank's patches, which are computed in parts.

        Args:
            batch: This rank's patches.
            weight: Of the topological loss.

        Returns:
            (2,) The base loss and what was minimised, on the device.
        """
        run, sums = self.run, self.run.state.sums
        # A topological loss without weight is only logged, and not at every step, because it waits
        # for the device.
        look = sums.steps % LOOK_EVERY == 0 or weight > 0
        parts = run.batches.parts(batch)
        losses = torch.zeros(2, device=run.fabric.device)
        run.optimiser.zero_grad()
        for k, part in enumerate(parts, start=1):
            images, truths, valid = run.fabric.to_device(part)
            with run.fabric.no_backward_sync(run.model, enabled=k < len(parts)):
                logits = run.model(images).float()
                found = run.objective(logits, truths, valid, weight, look)
                run.fabric.backward(found.loss / len(parts))
            losses += found.values / len(parts)
            if found.comparison is not None:
                values = [value / len(parts) for value in found.comparison.values]
                sums.add_look(values, found.comparison.seconds)
        sums.looks += look
        if self.config.clip_norm is not None:
            run.fabric.clip_gradients(run.model, run.optimiser, max_norm=self.config.clip_norm)
        run.optimiser.step()
        return losses

    def _set_learning_rate(self, epoch: int) -> float:
        config = self.config
        lr = config.lr * lr_factor(config.lr_schedule, epoch, config.epochs)
        for group in self.run.optimiser.param_groups:
            group["lr"] = lr
        return lr

    def _topo_weight(self, epoch: int) -> float:
        """Returns the epoch's weight of the topological loss; at its start, the weight is chosen.

        It is the given one, or such that the gradients' norms have the ratio that was asked for.
        """
        config, run = self.config, self.run
        factor = topo_factor(epoch, config.topo_start_epoch, config.topo_ramp_epochs)
        if factor and run.state.topo_weight is None:
            if config.topo_weight == "auto":
                batches = run.batches.of_epoch(epoch, 0, BATCHES_TO_BALANCE)
                run.state.topo_weight = run.objective.balancing_weight(
                    run.fabric, run.model, batches, config.topo_ratio
                )
                tell(
                    run.console,
                    f"topological weight {run.state.topo_weight:.4g}: its gradient is "
                    f"{config.topo_ratio:g} times the gradient of the {run.objective.label}",
                )
            else:
                run.state.topo_weight = float(config.topo_weight)
        return factor * (run.state.topo_weight or 0.0)

    def _measure(self, likelihoods: list[NDArray[np.float32]]) -> Row:
        data = self.validation
        return evaluate(likelihoods, data.masks, self.config.protocol, data.valid)

    def _announce(self) -> None:
        config = self.config
        for line in introduction(self.run, self.threads):
            say(self.run.console, line)
        if config.topo_weight and config.topo_start_epoch > config.epochs:
            tell(
                self.run.console,
                f"{self.run.objective.label} alone: the topological loss would start in epoch "
                f"{config.topo_start_epoch} of {config.epochs}",
            )
