"""Likelihood maps and volumes to time on: like a network's, smooth, and pure noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from toponet.data import synthetic_membranes

Maps = tuple[NDArray[np.float32], NDArray[np.float32]]


def network_like(count: int, size: int, seed: int = 0) -> Maps:
    """What a trained network answers on synthetic membranes, and their truth.

    Logits are the image's darkness, blurred, plus fine noise. Its strength is chosen so that a
    65 x 65 patch has about as many persistent dots (218, 62 of them above 0.03) as in DIVE's answer
    before and after the topological phase of a default training (239 and 309, 48 and 58).
    """
    data = synthetic_membranes(count, (size, size), seed)
    rng = np.random.default_rng(seed)
    likelihoods = []
    for image in data.images:
        noise = gaussian_filter(rng.normal(size=(size, size)), 0.6)
        logits = 16 * (0.5 - gaussian_filter(image[0], 1.5)) + 0.62 * noise
        likelihoods.append(1 / (1 + np.exp(-logits)))
    return np.array(likelihoods, dtype=np.float32), np.array(data.masks, dtype=np.float32)


def smooth(count: int, size: int, seed: int = 0) -> Maps:
    """Blurred noise (sigma 2 pixels), stretched to [0, 1]; its truth is the map cut at its mean."""
    noise = np.random.default_rng(seed).random((count, size, size))
    blurred = gaussian_filter(noise, (0, 2, 2))
    low, high = blurred.min(), blurred.max()
    maps = ((blurred - low) / (high - low)).astype(np.float32)
    return maps, (maps > maps.mean()).astype(np.float32)


def noise(count: int, size: int, seed: int = 0) -> Maps:
    """Independent uniform pixels, and independent truth: the worst case."""
    rng = np.random.default_rng(seed)
    maps = rng.random((count, size, size), dtype=np.float32)
    return maps, (rng.random((count, size, size)) > 0.5).astype(np.float32)


def large(size: int) -> NDArray[np.float32]:
    """Network-like maps of 512 x 512 side by side: made in seconds, whatever the size."""
    tiles = network_like(16, 512)[0]
    order = np.random.default_rng(0).integers(0, 16, (size // 512, size // 512))
    return np.concatenate([np.concatenate(list(tiles[row]), axis=1) for row in order])


KINDS: dict[str, Callable[..., Maps]] = {
    "network-like": network_like,
    "smooth": smooth,
    "noise": noise,
}


def network_like_volumes(count: int, side: int, seed: int = 0) -> Maps:
    """What a network might answer on thin walls and tubes, and their truth.

    Walls lie where a smooth random field is near 0, tubes where two are. As in
    :func:`network_like`, logits are the blurred image, plus fine noise.
    """
    rng = np.random.default_rng(seed)
    likelihoods, truths = [], []
    for _ in range(count):
        first, second = (_smooth_field(rng, side) for _ in range(2))
        truth = (np.abs(first) < 0.15) | ((np.abs(first) < 0.5) & (np.abs(second) < 0.5))
        image = truth + rng.normal(scale=0.6, size=truth.shape)
        noise = gaussian_filter(rng.normal(size=truth.shape), 0.6)
        logits = 16 * (gaussian_filter(image, 1.2) - 0.5) + 0.62 * noise
        likelihoods.append(1 / (1 + np.exp(-logits)))
        truths.append(truth)
    return np.array(likelihoods, dtype=np.float32), np.array(truths, dtype=np.float32)


def smooth_volumes(count: int, side: int, seed: int = 0) -> Maps:
    """Blurred noise (sigma 2.5 voxels), stretched to [0, 1]; its truth is the map cut at 0.5."""
    noise = np.random.default_rng(seed).normal(size=(count, side, side, side))
    blurred = gaussian_filter(noise, (0, 2.5, 2.5, 2.5))
    low, high = blurred.min(), blurred.max()
    volumes = ((blurred - low) / (high - low)).astype(np.float32)
    return volumes, (volumes > 0.5).astype(np.float32)


def noise_volumes(count: int, side: int, seed: int = 0) -> Maps:
    """Independent uniform voxels, and independent truth: the worst case."""
    rng = np.random.default_rng(seed)
    volumes = rng.random((count, side, side, side), dtype=np.float32)
    return volumes, (rng.random(volumes.shape) > 0.5).astype(np.float32)


def _smooth_field(rng: np.random.Generator, side: int) -> NDArray[np.float64]:
    """A Gaussian field of unit deviation. Its waves grow with the root of the side."""
    field = gaussian_filter(rng.normal(size=(side, side, side)), 0.6 * side**0.5)
    return np.asarray(field / field.std())


VOLUME_KINDS: dict[str, Callable[..., Maps]] = {
    "network-like": network_like_volumes,
    "smooth": smooth_volumes,
    "noise": noise_volumes,
}
