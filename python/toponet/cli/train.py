"""``toponet-train``: trains a network; the options are the fields of the configuration."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from toponet._ground.reading import within_memory
from toponet.cli._command import ASKED, CommandError, finish, sentence
from toponet.training.config import TrainConfig

PROGRAM = "toponet-train"
DESCRIPTION = (
    "Trains a segmentation network for correct topology. To go on with a run that was stopped: "
    f"{PROGRAM} --resume RUN_FOLDER, with no other option."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains as told. A caller's mistake is one line on stderr and exit code 2."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = [field.name for field in fields(TrainConfig)]
    return finish(PROGRAM, lambda: _train(given), options)


def parse(arguments: Sequence[str] | None) -> TrainConfig:
    """Makes a configuration of options and presets."""
    from toponet.cli import _options
    from toponet.training.presets import find_preset
    from toponet.training.topology_terms import options_of_others

    return _options.parse(
        PROGRAM,
        DESCRIPTION,
        TrainConfig,
        arguments,
        find_preset,
        describe_names(),
        # Presets of data sets have options of the paper's loss; with another loss they don't count.
        idle=lambda values: options_of_others(values["topo_loss"]),
    )


def describe_names() -> str:
    """The end of ``--help``: what ``--data``, the losses and ``--preset`` take."""
    from toponet.data import FORMATS
    from toponet.training.base_losses import BASE_LOSSES
    from toponet.training.presets import describe_presets
    from toponet.training.topology_terms import TERMS

    # By what they look like, because some have two names.
    kinds = {kind.syntax: f"  {kind.syntax}\n      {kind.help}" for kind in FORMATS.values()}
    base = [f"  {name}: {loss.help}" for name, loss in BASE_LOSSES.items()]
    topo = [f"  {name}: {term.help}" for name, term in TERMS.items()]
    losses = ["base losses (--base-loss):", *base, "", "topological losses (--topo-loss):", *topo]
    return "\n".join(["data (--data):", *kinds.values(), "", *losses, "", describe_presets()])


def _train(arguments: list[str]) -> int:
    run = _run_to_resume(arguments)
    config = _config_of(run) if run else parse(arguments)
    from toponet.training.trainer import Trainer  # After parsing, because --help needs no loop.

    trainer = Trainer(config, resume=run)
    with _saying_how_to_go_on(trainer.folder.path), within_memory(ASKED):
        trainer.train()
    return 0


@contextmanager
def _saying_how_to_go_on(run: Path) -> Iterator[None]:
    """Adds the command that resumes the run: its folder holds a whole checkpoint from the start."""
    from toponet.training.interruption import InterruptedTrainingError
    from toponet.training.objective import TrainingDivergedError

    resume = f"{PROGRAM} --resume {run}"
    try:
        yield
    except InterruptedTrainingError as error:
        raise CommandError(str(error), error.exit_code) from None
    except TrainingDivergedError as error:
        raise CommandError(str(error)) from None
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"go on from its last whole epoch with: {resume}") from None
    except BrokenPipeError:
        raise
    except OSError as error:  # Such as a full disk.
        if error.filename is None:
            error.filename = f"a file of {run}"
        raise CommandError(
            f"{sentence(error)}; the checkpoint before is whole: when that is mended, go on with: "
            f"{resume}"
        ) from error


def _config_of(run: Path) -> TrainConfig:
    from toponet.training.run_folder import read_config

    return read_config(run)


def _run_to_resume(arguments: list[str]) -> Path | None:
    """Returns the folder after ``--resume``; None = a new run. No other option goes with it."""
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
