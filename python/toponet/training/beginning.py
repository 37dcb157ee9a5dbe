"""Where a run begins: as new, at another run's checkpoint, or where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.optim import Optimizer

from toponet.data import ImageSet, Normalisation
from toponet.data.training_scale import TrainingScale
from toponet.models import NETWORKS, SegmentationNetwork
from toponet.prediction.checkpoint import (
    damaged,
    load_checkpoint,
    restore_network,
    restore_optimiser,
)
from toponet.segmentation import SegmentationChoice
from toponet.training.config import TrainConfig
from toponet.training.evaluation import TRAINING_METRICS
from toponet.training.state import Row, TrainingState, check_row


@dataclass(frozen=True, eq=False)
class Beginning:
    """What a run takes from a checkpoint, and makes anew without one.

    Attributes:
        path: The checkpoint; None = a new run.
        content: Of the checkpoint.
        state: Where the run stands.
        choice: Threshold, keep and add, if the run that goes on has chosen them already.
    """

    path: Path | None
    content: dict[str, Any] | None
    state: TrainingState
    choice: SegmentationChoice | None = None

    @property
    def metrics(self) -> Row:
        """Of the checkpoint; empty for a new run."""
        return self.content["metrics"] if self.content else {}

    def normalisation(self, config: TrainConfig, training: ImageSet) -> Normalisation:
        """The checkpoint's, or that of the training images.

        Raises:
            ValueError: If the checkpoint was trained on another number of channels, or with images
                normalised otherwise than ``config`` says.
        """
        per_image = config.normalisation == "image"
        if self.content is None:
            return Normalisation.of(training.images, per_image)
        normalisation = Normalisation(**self.content["normalisation"])
        if len(normalisation.mean) != training.channels:
            raise ValueError(
                f"{self.path} was trained on {len(normalisation.mean)} channel(s), {config.data} "
                f"has {training.channels}"
            )
        if normalisation.per_image != per_image:
            used = "image" if normalisation.per_image else "training"
            raise ValueError(f"{self.path} needs --normalisation {used}, which it was trained with")
        return normalisation

    def warnings(self, training: ImageSet) -> Iterator[str]:
        """At most one sentence: training images have other grey values than the checkpoint's."""
        if self.content is None or self.content["normalisation"]["per_image"]:
            return
        strange = TrainingScale(**self.content["training_scale"]).strange_images(training)
        if strange:
            yield (
                f"warning: {len(strange)} of {len(training)} training images have other grey "
                f"values than those of {self.path}, the first is {strange[0]}: bring them to the "
                "same scale and type, or train anew"
            )

    def network(self, config: TrainConfig, channels: int) -> SegmentationNetwork:
        """With the checkpoint's weights, or new ones by the seed.

        Raises:
            ValueError: If the checkpoint is of another network.
        """
        torch.manual_seed(config.seed)
        network = NETWORKS[config.network](channels)
        network.prepare_for(config.patch_size)
        if self.content is not None and self.path is not None:
            restore_network(self.path, self.content, network)
        if self.state.random_state is not None:
            torch.set_rng_state(self.state.random_state)
        return network

    def restore_optimiser(self, optimiser: Optimizer) -> None:
        """After the weights are on their device, where their moments go as well.

        Raises:
            ValueError: If the checkpoint is of another network.
        """
        if self.content is not None and self.path is not None:
            restore_optimiser(self.path, self.content, optimiser)


def find_beginning(config: TrainConfig, resume: Path | None) -> Beginning:
    """Reads the checkpoint, if there is one to begin at.

    Args:
        config: Of the run.
        resume: The run folder to go on in; None = a new run.

    Raises:
        ValueError: If the checkpoint can't be used, or there is nothing left to do.
    """
    if resume is not None:
        return _resumed(config, resume)
    if config.start_from is None:
        return Beginning(None, None, TrainingState())
    path = Path(config.start_from)
    content = load_checkpoint(path)
    state = TrainingState(epoch=int(content["epoch"]))
    if content["metrics"]:
        _check_metrics(path, content)
    if state.epoch >= config.epochs:
        raise ValueError(
            f"{path} has {state.epoch} epochs already: --epochs, which counts them, must be more "
            f"than that, got {config.epochs}"
        )
    if state.epoch == config.topo_start_epoch - 1:
        state.before = content["metrics"] or None
    return Beginning(path, content, state)


def _resumed(config: TrainConfig, folder: Path) -> Beginning:
    path = folder / "checkpoints" / "last.ckpt"
    content = load_checkpoint(path)
    try:
        state = TrainingState.from_plain(content["state"])
        if state.epoch != content["epoch"]:
            raise ValueError(f"state: epoch must be {content['epoch']}, got {state.epoch}")
        if not state.epoch <= config.epochs or state.sums.steps > config.iterations_per_epoch:
            raise ValueError(
                f"state: {state.epoch} epochs and {state.sums.steps} steps are more than the run's "
                f"{config.epochs} epochs of {config.iterations_per_epoch} steps"
            )
        plain = content.get("segmentation")
        choice = None if plain is None else SegmentationChoice.from_plain(plain)
    except (TypeError, ValueError) as error:
        raise damaged(path, error) from None
    if content["metrics"]:
        _check_metrics(path, content)
    # A run that died between its last epoch and its report still lacks the report.
    if state.epoch == config.epochs and (folder / "report.json").exists():
        raise ValueError(
            f"{folder} is finished: it has all of its {state.epoch} epochs, and its report. To "
            f"train on, begin a new run there: --start-from {path} --epochs with more than "
            f"{state.epoch}"
        )
    return Beginning(path, content, state, choice)


def _check_metrics(path: Path, content: dict[str, Any]) -> None:
    try:
        check_row("metrics", content["metrics"], TRAINING_METRICS)
    except (TypeError, ValueError) as error:
        raise damaged(path, error) from None
