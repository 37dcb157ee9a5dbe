"""Scores the predictions and writes the report."""

from __future__ import annotations

from rich.console import Console

from toponet._ground.reading import within_memory
from toponet._ground.reporting import check_absent, progress_bar, whole_folder
from toponet.evaluation.config import EvaluateConfig
from toponet.evaluation.page import Pictures, evaluation_page
from toponet.evaluation.pairs import find_pairs, unused_files
from toponet.evaluation.pictures import draw_worst_places
from toponet.evaluation.predictions import check_no_mask
from toponet.evaluation.report import Evaluation
from toponet.evaluation.scores import score_image

PLACES = 3  # Of the worst of an image that are named.
SHOWN = 10  # Of the worst of all images, in the terminal.


def run_evaluation(config: EvaluateConfig, console: Console | None = None) -> Evaluation:
    """Scores all pairs, writes the report if a folder is named, and shows the tables.

    Files are read one after the other. The report is written after all of them could be used, and
    it is written whole or not at all.

    Raises:
        ValueError: If files are missing, unpaired, unreadable or of other sizes, or ``config.out``
            exists. The sentence names the file.
        OSError: If the report can't be written.
        KeyboardInterrupt: As it came. If the report is written, it says where.
    """
    console = console or Console()
    check_absent(config.out, "--out")
    pairs, left_out = find_pairs(config)
    protocol, scores = config.protocol, {}
    pictures = Pictures(len(pairs), protocol)
    with progress_bar(console) as progress:
        for number, pair in enumerate(progress.track(pairs, description="images")):
            with within_memory(pair.name):
                images = pair.read()
                likelihood, truth, valid, instances = images
                if not protocol.segmentation.is_cut:
                    check_no_mask(likelihood, pair.prediction)
                scores[pair.name] = score_image(
                    likelihood, truth, protocol, valid, instances, PLACES
                )
                if config.out is not None:
                    pictures.add(number, pair, images)
    evaluation = Evaluation(config, scores, left_out, unused_files(config))
    if config.out is not None:
        with whole_folder(config.out, "--out") as folder:
            drawn = draw_worst_places(folder, pairs, evaluation, progress_bar(console))
            evaluation.write(folder, drawn)
            evaluation_page(evaluation, pictures).write(folder / "report.html")
    try:
        _show(evaluation, console)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"everything is in {config.out}" if config.out else "") from None
    return evaluation


def _show(evaluation: Evaluation, console: Console) -> None:
    console.print(evaluation.image_table().rich())
    console.print(evaluation.total_table(words=False).rich())
    if (worst := evaluation.worst_table(most=SHOWN)).rows:
        console.print(worst.rich())
    out = evaluation.config.out
    end = [f"Everything is in {out}"] if out else []
    for line in (*evaluation.legend(), *evaluation.notes(), *end):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
