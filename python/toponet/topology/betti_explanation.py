"""What the loss does to one image under Betti matching, dot by dot."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet.topology.explanation import Explanation, dot_rows, dots_of, joined_explanation
from toponet.topology.induced_matching import BettiMatching


def explain_betti(
    matching: BettiMatching,
    shape: tuple[int, int],
    dims: tuple[int, ...],
    *,
    min_persistence: float = 0.0,
    dim_weights: tuple[float, float] = (1.0, 1.0),
    unmatched_weight: float = 1.0,
) -> Explanation:
    """The explanation of one image and its target, whose diagrams have been matched.

    Args:
        matching: The matching of one image (f) with its target (g).
        shape: Height and width of the image.
        dims: Dimensions that count.
        min_persistence: Dots of f without partner of at most this persistence are left alone.
        dim_weights: Factors of dimension 0 and 1.
        unmatched_weight: Factor of the cost of dots without partner.
    """
    parts = []
    for dimension in sorted(dims):
        found = dots_of("likelihood", matching.diagrams_f, dimension, shape)
        wanted = dots_of("target", matching.diagrams_g, dimension, shape)
        pairs = _pairs_of(matching, dimension, found.values, min_persistence)
        part = dot_rows(found, wanted, pairs)
        part["dimensions"] = np.full(len(part["dots"]), dimension, dtype=np.int8)
        weights = np.full(len(part["dots"]), dim_weights[dimension])
        weights[np.isin(part["fates"], ("removed", "missing"))] *= unmatched_weight
        part["costs"] = part["costs"] * weights
        part["forces"] = part["forces"] * weights[:, None]
        parts.append(part)
    return joined_explanation(parts, shape)


def _pairs_of(
    matching: BettiMatching, dimension: int, found: NDArray[Any], min_persistence: float
) -> NDArray[np.int64]:
    """Rows within one dimension, as ``toponet.match`` gives them: -1 = the diagonal."""
    rows_f = np.flatnonzero(matching.diagrams_f.dimensions == dimension)
    rows_g = np.flatnonzero(matching.diagrams_g.dimensions == dimension)
    of_dimension = np.isin(matching.pairs[:, 0], rows_f)
    partners = np.stack(
        [
            np.searchsorted(rows, matching.pairs[of_dimension, side])
            for side, rows in enumerate((rows_f, rows_g))
        ],
        axis=1,
    )
    surplus = np.setdiff1d(np.arange(len(rows_f)), partners[:, 0])
    surplus = surplus[found[surplus, 0] - found[surplus, 1] > min_persistence]
    missing = np.setdiff1d(np.arange(len(rows_g)), partners[:, 1])
    alone = (
        np.stack([surplus, np.full(len(surplus), -1)], axis=1),
        np.stack([np.full(len(missing), -1), missing], axis=1),
    )
    pairs: NDArray[np.int64] = np.concatenate([partners, *alone]).astype(np.int64)
    return pairs
