"""Metrics of the partition into cells: the regions that the structure encloses.

Cells are the connected components of the background, under the dual of the foreground's
connectivity. A pixel that is structure in the truth belongs to neither partition (the
"foreground-restricted" Rand index of the paper). Nor does a pixel that doesn't count. Predicted
structure inside a true cell is one more segment of the cell, as in scikit-image. Volumes have cells
too: the spaces that walls enclose.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet._ground.spaces import IMAGES, Space, space_of
from toponet._ground.validation import check_connectivity, check_flag, chosen_connectivity
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
    spatial_dims: int = 2,
    connectivity: int | None = None,
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
            at 0.5 (>= is structure). With ``spatial_dims=3`` a volume, (D, H, W) or (B, D, H, W).
        target: Mask of the same shape, 1 = structure.
        spatial_dims: 2 = images, 3 = volumes.
        connectivity: Connectivity of the structure, 8 (default) or 4, in volumes 26 (default) or 6;
            cells have the dual one.
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
    space = space_of(spatial_dims)
    structure = chosen_connectivity(connectivity, space)
    return max(mean_over_images(rand_scores(prediction, target, structure, maximal, valid, space)))


def variation_of_information(
    prediction: Masks,
    target: Masks,
    *,
    spatial_dims: int = 2,
    connectivity: int | None = None,
    valid: Masks | None = None,
) -> VariationOfInformationResult:
    """Variation of information between the cells, in bits, mean over images; 0 is perfect.

    These are the numbers of scikit-image's ``variation_of_information``: split and merge apart. An
    image whose truth is all structure, or has a single pixel of background, has (0, 0).

    Args:
        prediction: Mask (H, W) or (B, H, W), 1 = structure, numpy or torch; a volume (D, H, W) or
            (B, D, H, W).
        target: Mask of the same shape.
        spatial_dims: 2 = images, 3 = volumes.
        connectivity: The same as in :func:`adapted_rand_score`.
        valid: The same as in :func:`adapted_rand_score`.

    Raises:
        TypeError: If an array doesn't hold numbers, or is a masked array.
        ValueError: If shapes differ, a value that counts is neither 0 nor 1, or no pixel counts.

    Source: Meila, "Comparing clusterings" (2007).
    """
    space = space_of(spatial_dims)
    structure = chosen_connectivity(connectivity, space)
    rows = conditional_entropies(prediction, target, structure, valid, space)
    return VariationOfInformationResult(*mean_over_images(rows))


def describe_rand_score(connectivity: int, maximal: bool = False, space: Space = IMAGES) -> str:
    """The convention of :func:`adapted_rand_score` in words."""
    best = f"the best of {len(THRESHOLDS)} thresholds; " if maximal else ""
    return f"adapted Rand F-score; {best}{_describe_cells(connectivity, space)}"


def describe_information(connectivity: int, space: Space = IMAGES) -> str:
    """The convention of :func:`variation_of_information` in words."""
    return f"split + merge in bits; {_describe_cells(connectivity, space)}"


def rand_scores(
    prediction: Masks,
    target: Masks,
    connectivity: int,
    maximal: bool,
    valid: Masks | None = None,
    space: Space = IMAGES,
) -> NDArray[np.float64]:
    """(images, thresholds) Adapted Rand F-scores, at 0.5 or at all :data:`THRESHOLDS`.

    There is a row for each image in which a pixel counts.
    """
    check_connectivity(connectivity, space)
    check_flag("maximal", maximal)
    compared = likelihood_to_compare(prediction, target, valid, space)
    thresholds = THRESHOLDS if maximal else (0.5,)
    scores = []
    for k in compared.images:
        cells = _cells(compared.target[k], connectivity, space)
        cuts = (compared.prediction[k] >= threshold for threshold in thresholds)
        pairs = (_of_true_cells(_cells(cut, connectivity, space), cells) for cut in cuts)
        scores.append([rand_numbers(*pair)[0] for pair in pairs])
    return np.reshape(scores, (-1, len(thresholds)))


def conditional_entropies(
    prediction: Masks,
    target: Masks,
    connectivity: int,
    valid: Masks | None = None,
    space: Space = IMAGES,
) -> NDArray[np.float64]:
    """(images, 2) Split and merge in bits, for each image in which a pixel counts."""
    check_connectivity(connectivity, space)
    compared = masks_to_compare(prediction, target, valid, space)
    per_image = []
    for k in compared.images:
        masks = compared.prediction[k], compared.target[k]
        cells = (_cells(mask, connectivity, space) for mask in masks)
        per_image.append(split_and_merge(*_of_true_cells(*cells)))
    return np.reshape(per_image, (-1, 2))


def _describe_cells(connectivity: int, space: Space) -> str:
    return (
        f"cells = {space.dual(connectivity)}-connected components of the background, "
        f"{space.element}s of true structure excluded"
    )


def _cells(mask: NDArray[np.generic], connectivity: int, space: Space) -> NDArray[np.int64]:
    return label_cells(mask, connectivity, spatial_dims=space.spatial_dims)


def _of_true_cells(
    predicted: NDArray[np.int64], true: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The labels of the pixels that lie in true cells, (n,) each."""
    compared = true > 0
    return predicted[compared], true[compared]
