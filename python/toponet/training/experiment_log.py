"""What loggers are told of a run: every column of metrics.csv, and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet.data import ImageSet
from toponet.training.config import TrainConfig
from toponet.training.evaluation import MEASURED
from toponet.training.loggers import Pictures, make_loggers
from toponet.training.pictures import overlay, patches_figure, spread
from toponet.training.run_folder import RunFolder
from toponet.training.state import Row
from toponet.training.worst_patches import worst_patches

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# TensorBoard shows ten pictures of a name; the tenth is that at the end of the first phase.
EPOCHS_WITH_PICTURES = 9
LOSSES = ("bce", "topo", "total")
TIMES = ("topo_share", "topo_seconds", "seconds")


class ExperimentLog:
    """What the loggers of a run are told; a context that closes them. Only rank 0 tells anything.

    Args:
        config: Of the run.
        folder: The run folder.
        validation: The held-out images.
        epoch: Whole epochs done.

    Raises:
        ValueError: As :func:`make_loggers`.
    """

    def __init__(
        self, config: TrainConfig, folder: RunFolder, validation: ImageSet, epoch: int
    ) -> None:
        """Opens the loggers."""
        self.config = config
        self.validation = validation
        self.loggers = make_loggers(config, folder.path, epoch) if folder.write else []

    def epoch(self, row: Row, likelihoods: Sequence[NDArray[np.float32]]) -> None:
        """One row of metrics.csv, and pictures in some epochs; before the epoch's checkpoint.

        After it, a run that dies between the two would lack this epoch for ever.

        Args:
            row: Of the epoch.
            likelihoods: The network's answers for the held-out images; pictures are of the first.
        """
        if not self.loggers:
            return
        epoch = int(row["epoch"])
        scalars = {f"{group(name)}/{name}": row[name] for name in row if name != "epoch"}
        pictures = self._pictures(likelihoods[0]) if epoch in picture_epochs(self.config) else {}
        for logger in self.loggers:
            logger.log(epoch, scalars, pictures)

    def _pictures(self, likelihood: NDArray[np.float32]) -> Pictures:
        config = self.config
        pictures = {"pictures/overlay": rendered(overlay(config, self.validation, likelihood))}
        if worst := worst_patches(config, self.validation, [likelihood], 1):
            pictures["pictures/topology"] = rendered(patches_figure(worst, config))
        return pictures

    def __enter__(self) -> ExperimentLog:
        """The log itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the loggers."""
        for logger in self.loggers:
            logger.close(failed=kind is not None)


def group(column: str) -> str:
    """What a column of metrics.csv is shown under."""
    groups = {"losses": LOSSES, "metrics": MEASURED, "time": TIMES}
    return next((name for name, members in groups.items() if column in members), "schedule")


def picture_epochs(config: TrainConfig) -> set[int]:
    """Returns some epochs: evenly from first to last, and the last without the topological loss."""
    epochs = range(1, config.epochs + 1)
    return {*spread(epochs, EPOCHS_WITH_PICTURES), config.topo_start_epoch - 1}


def rendered(figure: Figure) -> NDArray[np.uint8]:
    """(H, W, 3) pixels of a figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels: NDArray[np.uint8] = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    return pixels
