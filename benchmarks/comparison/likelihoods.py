"""What a checkpoint makes of images, and what it should: pixels that don't count are structure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from toponet._ground.valid import taken_for_structure
from toponet.data import ImageSet
from toponet.prediction import load_model


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
