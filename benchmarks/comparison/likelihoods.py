"""What a checkpoint makes of images, and what it should: pixels that don't count are structure."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import toponet
from toponet._ground.valid import taken_for_structure
from toponet.data import ImageSet, load_data
from toponet.prediction import load_model
from toponet.training import TrainConfig


def likelihoods_of(checkpoint: Path, data: ImageSet) -> list[NDArray[np.float32]]:
    """(H, W) each."""
    model = load_model(checkpoint, torch.device("cpu"))
    return [
        taken_for_structure(model.likelihood(image), valid)
        for image, valid in zip(data.images, data.valid, strict=True)
    ]


def truths_of(data: ImageSet) -> list[NDArray[np.bool_]]:
    """(H, W) each."""
    return [
        taken_for_structure(mask > 0, valid)
        for mask, valid in zip(data.masks, data.valid, strict=True)
    ]


def split_of(config: TrainConfig, spec: str) -> tuple[ImageSet, ImageSet]:
    """The training images of a run and those that it held out; ``spec`` is what --data takes."""
    data = load_data(spec, seed=config.seed)
    training, held_out = map(data.subset, config.split(len(data)))
    return training, held_out


def choose_numbers(
    likelihoods: list[NDArray[np.float32]], training: ImageSet, metric: str, connectivity: int
) -> dict[str, Any]:
    """Threshold, keep and add that are best on the training images, by name."""
    choice = toponet.choose_segmentation(
        likelihoods, truths_of(training), metric=metric, valid=training.valid,
        connectivity=connectivity,
    )  # fmt: skip
    return asdict(choice.options)
