"""Matching of whole batches with binary truths, without a Python loop: the loss's path.

The truth g of a binary mask has all its dots at (1, 0), so the optimum is closed-form (see
:mod:`toponet.matching`) and one sort serves all images and dimensions of the batch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet.diagrams import PersistenceDiagrams
from toponet.matching import selection_key

TARGET = np.array([1.0, 0.0])  # Birth and death of every dot of a binary image.
UNMATCHED_TARGET_COST = 0.5  # Its squared distance to the diagonal.


class Residuals(NamedTuple):
    """How far each dot of f is from where it should be.

    Attributes:
        cost: (B,) float64. Cost of the optimal matching of each image, all dimensions together.
        residuals: (n, 2) float64. Birth and death minus their targets, 0 where nothing pulls.
    """

    cost: NDArray[np.float64]
    residuals: NDArray[np.float64]


def match_binary(
    diagrams_f: PersistenceDiagrams,
    diagrams_g: PersistenceDiagrams,
    matching: str,
    min_persistence: float,
) -> Residuals:
    """Matches the diagrams of B images with those of their binary truths.

    Both sides must come from the same dims, connectivity and frame. The modes are those of
    :func:`toponet.match`; cost and partners are the same, image by image.

    Cost: O(n log n) for n dots in the whole batch.
    """
    batch = len(diagrams_f)
    groups = 2 * batch
    group_f, group_g = _groups(diagrams_f), _groups(diagrams_g)
    values = diagrams_f.values.astype(np.float64)
    essential_f = np.isneginf(values[:, 1])
    essential_g = np.isneginf(diagrams_g.values[:, 1])
    counts_f = np.bincount(group_f[~essential_f], minlength=groups)
    counts_g = np.bincount(group_g[~essential_g], minlength=groups)

    matched = np.zeros(len(values), dtype=bool)
    dots = np.flatnonzero(~essential_f)
    keys = selection_key(values[dots], TARGET, matching)
    order = np.lexsort((-keys, group_f[dots]))  # Stable: among equal keys the first row wins.
    starts = np.cumsum(counts_f) - counts_f
    rank = np.arange(len(dots)) - np.repeat(starts, counts_f)
    chosen = rank < np.repeat(counts_g, counts_f)
    if matching == "wasserstein":
        chosen &= keys[order] > 0
    matched[dots[order[chosen]]] = True

    birth, death = values.T
    with np.errstate(invalid="ignore"):
        middle = values.sum(axis=1, keepdims=True) / 2
        residuals = values - np.where(matched[:, None], TARGET, middle)
    residuals[~matched & ~(birth - death > min_persistence)] = 0
    # With binary truths there is one essential class on each side, or none (framed).
    residuals[essential_f, 0] = birth[essential_f] - diagrams_g.values[essential_g, 0]
    residuals[essential_f, 1] = 0

    cost = np.bincount(group_f, weights=(residuals**2).sum(axis=1), minlength=groups)
    missing = counts_g - np.bincount(group_f[matched], minlength=groups)
    cost = cost + UNMATCHED_TARGET_COST * missing
    return Residuals(cost.reshape(batch, 2).sum(axis=1), residuals)


def gradient_map(
    diagrams: PersistenceDiagrams, residuals: NDArray[np.float64], shape: tuple[int, ...]
) -> NDArray[Any]:
    """Gradient of the cost with respect to the pixels (paper, eq. 2.3), in the diagrams' dtype.

    Twice the residual at each critical pixel, summed where a pixel serves several dots; the frame
    takes none.

    Args:
        diagrams: Of B images of shape (H, W).
        residuals: (n, 2), as of :func:`match_binary`.
        shape: (B, H, W).
    """
    image = np.repeat(np.arange(len(diagrams)), np.diff(diagrams.splits))
    positions = image[:, None] * (shape[1] * shape[2]) + diagrams.pixels
    pulled = (diagrams.pixels >= 0) & (residuals != 0)
    gradient = np.bincount(
        positions[pulled], weights=2 * residuals[pulled], minlength=int(np.prod(shape))
    )
    return gradient.astype(diagrams.values.dtype).reshape(shape)


def _groups(diagrams: PersistenceDiagrams) -> NDArray[np.int64]:
    """Twice the image's index plus the dimension, for each row."""
    image = np.repeat(np.arange(len(diagrams)), np.diff(diagrams.splits))
    return 2 * image + diagrams.dimensions
