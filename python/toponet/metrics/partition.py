"""Metrics of the partition into cells: the regions that the structure encloses.

Cells are the connected components of the background, under the dual of the foreground's
connectivity. A pixel that is structure in the truth belongs to neither partition (the
"foreground-restricted" Rand index of the paper). Nor does a pixel that doesn't count. Predicted
structure inside a true cell is one more segment of the cell, as in scikit-image.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_connectivity, check_flag
from toponet.metrics._agreement import rand_numbers, split_and_merge
from toponet.metrics.inputs import (
    Masks,
    likelihood_to_compare,
    masks_to_compare,
    mean_over_images,
)
from toponet.topology.labelling import label_cells

THRESHOLDS = tuple(k / 20 for k in range(1, 20))


class VariationOfInformationResult(NamedTuple):
    """The two parts of the variation of information, in bits.

    Attributes:
        split: Conditional entropy of the prediction given the truth. It is large if true cells are
            cut in pieces.
        merge: Conditional entropy of the truth given the prediction. It is large if true cells grow
            together.
    """

    split: float
    merge: float


def adapted_rand_score(
    prediction: Masks,
    target: Masks,
    *,
    connectivity: int = 8,
    maximal: bool = False,
    valid: Masks | None = None,
) -> float:
    """Adapted Rand F-score of the cells, in [0, 1], mean over images; 1 is perfect.

    The score is one minus scikit-image's ``adapted_rand_error``: the "ARI" of the paper. It counts
    pairs of pixels of true cells: F = 2 together in both / (together in the prediction + together
    in the truth).

    If no two pixels are together on either side, F would be 0 / 0. This happens if every cell has
    one pixel, and if the truth is all structure. The partitions are then the same, and the score is
    1. If pixels are together on one side only, the score is 0. If the truth has no structure, it is
    one cell. A prediction that is all structure then is one segment too, and scores 1.

    Args:
        prediction: (H, W) or (B, H, W), a mask or a likelihood in [0, 1], numpy or torch. It is cut
            at 0.5 (>= is structure).
        target: Mask of the same shape, 1 = structure.
        connectivity: Connectivity of the structure; cells have the dual one.
        maximal: Whether to take the best of the thresholds 0.05, 0.10, ..., 0.95: the paper's
            "maximal F-score". One threshold holds for all images.
        valid: The same shape: 1 where a pixel counts; None = everywhere. A pixel that doesn't count
            is taken for structure in both. An image in which no pixel counts isn't part of the
            mean.

    Raises:
        TypeError: If an array doesn't hold numbers, or is a masked array.
        ValueError: If shapes differ, values that count are out of range, or no pixel counts.

    Source: Arganda-Carreras et al., Frontiers in Neuroanatomy (2015).
    """
    return max(mean_over_images(rand_scores(prediction, target, connectivity, maximal, valid)))


def variation_of_information(
    prediction: Masks, target: Masks, *, connectivity: int = 8, valid: Masks | None = None
) -> VariationOfInformationResult:
    """Variation of information between the cells, in bits, mean over images; 0 is perfect.

    These are the numbers of scikit-image's ``variation_of_information``: split and merge apart. An
    image whose truth is all structure, or has a single pixel of background, has (0, 0).

    Args:
        prediction: Mask (H, W) or (B, H, W), 1 = structure, numpy or torch.
        target: Mask of the same shape.
        connectivity: Connectivity of the structure; cells have the dual one.
        valid: The same as in :func:`adapted_rand_score`.

    Raises:
        TypeError: If an array doesn't hold numbers, or is a masked array.
        ValueError: If shapes differ, a value that counts is neither 0 nor 1, or no pixel counts.

    Source: Meila, "Comparing clusterings" (2007).
    """
    rows = conditional_entropies(prediction, target, connectivity, valid)
    return VariationOfInformationResult(*mean_over_images(rows))


def describe_rand_score(connectivity: int, maximal: bool = False) -> str:
    """The convention of :func:`adapted_rand_score` in words."""
    best = f"the best of {len(THRESHOLDS)} thresholds; " if maximal else ""
    return f"adapted Rand F-score; {best}{_describe_cells(connectivity)}"


def describe_information(connectivity: int) -> str:
    """The convention of :func:`variation_of_information` in words."""
    return f"split + merge in bits; {_describe_cells(connectivity)}"


def rand_scores(
    prediction: Masks,
    target: Masks,
    connectivity: int,
    maximal: bool,
    valid: Masks | None = None,
) -> NDArray[np.float64]:
    """(images, thresholds) Adapted Rand F-scores, at 0.5 or at all :data:`THRESHOLDS`.

    There is a row for each image in which a pixel counts.
    """
    check_connectivity(connectivity)
    check_flag("maximal", maximal)
    compared = likelihood_to_compare(prediction, target, valid)
    thresholds = THRESHOLDS if maximal else (0.5,)
    scores = []
    for k in compared.images:
        cells = label_cells(compared.target[k], connectivity)
        cuts = (compared.prediction[k] >= threshold for threshold in thresholds)
        pairs = (_of_true_cells(label_cells(cut, connectivity), cells) for cut in cuts)
        scores.append([rand_numbers(*pair)[0] for pair in pairs])
    return np.reshape(scores, (-1, len(thresholds)))


def conditional_entropies(
    prediction: Masks, target: Masks, connectivity: int, valid: Masks | None = None
) -> NDArray[np.float64]:
    """(images, 2) Split and merge in bits, for each image in which a pixel counts."""
    check_connectivity(connectivity)
    compared = masks_to_compare(prediction, target, valid)
    per_image = []
    for k in compared.images:
        masks = compared.prediction[k], compared.target[k]
        cells = (label_cells(mask, connectivity) for mask in masks)
        per_image.append(split_and_merge(*_of_true_cells(*cells)))
    return np.reshape(per_image, (-1, 2))


def _describe_cells(connectivity: int) -> str:
    return (
        f"cells = {12 - connectivity}-connected components of the background, pixels of true "
        "structure excluded"
    )


def _of_true_cells(
    predicted: NDArray[np.int64], true: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The labels of the pixels that lie in true cells, (n,) each."""
    compared = true > 0
    return predicted[compared], true[compared]
