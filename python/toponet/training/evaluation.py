"""Whole images through the network, and the metrics of the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from toponet import metrics
from toponet.data import ImageSet, Normalisation, pad_reflected

THRESHOLD = 0.5
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
) -> dict[str, float]:
    """Metrics by name, each the mean over the images."""
    rows = []
    for likelihood, truth in zip(likelihoods, masks, strict=True):
        prediction = likelihood >= THRESHOLD
        voi = metrics.variation_of_information(prediction, truth, connectivity=connectivity)
        betti = metrics.betti_error(
            prediction, truth, patch_size=patch_size, connectivity=connectivity
        )
        rows.append(
            (
                metrics.pixel_accuracy(prediction, truth),
                metrics.adapted_rand_score(prediction, truth, connectivity=connectivity),
                voi.split + voi.merge,
                *betti,
            )
        )
    return dict(zip(METRIC_NAMES, map(float, np.mean(rows, axis=0)), strict=True))


def conventions(patch_size: int, connectivity: int) -> dict[str, str]:
    """What each metric of :func:`evaluate` means, in words."""
    blank = np.zeros((1, patch_size, patch_size), dtype=np.uint8)
    betti = metrics.betti_error(blank, blank, patch_size=patch_size, connectivity=connectivity)
    cells = (
        f"cells = {12 - connectivity}-connected components of the background, pixels of true "
        "structure excluded"
    )
    return {
        "all": f"likelihood >= {THRESHOLD} is structure; mean over the held-out images",
        "accuracy": "share of equal pixels",
        "ari": f"adapted Rand F-score; {cells}",
        "voi": f"split + merge in bits; {cells}",
        "betti_error_0": f"components: {betti.convention}",
        "betti_error_1": f"holes: {betti.convention}",
    }
