"""A report as one HTML file: what stands on the page, and how it is written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from toponet._ground.reporting import Table
from toponet._ground.writing import written_whole
from toponet.pages.shown_image import CHANGE, CHANGE_COLOURS, COUNTS, MASKS, TRUTH
from toponet.pages.tables import image_table, plain_table
from toponet.plots.style import ACTION_STYLES, DOT_STYLES, MISTAKE_STYLES

# In the order in which they need each other.
SCRIPTS = (
    "sorting.js", "charts.js", "packed.js", "view.js", "panels.js", "diagram.js", "legends.js",
    "viewer.js", "main.js",
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column of the table of images.

    Attributes:
        key: Of the rows' values.
        label: Its heading.
        higher_is_better: None = neither is better.
        group: A heading above those of several neighbouring columns.
        meaning: What the number is, in words.
    """

    key: str
    label: str
    higher_is_better: bool | None = None
    group: str = ""
    meaning: str = ""


@dataclass(frozen=True)
class Row:
    """A row of the table of images.

    Attributes:
        name: Of the image.
        values: By the keys of the columns. What is missing is an empty cell.
        picture: What ``ShownImage.packed`` gave; None = there is none.
    """

    name: str
    values: Mapping[str, Any]
    picture: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Curve:
    """One curve of a chart.

    Attributes:
        label: Its name in the legend.
        values: One for each place on the horizontal axis.
        colour: As CSS writes it.
        dash: Lengths of line and gap in pixels; empty = a solid line.
        right: Whether it has the axis on the right.
    """

    label: str
    values: Sequence[float]
    colour: str
    dash: Sequence[int] = ()
    right: bool = False


@dataclass(frozen=True)
class Chart:
    """Numbers by epoch.

    Attributes:
        title: What is shown.
        epochs: The horizontal axis.
        curves: At least one.
        marked: An epoch with a line beside it; None = none.
        mark: What the line says.
    """

    title: str
    epochs: Sequence[int]
    curves: Sequence[Curve]
    marked: float | None = None
    mark: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What stands on a report.

    Attributes:
        title: Of the page.
        summary: Sentences below it.
        notes: Sentences that a reader has to know first.
        tables: Of text.
        charts: By epoch.
        columns: Of the table of images, whatever metrics there are.
        rows: One for each image.
        meanings: What each number means, by its name.
    """

    title: str
    summary: Sequence[str] = ()
    notes: Sequence[str] = ()
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    columns: Sequence[Column] = ()
    rows: Sequence[Row] = ()
    meanings: Mapping[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Writes the page, whole or not at all; everything that it needs is in the file.

        Raises:
            OSError: If it can't be written.
        """
        with written_whole(path) as file:
            file.write(self.html().encode())

    def html(self) -> str:
        """The page."""
        return Template(_asset("page.html")).substitute(
            title=escape(self.title),
            style=_asset("uplot/uPlot.min.css") + _asset("page.css"),
            summary=_paragraphs(self.summary),
            notes=_paragraphs(self.notes, "note"),
            tables="\n".join(map(plain_table, self.tables)),
            images=image_table(self.columns, self.rows),
            meanings="\n".join(
                f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>"
                for name, text in self.meanings.items()
            ),
            data="\n".join(self._data()),
            library=_asset("uplot/uPlot.iife.min.js"),
            script='"use strict";\n' + "\n".join(map(_asset, SCRIPTS)),
        )

    def _data(self) -> list[str]:
        """What the scripts read: a JSON element for the page, and one for each picture.

        A picture is parsed when it is looked at, and not before.
        """
        common = {
            "charts": [asdict(chart) for chart in self.charts],
            "names": [row.name for row in self.rows],
            "bits": {"truth": TRUTH, "counts": COUNTS, "masks": MASKS, "change": CHANGE},
            "changeColours": [
                {"colour": colour, "actions": [a for a, (c, _) in ACTION_STYLES.items()
                                               if c == colour]}
                for colour in CHANGE_COLOURS
            ],
            "fates": DOT_STYLES,
            "mistakes": MISTAKE_STYLES,
        }  # fmt: skip
        pictures = [
            _json_element(f"picture-{k}", row.picture)
            for k, row in enumerate(self.rows)
            if row.picture is not None
        ]
        return [_json_element("page-data", common), *pictures]


def _paragraphs(sentences: Sequence[str], style: str = "") -> str:
    return "\n".join(f'<p class="{style}">{escape(sentence)}</p>' for sentence in sentences)


def _json_element(name: str, content: Any) -> str:
    text = json.dumps(_finite(content), allow_nan=False, separators=(",", ":"))
    # Otherwise a name that holds "</script>" would end the element.
    text = text.replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'


def _finite(content: Any) -> Any:
    """The same with null for numbers that JSON doesn't know."""
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, Sequence) and not isinstance(content, str):
        return [_finite(value) for value in content]
    return content


def _asset(name: str) -> str:
    return files("toponet.pages").joinpath("assets", name).read_text(encoding="utf-8")
