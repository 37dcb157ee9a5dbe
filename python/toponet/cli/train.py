"""``toponet-train``: the command line is the configuration."""

from __future__ import annotations

from collections.abc import Sequence

from toponet.cli import _common
from toponet.cli._common import MISTAKES, complain
from toponet.training.config import TrainConfig

PROGRAM = "toponet-train"


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains as told. Exit code 2 and one line on stderr for a caller's mistake."""
    try:
        config = parse(arguments)
        from toponet.training.trainer import Trainer, TrainingDivergedError

        trainer = Trainer(config)
    except MISTAKES as error:
        return complain(PROGRAM, str(error))
    try:
        trainer.train()
    except TrainingDivergedError as error:
        return complain(PROGRAM, str(error))
    except KeyboardInterrupt:
        return complain(PROGRAM, f"interrupted; finished epochs are in {trainer.folder.path}", 130)
    return 0


def parse(arguments: Sequence[str] | None) -> TrainConfig:
    """Options are the fields of TrainConfig."""
    description = "Trains a segmentation network for correct topology."
    return _common.parse(PROGRAM, description, TrainConfig, arguments)
