"""Rows of JSON that are kept as they are made, one a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def read_rows(path: Path) -> list[Row]:
    """All rows of the file; none if there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def add_row(path: Path, row: Row) -> None:
    """Writes the row at the end of the file.

    Raises:
        ValueError: If a number isn't finite.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(row, allow_nan=False)
    with path.open("a") as file:
        file.write(line + "\n")
