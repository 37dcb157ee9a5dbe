"""``toponet-nnunet``: how nnU-Net v2 finds the trainers with the topological loss."""

from __future__ import annotations

import os
from collections.abc import Sequence

from toponet.cli._command import run_command
from toponet.integrations.nnunet_search import VARIABLE, SearchConfig, check_search, shell_line

PROGRAM = "toponet-nnunet"
DESCRIPTION = (
    f'Prints the line that tells nnU-Net v2 where our trainers lie, for eval "$({PROGRAM})" or, on '
    f"Windows, {PROGRAM} | Invoke-Expression. With --check it looks whether nnU-Net finds them."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what to set, or checks it.

    Returns:
        0; 2 if nnU-Net doesn't find the trainers, with one line on stderr.
    """
    return run_command(PROGRAM, DESCRIPTION, SearchConfig, _act, arguments)


def _act(config: SearchConfig) -> int:
    value = os.environ.get(VARIABLE)
    print(check_search(value) if config.check else shell_line(value, os.name == "nt"))
    return 0
