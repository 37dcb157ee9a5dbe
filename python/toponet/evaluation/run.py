"""From paths to scores."""

from __future__ import annotations

from rich.console import Console

from toponet.evaluation.config import EvaluateConfig
from toponet.evaluation.pairs import find_pairs
from toponet.evaluation.report import Evaluation
from toponet.evaluation.scores import score_image
from toponet.reporting import check_absent, new_folder, progress_bar


def run_evaluation(config: EvaluateConfig, console: Console | None = None) -> Evaluation:
    """Scores all pairs, shows the tables, writes the report if a folder is named.

    Files are read one after the other; nothing is written before all of them could be used.

    Raises:
        ValueError: If files are missing, unpaired, unreadable or of other sizes, or ``config.out``
            exists; the file is named.
        OSError: If the report can't be written.
    """
    console = console or Console()
    check_absent(config.out, "--out")
    pairs, left_out = find_pairs(config)
    protocol, scores = config.protocol, {}
    with progress_bar(console) as progress:
        for pair in progress.track(pairs, description="images"):
            likelihood, truth, valid = pair.read()
            scores[pair.name] = score_image(likelihood, truth, protocol, valid)
    evaluation = Evaluation(config, scores, left_out)
    if config.out is not None:
        evaluation.write(new_folder(config.out, "--out"))
    console.print(evaluation.image_table().rich())
    console.print(evaluation.total_table().rich())
    for note in evaluation.notes():
        console.print(note, highlight=False, markup=False, soft_wrap=True)
    if config.out is not None:
        console.print(
            f"Everything is in {config.out}", highlight=False, markup=False, soft_wrap=True
        )
    return evaluation
