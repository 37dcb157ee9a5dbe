"""What a Betti error in dimension 1 is made of, and what it would be otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

import toponet
from comparison.floors import FLOORS
from toponet.topology.cleaning import clean_mask

PATCH = 65
LARGE_PATCH = 129
# Pixels: holes that nobody would draw, small ones, and cells.
SIZES = {"below 10 px": (1, 10), "10 to 99 px": (10, 100), "100 px and more": (100, PATCH**2 + 1)}
MEANT = 10

Mask = NDArray[np.bool_]


def hole_errors(
    predictions: Sequence[Mask], truths: Sequence[Mask], connectivity: int
) -> dict[str, dict[str, float]]:
    """Means over dense patches (65 x 65, every 32 pixels), with frame.

    Returns:
        By size class "missing" and "extra", holes a patch: the surplus of one side within the
        class. And the Betti error, "error": of holes "of any size"; "of 10 px and more", where no
        smaller hole counts, on neither side; where holes and specks below 10 px are cleaned from
        the whole "truth", as `toponet-inspect` counts them, or from "truth and prediction"; in
        "patches of 129" and of "whole images". And what a flawless topology would cost: that of
        the "truth, thickened by a pixel" and "truth, shifted by a pixel".
    """
    counts = [
        (_counts(f[part], connectivity), _counts(g[part], connectivity))
        for f, g in zip(predictions, truths, strict=True)
        for part in _places(g.shape, PATCH)
    ]
    difference = np.array([f - g for f, g in counts])
    found = {
        name: {
            "missing": float(np.maximum(-difference[:, k], 0).mean()),
            "extra": float(np.maximum(difference[:, k], 0).mean()),
        }
        for k, name in enumerate(SIZES)
    }
    clean_predictions, clean_truths = (
        [clean_mask(mask, connectivity, MEANT) > 0 for mask in masks]
        for masks in (predictions, truths)
    )
    whole = max(max(g.shape) for g in truths)
    errors = {
        "of any size": float(np.abs(difference.sum(axis=1)).mean()),
        "of 10 px and more": float(np.abs(difference[:, 1:].sum(axis=1)).mean()),
        "truth cleaned": dense_error(predictions, clean_truths, connectivity),
        "truth and prediction cleaned": dense_error(clean_predictions, clean_truths, connectivity),
        "patches of 129": dense_error(predictions, truths, connectivity, LARGE_PATCH),
        "whole images": dense_error(predictions, truths, connectivity, whole),
        **{
            name: dense_error([change(g) for g in truths], truths, connectivity)
            for name, change in FLOORS.items()
        },
    }
    return {**found, **{name: {"error": error} for name, error in errors.items()}}


def dense_error(
    predictions: Sequence[Mask], truths: Sequence[Mask], connectivity: int, patch: int = PATCH
) -> float:
    """Betti error of holes over patches that overlap by half, with frame."""
    differences = [
        np.abs(_holes(f, connectivity, patch) - _holes(g, connectivity, patch))
        for f, g in zip(predictions, truths, strict=True)
    ]
    return float(np.concatenate(differences).mean())


def _holes(mask: Mask, connectivity: int, patch: int) -> NDArray[np.int64]:
    patches = np.stack([mask[part] for part in _places(mask.shape, patch)])
    holes = toponet.betti_numbers(patches, connectivity=connectivity, frame=True)[:, 1]
    return holes.astype(np.int64)


def _places(shape: tuple[int, ...], patch: int) -> list[tuple[slice, slice]]:
    ends = [max(side - patch, 0) for side in shape]
    starts = [sorted({*range(0, end + 1, patch // 2), end}) for end in ends]
    return [(slice(r, r + patch), slice(c, c + patch)) for r in starts[0] for c in starts[1]]


def _counts(mask: Mask, connectivity: int) -> NDArray[np.int64]:
    """Holes in each size class: with a frame, all components of the background."""
    structure = ndimage.generate_binary_structure(2, 1 if connectivity == 8 else 2)
    labels, _ = ndimage.label(~mask, structure)
    sizes = np.bincount(labels.ravel())[1:]
    return np.array([((sizes >= low) & (sizes < high)).sum() for low, high in SIZES.values()])
