"""Pages of a few small images, with mistakes in known places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet.pages import Chart, Column, Curve, Page, Row, ShownImage, most_pixels, with_pictures
from toponet.topology.segmentation import SegmentationOptions

SIZE = (40, 56)
OPTIONS = SegmentationOptions(0.5, 0.6, 0.25)
COLUMNS = (
    Column("voi", "voi", higher_is_better=False, group="cut at 0.5", meaning="in bits"),
    Column("ari", "ari", higher_is_better=True, group="cut at 0.5"),
    Column("holes", "holes", group="by persistence"),
)


def walls(height: int, width: int) -> NDArray[np.uint8]:
    rows, columns = np.indices((height, width))
    structure: NDArray[np.bool_] = (rows % 13 == 6) | (columns % 14 == 7)
    return structure.astype(np.uint8)


def guess(truth: NDArray[np.uint8], seed: int = 0) -> NDArray[np.float32]:
    """Walls with a gap, one that is all but closed, a dark speck, and a noise without effect."""
    random = np.random.default_rng(seed)
    likelihood = 0.1 + 0.75 * truth + random.uniform(-0.05, 0.05, truth.shape)
    likelihood[6, 10:12] = 0.45
    likelihood[12, 14] = 0.6
    likelihood[20:25, 21] = 0.1
    return likelihood.astype(np.float32)


def shown_image(seed: int = 0, **options: Any) -> ShownImage:
    truth = walls(*SIZE)
    likelihood = guess(truth, seed)
    image = (1 - truth + np.random.default_rng(seed).normal(0, 0.2, truth.shape))[None]
    given = {"image": image.astype(np.float32), "truth": truth, "cut": 0.5, "connectivity": 8}
    return ShownImage.segmented(likelihood, OPTIONS, **{**given, **options})


def rows(count: int) -> list[Row]:
    """Rows whose numbers have another order than their names; holes of the first are missing."""
    shown, pixels = with_pictures(count), most_pixels(count)
    return [
        Row(
            f"image {k}",
            {
                "voi": float((7 * k) % count) / 4,
                "ari": 1 - k / count,
                **({} if k == 0 else {"holes": 100 - k}),
            },
            shown_image(k % 3).packed(pixels) if k in shown else None,
        )
        for k in range(count)
    ]


def chart(title: str, *values: Sequence[float]) -> Chart:
    curves = [
        Curve(f"{title} {k}", each, "#0072B2", dash=(6, 3) if k else ())
        for k, each in enumerate(values)
    ]
    return Chart(title, range(1, 1 + len(values[0])), curves, 3, "topological term on")


def page(count: int) -> Page:
    return Page(
        title="membranes",
        summary=["Some epochs."],
        charts=[
            chart("losses", [0.5, 0.4, 0.3, float("nan")], [5, 4, 3, 2]),
            chart("voi", [4, 3, 2, 1]),
        ],
        columns=COLUMNS,
        rows=rows(count),
        meanings={"voi": "split + merge in bits"},
    )
