"""Whole images through the network, and the metrics of the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from toponet.data import ImageSet, Normalisation, pad_reflected
from toponet.evaluation import Protocol, mean_metrics, score_image
from toponet.evaluation.protocol import THRESHOLD as THRESHOLD
from toponet.metrics.conventions import betti_convention

ROWS_AT_ONCE = 256
METRIC_NAMES = ("accuracy", "ari", "voi", "betti_error_0", "betti_error_1")


@torch.no_grad()
def predict_likelihood(
    model: nn.Module,
    image: NDArray[np.float32],
    margin: int,
    device: torch.device,
) -> NDArray[np.float32]:
    """Likelihood (H, W) of one normalised image (C, H, W).

    The network sees the image with ``margin`` reflected pixels around it, in strips of rows: no
    convolution pads, so strips give the same numbers as the whole at a bounded memory.
    """
    padded = torch.from_numpy(pad_reflected(image, margin))[None]
    strips = []
    for row in range(0, image.shape[1], ROWS_AT_ONCE):
        strip = padded[:, :, row : row + ROWS_AT_ONCE + 2 * margin].to(device)
        strips.append(torch.sigmoid(model(strip).float())[0, 0].cpu())
    likelihood: NDArray[np.float32] = torch.cat(strips).numpy()
    return likelihood


def predict_all(
    model: nn.Module,
    data: ImageSet,
    normalisation: Normalisation,
    margin: int,
    device: torch.device,
    progress: Callable[[int, int], None] | None = None,
) -> list[NDArray[np.float32]]:
    """Likelihoods of all images; the network is left in the mode that it was in."""
    was_training = model.training
    model.eval()
    likelihoods = []
    for count, image in enumerate(data.images, start=1):
        likelihoods.append(predict_likelihood(model, normalisation.apply(image), margin, device))
        if progress is not None:
            progress(count, len(data))
    model.train(was_training)
    return likelihoods


def evaluate(
    likelihoods: Sequence[NDArray[np.float32]],
    masks: Sequence[NDArray[np.uint8]],
    patch_size: int,
    connectivity: int,
    valid: Sequence[NDArray[np.uint8] | None] | None = None,
) -> dict[str, float]:
    """Metrics by name, each the mean over the images: the numbers of ``toponet-evaluate``."""
    protocol = _protocol(patch_size, connectivity)
    counted = [None if v is None else v.astype(bool) for v in valid or [None] * len(masks)]
    scores = [
        score_image(f, g, protocol, v) for f, g, v in zip(likelihoods, masks, counted, strict=True)
    ]
    means = mean_metrics(scores)
    return {name: means[name] for name in METRIC_NAMES}


def conventions(patch_size: int, connectivity: int) -> dict[str, str]:
    """What each metric of :func:`evaluate` means, in words."""
    words = _protocol(patch_size, connectivity).describe()
    return {name: words[name] for name in ("all", *METRIC_NAMES)}


def _protocol(patch_size: int, connectivity: int) -> Protocol:
    return Protocol(betti_convention(patch_size=patch_size, connectivity=connectivity), THRESHOLD)
