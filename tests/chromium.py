"""A headless Chromium for tests, and the pages that it looks at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's own Chromium; without one, the test is skipped and says so."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="to drive Chromium: pip install playwright"
    )
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program)
        yield browser
        browser.close()


class OpenPage:
    """A page from disk, and what went wrong on it.

    Args:
        browser: What opens it.
        path: The file.
        width: Of the window.
        height: Of the window.
    """

    def __init__(self, browser: Browser, path: Path, width: int = 1400, height: int = 900) -> None:
        """Opens it, and waits for the first picture."""
        self.page: Page = browser.new_page(viewport={"width": width, "height": height})
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.problems.append(message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def text(self, selector: str) -> str:
        """What an element says."""
        said: str = self.page.locator(selector).inner_text()
        return said

    def column(self, heading: str) -> list[str]:
        """What stands below a heading of the table of images, from top to bottom."""
        found: list[str] = self.page.evaluate(
            """(heading) => {
                const table = document.getElementById("image-table");
                const cells = [...[...table.tHead.rows].at(-1).cells];
                const k = cells.findIndex((cell) => cell.innerText.trim().startsWith(heading));
                return [...table.tBodies[0].rows].map((row) => row.cells[k].innerText.trim());
            }""",
            heading,
        )
        return found

    def sort_by(self, heading: str) -> None:
        """Clicks a heading of the table of images."""
        self.page.locator("#image-table thead button", has_text=heading).first.click()

    def wait_for_drawing(self) -> None:
        """Two frames of the screen: all that was asked for is drawn then."""
        self.page.evaluate(
            "() => new Promise((done) => "
            "requestAnimationFrame(() => requestAnimationFrame(() => done(null))))"
        )

    def pictures(self) -> list[str]:
        """The pixels of each panel, as they are on the screen."""
        self.wait_for_drawing()
        shown: list[str] = self.page.evaluate(
            "[...document.querySelectorAll('.panel canvas')].map((canvas) => canvas.toDataURL())"
        )
        return shown

    def point(self, panel: int, row: int, column: int) -> tuple[float, float]:
        """Where the middle of a pixel of the whole image is on the screen."""
        x, y = self.page.evaluate(
            """([panel, row, column, width, height]) => {
                const canvas = document.querySelectorAll(".panel canvas")[panel];
                canvas.scrollIntoView({ block: "center" });
                const box = canvas.getBoundingClientRect();
                const scale = Math.min(canvas.clientWidth / width, canvas.clientHeight / height);
                return [
                    box.left + canvas.clientLeft + canvas.clientWidth / 2
                        + (column + 0.5 - width / 2) * scale,
                    box.top + canvas.clientTop + canvas.clientHeight / 2
                        + (row + 0.5 - height / 2) * scale,
                ];
            }""",
            [panel, row, column, *self.size[::-1]],
        )
        return x, y

    size = (40, 56)
    """Height and width of the image that is shown."""
