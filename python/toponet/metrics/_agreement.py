"""How far two partitions of the same pixels agree: pairs of pixels, and entropies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def rand_numbers(
    predicted: NDArray[np.integer[Any]], true: NDArray[np.integer[Any]]
) -> tuple[float, float, float]:
    """Adapted Rand F-score, precision and recall of the pixels (n,), labelled from 0 on.

    The precision is the share of the pairs together in the prediction that are together in the
    truth as well; the recall is the other way round. A share of no pairs is 1.
    """
    from skimage.metrics import adapted_rand_error

    pairs_predicted, pairs_true = _holds_pair(predicted), _holds_pair(true)
    if not pairs_predicted and not pairs_true:
        return 1.0, 1.0, 1.0
    # If one of the two holds no pair, its share is 0/0; the error is a number.
    with np.errstate(invalid="ignore"):
        # scikit-image calls the share of the true pairs precision.
        error, recall, precision = adapted_rand_error(true, predicted, ignore_labels=())
    return (
        1.0 - float(error),
        float(precision) if pairs_predicted else 1.0,
        float(recall) if pairs_true else 1.0,
    )


def split_and_merge(
    predicted: NDArray[np.integer[Any]], true: NDArray[np.integer[Any]]
) -> tuple[float, float]:
    """Conditional entropies in bits of the pixels (n,), labelled from 0 on; (0, 0) of none."""
    from skimage.metrics import variation_of_information

    if len(true) == 0:
        return 0.0, 0.0
    split, merge = variation_of_information(true, predicted, ignore_labels=())
    return float(split), float(merge)


def _holds_pair(labels: NDArray[np.integer[Any]]) -> bool:
    """Whether two pixels have the same label."""
    return bool((np.bincount(labels) > 1).any())
