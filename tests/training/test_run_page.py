"""The page of a run shows what its numbers are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from toponet.data import ImageSet
from toponet.evaluation import score_image
from toponet.segmentation import SegmentationOptions
from toponet.training import TrainConfig
from toponet.training.evaluation import MEASURED, by_persistence
from toponet.training.run_page import Measured, charts, run_page
from toponet.training.state import COLUMNS, Row

OPTIONS = SegmentationOptions(0.4, 0.6, 0.2)


def config(**options: Any) -> TrainConfig:
    return TrainConfig(data="membranes", metric_patches=3, **options)


def epochs(count: int) -> list[Row]:
    return [
        {**{name: k + epoch / 100 for k, name in enumerate(COLUMNS)}, "epoch": epoch}
        for epoch in range(1, 1 + count)
    ]


def measured(options: SegmentationOptions | None) -> Measured:
    random = np.random.default_rng(0)
    masks = tuple((random.random(shape) < 0.4).astype(np.uint8) for shape in ((20, 31), (18, 17)))
    likelihoods = [random.random(mask.shape, dtype=np.float32) for mask in masks]
    data = ImageSet(("a", "b"), tuple(mask[None].astype(np.float32) for mask in masks), masks)
    ways = {"cut at 0.5": config().protocol}
    if options is not None:
        ways["by persistence"] = by_persistence(config().protocol, options)
    scores = {
        way: [score_image(f, g, protocol) for f, g in zip(likelihoods, masks, strict=True)]
        for way, protocol in ways.items()
    }
    return Measured(data, likelihoods, scores, options)


REPORT = {"notes": ["A note."], "conventions": {"voi": "in bits"}}


@pytest.mark.parametrize("options", [None, OPTIONS], ids=["cut", "by persistence"])
def test_each_image_has_its_numbers_and_its_masks(options: SegmentationOptions | None) -> None:
    """The numbers are those of report.json, which are counted once."""
    given = measured(options)
    page = run_page(config(), epochs(2), REPORT, given, "A summary.", [])
    assert [row.name for row in page.rows] == ["a", "b"]
    ways = list(given.scores)
    for row, plain in zip(page.rows, given.rows(), strict=True):
        shown = {(column.group, column.label): row.values[column.key] for column in page.columns}
        expected = {
            (way, name.replace("_", " ")): value
            for way in ways
            for name, value in plain[way].items()
        }
        assert shown == expected
        assert row.picture is not None
        assert row.picture["masks"] == ways
        assert row.picture["has_truth"]
        assert row.picture["rule"]["threshold"] == (0.5 if options is None else 0.4)


def test_the_columns_say_which_way_is_better() -> None:
    page = run_page(config(), epochs(2), REPORT, measured(None), "A summary.", [])
    better = {column.label: column.higher_is_better for column in page.columns}
    assert better["accuracy"] is True
    assert better["voi"] is False
    assert better["holes predicted"] is None
    meanings = {column.label: column.meaning for column in page.columns}
    assert meanings["voi"] == config().protocol.describe()["voi"]


@pytest.mark.parametrize(("start", "marked"), [(1, None), (3, 3), (9, None)])
def test_the_charts_are_the_rows_of_the_epochs(start: int, marked: int | None) -> None:
    rows = epochs(4)
    losses, *metrics = charts(config(epochs=4, topo_start_epoch=start), rows)
    columns = {"cross-entropy": "bce", "total": "total", "topological (right)": "topo"}
    assert {curve.label: curve.values for curve in losses.curves} == {
        label: [row[name] for row in rows] for label, name in columns.items()
    }
    assert [chart.title.split()[0] for chart in metrics] == list(MEASURED)
    for chart, name in zip(metrics, MEASURED, strict=True):
        (curve,) = chart.curves
        assert curve.values == [row[name] for row in rows]
    assert {(tuple(chart.epochs), chart.marked) for chart in (losses, *metrics)} == {
        ((1, 2, 3, 4), marked)
    }


def test_metrics_that_older_epochs_lack_are_shown_from_where_they_begin() -> None:
    rows = epochs(3)
    for row in rows[:2]:
        del row["cldice"]
    for row in rows:
        del row["euler_number_error"]
    shown = {chart.title.split()[0]: chart for chart in charts(config(), rows)}
    assert "euler_number_error" not in shown
    assert str(list(shown["cldice"].curves[0].values)) == f"[nan, nan, {rows[2]['cldice']}]"


def test_pixels_that_dont_count_are_grey_and_no_mistakes() -> None:
    given = measured(OPTIONS)
    valid = np.zeros((20, 31), np.uint8)
    valid[0, 0] = 1
    data = ImageSet(given.data.names, given.data.images, given.data.masks, (valid, None))
    page = run_page(
        config(), epochs(2), REPORT,
        Measured(data, given.likelihoods, given.scores, OPTIONS), "A summary.", [],
    )  # fmt: skip
    pictures = [row.picture for row in page.rows]
    assert pictures[0] is not None
    assert pictures[1] is not None
    assert sum(map(len, pictures[0]["mistakes"]["cut at 0.5"].values())) <= 1
    assert sum(map(len, pictures[1]["mistakes"]["cut at 0.5"].values())) > 1
