"""The tables and files of an evaluation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from toponet._ground.reporting import Table
from toponet.evaluation.config import EvaluateConfig
from toponet.evaluation.protocol import with_arrow
from toponet.evaluation.scores import PIECES, ImageScores, bootstrap_intervals, mean_metrics
from toponet.plots.style import MISTAKE_STYLES
from toponet.topology.mistakes import Place

_SHORT = {
    "accuracy": "accuracy",
    "ari": "ari",
    "voi_split": "split",
    "voi_merge": "merge",
    "betti_error_0": "betti 0",
    "betti_error_1": "betti 1",
}


@dataclass(frozen=True)
class Evaluation:
    """All scores of one evaluation.

    Attributes:
        config: How the scores came about.
        scores: The scores by image, in the order of names.
        left_out: Labels that had no prediction.
        unused: Sentences on files that lie in the folders but weren't read.
    """

    config: EvaluateConfig
    scores: dict[str, ImageScores]
    left_out: Sequence[str] = ()
    unused: Sequence[str] = ()

    @property
    def means(self) -> dict[str, float]:
        """Each metric's mean over the images."""
        return mean_metrics(list(self.scores.values()))

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % intervals of the means; empty if they weren't asked for or there is one image."""
        config = self.config
        return bootstrap_intervals(
            list(self.scores.values()), config.bootstrap, config.bootstrap_seed
        )

    @property
    def totals(self) -> dict[str, int]:
        """Betti numbers summed over the images."""
        counts = [scores.counts for scores in self.scores.values()]
        return {name: sum(count[name] for count in counts) for name in counts[0]}

    @property
    def conventions(self) -> dict[str, str]:
        """What each number means."""
        protocol = self.config.protocol
        counts = f"sum over the images; {protocol.describe_counts()}"
        words = {**protocol.describe(), "betti_numbers": counts}
        if self.intervals:
            words["interval"] = (
                f"percentile bootstrap over {len(self.scores)} images taken as independent, "
                f"{self.config.bootstrap} resamples, seed {self.config.bootstrap_seed}"
            )
        return words

    def total_table(self, words: bool = True) -> Table:
        """Returns means and intervals; with ``words`` also conventions, too wide for a terminal."""
        meanings, intervals, totals = self.conventions, self.intervals, self.totals
        rows = [
            [
                with_arrow(name),
                f"{mean:.4f}",
                "{:.4f} – {:.4f}".format(*intervals[name]) if intervals else "-",
                meanings[name],
            ]
            for name, mean in self.means.items()
        ]
        for dimension in self.config.protocol.betti.dims:
            piece = PIECES[dimension]
            counts = f"{totals[f'{piece}_predicted']} / {totals[f'{piece}_true']}"
            rows.append([f"{piece}, predicted / true", counts, "-", meanings["betti_numbers"]])
        count = f"{len(self.scores)} image" + "s" * (len(self.scores) > 1)
        title = f"{count} (↑ higher is better, ↓ lower is better)"
        header = ["metric", "mean or sum", "95 % interval", "convention"]
        if not words:
            header, rows = header[:-1], [row[:-1] for row in rows]
        return Table(title, header, rows, text=("convention",))

    def legend(self) -> list[str]:
        """Says what each number of the table means, one line for each."""
        meanings = self.conventions
        counted = " and ".join(PIECES[d] for d in self.config.protocol.betti.dims)
        return [
            *(f"{name}: {meanings[name]}" for name in self.means),
            f"{counted}: {meanings['betti_numbers']}",
        ]

    def image_table(self, words: bool = False) -> Table:
        """Returns a row for each image: metrics, then Betti numbers, predicted / true.

        With ``words`` there is a column for the worst place as well, too wide for a terminal.
        """
        rows = [
            [name, *(_four_digits(scores.metrics[metric]) for metric in self._shown),
             *(f"{scores.predicted[d]}/{scores.true[d]}" for d in scores.true)]
            for name, scores in self.scores.items()
        ]  # fmt: skip
        numbers = [PIECES[d] for d in self.config.protocol.betti.dims]
        header = ["image", *self._shown.values(), *numbers]
        if words:
            header.append("worst place")
            for row, scores in zip(rows, self.scores.values(), strict=True):
                row.append(at_place(scores.worst[0]) if scores.worst else "-")
        return Table(
            "Images: errors, and pieces predicted/true", header, rows, text=("worst place",)
        )

    def worst_table(self, most: int | None = None) -> Table:
        """Returns the worst places of all images, the largest first, ``most`` of them at most."""
        places = [(place, name) for name, scores in self.scores.items() for place in scores.worst]
        places.sort(key=lambda each: -each[0].pixels)
        rows = [
            [name, str(place.row), str(place.column), str(place.pixels), in_words(place)]
            for place, name in places[:most]
        ]
        header = ["image", "row", "column", "pixels", "what is wrong"]
        return Table("Worst places", header, rows, text=("what is wrong",))

    @property
    def _shown(self) -> dict[str, str]:
        """Short names of the columns, so that the table fits a terminal of 80 characters."""
        return {name: _SHORT[name] for name in self.config.protocol.metrics if name in _SHORT}

    def notes(self) -> Iterator[str]:
        """Yields the sentences that stand below the tables."""
        words = self.conventions
        yield words["all"]
        if "interval" in words:
            yield f"95 % interval: {words['interval']}"
        if self.left_out:
            listed = ", ".join(self.left_out[:5]) + (", ..." if len(self.left_out) > 5 else "")
            yield f"labels without prediction left out ({len(self.left_out)}): {listed}"
        yield from self.unused

    def write(self, folder: Path, pictures: Mapping[str, str] = MappingProxyType({})) -> None:
        """Writes ``report.json``, ``report.md`` and ``images.csv``.

        Args:
            folder: Written into.
            pictures: Files in the folder, and what they show.
        """
        (folder / "report.json").write_text(json.dumps(self._plain(), indent=2) + "\n")
        notes = [f"- {note}" for note in self.notes()]
        tables = (self.total_table().markdown(), self.image_table(words=True).markdown())
        parts = ["# Evaluation", "", tables[0], *notes, "", tables[1]]
        if (worst := self.worst_table()).rows:
            parts += [worst.markdown()]
        parts += [f"{words}:\n\n![{words}]({file})\n" for file, words in pictures.items()]
        page = "\n".join(parts)
        (folder / "report.md").write_text(page, encoding="utf-8")
        rows = [
            {**row, "worst_places": "; ".join(map(at_place, scores.worst))}
            for row, scores in zip(self._rows(), self.scores.values(), strict=True)
        ]
        values = [[str(value) for value in row.values()] for row in rows]
        (folder / "images.csv").write_text(Table("", list(rows[0]), values).csv(), encoding="utf-8")

    def _rows(self) -> list[dict[str, Any]]:
        return [{"image": name, **scores.values} for name, scores in self.scores.items()]

    def _plain(self) -> dict[str, Any]:
        return {
            "toponet": version("toponet"),
            "total": {**self.means, **self.totals},
            "intervals": self.intervals,
            "conventions": self.conventions,
            "images": self._rows(),
            "worst_places": {
                name: [place._asdict() for place in scores.worst]
                for name, scores in self.scores.items()
            },
            "left_out": list(self.left_out),
            "unused": list(self.unused),
            "config": asdict(self.config),
        }


def in_words(place: Place) -> str:
    """What is wrong there."""
    return MISTAKE_STYLES[place.kind][-1]


def at_place(place: Place) -> str:
    """What is wrong, and where."""
    return f"{in_words(place)} at row {place.row}, column {place.column} ({place.pixels} pixels)"


def _four_digits(value: float) -> str:
    """Formats 0.1234 and 123.4: Betti errors may be large, shares of pixels are below 1."""
    return f"{value:.4f}" if value < 1 else f"{value:#.4g}"
