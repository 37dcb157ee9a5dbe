"""What differences between runs say, when the runs of one fold share their images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import stats

RESAMPLES = 10_000
CONFIDENCE = 0.95


def p_value(differences: NDArray[np.float64]) -> float:
    """Of a two-sided paired permutation test: signs flipped, exactly if there are few pairs.

    Raises:
        ValueError: If a difference isn't finite.
    """
    if not np.isfinite(differences).all():
        raise ValueError(f"differences must be finite, got {differences}")
    if len(differences) < 2 or not differences.any():
        return 1.0
    test = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, rng=0
    )
    return float(test.pvalue)


def fold_means(differences: Mapping[tuple[int, int], float]) -> NDArray[np.float64]:
    """Returns the mean difference of each fold; the differences come by fold and seed.

    Seeds of a fold are measured on the same images, so their differences aren't independent: a fold
    is one observation, however many seeds it has. The signs of all seeds of a fold flip together in
    :func:`p_value` of these means.
    """
    folds = sorted({fold for fold, _ in differences})
    by_fold = [[d for (f, _), d in differences.items() if f == fold] for fold in folds]
    return np.array([np.mean(of_fold) for of_fold in by_fold], dtype=np.float64)


def smallest_p(observations: int) -> float:
    """Returns the smallest p value that so many observations allow: all signs are equal."""
    return min(1.0, 2.0 ** (1 - observations))


def interval(observations: NDArray[np.float64]) -> tuple[float, float] | None:
    """Returns the interval of the mean by Student's t, at 95 %; None for one observation.

    Not a bootstrap: three folds can be drawn in ten ways only, so that its percentiles are those of
    the folds themselves.
    """
    if len(observations) < 2:
        return None
    error = np.std(observations, ddof=1) / np.sqrt(len(observations))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(observations) - 1) * error)
    return float(np.mean(observations)) - reach, float(np.mean(observations)) + reach
