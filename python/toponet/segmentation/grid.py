"""Which combinations of threshold, keep and add are tried, and in which order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

from toponet.topology.segmentation import SegmentationOptions

THRESHOLDS = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65)
KEEPS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
ADDS = (None, 0.1, 0.2, 0.3, 0.4, 0.5)


class Grid:
    """The combinations of a grid, and the plain cuts at 0.5 and at each threshold of the grid."""

    def __init__(
        self,
        thresholds: Sequence[float],
        keeps: Sequence[float],
        adds: Sequence[float | None],
    ) -> None:
        """Keeps the values that can be combined.

        Raises:
            TypeError: If a value is no number.
            ValueError: If a list is empty, or a value is out of range.
        """
        for name, values in (("thresholds", thresholds), ("keeps", keeps), ("adds", adds)):
            if len(values) == 0:
                raise ValueError(f"{name} must hold at least one value")
        combined = [SegmentationOptions(*each) for each in product(thresholds, keeps, adds)]
        cuts = [SegmentationOptions.cut(threshold) for threshold in (0.5, *thresholds)]
        self.combinations = tuple(dict.fromkeys([*cuts, *combined]))
        self._middle = min((each.threshold for each in combined), key=_distance_from_middle)
        self._places = [
            {value: place for place, value in enumerate(sorted(set(axis)))}
            for axis in zip(*map(_numbers, self.combinations), strict=True)
        ]

    def start(self) -> list[SegmentationOptions]:
        """The plain cuts, and all combinations at the threshold that is nearest to 0.5."""
        return [each for each in self.combinations if each.is_cut or each.threshold == self._middle]

    def around(self, centre: SegmentationOptions) -> list[SegmentationOptions]:
        """The combinations that lie near the centre, or differ from it in one number only.

        Near: each number is at most one step of the grid away.
        """
        middle = self._place(centre)
        found = []
        for each in self.combinations:
            steps = [abs(a - b) for a, b in zip(self._place(each), middle, strict=True)]
            if max(steps) <= 1 or steps.count(0) == 2:
                found.append(each)
        return found

    def _place(self, options: SegmentationOptions) -> list[int]:
        return [
            places[value] for places, value in zip(self._places, _numbers(options), strict=True)
        ]


def least_change(options: SegmentationOptions) -> tuple[float, ...]:
    """A key that is smaller for options that change less of a likelihood."""
    _, keep, add = _numbers(options)
    return keep, -add, _distance_from_middle(options.threshold), options.threshold


def _numbers(options: SegmentationOptions) -> tuple[float, float, float]:
    """The three numbers; to bring out nothing is to ask for an infinite persistence."""
    return options.threshold, options.keep, math.inf if options.add is None else options.add


def _distance_from_middle(threshold: float) -> float:
    """Rounded, so that 0.45 is as far from 0.5 as 0.55."""
    return round(abs(threshold - 0.5), 9)
