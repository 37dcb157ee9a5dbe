"""The report of a run as one HTML file: charts, and all images that metrics are counted on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.reporting import Table
from toponet.data import ImageSet
from toponet.evaluation import ImageScores
from toponet.evaluation.page import score_columns, score_values
from toponet.evaluation.protocol import with_arrow
from toponet.pages import Chart, Curve, Page, Row, ShownImage, most_pixels, with_pictures
from toponet.plots.style import BLACK, BLUE, VERMILION
from toponet.segmentation import SegmentationOptions
from toponet.training.config import TrainConfig
from toponet.training.evaluation import MEASURED, THRESHOLD
from toponet.training.state import Row as Epoch


@dataclass(frozen=True, eq=False)
class Measured:
    """The images that metrics are counted on, with the network's last answers.

    Attributes:
        data: The images.
        likelihoods: One for each of them.
        scores: Of each image, for each way to make masks.
        options: Threshold, keep and add that were chosen; None = masks are plain cuts.
    """

    data: ImageSet
    likelihoods: Sequence[NDArray[np.float32]]
    scores: Mapping[str, Sequence[ImageScores]]
    options: SegmentationOptions | None = None

    def by_image(self) -> list[dict[str, ImageScores]]:
        """The scores of each image, for each way to make masks."""
        images = zip(*self.scores.values(), strict=True)
        return [dict(zip(self.scores, scores, strict=True)) for scores in images]

    def rows(self) -> list[dict[str, Any]]:
        """For ``report.json``: the numbers of each image, for each way to make masks."""
        return [
            {"image": name, **{way: each.values for way, each in scores.items()}}
            for name, scores in zip(self.data.names, self.by_image(), strict=True)
        ]


def run_page(
    config: TrainConfig,
    epochs: Sequence[Epoch],
    report: Mapping[str, Any],
    measured: Measured,
    summary: str,
    tables: Sequence[Table],
) -> Page:
    """The page of a run that has all its epochs.

    Args:
        config: Of the run.
        epochs: Of metrics.csv.
        report: Of ``report.json``.
        measured: The images with their scores.
        summary: The sentence on the run.
        tables: Those of ``report.md``.
    """
    return Page(
        title=config.data,
        summary=[summary],
        notes=report["notes"],
        tables=tables,
        charts=charts(config, epochs),
        columns=score_columns(measured.by_image(), config.protocol.describe()),
        rows=_rows(config, measured),
        meanings=report["conventions"],
    )


def charts(config: TrainConfig, epochs: Sequence[Epoch]) -> list[Chart]:
    """Losses and metrics by epoch."""
    numbers = [int(row["epoch"]) for row in epochs]
    starts = numbers[0] < config.topo_start_epoch <= numbers[-1]
    start = config.topo_start_epoch if starts else None

    def chart(title: str, *curves: Curve) -> Chart:
        return Chart(title, numbers, curves, start, "topological term on")

    def values(name: str) -> list[float]:
        # Epochs of an older version lack the metrics that came later.
        return [row.get(name, math.nan) for row in epochs]

    losses = chart(
        "Losses",
        Curve(config.base_label, values("bce"), BLUE),
        Curve("total", values("total"), BLACK, (6, 3)),
        Curve("topological (right)", values("topo"), VERMILION, (2, 2), right=True),
    )
    metrics = [
        chart(with_arrow(name), Curve(f"{name} of {config.measured} images", values(name), BLUE))
        for name in MEASURED
        if any(name in row for row in epochs)
    ]
    return [losses, *metrics]


def _rows(config: TrainConfig, measured: Measured) -> list[Row]:
    data, count = measured.data, len(measured.data)
    shown, pixels = with_pictures(count), most_pixels(count)
    return [
        Row(
            name,
            score_values(scores),
            _picture(config, measured, number).packed(pixels) if number in shown else None,
        )
        for number, (name, scores) in enumerate(zip(data.names, measured.by_image(), strict=True))
    ]


def _picture(config: TrainConfig, measured: Measured, number: int) -> ShownImage:
    data = measured.data
    return ShownImage.segmented(
        measured.likelihoods[number],
        measured.options or SegmentationOptions.cut(THRESHOLD),
        cut=THRESHOLD,
        connectivity=config.connectivity,
        image=data.images[number],
        truth=data.masks[number],
        valid=data.valid[number],
    )
