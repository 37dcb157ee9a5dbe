"""Chooses threshold, keep and add on labelled likelihoods, and measures them on others."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from toponet._ground.reporting import Table
from toponet.data.series import Series
from toponet.evaluation.protocol import CUT, PERSISTENCE, Protocol, with_arrow
from toponet.evaluation.scores import ImageScores, mean_metrics, score_image
from toponet.metrics.conventions import betti_convention
from toponet.prediction.conventions import Conventions
from toponet.prediction.labelled import LabelledImage, divided, labelled_images
from toponet.prediction.segment_config import SegmentConfig
from toponet.prediction.segmentation import Segmentation
from toponet.segmentation import SegmentationChoice, SegmentationOptions, choose_segmentation


@dataclass(frozen=True)
class ChoiceReport:
    """The chosen numbers, and what they are worth on images that had no part in the choice.

    Attributes:
        choice: The numbers, and what was tried.
        conventions: Of the masks, with these numbers.
        protocol: How masks are compared with truths.
        chosen_on: Names of the images that chose.
        held_out: Names of the images that are measured.
        scores: For ``CUT`` and ``PERSISTENCE`` the scores of the images held out, by name.
        truths: Truth and valid mask (None = all pixels count) of all labelled images, by name.
        warnings: What is to be said of the choice.
    """

    choice: SegmentationChoice
    conventions: Conventions
    protocol: Protocol
    chosen_on: Sequence[str]
    held_out: Sequence[str]
    scores: dict[str, dict[str, ImageScores]]
    truths: dict[str, tuple[NDArray[np.uint8], NDArray[np.bool_] | None]]
    warnings: Sequence[str]

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """For each way to make masks, each metric's mean over the images held out."""
        return {way: mean_metrics(list(scores.values())) for way, scores in self.scores.items()}

    def scores_of(self, name: str) -> dict[str, ImageScores]:
        """The scores of one image, for each way to make masks; empty if it wasn't held out."""
        return {way: scores[name] for way, scores in self.scores.items() if name in scores}

    def table(self) -> Table:
        """A row for each metric, a column for each way to make masks."""
        metrics = self.metrics
        rows = [
            [with_arrow(name), *(f"{metrics[way][name]:.4f}" for way in (CUT, PERSISTENCE))]
            for name in self.protocol.metrics
        ]
        count = f"{len(self.held_out)} labelled image" + "s" * (len(self.held_out) > 1)
        title = f"{count} held out"
        return Table(title, ["metric", CUT, PERSISTENCE], rows)

    def lines(self) -> Iterator[str]:
        """Yields what the numbers are and how they were counted."""
        yield f"chosen: {self.choice.describe('labelled images')}"
        yield from (f"warning: {warning}" for warning in self.warnings)
        words = self.protocol.describe()
        yield from (f"{name}: {words[name]}" for name in self.protocol.metrics)
        if self.conventions.min_size > 1:
            yield f"specks of less than {self.conventions.min_size} px removed in both columns"
        yield f"measured on what had no part in the choice: {', '.join(self.held_out)}"

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **self.choice.to_plain(),
            "chosen_on": list(self.chosen_on),
            "held_out": list(self.held_out),
            "metrics": self.metrics,
            "conventions": self.protocol.describe(),
        }


def choose_on_labels(
    config: SegmentConfig, sources: Sequence[Series], console: Console
) -> ChoiceReport:
    """Chooses the numbers on a part of the labelled likelihoods, and measures them on the others.

    Raises:
        ValueError: If labels can't be used, or there are fewer than two labelled likelihoods.
    """
    assert config.labels is not None
    images = labelled_images(sources, config.labels, console)
    chosen_on, held_out = divided(images, config.held_out_share, config.seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        choice = choose_segmentation(
            [image.likelihood for image in chosen_on],
            [image.truth for image in chosen_on],
            valid=[image.valid for image in chosen_on],
            metric=config.metric,
            accuracy_loss=config.accuracy_loss,
            dims=config.dims,
            connectivity=config.connectivity,
            frame=config.frame,
            num_threads=config.num_threads,
            progress=console,
        )
    protocol = Protocol(
        betti_convention(connectivity=config.connectivity, frame=config.frame, dims=config.dims)
    )
    by_persistence = config.conventions(choice.options)
    by_cut = config.conventions(SegmentationOptions.cut())
    return ChoiceReport(
        choice,
        by_persistence,
        protocol,
        [image.name for image in chosen_on],
        [image.name for image in held_out],
        {
            CUT: _scores(held_out, by_cut, protocol),
            PERSISTENCE: _scores(held_out, by_persistence, protocol),
        },
        {image.name: (image.truth, image.valid) for image in images},
        [str(warning.message) for warning in caught],
    )


def _scores(
    images: Sequence[LabelledImage], conventions: Conventions, protocol: Protocol
) -> dict[str, ImageScores]:
    """Of the masks that are written, with small specks removed if that is asked for."""
    scores = {}
    for image in images:
        mask = Segmentation(image.likelihood[None], image.likelihood, conventions).structure
        scores[image.name] = score_image(mask, image.truth, protocol, image.valid)
    return scores
