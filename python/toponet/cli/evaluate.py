"""``toponet-evaluate``: predictions and labels in, numbers with their conventions out."""

from __future__ import annotations

from collections.abc import Sequence

from toponet._ground.reading import within_memory
from toponet.cli._common import ASKED, MISTAKES, complain, parse
from toponet.evaluation.config import EvaluateConfig

PROGRAM = "toponet-evaluate"


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluates as told. Exit code 2 and one line on stderr for a caller's mistake."""
    try:
        config = parse(PROGRAM, "Compares predictions with labels.", EvaluateConfig, arguments)
        from toponet.evaluation.run import run_evaluation

        with within_memory(ASKED):
            run_evaluation(config)
    except MISTAKES as error:
        return complain(PROGRAM, str(error))
    except KeyboardInterrupt as error:
        return complain(PROGRAM, f"interrupted; {str(error) or 'nothing was written'}", 130)
    return 0
