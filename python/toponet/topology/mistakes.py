"""Cells and pieces of a predicted mask that are wrong, and where they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet.topology.labelling import (
    label_cells,
    label_structure,
    lonely_components,
    without_partner,
)


class Mistakes(NamedTuple):
    """Centres of what is wrong, (k, 2) rows and columns each.

    Attributes:
        lost_cells: True cells that have grown together with another one, or are gone.
        extra_cells: Predicted cells that don't exist in the truth.
        pieces: Pieces of structure that only one of the masks has.
    """

    lost_cells: NDArray[np.float64]
    extra_cells: NDArray[np.float64]
    pieces: NDArray[np.float64]


def find_mistakes(
    prediction: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    connectivity: int,
    frame: bool = False,
) -> Mistakes:
    """What is wrong with a mask (H, W).

    Args:
        prediction: (H, W), True = structure.
        truth: The same shape.
        connectivity: Of the structure, 4 or 8.
        frame: Whether a frame of structure surrounds both. All structure that touches the border is
            then one piece.
    """
    lost, extra, missed, invented = (
        without_partner(labels, other)
        for _, labels, other in _compared(prediction, truth, connectivity, frame)
    )
    return Mistakes(lost, extra, np.concatenate([missed, invented]))


class Place(NamedTuple):
    """A place where a mask is wrong.

    Attributes:
        kind: "lost_cells", "extra_cells" or "pieces", as in :class:`Mistakes`.
        row: Of the pixel of the cell or piece that is next to its centre.
        column: Of the same pixel.
        pixels: How many pixels the cell or piece has.
    """

    kind: str
    row: int
    column: int
    pixels: int


def worst_places(
    prediction: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    connectivity: int,
    frame: bool = False,
    most: int = 3,
) -> tuple[Place, ...]:
    """The largest cells and pieces that are wrong, the largest first.

    Args:
        prediction: (H, W), True = structure.
        truth: The same shape.
        connectivity: Of the structure, 4 or 8.
        frame: The same as in :func:`find_mistakes`.
        most: How many places are given at most.
    """
    found = []
    compared = _compared(prediction, truth, connectivity, frame)
    for k, (_, labels, other) in enumerate(compared):
        sizes = np.bincount(labels.ravel())
        found += [(-int(sizes[c]), k, int(c)) for c in lonely_components(labels, other)]
    places = []
    for size, k, component in sorted(found)[:most]:
        kind, labels, _ = compared[k]
        pixels = np.argwhere(labels == component)
        distances = ((pixels - pixels.mean(axis=0)) ** 2).sum(axis=1)
        row, column = pixels[distances.argmin()].tolist()
        places.append(Place(kind, row, column, -size))
    return tuple(places)


def _compared(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], connectivity: int, frame: bool
) -> list[tuple[str, NDArray[np.int64], NDArray[np.int64]]]:
    """What may be wrong: its kind, components, and those of the other mask."""
    sides = (truth, prediction)
    cells = [label_cells(mask, connectivity) for mask in sides]
    pieces = [_pieces(mask, connectivity, frame) for mask in sides]
    return [
        ("lost_cells", cells[0], cells[1]),
        ("extra_cells", cells[1], cells[0]),
        ("pieces", pieces[0], pieces[1]),
        ("pieces", pieces[1], pieces[0]),
    ]


def _pieces(mask: NDArray[np.bool_], connectivity: int, frame: bool) -> NDArray[np.int64]:
    """Components of the structure, without the one that the frame is part of."""
    if not frame:
        return label_structure(mask, connectivity)
    framed = np.pad(mask, 1, constant_values=True)
    labels = label_structure(framed, connectivity)
    return label_structure((framed & (labels != labels[0, 0]))[1:-1, 1:-1], connectivity)
