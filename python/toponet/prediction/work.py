"""What all commands that write segmentations do: source after source, page after page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from rich.console import Console
from rich.progress import Progress

from toponet._ground.reading import within_memory
from toponet._ground.reporting import progress_bar
from toponet.data.series import Pages, Series
from toponet.prediction.config import Output
from toponet.prediction.outputs import open_outputs
from toponet.prediction.segmentation import Segmentation

# Writes files of these kinds of one source, and returns a few words on it, if there are any.
Write = Callable[[Series, Sequence[str], Progress], str | None]


class Asked(Protocol):
    """What the configurations of these commands have in common."""

    @property
    def out(self) -> str:
        """The folder that files are written into."""

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The kinds of files."""

    @property
    def likelihood_format(self) -> str:
        """Either "tif" or "h5"."""

    @property
    def overwrite(self) -> bool:
        """Whether files that are there already are replaced."""


class Done(NamedTuple):
    """What became of the sources.

    Attributes:
        written: Names of those whose files were written.
        skipped: Names of those whose files were there already.
        problems: One sentence for each that can't be used.
        words: What was said of those that were written.
    """

    written: Sequence[str]
    skipped: Sequence[str]
    problems: Sequence[str]
    words: Sequence[str]


def kinds_to_write(outputs: Sequence[Output], is_cut: bool) -> tuple[Output, ...]:
    """What of the outputs there is: for a plain cut nothing is decided.

    Raises:
        ValueError: If nothing is left.
    """
    kinds = tuple(kind for kind in outputs if kind != "decisions" or not is_cut)
    if not kinds:
        raise ValueError(
            "outputs must hold more than decisions: with --keep 0 and --add null, masks are plain "
            "cuts, for which nothing is decided"
        )
    return kinds


def write_all(
    write: Write, work: Sequence[tuple[Series, Sequence[str]]], console: Console, overwrite: bool
) -> Done:
    """Writes the files of all sources, and goes on after one that can't be used.

    Raises:
        OSError: If a file can't be written.
        KeyboardInterrupt: As it came, with a sentence on how to go on.
    """
    try:
        return _write_all(write, work, console)
    except KeyboardInterrupt:  # With --overwrite it would begin anew.
        without = " without --overwrite" if overwrite else ""
        raise KeyboardInterrupt(f"the same command{without} goes on") from None


def _write_all(
    write: Write, work: Sequence[tuple[Series, Sequence[str]]], console: Console
) -> Done:
    skipped = [source.name for source, kinds in work if not kinds]
    todo = [(source, kinds) for source, kinds in work if kinds]
    written, problems, found = [], [], []
    with progress_bar(console) as progress:
        for source, kinds in progress.track(todo, description="images"):
            try:
                with within_memory(source.origin):
                    words = write(source, kinds, progress)
                written.append(source.name)
                found += [words] if words else []
            except ValueError as error:
                problems.append(str(error))
    return Done(written, skipped, problems, found)


@contextmanager
def pages_written(
    asked: Asked, source: Series, kinds: Sequence[str], pages: Pages, progress: Progress
) -> Iterator[Callable[[Segmentation], None]]:
    """Returns a function that writes the segmentation of one page. Call it for each page in turn.

    The files get their names at the end of the context; after an error there are none.

    Raises:
        OSError: If a file can't be written. The sentence names it.
    """
    task = progress.add_task(source.name, total=pages.count, visible=pages.stack)
    out, likelihood_format = Path(asked.out), asked.likelihood_format
    try:
        with open_outputs(out, source.name, kinds, likelihood_format, pages) as add:

            def add_and_tell(segmentation: Segmentation) -> None:
                add(segmentation)
                progress.advance(task)

            yield add_and_tell
    finally:
        progress.remove_task(task)
