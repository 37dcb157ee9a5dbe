"""``toponet-predict``: a trained network on files, folders and stacks."""

from __future__ import annotations

from collections.abc import Sequence

from toponet._ground.reading import within_memory
from toponet.cli._common import ASKED, MISTAKES, complain, parse, sentence
from toponet.prediction.config import PredictConfig

PROGRAM = "toponet-predict"
DESCRIPTION = (
    f"Segments images with a trained network: {PROGRAM} CHECKPOINT IMAGES... --out FOLDER, or "
    f"{PROGRAM} RUN_FOLDER --held-out --out FOLDER."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Predicts as told.

    Returns:
        0; 1 if some images can't be used (they are listed); 2 for a caller's mistake or a disk that
        is full, with one line on stderr.
    """
    try:
        config = parse(PROGRAM, DESCRIPTION, PredictConfig, arguments, more="inputs")
        from toponet.prediction.run import run_prediction

        with within_memory(ASKED):
            outcome = run_prediction(config)
    except MISTAKES as error:
        return complain(PROGRAM, sentence(error))
    except KeyboardInterrupt as error:
        return complain(PROGRAM, f"interrupted; {str(error) or 'nothing was written'}", 130)
    return 1 if outcome.problems else 0
