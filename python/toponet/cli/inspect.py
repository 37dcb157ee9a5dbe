"""``toponet-inspect``: looks at a data set before training."""

from __future__ import annotations

from collections.abc import Sequence

from toponet.cli._command import run_command
from toponet.inspection.config import InspectConfig

PROGRAM = "toponet-inspect"
DESCRIPTION = "Looks at a data set before training."


def main(arguments: Sequence[str] | None = None) -> int:
    """Inspects as told.

    Returns:
        0; 1 if some files can't be used, which are listed; 2 for a caller's mistake, with one line
        on stderr.
    """
    return run_command(PROGRAM, DESCRIPTION, InspectConfig, _inspect, arguments)


def _inspect(config: InspectConfig) -> int:
    from toponet.inspection.run import run_inspection

    return 1 if run_inspection(config).problems else 0
