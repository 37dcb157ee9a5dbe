"""One image through a network, in pieces that fit into memory."""

from __future__ import annotations

from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toponet.data import pad_reflected
from toponet.models import BlendedNetwork, SegmentationNetwork

# Of a tile: 30 channels of it in float32 are 0.1 GB.
ROWS, COLUMNS = 256, 2048
OVERLAP = 0.25


@torch.no_grad()
def predict_likelihood(
    network: SegmentationNetwork, image: NDArray[np.float32], device: torch.device
) -> NDArray[np.float32]:
    """Likelihood (H, W) of one normalised image (C, H, W).

    The network sees the image with ``network.margin`` reflected pixels around it. Networks whose
    logits depend on their margins alone (DIVE) are given tiles, which change nothing; others
    overlapping windows whose answers are blended, if the image is larger than one window.

    Args:
        network: In evaluation mode, on ``device``; the first of its classes is taken.
        image: (C, H, W), normalised.
        device: Where the network is.

    Returns:
        (H, W), float32, 0 to 1.

    Cost: besides image and likelihood, memory for one tile; for one window and two more maps of the
    image's size where windows are blended.
    """
    padded = torch.from_numpy(pad_reflected(image, network.margin))[None]
    if not isinstance(network, BlendedNetwork):
        likelihood = _tiled(network, padded, device)
    elif max(padded.shape[-2:]) > network.window:
        likelihood = _blended(network, padded, device)
    else:
        likelihood = torch.sigmoid(network(padded.to(device)).float())[0, 0].cpu()
    return np.ascontiguousarray(likelihood.numpy())


def _tiled(network: SegmentationNetwork, padded: Tensor, device: torch.device) -> Tensor:
    """In tiles, of which each gives what the whole image would."""
    border = 2 * network.margin
    height, width = padded.shape[-2] - border, padded.shape[-1] - border
    likelihood = torch.empty(height, width)
    for row, column in product(range(0, height, ROWS), range(0, width, COLUMNS)):
        tile = padded[..., row : row + ROWS + border, column : column + COLUMNS + border]
        answer = torch.sigmoid(network(tile.to(device)).float())[0, 0].cpu()
        likelihood[row : row + ROWS, column : column + COLUMNS] = answer
    return likelihood


def _blended(network: BlendedNetwork, padded: Tensor, device: torch.device) -> Tensor:
    """MONAI's sliding window; the middle of a window counts most (a Gaussian)."""
    from monai.inferers.utils import sliding_window_inference

    window = tuple(min(side, network.window) for side in padded.shape[-2:])
    likelihood = sliding_window_inference(
        padded,
        window,
        sw_batch_size=1,
        predictor=lambda images: torch.sigmoid(network.dense(images).float())[:, :1],
        overlap=OVERLAP,
        mode="gaussian",
        sw_device=device,
        device="cpu",
    )
    m = network.margin
    assert isinstance(likelihood, Tensor)
    return likelihood[0, 0, m:-m, m:-m]
