"""Other thresholds than 0.5: chosen on training images, or with the truth as in the paper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from toponet.metrics.partition import rand_scores

THRESHOLDS = tuple(k / 20 for k in range(4, 17))  # 0.2, 0.25 ... 0.8.

Likelihoods = Sequence[NDArray[np.float32]]
Masks = Sequence[NDArray[np.bool_]]


def most_accurate(likelihoods: Likelihoods, truths: Masks) -> float:
    """That of ``THRESHOLDS`` with the most equal pixels; among equals the one nearest to 0.5."""

    def key(threshold: float) -> tuple[int, float]:
        wrong = sum(
            np.count_nonzero((f >= threshold) != g)
            for f, g in zip(likelihoods, truths, strict=True)
        )
        return int(wrong), abs(threshold - 0.5)

    return min(THRESHOLDS, key=key)


def maximal_ari(likelihoods: Likelihoods, truths: Masks, connectivity: int) -> float:
    """The paper's: at the best of 19 thresholds, one for all images, seen with their truth."""
    scores = [
        rand_scores(f[None], g[None], connectivity, maximal=True)[0]
        for f, g in zip(likelihoods, truths, strict=True)
    ]
    return float(np.mean(scores, axis=0).max())
