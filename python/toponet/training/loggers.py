"""TensorBoard and Weights & Biases behind one interface."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import yaml
from numpy.typing import NDArray

from toponet._ground.reading import read_text
from toponet._ground.writing import written_whole
from toponet.training.config import TrainConfig

Pictures = dict[str, NDArray[np.uint8]]


class Logger(Protocol):
    """Where a run is shown; a step is an epoch."""

    def log(self, epoch: int, scalars: dict[str, float], pictures: Pictures) -> None:
        """Shows one epoch; what was logged survives the sudden death of this process."""

    def close(self, failed: bool) -> None:
        """The run ends here, or goes on some other time."""


class TensorBoard:
    """Event files in the run folder's ``tensorboard/``, written by Lightning Fabric's logger.

    Args:
        config: Of the run, kept as text.
        folder: The run folder.
        epoch: Whole epochs done. Those after it, of a run that died before its checkpoint, are
            purged; they come again.
    """

    def __init__(self, config: TrainConfig, folder: Path, epoch: int) -> None:
        """Opens an event file, beside those of the run before it was interrupted."""
        from lightning_fabric.loggers.tensorboard import TensorBoardLogger

        begun = (folder / "tensorboard").exists()
        self._logger = TensorBoardLogger(
            root_dir=folder, name="tensorboard", version="", purge_step=epoch + 1 if begun else None
        )
        if not begun:
            plain = yaml.safe_dump(config.to_plain(), sort_keys=False, allow_unicode=True)
            # Four spaces make it code in Markdown.
            text = "\n".join(f"    {line}" for line in plain.splitlines())
            self._logger.experiment.add_text("config", text, epoch)
            self._logger.save()

    def log(self, epoch: int, scalars: dict[str, float], pictures: Pictures) -> None:
        """See :class:`Logger`."""
        self._logger.log_metrics(scalars, epoch)
        for name, pixels in pictures.items():
            self._logger.experiment.add_image(name, pixels, epoch, dataformats="HWC")
        self._logger.save()

    def close(self, failed: bool) -> None:
        """See :class:`Logger`."""
        self._logger.finalize("failed" if failed else "success")


class WeightsAndBiases:
    """A run of W&B, whose own environment variables (``WANDB_MODE=offline``) hold.

    Its id is kept in the run folder, so that a run that goes on is the same one there. An epoch
    that W&B has already is left as it is: it is the same, since resumption is exact.

    Args:
        config: Of the run.
        folder: The run folder.
        epoch: Whole epochs done.

    Raises:
        ValueError: If W&B can't begin, for instance without a key.
    """

    def __init__(self, config: TrainConfig, folder: Path, epoch: int) -> None:
        """Begins the run, or goes on with it."""
        import wandb

        kept = folder / "wandb_id.txt"
        if not kept.exists():
            with written_whole(kept) as file:
                file.write(f"{secrets.token_hex(4)}\n".encode())
        self._wandb: Any = wandb
        try:
            self._run = wandb.init(
                dir=str(folder),
                id=read_text(kept).strip(),
                resume="allow",
                # An argument would override the variable.
                project=os.environ.get("WANDB_PROJECT", "toponet"),
                name=os.environ.get("WANDB_NAME", folder.name),
                config={**config.to_plain(), "epochs_done_before": epoch},
                allow_val_change=True,
            )
        except wandb.Error as error:
            raise ValueError(f"W&B can't begin: {error}; WANDB_MODE=offline needs no key") from None

    def log(self, epoch: int, scalars: dict[str, float], pictures: Pictures) -> None:
        """See :class:`Logger`."""
        images = {name: self._wandb.Image(pixels) for name, pixels in pictures.items()}
        # Without commit a row waits for the next one, and would be lost with this process.
        self._run.log({**scalars, **images}, step=epoch, commit=True)

    def close(self, failed: bool) -> None:
        """See :class:`Logger`."""
        self._run.finish(exit_code=int(failed))


# By the name in the configuration.
MAKERS: dict[str, Callable[[TrainConfig, Path, int], Logger]] = {
    "tensorboard": TensorBoard,
    "wandb": WeightsAndBiases,
}


def check_logger(name: str) -> None:
    """Raises ValueError if the package of a logger isn't installed."""
    if name != "none" and find_spec(name) is None:
        raise ValueError(
            f"logger {name!r} needs a package that isn't installed: pip install {name}"
        )


def make_loggers(config: TrainConfig, folder: Path, epoch: int) -> list[Logger]:
    """None, or the one that the configuration asks for.

    Args:
        config: Of the run.
        folder: The run folder.
        epoch: Whole epochs done: 0 at the start, more when a run goes on.

    Raises:
        ValueError: If the package isn't installed, or W&B can't begin.
    """
    check_logger(config.logger)
    return [] if config.logger == "none" else [MAKERS[config.logger](config, folder, epoch)]
