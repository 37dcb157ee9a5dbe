"""``toponet-train``: the command line is the configuration."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jsonargparse import ArgumentError, ArgumentParser, Namespace

from toponet.training.config import TrainConfig


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains as told. Exit code 2 and one line on stderr for a caller's mistake."""
    try:
        config = parse(sys.argv[1:] if arguments is None else arguments)
        from toponet.training.trainer import Trainer, TrainingDivergedError

        trainer = Trainer(config)
    except (ArgumentError, ValueError, TypeError, OSError, RecursionError) as error:
        return _complain(str(error), 2)
    try:
        trainer.train()
    except TrainingDivergedError as error:
        return _complain(str(error), 2)
    except KeyboardInterrupt:
        return _complain(f"interrupted; finished epochs are in {trainer.folder.path}", 130)
    return 0


def _complain(message: str, exit_code: int) -> int:
    print("toponet-train: " + " ".join(message.split()), file=sys.stderr)
    return exit_code


def parse(arguments: Sequence[str]) -> TrainConfig:
    """Options are the fields of TrainConfig; dashes and underscores are the same."""
    parser = ArgumentParser(
        prog="toponet-train",
        description="Trains a segmentation network for correct topology.",
        exit_on_error=False,
    )
    parser.add_argument("--config", action="config", help="YAML file with any of the options below")
    parser.add_class_arguments(TrainConfig, None)
    chosen: Namespace = parser.parse_args([_underscored(a) for a in arguments])
    options = chosen.as_dict()
    options.pop("config", None)
    return TrainConfig(**{**options, "dims": tuple(options["dims"])})


def _underscored(argument: str) -> str:
    """``--batch-size=8`` is ``--batch_size=8``; values stay as they are."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument.partition("=")
    return "--" + name[2:].replace("-", "_") + equals + value
