"""What becomes of each dot of a likelihood when it is segmented by persistence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet.topology.diagrams import PersistenceDiagrams
from toponet.topology.segmentation import Decisions, SegmentationOptions


@dataclass(frozen=True, eq=False)
class DotFates:
    """The dots of one likelihood, one row each.

    Attributes:
        places: (n, 2) Death and birth; the death is -inf if it never comes.
        pixels: (n, 2) Birth and death pixel; -1 = born with the frame, or never dies.
        dimensions: (n,) 0 or 1.
        fates: (n,) "hidden", "shown", "left" (as it is, against the rule), "taken away", "brought
            out", or what decisions did.
    """

    places: NDArray[np.float64]
    pixels: NDArray[np.int32]
    dimensions: NDArray[np.int8]
    fates: NDArray[np.str_]

    def __len__(self) -> int:
        """Number of dots."""
        return len(self.dimensions)

    @property
    def persistence(self) -> NDArray[np.float64]:
        """(n,) Birth less death; what never dies is taken to die at 0."""
        lasting: NDArray[np.float64] = self.places[:, 1] - np.maximum(self.places[:, 0], 0)
        return lasting

    def where(self, chosen: NDArray[Any]) -> DotFates:
        """Some of the rows: a condition for each, or their numbers."""
        return DotFates(
            self.places[chosen], self.pixels[chosen], self.dimensions[chosen], self.fates[chosen]
        )


def dot_fates(
    diagrams: PersistenceDiagrams, options: SegmentationOptions, decisions: Decisions | None = None
) -> DotFates:
    """The fates of dots by the rule; those that decisions changed, by the decisions.

    Args:
        diagrams: Of one likelihood, with the connectivity and the frame of the segmentation.
        options: Threshold, keep and add.
        decisions: What the segmentation of the same likelihood changed; None = what the rule says.
    """
    places = diagrams.values[:, ::-1].astype(np.float64)
    # In the type of the likelihood, as the segmentation compares them.
    threshold = float(diagrams.values.dtype.type(options.threshold))
    fates = _fates(places, threshold, options)
    by_rule = DotFates(places, diagrams.pixels, diagrams.dimensions, fates)
    if decisions is None:
        return by_rule
    changed = set(_keys(decisions.dimension, decisions.birth_pixel, decisions.death_pixel))
    keys = _keys(diagrams.dimensions, *diagrams.pixels.T)
    rest = by_rule.where(np.array([key not in changed for key in keys], dtype=bool))
    left = np.isin(rest.fates, ("taken away", "brought out"))
    never = (decisions.dimension == 0) & (decisions.death_pixel < 0)
    deaths = np.where(never, -np.inf, decisions.death)
    pixels = np.stack([decisions.birth_pixel, decisions.death_pixel], axis=1)
    return DotFates(
        np.concatenate([rest.places, np.stack([deaths, decisions.birth], axis=1)]),
        np.concatenate([rest.pixels, pixels]),
        np.concatenate([rest.dimensions, decisions.dimension]),
        np.concatenate([np.where(left, "left", rest.fates), decisions.action]),
    )


def _keys(*columns: NDArray[Any]) -> list[tuple[int, ...]]:
    """What tells the dots of one image apart: dimension, birth pixel, death pixel."""
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _fates(
    places: NDArray[np.float64], threshold: float, options: SegmentationOptions
) -> NDArray[np.str_]:
    """What the rule says of dots (death, birth). What never dies is taken to die at 0."""
    deaths, births = np.maximum(places[:, 0], 0), places[:, 1]
    persistence = births - deaths
    shown = (births >= threshold) & (deaths < threshold)
    kept = persistence > options.keep if options.keep else shown
    added = persistence > (math.inf if options.add is None else options.add)
    return np.where(
        shown, np.where(kept, "shown", "taken away"), np.where(added, "brought out", "hidden")
    )
