"""The page of an evaluation, and scores as the table of any page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet.evaluation.pairs import Images, Pair
from toponet.evaluation.protocol import HIGHER_IS_BETTER, Protocol
from toponet.evaluation.scores import ImageScores
from toponet.pages import Column, Page, Row, ShownImage, is_mask, most_pixels, with_pictures

if TYPE_CHECKING:
    from toponet.evaluation.report import Evaluation


class Pictures:
    """What the page shows of each image, gathered while the images are read.

    Args:
        count: Number of images.
        protocol: How they are compared.

    Attributes:
        packed: By name.
        notes: What is to be said of images that can't be shown.
    """

    def __init__(self, count: int, protocol: Protocol) -> None:
        """Nothing is gathered yet."""
        self.protocol = protocol
        self.packed: dict[str, dict[str, Any]] = {}
        self.notes: list[str] = []
        self._wanted, self._pixels = with_pictures(count), most_pixels(count)

    def add(self, number: int, pair: Pair, images: Images) -> None:
        """Packs what was read of one pair, and its image if there is one.

        Args:
            number: Of the pair, from 0.
            pair: Whose image is read.
            images: What was compared.
        """
        if number not in self._wanted:
            return
        image = None
        try:
            if pair.truth.image is not None:
                image = as_large_as(images.truth, pair.truth.read_image()[0])
        except ValueError as error:  # The metrics don't need it.
            self.notes.append(f"The image of {pair.name} isn't shown: {error}")
        self.packed[pair.name] = self._shown(image, images).packed(self._pixels)

    def _shown(self, image: NDArray[np.float32] | None, images: Images) -> ShownImage:
        options, connectivity = self.protocol.segmentation, self.protocol.betti.connectivity
        truth, valid = images.truth, images.valid
        if is_mask(images.likelihood):
            return ShownImage(
                likelihood=images.likelihood, masks={"mask": images.likelihood}, image=image,
                truth=truth, valid=valid, connectivity=connectivity,
            )  # fmt: skip
        return ShownImage.segmented(
            images.likelihood, options, cut=options.threshold, connectivity=connectivity,
            image=image, truth=truth, valid=valid,
        )  # fmt: skip


def as_large_as(truth: NDArray[np.generic], image: NDArray[np.float32]) -> NDArray[np.float32]:
    """The image (C, H, W); raises ValueError if it hasn't the size of its truth (H, W)."""
    if image.shape[1:] != truth.shape:
        raise ValueError(
            f"it has {image.shape[1]} x {image.shape[2]} pixels, its truth {truth.shape[0]} x "
            f"{truth.shape[1]}"
        )
    return image


def evaluation_page(evaluation: Evaluation, pictures: Pictures) -> Page:
    """The page with the tables of ``report.md``, and all images."""
    config, meanings = evaluation.config, evaluation.conventions
    by_image = {name: {"": scores} for name, scores in evaluation.scores.items()}
    worst = evaluation.worst_table()
    return Page(
        title="Evaluation",
        summary=[f"{config.predictions} against {config.labels}", *evaluation.notes()],
        notes=pictures.notes,
        tables=[evaluation.total_table(words=False), *([worst] if worst.rows else [])],
        columns=score_columns(list(by_image.values()), meanings),
        rows=[
            Row(name, score_values(scores), pictures.packed.get(name))
            for name, scores in by_image.items()
        ],
        meanings=meanings,
    )


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
