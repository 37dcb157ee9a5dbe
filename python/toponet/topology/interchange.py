"""Diagrams in the forms of other libraries, to and from flat arrays.

Other libraries work on sublevel sets. There birth <= death, and a class that never dies has death
inf. The sublevel sets of the negated image -f are the superlevel sets of f. So both have the same
classes, with births and deaths of opposite sign. ``negated`` tells whether the signs change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet._ground.validation import FloatArray, check_flag
from toponet.topology.diagram_checks import MOST_DIMENSION, check_dots, check_holes_die, dot_array

Pair = tuple[int, tuple[float, float]]
Rows = tuple[FloatArray, NDArray[np.int8]]
FlatArrays = tuple[FloatArray, NDArray[np.int32], NDArray[np.int8], NDArray[np.int64]]


def change_sign(values: FloatArray) -> FloatArray:
    """The values of the negated image. They are subtracted, because -x would turn 0.0 into -0.0."""
    return 0 - values


def from_pairs(diagrams: Sequence[Sequence[Pair]], negated: bool) -> FlatArrays:
    """Flat arrays of (dimension, (birth, death)); see ``PersistenceDiagrams.from_gudhi``."""
    check_flag("negated", negated)
    _check_list("diagrams", diagrams, "of diagrams, one for each image")
    return _flat([_rows_of_pairs(i, pairs, negated) for i, pairs in enumerate(diagrams)], negated)


def _rows_of_pairs(image: int, pairs: Sequence[Pair], negated: bool) -> Rows:
    name = f"diagrams[{image}]"
    content = "of (dimension, (birth, death)), one list for each image"
    _check_list(name, pairs, content)
    try:
        rows = np.asarray([(dimension, *dot) for dimension, dot in pairs])
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a list {content}") from None
    if len(pairs) == 0:
        rows = np.empty((0, 3))
    if rows.shape[1:] != (3,) or rows.dtype.kind not in "buif":
        raise TypeError(f"{name} must be a list {content}")
    values = rows[:, 1:].astype(np.float64)
    strange = ~np.isin(rows[:, 0], range(MOST_DIMENSION + 1))
    if strange.any():
        raise ValueError(
            f"{name} must have dimensions 0, 1 and 2, as images and volumes have, got "
            f"{rows[strange, 0][0]:g}"
        )
    dimensions = rows[:, 0].astype(np.int8)
    check_dots(name, values, sublevel=negated)
    check_holes_die(name, values, dimensions)
    return values, dimensions


def from_arrays(diagrams: Sequence[Sequence[ArrayLike]], negated: bool) -> FlatArrays:
    """Flat arrays of one array a dimension; see ``PersistenceDiagrams.from_scikit_tda``."""
    check_flag("negated", negated)
    _check_list("diagrams", diagrams, "of diagrams, one for each image")
    return _flat([_rows_of_arrays(i, arrays, negated) for i, arrays in enumerate(diagrams)],
                 negated)  # fmt: skip


def _rows_of_arrays(image: int, arrays: Sequence[ArrayLike], negated: bool) -> Rows:
    name = f"diagrams[{image}]"
    _check_list(name, arrays, "of (n, 2) arrays, one for each dimension")
    parts = [
        dot_array(f"{name}[{dimension}]", array, sublevel=negated)
        for dimension, array in enumerate(arrays)
    ]
    if any(len(part) for part in parts[MOST_DIMENSION + 1 :]):
        raise ValueError(
            f"{name} must have dimensions 0, 1 and 2, as images and volumes have, got {len(parts)} "
            "arrays that aren't empty"
        )
    dimensions = np.repeat(np.arange(len(parts)), [len(part) for part in parts]).astype(np.int8)
    values = _join(parts)
    check_holes_die(name, values, dimensions)
    return values, dimensions


def _check_list(name: str, given: object, content: str) -> None:
    """Raises TypeError unless a list: an array, or one image's diagram, would be misread."""
    if not isinstance(given, (list, tuple)):
        raise TypeError(f"{name} must be a list {content}, got {type(given).__name__}")


def _join(parts: Sequence[FloatArray]) -> FloatArray:
    """All rows; float32 if all of them are, and float64 if there are none."""
    if not parts:
        return np.empty((0, 2), dtype=np.float64)
    # numpy's stubs don't see that floats stay floats.
    return cast("FloatArray", np.concatenate(parts))


def _flat(images: Sequence[Rows], negated: bool) -> FlatArrays:
    """The rows of positive persistence, by dimension; a class that never dies comes first."""
    ordered = [_in_order(values, dimensions) for values, dimensions in images]
    values = _join([image_values for image_values, _ in ordered])
    counts = [len(image_values) for image_values, _ in ordered]
    return (
        change_sign(values) if negated else values,
        np.full((len(values), 2), -1, dtype=np.int32),
        np.concatenate([np.empty(0, np.int8), *(dimensions for _, dimensions in ordered)]),
        np.cumsum([0, *counts], dtype=np.int64),
    )


def _in_order(values: FloatArray, dimensions: NDArray[np.int8]) -> Rows:
    rows = np.lexsort((np.isfinite(values[:, 1]), dimensions))
    rows = rows[values[rows, 0] != values[rows, 1]]
    return values[rows], dimensions[rows]
