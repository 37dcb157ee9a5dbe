"""Makes a run, or opens one again: data, network, optimiser, losses, run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from rich.console import Console
from torch.optim import Optimizer

from toponet.data import ImageSet, Normalisation, PatchSampler
from toponet.data.training_scale import TrainingScale
from toponet.models import SegmentationNetwork
from toponet.training.batches import Batches
from toponet.training.beginning import Beginning, find_beginning
from toponet.training.config import TrainConfig
from toponet.training.engine import make_fabric
from toponet.training.experiment_log import ExperimentLog
from toponet.training.image_parts import load_parts
from toponet.training.loggers import check_logger
from toponet.training.objective import Objective
from toponet.training.progress import say
from toponet.training.run import Run
from toponet.training.run_folder import RunFolder


def prepare_run(
    config: TrainConfig, console: Console, resume: Path | None, threads: int
) -> tuple[Run, ExperimentLog]:
    """Everything that a caller can get wrong is found here, before anything is written.

    Args:
        config: Of the run.
        console: Where progress and results are shown.
        resume: The run folder to go on in; None = a new one.
        threads: CPU threads of the topological loss.

    Raises:
        ValueError: If data, fold, device or checkpoint can't be used.
        OSError: If a file can't be read or the run folder can't be made.
    """
    check_logger(config.logger)
    fabric = make_fabric(config)
    if not fabric.is_global_zero:
        console = Console(quiet=True)
    # Before anything of it is read: another process may be about to change it.
    opened = RunFolder(config, resume, fabric.is_global_zero) if resume else None
    try:
        beginning = find_beginning(config, resume)
        training, validation = load_parts(config, console)
        normalisation = beginning.normalisation(config, training)
        for line in beginning.warnings(training):
            say(console, line)
        network, model, optimiser = _networks(config, fabric, beginning, len(normalisation.mean))
        objective = Objective(config, threads, fabric.device)
        batches = Batches(config, fabric, _sampler(config, training, normalisation, network))
        folder = opened or RunFolder(config, write=fabric.is_global_zero)
        # A fresh name has the time in it, which the ranks needn't agree on.
        folder.path = fabric.broadcast(folder.path)
        run = Run(
            config, console, fabric, beginning.state, training, validation, normalisation,
            TrainingScale.of(training), batches, network, model, optimiser, objective, folder,
            beginning.choice,
        )  # fmt: skip
        return run, _begin(run, opened is not None, beginning)
    except BaseException:
        if opened is not None:
            opened.release()
        raise


def _networks(
    config: TrainConfig, fabric: Fabric, beginning: Beginning, channels: int
) -> tuple[SegmentationNetwork, Any, Optimizer]:
    """The network, the same as Fabric's model, and its optimiser: new or from the checkpoint."""
    network = beginning.network(config, channels)
    bare = torch.optim.Adam(network.parameters(), lr=config.lr)
    # Convolutions on the CPU and on tensor cores are 1.4 times as fast with channels last. Not
    # in bfloat16 on the CPU: there, oneDNN's weight gradient of dilated convolutions is NaN.
    if not (fabric.device.type == "cpu" and config.precision == "bf16-mixed"):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    # Weights are kept under the network's own names, compiled or not, in DDP or not.
    compiled: Any = torch.compile(network) if config.compile else network
    model, optimiser = fabric.setup(compiled, bare)
    beginning.restore_optimiser(bare)
    return network, model, optimiser


def _sampler(
    config: TrainConfig,
    training: ImageSet,
    normalisation: Normalisation,
    network: SegmentationNetwork,
) -> PatchSampler:
    return PatchSampler(
        training,
        normalisation,
        config.patch_size,
        network.margin,
        config.brightness,
        config.contrast,
        config.augmentation,
    )


def _begin(run: Run, goes_on: bool, beginning: Beginning) -> ExperimentLog:
    """Writes the first checkpoint of a new folder, or metrics.csv as the checkpoint has it.

    Returns:
        The loggers, which begin after that.
    """
    try:
        if goes_on:
            run.folder.rewrite_metrics(run.state.rows)
        else:
            run.save("last", beginning.metrics)
        return ExperimentLog(run.config, run.folder, run.validation, run.state.epoch)
    except (OSError, ValueError):
        if not goes_on:  # Else the name is taken by a run that can't be gone on with.
            run.folder.discard()
        raise
