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
        from toponet.training.trainer import Trainer

        trainer = Trainer(config)
    except (ArgumentError, ValueError, TypeError, OSError) as error:
        message = " ".join(str(error).split())
        print(f"toponet-train: {message}", file=sys.stderr)
        return 2
    trainer.train()
    return 0


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
