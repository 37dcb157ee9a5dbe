"""Whole images through the network, and the metrics of the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
import torch
from numpy.typing import NDArray

from toponet.data import ImageSet, Normalisation
from toponet.evaluation import ImageScores, Protocol, mean_metrics, score_image
from toponet.evaluation.protocol import FURTHER_METRICS
from toponet.evaluation.protocol import THRESHOLD as THRESHOLD
from toponet.evaluation.protocol import TRAINING_METRICS as TRAINING_METRICS
from toponet.models import SegmentationNetwork
from toponet.prediction import predict_likelihood
from toponet.segmentation import SegmentationOptions

# In metrics.csv the further ones come last. Runs of older versions lack them.
MEASURED = (*TRAINING_METRICS, *FURTHER_METRICS)


def predict_all(
    network: SegmentationNetwork,
    data: ImageSet,
    normalisation: Normalisation,
    device: torch.device,
    progress: Callable[[int, int], None] | None = None,
) -> list[NDArray[np.float32]]:
    """Likelihoods of all images; the network is left in the mode that it was in."""
    was_training = network.training
    network.eval()
    likelihoods = []
    for count, image in enumerate(data.images, start=1):
        likelihoods.append(predict_likelihood(network, normalisation.apply(image), device))
        if progress is not None:
            progress(count, len(data))
    network.train(was_training)
    return likelihoods


def score_images(
    likelihoods: Sequence[NDArray[np.float32]],
    masks: Sequence[NDArray[np.uint8]],
    protocol: Protocol,
    valid: Sequence[NDArray[np.uint8] | None] | None = None,
) -> list[ImageScores]:
    """The scores of each image: the numbers of ``toponet-evaluate``."""
    counted = valid or [None] * len(masks)
    return [
        score_image(f, g, protocol, v) for f, g, v in zip(likelihoods, masks, counted, strict=True)
    ]


def evaluate(
    likelihoods: Sequence[NDArray[np.float32]],
    masks: Sequence[NDArray[np.uint8]],
    protocol: Protocol,
    valid: Sequence[NDArray[np.uint8] | None] | None = None,
) -> dict[str, float]:
    """Metrics by name, each the mean over the images."""
    return means(score_images(likelihoods, masks, protocol, valid))


def means(scores: Sequence[ImageScores]) -> dict[str, float]:
    """The metrics of a run, each the mean over the images."""
    every = mean_metrics(scores)
    return {name: every[name] for name in MEASURED}


def measured_in(row: Mapping[str, float]) -> dict[str, float]:
    """The metrics in a row of metrics.csv. A row of an older version holds fewer."""
    return {name: row[name] for name in MEASURED if name in row}


def by_persistence(protocol: Protocol, options: SegmentationOptions) -> Protocol:
    """The same protocol with masks that persistence decides on."""
    return replace(protocol, **asdict(options))


def conventions(protocol: Protocol) -> dict[str, str]:
    """What each metric of :func:`evaluate` means, in words."""
    words = protocol.describe()
    return {name: words[name] for name in ("all", *MEASURED)}
