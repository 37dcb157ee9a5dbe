"""Persistence of volumes by GUDHI and by cripser, voxel for voxel.

Both are given the places of the voxels in the total order. No two places are equal, and an interval
of places names its two voxels. So ties can't be broken in another way, and the rows are comparable
as they are.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference import OUTSIDE, Row, in_order

Interval = tuple[int, float, float]  # Dimension, birth, death (infinity = never).
# Of the sublevel sets of an array, for the connectivity 6 or 26 of the set.
IntervalsOf = Callable[[NDArray[np.float64], int], list[Interval]]


def gudhi_intervals(array: NDArray[np.float64], connectivity: int) -> list[Interval]:
    cells = "top_dimensional_cells" if connectivity == 26 else "vertices"
    cubical = importlib.import_module("gudhi").CubicalComplex(**{cells: array})
    dots = cubical.persistence(homology_coeff_field=2, min_persistence=0)
    return [(d, birth, death) for d, (birth, death) in dots if birth != death]


def cripser_intervals(array: NDArray[np.float64], connectivity: int) -> list[Interval]:
    name = "computePH_T" if connectivity == 26 else "computePH"
    rows = getattr(importlib.import_module("cripser"), name)(array, maxdim=2)[:, :3].tolist()
    return [
        (int(d), birth, death if death < np.finfo(float).max else np.inf)
        for d, birth, death in rows
        if birth != death
    ]


INSTALLED: dict[str, IntervalsOf] = {
    name: intervals_of
    for name, intervals_of in (("gudhi", gudhi_intervals), ("cripser", cripser_intervals))
    if importlib.util.find_spec(name)
}


def dots_by(
    intervals_of: IntervalsOf, volume: NDArray[Any], connectivity: int, frame: bool
) -> list[Interval]:
    """(dimension, birth, death) of the classes that die, sorted; a frame of value 1 is padding."""
    given = np.pad(volume, 1, constant_values=1) if frame else volume
    intervals = intervals_of(-given.astype(np.float64), connectivity)
    return sorted((d, 0.0 - birth, 0.0 - death) for d, birth, death in intervals if death < np.inf)


def rows_by(
    intervals_of: IntervalsOf, volume: NDArray[Any], connectivity: int, frame: bool
) -> list[Row]:
    """The rows of persistence(); the frame's value is 1."""
    values = volume.ravel()
    order = sorted(range(values.size), key=lambda v: (-values[v], v))
    places = np.empty(values.size)
    places[order] = np.arange(values.size)
    given = places.reshape(volume.shape)
    if frame:
        given = np.pad(given, 1, constant_values=OUTSIDE)
    rows = []
    for d, birth, death in intervals_of(given, connectivity):
        born = OUTSIDE if birth < 0 else order[int(birth)]
        if death == np.inf:
            if not frame:
                rows.append((d, born, OUTSIDE))
            continue
        dies = order[int(death)]
        if (1 if born == OUTSIDE else values[born]) != values[dies]:
            rows.append((d, born, dies))
    return in_order(rows)
