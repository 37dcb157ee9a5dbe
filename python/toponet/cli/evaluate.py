"""``toponet-evaluate``: compares predictions with labels and prints numbers and conventions."""

from __future__ import annotations

from collections.abc import Sequence

from toponet.cli._command import run_command
from toponet.evaluation.config import EvaluateConfig

PROGRAM = "toponet-evaluate"
DESCRIPTION = (
    "Compares predictions with labels. Where threshold, keep or add is left out, it is that of the "
    "plain cut: threshold 0.5, keep 0, add null."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluates as told. A caller's mistake is one line on stderr and exit code 2."""
    return run_command(PROGRAM, DESCRIPTION, EvaluateConfig, _evaluate, arguments)


def _evaluate(config: EvaluateConfig) -> int:
    from toponet.evaluation.run import run_evaluation

    run_evaluation(config)
    return 0
