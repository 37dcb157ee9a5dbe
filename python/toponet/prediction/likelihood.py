"""One image through a network, in pieces that fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toponet.data import pad_reflected
from toponet.models import BlendedNetwork, SegmentationNetwork

# Size of a tile. 30 channels of it and its border in float32 are 0.1 GB.
ROWS, COLUMNS = 256, 2048


@torch.no_grad()
def predict_likelihood(
    network: SegmentationNetwork, image: NDArray[np.float32], device: torch.device
) -> NDArray[np.float32]:
    """Likelihood (H, W) of one normalised image (C, H, W).

    The network sees the image with ``network.margin`` reflected pixels around it. A network whose
    logits depend on its margin alone (DIVE) gets tiles. Others (the U-Net) get overlapping windows
    if the image is larger than one window. Of each window only the inside counts: pixels farther
    from its border than the network's reach. Except for rounding, neither changes the likelihood.

    Args:
        network: In evaluation mode, on ``device``; the first of its classes is taken.
        image: (C, H, W), normalised.
        device: Where the network is.

    Returns:
        (H, W), float32, 0 to 1.

    Cost: besides image and likelihood, tiles need memory for one tile. Windows need memory for one
    window and four maps of the image's size.
    """
    padded = torch.from_numpy(pad_reflected(image, network.margin))[None]
    if not isinstance(network, BlendedNetwork):
        likelihood = _tiled(network, padded, device)
    elif max(padded.shape[-2:]) > network.window:
        likelihood = _blended(network, padded, device)
    else:
        likelihood = torch.sigmoid(network(padded.to(device)).float())[0, 0].cpu()
    return np.ascontiguousarray(likelihood.numpy())


def mean_over_symmetries(
    predict: Callable[[NDArray[np.float32]], NDArray[np.float32]], image: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Averages the likelihood over the eight turns and flips of an image.

    The result doesn't depend on how the image lies, but for rounding. Training shows patches in all
    eight positions alike, so none is better than another.

    Args:
        predict: Gives the likelihood (H, W) of an image (C, H, W).
        image: (C, H, W).

    Returns:
        (H, W).
    """
    total = np.zeros(image.shape[1:], dtype=np.float32)
    for turns, flipped in product(range(4), (False, True)):
        turned = np.rot90(image[..., ::-1] if flipped else image, turns, axes=(1, 2))
        answer = np.rot90(predict(np.ascontiguousarray(turned)), -turns)
        total += answer[:, ::-1] if flipped else answer
    return total / np.float32(8)


def _tiled(network: SegmentationNetwork, padded: Tensor, device: torch.device) -> Tensor:
    """Predicts tile by tile. Each tile gives what the whole image would give there."""
    border = 2 * network.margin
    height, width = padded.shape[-2] - border, padded.shape[-1] - border
    # Named, because torch.set_default_device and set_default_dtype decide otherwise.
    likelihood = torch.empty(height, width, device="cpu", dtype=torch.float32)
    for row, column in product(range(0, height, ROWS), range(0, width, COLUMNS)):
        tile = padded[..., row : row + ROWS + border, column : column + COLUMNS + border]
        answer = torch.sigmoid(network(tile.to(device)).float())[0, 0].cpu()
        likelihood[row : row + ROWS, column : column + COLUMNS] = answer
    return likelihood


def _blended(network: BlendedNetwork, padded: Tensor, device: torch.device) -> Tensor:
    """Predicts by MONAI's sliding window. Pixels near a window's border don't count."""
    from monai.inferers.utils import sliding_window_inference

    m, height, width = network.margin, *padded.shape[-2:]
    padded = network.pad(padded)
    sides = padded.shape[-2:]

    def answer(images: Tensor, places: Sequence[Sequence[slice]]) -> Tensor:
        """Returns likelihood and weight as channels: MONAI's own weights ignore the place."""
        likelihood = torch.sigmoid(network.dense(images).float())[:, :1]
        known = (
            _known(p, side, network.reach) for p, side in zip(places[0][2:], sides, strict=True)
        )
        weight = torch.outer(*known).to(likelihood)[None, None]
        return torch.cat([likelihood * weight, weight], dim=1)

    # Windows start at multiples of the stride, and what counts of them covers the image.
    step = (network.window - 2 * network.reach) // network.stride * network.stride
    sums = sliding_window_inference(
        padded,
        tuple(min(side, network.window) for side in sides),
        sw_batch_size=1,
        predictor=answer,
        overlap=1 - (step + 0.5) / network.window,  # MONAI rounds downwards.
        with_coord=True,
        sw_device=device,
        device="cpu",
    )
    assert isinstance(sums, Tensor)
    likelihood = sums[0, 0] / sums[0, 1]
    return likelihood[m : height - m, m : width - m]


def _known(place: slice, side: int, reach: int) -> Tensor:
    """Returns 0 within the reach of an end of the window, unless the image ends there; else 1."""
    weights = torch.ones(place.stop - place.start, device="cpu")
    if place.start > 0:
        weights[:reach] = 0
    if place.stop < side:
        weights[-reach:] = 0
    return weights
