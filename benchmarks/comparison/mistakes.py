"""Topological mistakes by place: a merged cell isn't made up for by a pinhole elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from toponet.topology.labelling import label_cells, label_structure, without_partner

KINDS = ("cells merged or lost", "cells too many", "pieces too many or too few")


def mean_mistakes(
    predictions: Sequence[NDArray[np.bool_]], truths: Sequence[NDArray[np.bool_]], connectivity: int
) -> dict[str, float]:
    """The marks of `toponet.plots.plot_mistakes`, counted: means over whole images."""
    counts = [_counts(f, g, connectivity) for f, g in zip(predictions, truths, strict=True)]
    return dict(zip(KINDS, np.mean(counts, axis=0).tolist(), strict=True))


def _counts(f: NDArray[np.bool_], g: NDArray[np.bool_], connectivity: int) -> list[int]:
    cells, true_cells = (label_cells(mask, connectivity) for mask in (f, g))
    pieces, true_pieces = (label_structure(mask, connectivity) for mask in (f, g))
    return [
        len(without_partner(true_cells, cells)),
        len(without_partner(cells, true_cells)),
        len(without_partner(true_pieces, pieces)) + len(without_partner(pieces, true_pieces)),
    ]
