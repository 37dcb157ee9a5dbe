"""The tables of a page, as HTML that can be read without a script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any

from toponet._ground.reporting import Table

if TYPE_CHECKING:
    from toponet.pages.page import Column, Row


_SPACE = "\N{NO-BREAK SPACE}"  # Arrows stay on the line of their word.


def plain_table(table: Table) -> str:
    """A table of text, with its title as caption."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.header)
    body = "\n".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in table.rows
    )
    return (
        f'<div class="scroll"><table><caption>{escape(table.title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def image_table(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    """The table of images: headings that sort it, and a button for each image."""
    body = "\n".join(_image_row(k, row, columns) for k, row in enumerate(rows))
    return (
        '<table id="image-table"><caption class="hidden">One row for each image. The buttons of '
        "the headings sort the rows; the buttons of the rows show an image.</caption>"
        f"<thead>{_groups(columns)}<tr>{_heading('image')}"
        f"{''.join(_column_heading(column) for column in columns)}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _groups(columns: Sequence[Column]) -> str:
    """The row above the headings, if there are groups."""
    if not any(column.group for column in columns):
        return ""
    cells = [
        f'<th scope="colgroup" colspan="{len(list(members))}">{escape(group)}</th>'
        for group, members in groupby(columns, key=lambda column: column.group)
    ]
    return f'<tr class="groups"><td></td>{"".join(cells)}</tr>'


def _column_heading(column: Column) -> str:
    # The first click shows the worst images, or the largest numbers.
    first = "ascending" if column.higher_is_better else "descending"
    arrow = {True: f"{_SPACE}↑", False: f"{_SPACE}↓", None: ""}[column.higher_is_better]
    words = {True: "higher is better", False: "lower is better", None: ""}
    title = "; ".join(filter(None, (column.meaning, words[column.higher_is_better])))
    return _heading(column.label + arrow, first, title)


def _heading(label: str, first: str = "ascending", title: str = "") -> str:
    return (
        f'<th scope="col" aria-sort="none"><button type="button" data-first="{first}" '
        f'title="{escape(title)}">{escape(label)}</button></th>'
    )


def _image_row(number: int, row: Row, columns: Sequence[Column]) -> str:
    cells = "".join(_cell(row.values.get(column.key)) for column in columns)
    name = escape(row.name)
    return (
        f'<tr data-image="{number}"><th scope="row" data-value="{name}">'
        f'<button type="button">{name}</button></th>{cells}</tr>'
    )


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return '<td data-value="">–</td>'
    return f'<td data-value="{escape(str(value))}">{escape(_shown(value))}</td>'


def _shown(value: Any) -> str:
    """Four digits: of shares and errors below 1 behind the point; of large numbers all."""
    if not isinstance(value, float):
        return str(value)
    if abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.4f}" if abs(value) < 1 else f"{value:#.4g}"
