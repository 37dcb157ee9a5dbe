"""Holes and specks that are too small to be meant: where they are, and masks without them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet._ground.valid import taken_for_structure, valid_pixels
from toponet._ground.validation import binary_mask, check_whole
from toponet.topology.labelling import label_cells, label_structure


class Tiny(NamedTuple):
    """Components of fewer pixels than a bound.

    Attributes:
        holes: (H, W) where background belongs to a tiny component, which may touch the border.
        specks: (H, W) where structure belongs to a tiny component.
        hole_centres: (n, 2) mean row and column of each tiny hole.
        speck_centres: (m, 2) mean row and column of each speck.
    """

    holes: NDArray[np.bool_]
    specks: NDArray[np.bool_]
    hole_centres: NDArray[np.float64]
    speck_centres: NDArray[np.float64]


class Parts(NamedTuple):
    """Components of the pixels of a mask that count. A pixel that doesn't count connects nothing.

    Attributes:
        cells: (H, W) components of the background from 1 on, elsewhere 0.
        pieces: (H, W) components of the structure from 1 on, elsewhere 0.
    """

    cells: NDArray[np.int64]
    pieces: NDArray[np.int64]


def label_parts(mask: ArrayLike, connectivity: int, valid: ArrayLike | None = None) -> Parts:
    """All components of a mask, at the border as well.

    Args:
        mask: (H, W), 1 = structure.
        connectivity: Of the structure; the background has the other one.
        valid: (H, W), 1 where a pixel counts; None = everywhere.
    """
    structure, counted = _checked(mask, valid)
    return Parts(
        label_cells(taken_for_structure(structure, counted), connectivity),
        label_structure(structure if counted is None else structure & counted, connectivity),
    )


def find_tiny(
    mask: ArrayLike, connectivity: int, min_size: int, valid: ArrayLike | None = None
) -> Tiny:
    """Holes and specks of fewer than ``min_size`` pixels.

    Args:
        mask: (H, W), 1 = structure.
        connectivity: Of the structure; holes have the other one.
        min_size: The smallest size that is meant.
        valid: (H, W), 1 where a pixel counts; None = everywhere. The size of a component is the
            number of its pixels that count.

    Raises:
        TypeError: If an array holds no numbers, or is a masked array.
        ValueError: If an array isn't (H, W), or holds other values than 0 and 1.
    """
    check_whole("min_size", min_size, least=1)
    parts = label_parts(mask, connectivity, valid)
    holes, hole_centres = _small(parts.cells, min_size)
    specks, speck_centres = _small(parts.pieces, min_size)
    return Tiny(holes, specks, hole_centres, speck_centres)


def clean_mask(
    mask: ArrayLike, connectivity: int, min_size: int, valid: ArrayLike | None = None
) -> NDArray[np.uint8]:
    """The mask without specks, then without holes, of fewer than ``min_size`` pixels.

    Specks are removed first. A speck in the middle of a cell would otherwise count as part of the
    cell's wall, and a speck within a tiny hole would split the hole. The result has no tiny hole
    and no speck, unless the whole mask is one.

    Args:
        mask: (H, W), 1 = structure.
        connectivity: Of the structure; holes have the other one.
        min_size: The smallest size that is kept.
        valid: The same as in :func:`find_tiny`. Pixels that don't count stay as they are.

    Raises:
        TypeError: For the reasons of :func:`find_tiny`.
        ValueError: For the reasons of :func:`find_tiny`.
    """
    check_whole("min_size", min_size, least=1)
    structure, counted = _checked(mask, valid)
    specks, _ = _small(label_parts(structure, connectivity, counted).pieces, min_size)
    kept = structure & ~specks
    holes, _ = _small(label_parts(kept, connectivity, counted).cells, min_size)
    cleaned: NDArray[np.uint8] = (kept | holes).astype(np.uint8)
    return cleaned


def _checked(
    mask: ArrayLike, valid: ArrayLike | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_] | None]:
    structure = binary_mask("mask", mask)
    return structure, valid_pixels(valid, structure.shape)


def component_sizes(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) The number of pixels of each component."""
    return np.bincount(labels.ravel())[1:]


def _small(
    labels: NDArray[np.int64], min_size: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """(H, W) where the small components are, and (n, 2) the centre of each."""
    small = np.flatnonzero(component_sizes(labels) < min_size) + 1
    where: NDArray[np.bool_] = np.isin(labels, small)
    places = np.argwhere(where)
    of_place = np.searchsorted(small, labels[where])
    sizes = np.bincount(of_place, minlength=len(small))
    centres = [np.bincount(of_place, axis, len(small)) / np.maximum(sizes, 1) for axis in places.T]
    return where, np.stack(centres, axis=1)
