"""``toponet-predict``: a trained network on files, folders and stacks."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from toponet.cli._common import ASKED, MISTAKES, complain, parse, sentence
from toponet.prediction.config import PredictConfig
from toponet.reading import within_memory

PROGRAM = "toponet-predict"
DESCRIPTION = (
    f"Segments images with a trained network: {PROGRAM} CHECKPOINT IMAGES... --out FOLDER, or "
    f"{PROGRAM} RUN_FOLDER --held-out --out FOLDER."
)
FLAGS = ("held_out", "flips", "overwrite")
TRUTHS = ("true", "false")
VALUELESS = ("-h", "--help", "--print_config")


def main(arguments: Sequence[str] | None = None) -> int:
    """Predicts as told.

    Returns:
        0; 1 if some images can't be used (they are listed); 2 for a caller's mistake or a disk that
        is full, with one line on stderr.
    """
    try:
        given = sys.argv[1:] if arguments is None else arguments
        config = parse(PROGRAM, DESCRIPTION, PredictConfig, options_of(given))
        from toponet.prediction.run import run_prediction

        with within_memory(ASKED):
            outcome = run_prediction(config)
    except MISTAKES as error:
        return complain(PROGRAM, sentence(error))
    except KeyboardInterrupt as error:
        return complain(PROGRAM, f"interrupted; {str(error) or 'nothing was written'}", 130)
    return 1 if outcome.problems else 0


def options_of(arguments: Sequence[str]) -> list[str]:
    """The arguments as jsonargparse takes them, which knows no list of places, nor bare flags.

    ``CHECKPOINT A B --flips --outputs mask,cells`` becomes ``CHECKPOINT --flips=true
    --outputs=["mask","cells"] --inputs=["A","B"]``, whatever the order.
    """
    places: list[str] = []
    options: list[str] = []
    left = list(arguments)
    while left:
        argument = left.pop(0)
        if argument.startswith("-"):
            options.append(_option(argument, left))
        else:
            places.append(argument)
    if places[1:]:
        options.append("--inputs=" + json.dumps(places[1:]))
    return [*places[:1], *options]


def _option(argument: str, left: list[str]) -> str:
    """With its value, for which the next argument is taken from ``left`` where it belongs to it."""
    option, equals, value = argument.partition("=")
    name = option.removeprefix("--").replace("-", "_")
    if not equals:
        if name in FLAGS and (not left or left[0] not in TRUTHS):
            value = "true"
        elif option in VALUELESS or not left:
            return argument
        else:
            value = left.pop(0)
    if name == "outputs" and not value.startswith("["):
        value = json.dumps(value.split(","))
    return f"{option}={value}"
