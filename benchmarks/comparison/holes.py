"""What a Betti error in dimension 1 is made of: missing and extra holes, by size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

PATCH = 65
STRIDE = 32
# Pixels: holes that nobody would draw, small ones, and cells.
SIZES = {"below 10 px": (1, 10), "10 to 99 px": (10, 100), "100 px and more": (100, PATCH**2 + 1)}


def hole_errors(
    predictions: list[NDArray[np.bool_]], truths: list[NDArray[np.bool_]], connectivity: int
) -> dict[str, dict[str, float]]:
    """Means over dense patches (65 x 65, every 32 pixels), with frame.

    Returns:
        By size class "missing" and "extra", holes a patch: the surplus of one side within the
        class. And "of 10 px and more", "error": the Betti error that counts no smaller hole, on
        neither side.
    """
    counts = [
        (_counts(f[part], connectivity), _counts(g[part], connectivity))
        for f, g in zip(predictions, truths, strict=True)
        for part in _patches(g.shape)
    ]
    difference = np.array([f - g for f, g in counts])
    found = {
        name: {
            "missing": float(np.maximum(-difference[:, k], 0).mean()),
            "extra": float(np.maximum(difference[:, k], 0).mean()),
        }
        for k, name in enumerate(SIZES)
    }
    found["of 10 px and more"] = {"error": float(np.abs(difference[:, 1:].sum(axis=1)).mean())}
    found["of any size"] = {"error": float(np.abs(difference.sum(axis=1)).mean())}
    return found


def _patches(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    ends = [max(side - PATCH, 0) for side in shape]
    starts = [sorted({*range(0, end + 1, STRIDE), end}) for end in ends]
    return [(slice(r, r + PATCH), slice(c, c + PATCH)) for r in starts[0] for c in starts[1]]


def _counts(mask: NDArray[np.bool_], connectivity: int) -> NDArray[np.int64]:
    """Holes in each size class: with a frame, all components of the background."""
    structure = ndimage.generate_binary_structure(2, 1 if connectivity == 8 else 2)
    labels, _ = ndimage.label(~mask, structure)
    sizes = np.bincount(labels.ravel())[1:]
    return np.array([((sizes >= low) & (sizes < high)).sum() for low, high in SIZES.values()])
