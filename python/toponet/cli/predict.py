"""``toponet-predict``: runs a trained network on files, folders and stacks."""

from __future__ import annotations

from collections.abc import Sequence

from toponet.cli._command import run_command
from toponet.prediction.config import PredictConfig

PROGRAM = "toponet-predict"
DESCRIPTION = (
    f"Segments images with a trained network: {PROGRAM} CHECKPOINT IMAGES... --out FOLDER, or "
    f"{PROGRAM} RUN_FOLDER --held-out --out FOLDER. Where threshold, keep or add is left out, the "
    "checkpoint has it: as training chose it, or else as in the plain cut."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Predicts as told.

    Returns:
        0; 1 if some images can't be used, which are listed; 2 for a caller's mistake or a full
        disk, with one line on stderr.
    """
    return run_command(PROGRAM, DESCRIPTION, PredictConfig, _predict, arguments, more="inputs")


def _predict(config: PredictConfig) -> int:
    from toponet.prediction.run import run_prediction

    return 1 if run_prediction(config).problems else 0
