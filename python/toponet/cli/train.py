"""``toponet-train``: the command line is the configuration."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from toponet._ground.reading import TooLargeError, within_memory
from toponet.cli import _common
from toponet.cli._common import ASKED, MISTAKES, complain, sentence
from toponet.data import FORMATS
from toponet.training.config import TrainConfig
from toponet.training.presets import describe_presets, find_preset

PROGRAM = "toponet-train"


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains as told. Exit code 2 and one line on stderr for a caller's mistake."""
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        run = _run_to_resume(given)
        from toponet.training.interruption import InterruptedTrainingError
        from toponet.training.objective import TrainingDivergedError
        from toponet.training.run_folder import read_config
        from toponet.training.trainer import Trainer

        with within_memory(ASKED):
            trainer = Trainer(read_config(run), resume=run) if run else Trainer(parse(given))
    except MISTAKES as error:
        return complain(PROGRAM, sentence(error))
    except KeyboardInterrupt:
        return complain(PROGRAM, "interrupted before training began", 130)
    try:
        with within_memory(ASKED):
            trainer.train()
    except (TrainingDivergedError, TooLargeError) as error:
        return complain(PROGRAM, str(error))
    except InterruptedTrainingError as error:
        return complain(PROGRAM, str(error), error.exit_code)
    except KeyboardInterrupt:
        last = f"go on from its last whole epoch with: {PROGRAM} --resume {trainer.folder.path}"
        return complain(PROGRAM, f"interrupted; {last}", 130)
    except OSError as error:  # Such as a full disk.
        what = error.filename or f"a file of {trainer.folder.path}"
        return complain(
            PROGRAM,
            f"can't write {what}: {error.strerror or error}; the checkpoint before is whole: when "
            f"that is mended, go on with: {PROGRAM} --resume {trainer.folder.path}",
        )
    return 0


def parse(arguments: Sequence[str] | None) -> TrainConfig:
    """Options are the fields of TrainConfig; presets give some of them their values."""
    description = (
        "Trains a segmentation network for correct topology. To go on with a run that was "
        f"stopped: {PROGRAM} --resume RUN_FOLDER, with no other option."
    )
    return _common.parse(
        PROGRAM, description, TrainConfig, arguments, find_preset, describe_data_and_presets()
    )


def describe_data_and_presets() -> str:
    """The end of ``--help``: what ``--data`` and ``--preset`` take."""
    # By what they look like, because some have two names.
    kinds = {kind.syntax: f"  {kind.syntax}\n      {kind.help}" for kind in FORMATS.values()}
    return "\n".join(["data (--data):", *kinds.values(), "", describe_presets()])


def _run_to_resume(arguments: list[str]) -> Path | None:
    """The folder after ``--resume``, which has everything: no other option goes with it."""
    joined = "=".join(arguments[:2]) if arguments[:1] == ["--resume"] else (arguments or [""])[0]
    if not any(argument.partition("=")[0] == "--resume" for argument in arguments):
        return None
    if arguments == ["--resume"] or joined == "--resume=":
        raise ValueError("--resume expects the folder of a run")
    if len(arguments) > 1 + (arguments[0] == "--resume"):
        raise ValueError(
            "--resume takes no other option: the run goes on as it was begun, by its config.yaml"
        )
    return Path(joined.removeprefix("--resume="))
