"""Cells and pieces of a predicted mask that are wrong, and where they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet.topology.labelling import label_cells, label_structure, without_partner


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
    sides = (truth, prediction)
    cells = [label_cells(mask, connectivity) for mask in sides]
    pieces = [_pieces(mask, connectivity, frame) for mask in sides]
    return Mistakes(
        without_partner(cells[0], cells[1]),
        without_partner(cells[1], cells[0]),
        np.concatenate([without_partner(*pieces), without_partner(*pieces[::-1])]),
    )


def _pieces(mask: NDArray[np.bool_], connectivity: int, frame: bool) -> NDArray[np.int64]:
    """Components of the structure, without the one that the frame is part of."""
    if not frame:
        return label_structure(mask, connectivity)
    framed = np.pad(mask, 1, constant_values=True)
    labels = label_structure(framed, connectivity)
    return label_structure((framed & (labels != labels[0, 0]))[1:-1, 1:-1], connectivity)
