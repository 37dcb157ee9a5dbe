"""Metrics of label maps: numbered instances, such as neurons, cells or bricks.

Instances are compared as they are numbered. They aren't taken apart into connected components, so
two pieces of one instance belong together. :mod:`toponet.metrics.partition` compares masks by the
cells that their structure encloses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet._ground.spaces import IMAGES, Space, space_of
from toponet._ground.validation import check_choice
from toponet.metrics._agreement import rand_numbers, split_and_merge
from toponet.metrics.inputs import Labels, Masks, labels_to_compare, mean_over_images
from toponet.metrics.partition import VariationOfInformationResult

PREDICTED_BACKGROUNDS = ("segment", "pixels", "ignored")
_IN_WORDS = {
    "segment": "predicted background is one more segment",
    "pixels": "each pixel of predicted background is a segment",
    "ignored": "predicted background excluded",
}


@dataclass(frozen=True)
class InstanceConvention:
    """Which pixels of label maps are compared; ``str`` says it in words.

    Attributes:
        background: The number that is no instance; None = all numbers are instances.
        predicted_background: What is made of background that the prediction has within true
            instances: "segment", "pixels" or "ignored".

    Raises:
        TypeError: If the background isn't a whole number.
        ValueError: If ``predicted_background`` is another word, or has no meaning.
    """

    background: int | None = 0
    predicted_background: str = "segment"

    def __post_init__(self) -> None:
        """Checks the two."""
        background = self.background
        if background is not None and (
            isinstance(background, bool) or not isinstance(background, (int, np.integer))
        ):
            raise TypeError(f"background must be a whole number or None, got {background!r}")
        name = "predicted_background"
        check_choice(name, self.predicted_background, PREDICTED_BACKGROUNDS)
        if background is None and self.predicted_background != "segment":
            raise ValueError(f"{name} has no meaning without background: leave it out")

    def __str__(self) -> str:
        """What is compared."""
        if self.background is None:
            return "instances by number, no background"
        return (
            f"instances by number, true background ({self.background}) excluded, "
            f"{_IN_WORDS[self.predicted_background]}"
        )


class InstanceRandResult(NamedTuple):
    """Adapted Rand F-score with its two parts, in [0, 1].

    Attributes:
        score: The harmonic mean of precision and recall in each image, mean over images.
        precision: Of the pairs of pixels together in the prediction, the share that is together in
            the truth. It is small if instances grow together.
        recall: Of the pairs together in the truth, the share that is together in the prediction. It
            is small if instances are split.
    """

    score: float
    precision: float
    recall: float


def instance_rand_score(
    prediction: Masks,
    target: Masks,
    *,
    spatial_dims: int = 2,
    background: int | None = 0,
    predicted_background: str = "segment",
    valid: Masks | None = None,
) -> InstanceRandResult:
    """Adapted Rand F-score of two label maps, with precision and recall, mean over images.

    If no two pixels are together, neither in the prediction nor in the truth, all three are 1. This
    includes a truth that is all background. If pixels are together on one side only, the score and
    the share of this side's pairs are 0, and the share of no pairs is 1.

    Args:
        prediction: (H, W) or (B, H, W), numbers of the instances in any whole dtype, numpy or
            torch. Numbers may be large, negative and differ from those of the truth. With
            ``spatial_dims=3`` a volume, (D, H, W) or (B, D, H, W).
        target: Label map of the same shape.
        spatial_dims: 2 = images, 3 = volumes.
        background: The number that is no instance, in both maps. Where the truth has it, pixels are
            excluded. None = all numbers are instances.
        predicted_background: What is made of background that the prediction has within true
            instances. "segment": one more segment, as in scikit-image. "pixels": each pixel is a
            segment of its own, as in the script of the SNEMI3D challenge. "ignored": excluded.
        valid: The same shape: 1 where a pixel counts; None = everywhere. A pixel that doesn't count
            is excluded. An image in which no pixel counts isn't part of the mean.

    Raises:
        TypeError: If a label map doesn't hold whole numbers or is a masked array, or an option has
            the wrong type.
        ValueError: If shapes differ, no pixel counts, or an option is out of range.

    Cost: sorting the pixels of each image.

    Source: Arganda-Carreras et al., Frontiers in Neuroanatomy (2015).

    Example:
        >>> from toponet.metrics import instance_rand_score
        >>> truth = [[1, 1, 1, 0, 2, 2, 2]]
        >>> merged = [[7, 7, 7, 7, 7, 7, 7]]
        >>> instance_rand_score(merged, truth)  # 6 pairs of 15 belong together, and all are found.
        InstanceRandResult(score=0.5714285714285714, precision=0.4, recall=1.0)
    """
    convention = InstanceConvention(background, predicted_background)
    rows = instance_rand_rows(prediction, target, convention, valid, space_of(spatial_dims))
    return InstanceRandResult(*mean_over_images(rows))


def instance_variation_of_information(
    prediction: Masks,
    target: Masks,
    *,
    spatial_dims: int = 2,
    background: int | None = 0,
    predicted_background: str = "segment",
    valid: Masks | None = None,
) -> VariationOfInformationResult:
    """Variation of information between two label maps, split and merge in bits, mean over images.

    Both are 0 for equal partitions, and for a truth that is all background. Arguments and errors
    are those of :func:`instance_rand_score`.

    Args:
        prediction: Label map (H, W) or (B, H, W); a volume (D, H, W) or (B, D, H, W).
        target: Label map of the same shape.
        spatial_dims: 2 = images, 3 = volumes.
        background: The number that is no instance; None = all numbers are instances.
        predicted_background: "segment", "pixels" or "ignored".
        valid: The same shape: 1 where a pixel counts.

    Raises:
        TypeError: For the reasons of :func:`instance_rand_score`.
        ValueError: For the reasons of :func:`instance_rand_score`.

    Source: Meila, "Comparing clusterings" (2007).
    """
    convention = InstanceConvention(background, predicted_background)
    rows = instance_entropies(prediction, target, convention, valid, space_of(spatial_dims))
    return VariationOfInformationResult(*mean_over_images(rows))


def describe_instance_rand(convention: InstanceConvention) -> str:
    """The convention of :func:`instance_rand_score` in words."""
    return f"adapted Rand F-score; {convention}"


def describe_instance_information(convention: InstanceConvention) -> str:
    """The convention of :func:`instance_variation_of_information` in words."""
    return f"split and merge in bits; {convention}"


def instance_rand_rows(
    prediction: Masks,
    target: Masks,
    convention: InstanceConvention,
    valid: Masks | None = None,
    space: Space = IMAGES,
) -> NDArray[np.float64]:
    """(images, 3) Score, precision and recall of each image in which a pixel counts."""
    maps = _partitions(labels_to_compare(prediction, target, valid, space), convention)
    return np.reshape([rand_numbers(*pair) for pair in maps], (-1, 3))


def instance_entropies(
    prediction: Masks,
    target: Masks,
    convention: InstanceConvention,
    valid: Masks | None = None,
    space: Space = IMAGES,
) -> NDArray[np.float64]:
    """(images, 2) Split and merge of each image in which a pixel counts."""
    maps = _partitions(labels_to_compare(prediction, target, valid, space), convention)
    return np.reshape([split_and_merge(*pair) for pair in maps], (-1, 2))


def _partitions(
    compared: Labels, convention: InstanceConvention
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Of each image, the pixels (n,) that are compared, numbered from 0 on in both maps."""
    background, pairs = convention.background, []
    for k in compared.images:
        predicted, true = compared.prediction[k], compared.target[k]
        kept = np.ones(true.shape, bool) if compared.valid is None else compared.valid[k]
        if background is not None:
            kept = kept & (true != background)
            if convention.predicted_background == "ignored":
                kept = kept & (predicted != background)
        pairs.append((_numbered(predicted[kept]), _numbered(true[kept])))
        if convention.predicted_background == "pixels":
            loose = predicted[kept] == background
            pairs[-1][0][loose] = loose.size + np.arange(loose.sum())
    return pairs


def _numbered(labels: NDArray[Any]) -> NDArray[np.int64]:
    """The same partition, numbered from 0 on: the labels may be as large as 64 bits allow."""
    numbers: NDArray[np.int64] = np.unique(labels, return_inverse=True)[1].reshape(-1)
    return numbers.astype(np.int64)
