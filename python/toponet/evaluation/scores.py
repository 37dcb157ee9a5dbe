"""Scores one likelihood against its truth, and averages scores over images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet import metrics
from toponet.evaluation.protocol import FURTHER_METRICS, INSTANCE_METRICS, INSTANCES, Protocol
from toponet.metrics.betti import betti_differences, count_betti_numbers
from toponet.metrics.betti_matching import matching_errors
from toponet.metrics.conventions import BettiConvention
from toponet.metrics.inputs import likelihood_to_compare
from toponet.metrics.instances import instance_entropies, instance_rand_rows
from toponet.topology.labelling import label_cells
from toponet.topology.mistakes import Place, worst_places
from toponet.topology.segmentation import segment_images

# What is counted in each dimension.
PIECES = ("components", "holes")


@dataclass(frozen=True)
class ImageScores:
    """The scores of one image.

    Attributes:
        metrics: The metrics of the protocol, by name.
        predicted: Betti numbers of the whole prediction, by dimension.
        true: Betti numbers of the whole truth, by dimension.
        worst: The largest cells and pieces that are wrong, if they were asked for.
    """

    metrics: dict[str, float]
    predicted: dict[int, int]
    true: dict[int, int]
    worst: tuple[Place, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Betti numbers by name, predicted before true."""
        return {
            f"{PIECES[d]}_{kind}": numbers[d]
            for d in self.true
            for kind, numbers in (("predicted", self.predicted), ("true", self.true))
        }

    @property
    def values(self) -> dict[str, float]:
        """All numbers by name: metrics, Betti numbers, and then the metrics that came later."""
        metrics = dict(self.metrics)
        last = (*FURTHER_METRICS, *INSTANCE_METRICS)
        further = {name: metrics.pop(name) for name in last if name in metrics}
        return {**metrics, **self.counts, **further}


def score_image(
    likelihood: NDArray[Any],
    truth: NDArray[np.generic],
    protocol: Protocol,
    valid: NDArray[np.generic] | None = None,
    instances: NDArray[Any] | None = None,
    places: int = 0,
) -> ImageScores:
    """Computes metrics and Betti numbers of one image.

    Args:
        likelihood: (H, W) in [0, 1]; a mask is one.
        truth: (H, W) mask, 1 = structure.
        protocol: Says how to compare.
        valid: (H, W), 1 where a pixel counts; None = all pixels count. As in loss and metrics,
            pixels that don't count are taken for structure in both masks.
        instances: (H, W) numbers of the true instances, 0 = none; None = they aren't compared.
        places: How many of the worst places are looked for.

    Raises:
        TypeError: If an array holds no numbers, or is a masked one.
        ValueError: If shapes differ or aren't (H, W), values that count are no likelihood or mask,
            or no pixel counts.
    """
    if np.ndim(likelihood) != 2:
        raise ValueError(
            f"likelihood must be one image of shape (H, W), got {np.shape(likelihood)}: score the "
            "images of a batch one by one"
        )
    prediction, target, counted = likelihood_to_compare(likelihood, truth, valid)
    betti = protocol.betti
    prediction = structure(prediction, protocol)
    accuracy = metrics.pixel_accuracy(prediction, target, valid=counted)
    cells: dict[str, Any] = {"connectivity": betti.connectivity, "valid": counted}
    ari = metrics.adapted_rand_score(prediction, target, **cells)
    voi = metrics.variation_of_information(prediction, target, **cells)
    masks = prediction[0] != 0, target[0] != 0
    (errors,) = betti_differences(prediction, target, betti, valid=counted).tolist()
    (displaced,) = matching_errors(prediction, target, betti, valid=counted).tolist()
    return ImageScores(
        {
            "accuracy": accuracy,
            "ari": ari,
            "voi": voi.split + voi.merge,
            "voi_split": voi.split,
            "voi_merge": voi.merge,
            **{f"betti_error_{d}": error for d, error in zip(betti.dims, errors, strict=True)},
            "cldice": metrics.cldice_score(prediction, target, valid=counted),
            "euler_number_error": metrics.euler_number_error(
                prediction, target, **cells, frame=betti.frame
            ),
            **{
                f"betti_matching_error_{d}": error
                for d, error in zip(betti.dims, displaced, strict=True)
            },
            **_instance_metrics(prediction[0], instances, betti.connectivity, counted),
        },
        _betti_numbers(prediction, betti),
        _betti_numbers(target, betti),
        worst_places(*masks, betti.connectivity, bool(betti.frame), places) if places else (),
    )


def _betti_numbers(mask: NDArray[np.uint8], convention: BettiConvention) -> dict[int, int]:
    """Of one mask (1, H, W), by dimension."""
    numbers: list[int] = count_betti_numbers(mask, convention)[0].tolist()
    return dict(zip(convention.dims, numbers, strict=True))


def _instance_metrics(
    mask: NDArray[np.uint8],
    instances: NDArray[Any] | None,
    connectivity: int,
    valid: NDArray[np.bool_] | None,
) -> dict[str, float]:
    """The cells of a predicted mask (H, W) against the true instances, if there are any."""
    if instances is None:
        return {}
    cells = label_cells(mask, connectivity)
    counted = None if valid is None else valid[0]
    numbers = (
        *instance_rand_rows(cells, instances, INSTANCES, counted)[0].tolist(),
        *instance_entropies(cells, instances, INSTANCES, counted)[0].tolist(),
    )
    return dict(zip(INSTANCE_METRICS, numbers, strict=True))


def structure(likelihoods: NDArray[Any], protocol: Protocol) -> NDArray[np.uint8]:
    """The masks of likelihoods (B, H, W), as the protocol makes them."""
    options = protocol.segmentation
    if options.is_cut:
        return (likelihoods >= options.threshold).astype(np.uint8)
    floats = likelihoods.astype(np.result_type(likelihoods, np.float32), copy=False)
    connectivity = protocol.betti.connectivity
    mask: NDArray[np.bool_] = segment_images(floats, options, connectivity=connectivity).mask
    return mask.astype(np.uint8)


def mean_metrics(scores: Sequence[ImageScores]) -> dict[str, float]:
    """Averages each metric over the images. Every image counts the same."""
    return {
        name: float(np.mean([score.metrics[name] for score in scores]))
        for name in scores[0].metrics
    }


def bootstrap_intervals(
    scores: Sequence[ImageScores], resamples: int, seed: int
) -> dict[str, tuple[float, float]]:
    """95 % percentile intervals of :func:`mean_metrics`, the images drawn with replacement.

    The intervals take the images for independent draws. Neighbouring slices of one volume aren't
    independent: their intervals come out too narrow. For a single image there are no intervals.
    """
    if resamples == 0 or len(scores) < 2:
        return {}
    names = list(scores[0].metrics)
    values = np.array([[score.metrics[name] for name in names] for score in scores])
    count = len(scores)
    # How often each image is drawn. This equals drawing indices, and needs n numbers a resample.
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    low, high = np.percentile(times @ values / count, (2.5, 97.5), axis=0)
    return {name: (float(low[k]), float(high[k])) for k, name in enumerate(names)}
