"""Holes and specks too small to be meant: where they are, and masks without them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet.labelling import label_cells, label_structure


class Tiny(NamedTuple):
    """Components of fewer pixels than a bound.

    Attributes:
        holes: (H, W) where background is part of a tiny component; at the border as well.
        specks: (H, W) where structure is.
        hole_centres: (n, 2) mean row and column of each tiny hole.
        speck_centres: (m, 2) the same of specks.
    """

    holes: NDArray[np.bool_]
    specks: NDArray[np.bool_]
    hole_centres: NDArray[np.float64]
    speck_centres: NDArray[np.float64]


def find_tiny(mask: NDArray[np.generic], connectivity: int, min_size: int) -> Tiny:
    """Holes and specks of fewer than ``min_size`` pixels.

    Args:
        mask: (H, W), 1 = structure.
        connectivity: Of the structure; holes have the other one.
        min_size: The smallest size that is meant.
    """
    holes, hole_centres = _small(label_cells(mask, connectivity), min_size)
    specks, speck_centres = _small(label_structure(mask, connectivity), min_size)
    return Tiny(holes, specks, hole_centres, speck_centres)


def clean_mask(mask: NDArray[np.generic], connectivity: int, min_size: int) -> NDArray[np.uint8]:
    """The mask without specks, then without holes, of fewer than ``min_size`` pixels.

    Specks first: one in the middle of a cell would otherwise count as part of its wall, and one
    within a tiny hole would split it. What is left has no tiny hole or speck, unless all of it is
    one.

    Args:
        mask: (H, W), 1 = structure.
        connectivity: Of the structure; holes have the other one.
        min_size: The smallest size that is kept.
    """
    specks, _ = _small(label_structure(mask, connectivity), min_size)
    kept = (np.asarray(mask) != 0) & ~specks
    holes, _ = _small(label_cells(kept, connectivity), min_size)
    cleaned: NDArray[np.uint8] = (kept | holes).astype(np.uint8)
    return cleaned


def component_sizes(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) Pixels of each component."""
    return np.bincount(labels.ravel())[1:]


def _small(
    labels: NDArray[np.int64], min_size: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Where the small components are, and the centre of each."""
    small = np.flatnonzero(component_sizes(labels) < min_size) + 1
    where: NDArray[np.bool_] = np.isin(labels, small)
    places = np.argwhere(where)
    of_place = np.searchsorted(small, labels[where])
    sizes = np.bincount(of_place, minlength=len(small))
    centres = [np.bincount(of_place, axis, len(small)) / np.maximum(sizes, 1) for axis in places.T]
    return where, np.stack(centres, axis=1)
