"""Metrics of the partition into cells: the regions that the structure encloses.

Cells are the connected components of the background, under the dual of the foreground's
connectivity. Pixels that are structure in the truth are excluded from both partitions (the
"foreground-restricted" Rand index of the paper); predicted structure inside a true cell is one
more segment there, as in scikit-image.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet._validation import check_connectivity, check_flag
from toponet.labelling import label_cells
from toponet.metrics._inputs import Masks, likelihood_and_mask, mask_pair

THRESHOLDS = tuple(k / 20 for k in range(1, 20))


class VariationOfInformationResult(NamedTuple):
    """In bits; their sum is the variation of information.

    Attributes:
        split: Conditional entropy of the prediction given the truth: true cells cut in pieces.
        merge: Conditional entropy of the truth given the prediction: true cells grown together.
    """

    split: float
    merge: float


def adapted_rand_score(
    prediction: Masks, target: Masks, *, connectivity: int = 8, maximal: bool = False
) -> float:
    """Adapted Rand F-score of the cells, in [0, 1], mean over images; 1 is perfect.

    One minus scikit-image's ``adapted_rand_error``; the "ARI" of the paper. Images without a pair
    of pixels to compare (a truth that is all structure) score 1.

    Args:
        prediction: (H, W) or (B, H, W), a mask or a likelihood in [0, 1], numpy or torch; cut at
            0.5 (>= is structure).
        target: Mask of the same shape, 1 = structure.
        connectivity: Of the structure; cells have the dual one.
        maximal: The best mean over the thresholds 0.05, 0.10, ..., 0.95, one threshold for all
            images: the paper's "maximal F-score".

    Raises:
        ValueError: If shapes differ or values are out of range.

    Source: Arganda-Carreras et al., Frontiers in Neuroanatomy (2015).
    """
    scores = rand_scores(prediction, target, connectivity, maximal)
    return float(scores.mean(axis=0).max())


def variation_of_information(
    prediction: Masks, target: Masks, *, connectivity: int = 8
) -> VariationOfInformationResult:
    """Variation of information between the cells, in bits, mean over images; 0 is perfect.

    scikit-image's ``variation_of_information``, split and merge apart. Images whose truth is all
    structure have (0, 0).

    Args:
        prediction: Mask (H, W) or (B, H, W), 1 = structure, numpy or torch.
        target: Mask of the same shape.
        connectivity: Of the structure; cells have the dual one.

    Raises:
        ValueError: If shapes differ, or a value is neither 0 nor 1.

    Source: Meila, "Comparing clusterings" (2007).
    """
    split, merge = conditional_entropies(prediction, target, connectivity).mean(axis=0)
    return VariationOfInformationResult(float(split), float(merge))


def rand_scores(
    prediction: Masks, target: Masks, connectivity: int, maximal: bool
) -> NDArray[np.float64]:
    """(B, thresholds) adapted Rand F-scores, at 0.5 or at all :data:`THRESHOLDS`."""
    check_connectivity(connectivity)
    check_flag("maximal", maximal)
    likelihood, truth = likelihood_and_mask(prediction, target)
    scores = []
    for f, g in zip(likelihood, truth, strict=True):
        cells = label_cells(g, connectivity)
        thresholds = THRESHOLDS if maximal else (0.5,)
        scores.append([_rand_score(label_cells(f >= t, connectivity), cells) for t in thresholds])
    return np.array(scores)


def conditional_entropies(
    prediction: Masks, target: Masks, connectivity: int
) -> NDArray[np.float64]:
    """(B, 2) split and merge of each image, in bits."""
    from skimage.metrics import variation_of_information as entropies

    check_connectivity(connectivity)
    predicted, truth = mask_pair(prediction, target)
    per_image = []
    for f, g in zip(predicted, truth, strict=True):
        if g.all():
            per_image.append((0.0, 0.0))
            continue
        cells = (label_cells(g, connectivity), label_cells(f, connectivity))
        per_image.append(entropies(*cells, ignore_labels=(0,)))
    return np.array(per_image)


def _rand_score(predicted_cells: NDArray[np.int64], true_cells: NDArray[np.int64]) -> float:
    from skimage.metrics import adapted_rand_error

    if np.count_nonzero(true_cells) < 2:
        return 1.0
    with np.errstate(invalid="ignore"):  # No pair in common on one side: 0/0, handled below.
        error, *_ = adapted_rand_error(true_cells, predicted_cells, ignore_labels=(0,))
    return 0.0 if np.isnan(error) else 1.0 - float(error)
