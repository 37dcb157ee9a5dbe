"""What stands on the page of a report, read without a browser."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


class Elements(HTMLParser):
    """All elements with their attributes, and the text of tables and scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[list[str]] = []
        self.json: dict[str, Any] = {}
        self._script: str | None = None
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")
        self._in_cell = tag in ("td", "th") or (self._in_cell and tag == "button")
        self._script = dict(attrs).get("id") if tag == "script" else None

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = False
        if tag == "script":
            self._script = None

    def handle_data(self, data: str) -> None:
        if self._script:
            self.json[self._script] = json.loads(data)
        elif self._in_cell:
            self.cells[-1][-1] += data.strip()


def pictures_of(path: Path) -> dict[str, dict[str, Any]]:
    """What a page holds of each image, by the image's name."""
    content = Elements(path.read_text(encoding="utf-8")).json
    names = content["page-data"]["names"]
    numbered = {name: f"picture-{number}" for number, name in enumerate(names)}
    return {name: content[key] for name, key in numbered.items() if key in content}
