"""Segments likelihoods of any tool by persistence and writes the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from toponet._ground.reading import within_memory
from toponet._ground.reporting import progress_bar
from toponet._ground.validation import limited_threads, thread_count
from toponet.data.likelihoods import LikelihoodPages, open_likelihoods, unused_likelihoods
from toponet.data.provenance import PREDICT_FILE
from toponet.data.series import Series
from toponet.prediction.backgrounds import background, find_images
from toponet.prediction.choice_report import ChoiceReport, choose_on_labels
from toponet.prediction.conventions import Conventions
from toponet.prediction.record import Record, plan
from toponet.prediction.segment_config import SegmentConfig
from toponet.prediction.segment_page import SegmentPage
from toponet.prediction.segmentation import Segmentation
from toponet.prediction.sources import named_once, refuse_own_folder
from toponet.prediction.work import Done, kinds_to_write, pages_written, write_all
from toponet.segmentation import SegmentationOptions

PAGE_FILE = "report.html"


def run_segmentation(config: SegmentConfig, console: Console | None = None) -> Done:
    """Segments all likelihoods that can be used and aren't done yet, and lists the others.

    Raises:
        ValueError: If an input isn't there, none can be used, labels can't be used, or the folder
            holds other results. All this is checked before anything is written.
        OSError: If something can't be written.
        KeyboardInterrupt: As it came. After segmentations have begun, it says how to go on.
    """
    with limited_threads(thread_count(config.num_threads)):
        return _run(config, console or Console())


def _run(config: SegmentConfig, console: Console) -> Done:
    out = Path(config.out)
    _check_page_is_ours(config, out)
    sources = find_likelihoods(config, out)
    _check_one_can_be_used(sources)
    images = {} if config.images is None else find_images(config.images, sources)
    conventions, report = config.conventions(config.or_default(SegmentationOptions())), None
    if config.labels is not None:
        report = choose_on_labels(config, sources, console)
        conventions = report.conventions
    config = replace(config, outputs=kinds_to_write(config.outputs, conventions.options.is_cut))
    # The checkpoint's hash has its place here, so that a folder of predictions is refused.
    settings = {
        "sha256": None,
        "images": config.images,
        **asdict(config.reading),
        **conventions.settings(),
    }
    record = Record(None, settings, choice=None if report is None else report.plain())
    work, _ = plan(config, record, sources)
    page = SegmentPage(config, conventions, [source.name for source in sources], report)
    segmenter = Segmenter(config, conventions, images, page)
    done = write_all(segmenter.segment, work, console, config.overwrite)
    lines = list(_lines(config, conventions, report, done))
    if done.written or not (out / PAGE_FILE).exists():
        before = [source for source in sources if source.name in done.skipped]
        problems = [*done.problems, *segmenter.show(before, console)]
        whole = page.page({*done.written, *done.skipped}, lines[:-1], problems)
        whole.write(out / PAGE_FILE)
    if report is not None:
        console.print(report.table().rich())
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return done


def find_likelihoods(config: SegmentConfig, out: Path) -> list[Series]:
    """All likelihoods, in the order in which they are named.

    Raises:
        ValueError: If an input doesn't exist or is ``out``, or two have one name.
    """
    sources = [each for text in config.inputs for each in open_likelihoods(text, config.reading)]
    refuse_own_folder(sources, out)
    return named_once(sources)


def _check_page_is_ours(config: SegmentConfig, out: Path) -> None:
    """Raises ValueError if the page would take the place of another command's report."""
    page = out / PAGE_FILE
    if page.exists() and not config.overwrite and not (out / PREDICT_FILE).exists():
        raise ValueError(
            f"{page} is the report of another command; choose another --out, or --overwrite"
        )


def _check_one_can_be_used(sources: Sequence[Series]) -> None:
    """Raises what is wrong with the first likelihood, if something is wrong with each.

    A mistake such as a missing ``--channel`` is mostly a mistake for all of them.
    """
    first = None
    for source in sources:
        try:
            source.open()
            return
        except ValueError as error:
            first = first or error
    if first is not None:
        raise first


@dataclass(frozen=True)
class Segmenter:
    """Writes the segmentations of one source after the other.

    Attributes:
        config: What is asked for.
        conventions: Of the segmentations.
        images: What overlays are drawn on, by name; empty = on the likelihoods.
        page: Gathers what the page shows.
    """

    config: SegmentConfig
    conventions: Conventions
    images: Mapping[str, Series]
    page: SegmentPage

    def segment(self, source: Series, kinds: Sequence[str], progress: Progress) -> str | None:
        """Writes files of these kinds.

        Returns:
            How its values became probabilities, with the file; None = they were ones.

        Raises:
            ValueError: If the source can't be used; nothing is written of it.
            OSError: If a file can't be written.
        """
        pages = source.open()
        drawn_on = background(source, pages, self.images)
        shown = self.page.begin(source.name, pages)
        with pages_written(self.config, source, kinds, pages, progress) as add:
            for i in range(pages.count):
                made = Segmentation(drawn_on(i), pages.read(i)[0], self.conventions)
                add(made)
                if i in shown:
                    self.page.add(source.name, pages, i, made)
        return pages.words if isinstance(pages, LikelihoodPages) else None

    def show(self, sources: Sequence[Series], console: Console) -> list[str]:
        """Puts sources on the page whose files were there already.

        Returns:
            One sentence for each that can't be shown.
        """
        problems = []
        with progress_bar(console) as progress:
            for source in progress.track(sources, description="page"):
                try:
                    with within_memory(source.origin):
                        self._show(source)
                except ValueError as error:
                    problems.append(str(error))
        return problems

    def _show(self, source: Series) -> None:
        pages = source.open()
        drawn_on = background(source, pages, self.images)
        for i in sorted(self.page.begin(source.name, pages)):
            made = Segmentation(drawn_on(i), pages.read(i)[0], self.conventions)
            self.page.add(source.name, pages, i, made)


def _lines(
    config: SegmentConfig, conventions: Conventions, report: ChoiceReport | None, done: Done
) -> Iterator[str]:
    """Yields what stands on the console in the end."""
    yield from () if report is None else report.lines()
    for words, count in Counter(done.words).items():
        yield f"{words} ({count} of {len(done.written)})"
    yield (
        f"{len(done.written)} segmented, {len(done.skipped)} done before, {len(done.problems)} "
        f"left out; {conventions.describe()}"
    )
    yield from (f"problem: {problem}" for problem in done.problems)
    yield from (sentence for text in config.inputs for sentence in unused_likelihoods(text))
    yield f"Everything is in {config.out}"
