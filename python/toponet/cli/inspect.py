"""``toponet-inspect``: a look at a data set before training."""

from __future__ import annotations

from collections.abc import Sequence

from toponet._ground.reading import within_memory
from toponet.cli._common import ASKED, MISTAKES, complain, parse
from toponet.inspection.config import InspectConfig

PROGRAM = "toponet-inspect"


def main(arguments: Sequence[str] | None = None) -> int:
    """Inspects as told.

    Returns:
        0; 1 if some files can't be used (they are listed); 2 for a caller's mistake, with one line
        on stderr.
    """
    try:
        config = parse(PROGRAM, "Looks at a data set before training.", InspectConfig, arguments)
        from toponet.inspection.run import run_inspection

        with within_memory(ASKED):
            survey = run_inspection(config)
    except MISTAKES as error:
        return complain(PROGRAM, str(error))
    except KeyboardInterrupt:
        return complain(PROGRAM, "interrupted", 130)
    return 1 if survey.problems else 0
