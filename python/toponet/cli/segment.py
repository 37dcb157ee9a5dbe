"""``toponet-segment``: masks and cells of likelihoods of any tool, by persistence."""

from __future__ import annotations

from collections.abc import Sequence

from toponet.cli._command import run_command
from toponet.prediction.segment_config import SegmentConfig

PROGRAM = "toponet-segment"
DESCRIPTION = (
    f"Segments likelihoods of any tool by persistence: {PROGRAM} LIKELIHOODS... --out FOLDER. Of "
    "threshold, keep and add, those that are left out are 0.5, 0.5 and 0.3; with --labels they are "
    "chosen on labelled images."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Segments as told.

    Returns:
        0; 1 if some likelihoods can't be used, which are listed; 2 for a caller's mistake or a full
        disk, with one line on stderr.
    """
    return run_command(PROGRAM, DESCRIPTION, SegmentConfig, _segment, arguments, more="inputs")


def _segment(config: SegmentConfig) -> int:
    from toponet.prediction.segment_run import run_segmentation

    return 1 if run_segmentation(config).problems else 0
