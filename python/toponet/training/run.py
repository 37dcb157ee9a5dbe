"""Everything that belongs to one run, and how it is kept in the run folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, NoReturn

from lightning_fabric import Fabric
from rich.console import Console
from torch.optim import Optimizer

from toponet.data import ImageSet, Normalisation
from toponet.data.training_scale import TrainingScale
from toponet.evaluation.protocol import badness
from toponet.models import SegmentationNetwork
from toponet.prediction.checkpoint import load_checkpoint, save_checkpoint
from toponet.segmentation import SegmentationChoice
from toponet.training.batches import Batches
from toponet.training.config import TrainConfig
from toponet.training.evaluation import THRESHOLD, conventions, measured_in
from toponet.training.interruption import InterruptedTrainingError
from toponet.training.objective import Objective
from toponet.training.run_folder import RunFolder
from toponet.training.state import EpochSums, Row, TrainingState


@dataclass(eq=False)
class Run:
    """What the loop works with.

    Attributes:
        config: Of the run.
        console: Where progress and results are shown; quiet on all ranks but the first.
        fabric: The device, or this rank.
        state: Where the run stands.
        training: The images that the network learns from.
        validation: The images that metrics are counted on.
        normalisation: Of all images.
        scale: Grey values of the training images.
        batches: Patches of the training images.
        network: Bare; its weights are those that are kept.
        model: The same network, compiled if asked for, and set up by ``fabric``.
        optimiser: Set up by ``fabric``.
        objective: What a step minimises.
        folder: The run folder.
        choice: Threshold, keep and add of the masks; None as long as they aren't chosen.
    """

    config: TrainConfig
    console: Console
    fabric: Fabric
    state: TrainingState
    training: ImageSet
    validation: ImageSet
    normalisation: Normalisation
    scale: TrainingScale
    batches: Batches
    network: SegmentationNetwork
    model: Any
    optimiser: Optimizer
    objective: Objective
    folder: RunFolder
    choice: SegmentationChoice | None = None

    def end_epoch(self, row: Row, measured: Row) -> None:
        """Remembers an epoch, then saves it.

        The row of metrics.csv is written before the checkpoint: after it, a run that dies between
        the two would lack the row for ever.

        Args:
            row: Of metrics.csv.
            measured: The metrics in it.
        """
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
            self.save(name, measured)

    def stop(self, epoch: int, signal_number: int) -> NoReturn:
        """Saves the state within an epoch.

        Raises:
            InterruptedTrainingError: Always.
        """
        rows = self.state.rows
        self.save("last", measured_in(rows[-1]) if rows else {})
        raise InterruptedTrainingError(
            f"stopped in epoch {epoch} after step {self.state.sums.steps}; go on with: "
            f"toponet-train --resume {self.folder.path}",
            signal_number,
        )

    def keep_choice(self, choice: SegmentationChoice) -> None:
        """Remembers the choice, and adds it to the checkpoints that a prediction is made with.

        The last checkpoint comes last: without a choice there, a resumed run chooses again.

        Raises:
            OSError: If one can't be written.
        """
        self.choice = choice
        if self.fabric.is_global_zero:
            for name in ("best", "last"):
                path = self.folder.checkpoints / f"{name}.ckpt"
                if path.exists():
                    content = load_checkpoint(path)
                    save_checkpoint(path, {**content, "segmentation": choice.to_plain()})

    def save(self, name: str, measured: Row) -> None:
        """A checkpoint of this name, on the first rank; with metrics or none."""
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
                "segmentation": self.choice.to_plain() if self.choice else None,
                "metrics": measured,
            },
        )
