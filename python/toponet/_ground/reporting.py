"""Progress bars, tables and new folders of the commands."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Table:
    """Text in rows and columns, for a terminal, a Markdown page or a CSV file.

    Attributes:
        title: What the table shows.
        header: One name for each column, in several lines if a terminal needs that. The first
            column is text. The others are numbers, unless ``text`` lists them.
        rows: One cell for each column.
        text: The names of further columns that are text.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    text: Sequence[str] = ()

    def rich(self) -> RichTable:
        """The table for ``console.print``."""
        # Cells are escaped, because names and paths may hold the brackets of rich's markup.
        table = RichTable(
            title=escape(self.title), box=SIMPLE_HEAD, padding=(0, 0, 0, 1), pad_edge=False
        )
        for k, name in enumerate(self.header):
            text = self._is_text(k)  # Text may be folded. Half a number would be another number.
            side: Literal["left", "right"] = "left" if text else "right"
            table.add_column(name, justify=side, overflow="fold", no_wrap=not text)
        for row in self.rows:
            table.add_row(*map(escape, row))
        return table

    def markdown(self) -> str:
        """A heading and the table."""
        sides = [":--" if self._is_text(k) else "--:" for k in range(len(self.header))]
        lines = [
            [cell.replace("|", "\\|").replace("\n", " ") for cell in row]
            for row in (self.header, *self.rows)
        ]
        lines.insert(1, sides)
        body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return f"## {self.title}\n\n{body}\n"

    def csv(self) -> str:
        """The header and the rows."""
        file = io.StringIO(newline="")
        csv.writer(file, lineterminator="\n").writerows([self.header, *self.rows])
        return file.getvalue()

    def _is_text(self, column: int) -> bool:
        return column == 0 or self.header[column] in self.text


def progress_bar(console: Console) -> Progress:
    """A progress bar, which is hidden if the output isn't a terminal."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(compact=True),  # All of a line fits 80 columns.
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def check_absent(path: str | None, option: str) -> None:
    """Raises ValueError if the folder exists already. Commands call it before their work."""
    if path is not None and Path(path).exists():
        raise _present(path, option)


def new_folder(path: str, option: str) -> Path:
    """Makes the folder.

    Raises:
        ValueError: If it exists.
        OSError: If it can't be made.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True)
    except FileExistsError:  # Also if another process makes the folder at the same time.
        raise _present(path, option) from None
    return folder


@contextmanager
def whole_folder(path: str, option: str) -> Iterator[Path]:
    """Makes the folder, to be filled within the context; after an error it is removed.

    Raises:
        ValueError: If it exists.
        OSError: If it can't be made.
    """
    folder = new_folder(path, option)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _present(path: str, option: str) -> ValueError:
    return ValueError(f"{path} exists already and is never overwritten; choose another {option}")
