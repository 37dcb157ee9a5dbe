"""The page of a segmentation: likelihoods, masks, and what persistence changed."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from toponet.data.series import Pages
from toponet.evaluation.page import score_columns, score_values
from toponet.evaluation.protocol import PERSISTENCE
from toponet.evaluation.scores import ImageScores
from toponet.pages import Column, Page, Row, ShownImage, most_pixels, with_pictures
from toponet.prediction.choice_report import ChoiceReport
from toponet.prediction.conventions import Conventions
from toponet.prediction.segment_config import SegmentConfig
from toponet.prediction.segmentation import Segmentation
from toponet.topology.superlevel import betti_numbers

COLUMNS = (
    Column("components", "components", meaning="pieces of structure in the mask"),
    Column("holes", "holes", meaning="holes of the mask"),
    Column("structure", "structure", meaning="share of pixels that are structure"),
    Column("features", "changed features", meaning="pieces and holes that persistence changed"),
    Column("pixels", "changed pixels", meaning="share of pixels that persistence changed"),
)


@dataclass(frozen=True)
class _Shown:
    """One row of the page, of the source with a name."""

    source: str
    row: Row
    scores: dict[str, ImageScores]


class SegmentPage:
    """Gathers what the page shows, while likelihoods are segmented one by one.

    Each source has the same share of the pictures. Of a stack with more pages, some are shown,
    evenly spread.

    Args:
        config: What is asked for.
        conventions: Of the segmentations.
        sources: Names of all likelihoods.
        report: How the numbers were chosen, if they were.
    """

    def __init__(
        self,
        config: SegmentConfig,
        conventions: Conventions,
        sources: Sequence[str],
        report: ChoiceReport | None = None,
    ) -> None:
        """Nothing is gathered yet."""
        self.config, self.conventions, self.report = config, conventions, report
        self._order = {source: number for number, source in enumerate(sources)}
        self._wanted = {sources[number] for number in with_pictures(len(sources))}
        self._pixels = most_pixels(len(sources))
        self._counts: dict[str, int] = {}
        self._shown: list[_Shown] = []

    def begin(self, source: str, pages: Pages) -> frozenset[int]:
        """Begins with a source, and says which of its pages are to be added."""
        self._counts[source] = pages.count
        return self._pages_of(source)

    def add(self, source: str, pages: Pages, i: int, made: Segmentation) -> None:
        """Takes page ``i`` of a source.

        Args:
            source: Its name.
            pages: Of the source.
            i: Number of the page.
            made: Its segmentation.
        """
        name = f"{source}_{i:03d}" if pages.stack else source
        scores = {} if self.report is None else self.report.scores_of(name)
        picture = self._picture(name, made).packed(self._pixels // len(self._pages_of(source)))
        values = {**_counts(made), **score_values(scores)}
        self._shown.append(_Shown(source, Row(name, values, picture), scores))

    def _pages_of(self, source: str) -> frozenset[int]:
        if source not in self._wanted:
            return frozenset()
        return with_pictures(self._counts[source], len(self._wanted))

    def page(self, sources: Container[str], lines: Sequence[str], problems: Sequence[str]) -> Page:
        """The page of these sources.

        Args:
            sources: Names of those whose files are there.
            lines: What stands on the console in the end.
            problems: One sentence for each likelihood that can't be used.
        """
        there = (each for each in self._shown if each.source in sources)
        shown = sorted(there, key=lambda each: self._order[each.source])
        notes = list(problems)
        images = sum(count for source, count in self._counts.items() if source in sources)
        if len(shown) < images:
            notes.append(f"{len(shown)} of {images} images are on this page.")
        meanings = {} if self.report is None else self.report.protocol.describe()
        return Page(
            title="Segmentation by persistence",
            summary=lines,
            notes=notes,
            tables=[] if self.report is None else [self.report.table()],
            columns=[*COLUMNS, *score_columns([each.scores for each in shown], meanings)],
            rows=[each.row for each in shown],
            meanings={**{column.label: column.meaning for column in COLUMNS}, **meanings},
        )

    def _picture(self, name: str, made: Segmentation) -> ShownImage:
        c = self.conventions
        masks: dict[str, NDArray[Any]] = {f"cut at {c.threshold:g}": made.likelihood >= c.threshold}
        # Small specks are removed of plain cuts as well.
        if not c.options.is_cut or c.min_size > 1:
            masks["cleaned" if c.options.is_cut else PERSISTENCE] = made.structure
        truths = {} if self.report is None else self.report.truths
        truth, valid = truths.get(name, (None, None))
        return ShownImage(
            likelihood=made.likelihood, masks=masks, options=c.options,
            image=None if self.config.images is None else made.image, truth=truth, valid=valid,
            decisions=None if c.options.is_cut else made.settled.decisions, dims=c.dims,
            connectivity=c.connectivity, frame=c.frame, all_decide=True,
        )  # fmt: skip


def _counts(made: Segmentation) -> dict[str, Any]:
    """The values of ``COLUMNS``."""
    c, mask = made.conventions, made.structure
    components, holes = betti_numbers(mask, connectivity=c.connectivity, frame=c.frame)[0].tolist()
    counts = {"components": components, "holes": holes, "structure": float(mask.mean())}
    if c.options.is_cut:
        return counts
    changed = made.settled.likelihood != made.likelihood
    return {
        **counts,
        "features": len(made.settled.decisions),
        "pixels": float(changed.mean()),
    }
