"""Whether images and truths are such that training and metrics mean something."""

from __future__ import annotations

import numpy as np

from toponet.data import ImageSet
from toponet.data.catalogue import unused_files
from toponet.data.scales import GreyScale, scale_differences
from toponet.training.config import TrainConfig


def check_data(config: TrainConfig, training: ImageSet, validation: ImageSet) -> None:
    """Looks at both parts before anything is written.

    Raises:
        ValueError: If the images haven't the channels asked for, or one part's valid pixels are
            all background or all structure.
    """
    if config.channels is not None and training.channels != config.channels:
        raise ValueError(
            f"{config.data} has images of {training.channels} channel(s); --channels expects "
            f"{config.channels}"
        )
    for part in (training, validation):
        for name, valid in zip(part.names, part.valid, strict=True):
            if valid is not None and not valid.any():
                raise ValueError(f"image {name} has no valid pixel")
    for part, kind, why in (
        (training, "training", "there is nothing to learn"),
        (validation, "held-out", "no metric means anything there"),
    ):
        missing = [name for name, value in (("structure", 1), ("background", 0))
                   if not _holds(part, value)]  # fmt: skip
        if missing:
            inner = "" if config.inner_fold is None else f", inner fold {config.inner_fold}"
            raise ValueError(
                f"no {missing[0]} in the labels of the {len(part)} {kind} image(s) of fold "
                f"{config.fold}{inner}: {why}"
            )


def data_notes(config: TrainConfig, data: ImageSet) -> list[str]:
    """What training takes, but its user should know: mixed grey scales, files that aren't read."""
    images = zip(data.names, data.images, data.dtypes, strict=True)
    return [
        *scale_differences([GreyScale.of(*image) for image in images]),
        *unused_files(config.data),
    ]


def _holds(data: ImageSet, value: int) -> bool:
    """Whether any pixel that counts has this value."""
    return any(
        bool(np.any(mask == value if valid is None else (mask == value) & (valid != 0)))
        for mask, valid in zip(data.masks, data.valid, strict=True)
    )
