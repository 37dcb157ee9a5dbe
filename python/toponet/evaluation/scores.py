"""One likelihood against its truth, and means over many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet import metrics
from toponet.evaluation.protocol import Protocol
from toponet.metrics.betti import betti_differences, count_betti_numbers


@dataclass(frozen=True)
class ImageScores:
    """What one image is given.

    Attributes:
        metrics: Those of the protocol, by name.
        predicted: Betti numbers of the whole prediction, by dimension counted.
        true: The same of the truth.
    """

    metrics: dict[str, float]
    predicted: dict[int, int]
    true: dict[int, int]


def score_image(
    likelihood: NDArray[Any],
    truth: NDArray[np.generic],
    protocol: Protocol,
    valid: NDArray[np.bool_] | None = None,
) -> ImageScores:
    """Metrics and Betti numbers of one image.

    Args:
        likelihood: (H, W) in [0, 1]; a mask is one.
        truth: (H, W) mask, 1 = structure.
        protocol: Says how to compare.
        valid: (H, W) pixels that count, or None for all. As in the loss, the others are taken for
            structure in both masks: ARI and VOI leave them out, and no hole opens to them.

    Raises:
        ValueError: If the shapes differ, the truth isn't a mask, or no pixel counts.
    """
    prediction, truth = likelihood >= protocol.threshold, np.asarray(truth)
    if valid is not None:
        if not valid.any():
            raise ValueError("valid must hold at least one pixel that counts")
        accuracy = metrics.pixel_accuracy(prediction[valid][None], truth[valid][None])
        prediction, truth = prediction | ~valid, np.where(valid, truth, 1)
    else:
        accuracy = metrics.pixel_accuracy(prediction, truth)
    betti = protocol.betti
    voi = metrics.variation_of_information(prediction, truth, connectivity=betti.connectivity)
    errors = betti_differences(prediction, truth, betti).mean(axis=0)
    return ImageScores(
        {
            "accuracy": accuracy,
            "ari": metrics.adapted_rand_score(prediction, truth, connectivity=betti.connectivity),
            "voi": voi.split + voi.merge,
            "voi_split": voi.split,
            "voi_merge": voi.merge,
            **{f"betti_error_{d}": float(e) for d, e in zip(betti.dims, errors, strict=True)},
        },
        *(
            dict(zip(betti.dims, count_betti_numbers(mask[None], betti)[0].tolist(), strict=True))
            for mask in (prediction.astype(np.uint8), truth.astype(np.uint8))
        ),
    )


def mean_metrics(scores: Sequence[ImageScores]) -> dict[str, float]:
    """Each metric's mean over the images: every image counts the same."""
    return {
        name: float(np.mean([score.metrics[name] for score in scores]))
        for name in scores[0].metrics
    }


def bootstrap_intervals(
    scores: Sequence[ImageScores], resamples: int, seed: int
) -> dict[str, tuple[float, float]]:
    """95 % percentile intervals of :func:`mean_metrics`, the images drawn with replacement.

    They take the images for independent draws; neighbouring slices of one volume aren't, and their
    interval comes out too narrow. Empty for a single image, which says nothing about others.
    """
    if resamples == 0 or len(scores) < 2:
        return {}
    names = list(scores[0].metrics)
    values = np.array([[score.metrics[name] for name in names] for score in scores])
    count = len(scores)
    # How often each image is drawn: the same as drawing their indices, at n numbers a resample.
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    low, high = np.percentile(times @ values / count, (2.5, 97.5), axis=0)
    return {name: (float(low[k]), float(high[k])) for k, name in enumerate(names)}
