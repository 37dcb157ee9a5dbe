"""The definition of the in-place loss, in plain Python: what the kernel must equal.

Slow and obvious on purpose. The dots are those of reference.py. On which side of the truth a pixel
lies is looked up, and what a pull costs is integrated numerically.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import reference

NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(4)  # Exact for polynomials of degree 7.


def integral(force_at: NDArray[np.float64], low: float, high: float) -> float:
    return float(NODE_WEIGHTS @ force_at) * (high - low) / 2


def points(low: float, high: float) -> NDArray[np.float64]:
    return (low + high) / 2 + (high - low) / 2 * NODES


class Loss:
    """The sum over the pulls, and its gradient."""

    def __init__(self, shape: tuple[int, int], weight: str) -> None:
        self.value = 0.0
        self.gradient = np.zeros(shape)
        self.weight = weight

    def pull(
        self, pixel: int, value: float, goal: float, other: float, vanishes: float, factor: float
    ) -> None:
        """Pulls a critical value to its goal.

        Args:
            pixel: Where it is; -1 = the frame, which can't be moved.
            value: The critical value.
            goal: 0 or 1.
            other: The other value of its dot.
            vanishes: The value from which the force is integrated: there it is 0.
            factor: Of the dimension.
        """
        if self.weight == "one":
            self.value += factor * (value - goal) ** 2
            force = 2 * (value - goal)
        else:
            low, high = sorted((value, vanishes))
            t = points(low, high)
            self.value += factor * integral(2 * abs(t - other) * abs(t - goal), low, high)
            force = 2 * abs(value - other) * (value - goal)
        if pixel >= 0:
            self.gradient.ravel()[pixel] += factor * force


def in_place_loss(
    f: NDArray[np.floating],
    g: NDArray[np.bool_],
    *,
    connectivity: int = 8,
    frame: bool = True,
    dims: Sequence[int] = (0, 1),
    weight: str = "persistence",
    extremes: bool = False,
    min_persistence: float = 0.0,
    dim_weights: Sequence[float] = (1.0, 1.0),
) -> tuple[float, NDArray[np.float64]]:
    """Loss and gradient of one image.

    Only the order of the pixels counts for the dots. So the two images get values in which the
    truth comes before (or after) all likelihoods.
    """
    flat, truth = f.astype(np.float64).ravel(), g.ravel()
    loss = Loss((f.shape[0], f.shape[1]), weight)
    inside = np.where(g, (1 + f.astype(np.float64)) / 2, 0)
    for d, birth, death in reference.persistence(inside, connectivity, frame):
        if d not in dims:
            continue
        b = flat[birth] if birth >= 0 else 1.0
        if birth >= 0 and not truth[birth]:
            assert not truth.any()  # A component of an empty truth.
        elif death >= 0 and truth[death]:
            if b - flat[death] > min_persistence:  # A pinhole, or a break.
                loss.pull(death, flat[death], 1, other=b, vanishes=b, factor=dim_weights[d])
        elif b == 0:  # A true feature that isn't there.
            loss.pull(-1, 0, 1, other=0, vanishes=1, factor=dim_weights[d])
        elif d == 1 or extremes:  # A wall, or a piece's peak.
            loss.pull(birth, b, 1, other=0, vanishes=1, factor=dim_weights[d])
    outside = np.where(g, 1, f.astype(np.float64) / 2)
    for d, birth, death in reference.persistence(outside, connectivity, frame):
        if d not in dims:
            continue
        if birth == -1 or truth[birth]:
            if death >= 0 and (d == 0 or extremes):  # A bridge, or a cell's floor.
                loss.pull(death, flat[death], 0, other=1, vanishes=0, factor=dim_weights[d])
            continue
        b, x = flat[birth], flat[death] if death >= 0 else 0.0
        if b - x > min_persistence:  # A speck, or a wall within a cell.
            loss.pull(birth, b, 0, other=x, vanishes=x, factor=dim_weights[d])
            if d == 0 and death >= 0:
                # The pull at a speck's death leads away from its birth: with the persistence as its
                # weight it costs nothing.
                loss.pull(death, x, 0, other=b, vanishes=x, factor=dim_weights[d])
    assert math.isfinite(loss.value)
    return loss.value, loss.gradient
