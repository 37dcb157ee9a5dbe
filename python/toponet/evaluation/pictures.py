"""Pictures of the places where predictions are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import Progress

from toponet._ground.writing import written_whole
from toponet.evaluation.pairs import Pair
from toponet.evaluation.protocol import Protocol
from toponet.evaluation.report import Evaluation, at_place, in_words
from toponet.evaluation.scores import structure
from toponet.metrics.inputs import likelihood_to_compare
from toponet.plots import plot_errors
from toponet.topology.mistakes import Place

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REACH = 40  # Pixels around a place that are drawn enlarged.


def draw_worst_places(
    folder: Path, pairs: Sequence[Pair], evaluation: Evaluation, progress: Progress
) -> dict[str, str]:
    """Draws the images with the largest mistakes, as many as the configuration wants.

    Each image is read again: all of them together might not fit into memory.

    Args:
        folder: The pictures are written into it.
        pairs: What was compared.
        evaluation: Names the places.
        progress: Shows which image is drawn.

    Returns:
        What each file shows, in words.
    """
    wrong = [pair for pair in pairs if evaluation.scores[pair.name].worst]
    wrong.sort(key=lambda pair: -evaluation.scores[pair.name].worst[0].pixels)
    protocol, captions = evaluation.config.protocol, {}
    with progress:
        chosen = wrong[: evaluation.config.pictures]
        for k, pair in enumerate(progress.track(chosen, description="pictures"), start=1):
            worst = evaluation.scores[pair.name].worst
            figure = worst_places_figure(pair, protocol, worst)
            name = f"worst_{k}.png"
            with written_whole(folder / name) as file:
                figure.savefig(file, format="png")
            captions[name] = f"{pair.name}: {'; '.join(map(at_place, worst))}"
    return captions


def worst_places_figure(pair: Pair, protocol: Protocol, places: Sequence[Place]) -> Figure:
    """The whole image with its mistakes, and each place enlarged."""
    from matplotlib.figure import Figure

    images = pair.read()
    likelihood, truth, valid = likelihood_to_compare(images.likelihood, images.truth, images.valid)
    mask = structure(likelihood, protocol)[0]
    figure = Figure(figsize=(4.2 * (1 + len(places)), 4.6), dpi=110, layout="constrained")
    row = figure.subplots(1, 1 + len(places))
    for axes in row:
        plot_errors(
            axes,
            mask,
            truth[0],
            protocol.betti.connectivity,
            frame=bool(protocol.betti.frame),
            valid=None if valid is None else valid[0],
        )
    row[0].set_title(pair.name, fontsize=10)
    for number, (axes, place) in enumerate(zip(row[1:], places, strict=True), start=1):
        row[0].annotate(str(number), (place.column, place.row), fontsize=12, weight="bold")
        axes.set_xlim(place.column - REACH, place.column + REACH)
        axes.set_ylim(place.row + REACH, place.row - REACH)
        where = f"row {place.row}, column {place.column}"
        axes.set_title(f"{number}: {in_words(place)}\n{where}", fontsize=10)
    figure.suptitle("truth; missed pixels red, invented ones blue", fontsize=9)
    return figure
