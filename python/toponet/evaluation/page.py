"""Scores as the table of a report's page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from toponet.evaluation.protocol import HIGHER_IS_BETTER
from toponet.evaluation.scores import ImageScores
from toponet.pages import Column


def score_columns(
    images: Sequence[Mapping[str, ImageScores]], meanings: Mapping[str, str]
) -> list[Column]:
    """A column for each number that an image has, whatever metrics there are.

    Args:
        images: The scores of each image, for each way to make masks; groups of columns have the
            names of the ways.
        meanings: What the numbers mean, by name.
    """
    ways = dict.fromkeys(way for scores in images for way in scores)
    return [
        Column(
            key=_key(way, name),
            label=name.replace("_", " "),
            higher_is_better=name in HIGHER_IS_BETTER if is_metric else None,
            group=way,
            meaning=meanings.get(name, ""),
        )
        for way in ways
        for name, is_metric in _names(scores[way] for scores in images if way in scores).items()
    ]


def _names(images: Iterable[ImageScores]) -> dict[str, bool]:
    """The names of all numbers, and whether they are metrics; others are counts."""
    return {name: name in scores.metrics for scores in images for name in scores.values}


def score_values(scores: Mapping[str, ImageScores]) -> dict[str, float]:
    """The numbers of one image, by the keys of its columns."""
    return {
        _key(group, name): value
        for group, way in scores.items()
        for name, value in way.values.items()
    }


def _key(group: str, name: str) -> str:
    return f"{group}: {name}"
