"""How good a segmentation by persistence is on labelled images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet._ground.valid import taken_for_structure, valid_pixels
from toponet._ground.validation import binary_mask, limited_threads, thread_count
from toponet.metrics import (
    BettiConvention,
    adapted_rand_score,
    betti_error,
    pixel_accuracy,
    variation_of_information,
)
from toponet.metrics.inputs import Masks, likelihood_without_channel, to_numpy
from toponet.topology.segmentation import SegmentationOptions, segment_images


class LabelledImage(NamedTuple):
    """One image, (H, W) each.

    Attributes:
        likelihood: float32 or float64; 1 where a pixel doesn't count.
        truth: Mask; True where a pixel doesn't count.
        valid: Which pixels count; None = all.
    """

    likelihood: NDArray[Any]
    truth: NDArray[np.bool_]
    valid: NDArray[np.bool_] | None


@dataclass(frozen=True)
class Metric:
    """What a choice is judged by.

    Attributes:
        label: Its name in a sentence.
        sign: 1 if a larger score is better, -1 if a smaller one is.
        score: Gives the score of a mask, from (mask, image, convention).
        describe: Gives how it is counted, in words, from the convention.
    """

    label: str
    sign: int
    score: Callable[[NDArray[np.bool_], LabelledImage, BettiConvention], float]
    describe: Callable[[BettiConvention], str]


def _variation(mask: NDArray[np.bool_], image: LabelledImage, convention: BettiConvention) -> float:
    connectivity = convention.connectivity
    return sum(
        variation_of_information(mask, image.truth, connectivity=connectivity, valid=image.valid)
    )


def _rand(mask: NDArray[np.bool_], image: LabelledImage, convention: BettiConvention) -> float:
    connectivity = convention.connectivity
    return adapted_rand_score(mask, image.truth, connectivity=connectivity, valid=image.valid)


def _betti(mask: NDArray[np.bool_], image: LabelledImage, convention: BettiConvention) -> float:
    error = betti_error(
        mask,
        image.truth,
        patches=convention.patches,
        patch_size=convention.patch_size,
        seed=convention.seed,
        connectivity=convention.connectivity,
        frame=convention.frame,
        dims=convention.dims,
        valid=image.valid,
    )
    return sum(error)


def _accuracy(mask: NDArray[np.bool_], image: LabelledImage, convention: BettiConvention) -> float:
    return pixel_accuracy(mask, image.truth, valid=image.valid)


def _of_cells(what: str, convention: BettiConvention) -> str:
    return f"{what} between the cells, connectivity {convention.connectivity} of the structure"


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "voi": Metric("VOI", -1, _variation, partial(_of_cells, "split + merge in bits")),
        "ari": Metric("ARI", 1, _rand, partial(_of_cells, "adapted Rand F-score")),
        "betti": Metric("Betti error", -1, _betti, str),
        "accuracy": Metric("accuracy", 1, _accuracy, lambda _: "share of equal pixels"),
    }
)


def labelled_images(
    likelihoods: Sequence[Masks],
    truths: Sequence[Masks],
    valid: Sequence[Masks | None] | None,
) -> list[LabelledImage]:
    """The images in which a pixel counts.

    Raises:
        TypeError: If one holds no numbers.
        ValueError: If there is none, their numbers or shapes differ, or a value is out of range.
    """
    if len(likelihoods) == 0:
        raise ValueError("likelihoods must hold at least one image, got none")
    for name, others in (("truths", truths), ("valid", valid)):
        if others is not None and len(others) != len(likelihoods):
            raise ValueError(
                f"{name} must hold one mask for each likelihood, got {len(others)} for "
                f"{len(likelihoods)} likelihoods"
            )
    counted: Sequence[Masks | None] = [None] * len(likelihoods) if valid is None else valid
    images = [
        _labelled_image(k, *each)
        for k, each in enumerate(zip(likelihoods, truths, counted, strict=True))
    ]
    images = [each for each in images if each.valid is None or each.valid.any()]
    if not images:
        raise ValueError("valid must hold at least one pixel that counts")
    return images


def _labelled_image(k: int, likelihood: Masks, truth: Masks, valid: Masks | None) -> LabelledImage:
    name = f"likelihoods[{k}]"
    values = likelihood_without_channel(name, likelihood)
    labels = to_numpy(f"truths[{k}]", truth)
    for what, array in ((name, values), (f"truths[{k}]", labels)):
        if array.ndim != 2 or array.size == 0:
            raise ValueError(f"{what} must be one image of shape (H, W), got {array.shape}")
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    if values.dtype not in (np.float32, np.float64):
        raise TypeError(f"{name} must hold probabilities of a float type, got {values.dtype}")
    if values.shape != labels.shape:
        raise ValueError(
            f"likelihoods[{k}] and truths[{k}] must have the same shape, got {values.shape} and "
            f"{labels.shape}"
        )
    try:
        counts = valid_pixels(None if valid is None else to_numpy("valid", valid), values.shape)
    except ValueError as error:
        raise ValueError(f"image {k}: {error}") from None
    values = taken_for_structure(values, counts)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(
            f"{name} must hold probabilities in [0, 1], got values from {values.min()} to "
            f"{values.max()}: apply the sigmoid to logits, divide a scale of 0 to 255 by 255"
        )
    mask = binary_mask(f"truths[{k}]", taken_for_structure(labels, counts))
    return LabelledImage(np.ascontiguousarray(values), mask, counts)


class Scorer:
    """Scores options on labelled images, which are distributed over threads."""

    def __init__(
        self,
        images: Sequence[LabelledImage],
        metric: Metric,
        convention: BettiConvention,
        num_threads: int | None,
    ) -> None:
        """Keeps what all trials have in common."""
        self.images, self.metric, self.convention = images, metric, convention
        threads = thread_count(num_threads)
        self._workers = min(threads, len(images))
        self._threads_each = threads // self._workers  # More than one if there are few images.

    def means(self, options: SegmentationOptions) -> tuple[float, float]:
        """Score and pixel accuracy, means over the images."""
        with limited_threads(self._threads_each), ThreadPoolExecutor(self._workers) as pool:
            rows = list(pool.map(partial(self._score, options), self.images))
        score, accuracy = np.mean(rows, axis=0).tolist()
        return score, accuracy

    def _score(self, options: SegmentationOptions, image: LabelledImage) -> tuple[float, float]:
        result = segment_images(
            image.likelihood,
            options,
            dims=self.convention.dims,
            connectivity=self.convention.connectivity,
            frame=bool(self.convention.frame),
        )
        accuracy = pixel_accuracy(result.mask, image.truth, valid=image.valid)
        return self.metric.score(result.mask, image, self.convention), accuracy
