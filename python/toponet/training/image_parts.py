"""The images of a run: those for training, and those that metrics are counted on."""

from __future__ import annotations

import numpy as np
from rich.console import Console

from toponet._ground.reporting import progress_bar
from toponet.data import ImageSet, load_data
from toponet.data.scales import GreyScale, scale_differences
from toponet.data.source import unused_files
from toponet.training.config import TrainConfig
from toponet.training.progress import say


def load_parts(config: TrainConfig, console: Console) -> tuple[ImageSet, ImageSet]:
    """Loads the images for training and those for metrics, as ``config`` divides them.

    Args:
        config: Of the run.
        console: Where progress is shown.

    Raises:
        ValueError: If the images can't be read or divided, haven't the channels asked for, or one
            part's valid pixels are all background or all structure.
    """
    data = _load(config.data, config.seed, console)
    training, measured = map(data.subset, config.split(len(data)))
    if config.validation is not None:
        measured = _load(config.validation, config.seed, console)
        if measured.channels != training.channels:
            raise ValueError(
                f"the images of --validation {config.validation} have {measured.channels} "
                f"channel(s), those of {config.data} have {training.channels}"
            )
    check_parts(config, training, measured)
    return training, measured


def check_parts(config: TrainConfig, training: ImageSet, measured: ImageSet) -> None:
    """Refuses images that no training or metric can use, before anything is written.

    Raises:
        ValueError: If the images haven't the channels asked for, or one part's valid pixels are
            all background or all structure.
    """
    if config.channels is not None and training.channels != config.channels:
        raise ValueError(
            f"{config.data} has images of {training.channels} channel(s); --channels expects "
            f"{config.channels}"
        )
    for part in (training, measured):
        for name, valid in zip(part.names, part.valid, strict=True):
            if valid is not None and not valid.any():
                raise ValueError(f"image {name} has no valid pixel")
    for part, kind, why in (
        (training, "training", "there is nothing to learn"),
        (measured, config.measured, "no metric means anything there"),
    ):
        missing = [name for name, value in (("structure", 1), ("background", 0))
                   if not _holds(part, value)]  # fmt: skip
        if missing:
            raise ValueError(
                f"no {missing[0]} in the labels of the {len(part)} {kind} image(s)"
                f"{_place(config, part is training)}: {why}"
            )


def data_notes(spec: str, data: ImageSet) -> list[str]:
    """What a user should know of data that training takes: mixed grey scales, files left out."""
    images = zip(data.names, data.images, data.dtypes, strict=True)
    return [
        *scale_differences([GreyScale.of(*image) for image in images]),
        *unused_files(spec),
    ]


def _load(spec: str, seed: int, console: Console) -> ImageSet:
    """All images; what their user should know of them is printed."""
    with progress_bar(console) as progress:
        task = progress.add_task(f"images: {spec}", total=None)

        def advance(done: int, count: int) -> None:
            progress.update(task, completed=done, total=count)

        data = load_data(spec, seed=seed, progress=advance)
    for note in data_notes(spec, data):
        say(console, f"note: {note}")
    return data


def _place(config: TrainConfig, for_training: bool) -> str:
    """Where these images come from, as the end of a sentence."""
    if config.validation is not None:
        return f" of {config.data if for_training else config.validation}"
    if config.folds == 1:
        return f" of {config.data}"
    inner = "" if config.inner_fold is None else f", inner fold {config.inner_fold}"
    return f" of fold {config.fold}{inner}"


def _holds(data: ImageSet, value: int) -> bool:
    """Whether any pixel that counts has this value."""
    return any(
        bool(np.any(mask == value if valid is None else (mask == value) & (valid != 0)))
        for mask, valid in zip(data.masks, data.valid, strict=True)
    )
