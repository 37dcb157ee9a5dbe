"""What the arrays of persistence diagrams must be: one clear sentence for each mistake."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet._ground.validation import FloatArray, number_array

# Of a volume: its cavities.
MOST_DIMENSION = 2

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
# Made once. Comparing with np.int32 itself would make a dtype of it each time.
_INT8, _INT32, _INT64 = (np.dtype(np.int8),), (np.dtype(np.int32),), (np.dtype(np.int64),)


def check_layout(
    values: FloatArray,
    pixels: NDArray[np.int32],
    dimensions: NDArray[np.int8],
    splits: NDArray[np.int64],
) -> None:
    """Raises unless dtypes and shapes fit together. The numbers are not checked.

    Every result of the kernel passes this check. It calls no numpy function, so it takes about
    1 us.

    Raises:
        TypeError: If an argument isn't a numpy array, or has another dtype.
        ValueError: If shapes don't fit, or splits don't run from 0 to the number of rows.
    """
    _check_array("values", values, _FLOATS)
    _check_array("pixels", pixels, _INT32)
    _check_array("dimensions", dimensions, _INT8)
    _check_array("splits", splits, _INT64)
    if dimensions.ndim != 1 or splits.ndim != 1:
        raise ValueError(
            "dimensions and splits must have shape (n,) and (B + 1,), got "
            f"{dimensions.shape} and {splits.shape}"
        )
    rows = len(dimensions)
    if not values.shape == pixels.shape == (rows, 2):
        raise ValueError(
            f"values and pixels must have shape (n, 2) where dimensions has ({rows},), got "
            f"{values.shape} and {pixels.shape}"
        )
    if len(splits) == 0 or splits.item(0) != 0 or splits.item(-1) != rows:
        ends = f"{splits[0]} to {splits[-1]}" if len(splits) else "none"
        raise ValueError(f"splits must run from 0 to the number of rows, {rows}, got {ends}")


def _check_array(name: str, array: object, dtypes: tuple[np.dtype[Any], ...]) -> None:
    if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name} must be a numpy array, got {type(array).__name__}")
    if array.dtype not in dtypes:
        raise TypeError(f"{name} must be {' or '.join(map(str, dtypes))}, got {array.dtype}")


def check_content(
    values: FloatArray,
    pixels: NDArray[np.int32],
    dimensions: NDArray[np.int8],
    splits: NDArray[np.int64],
) -> None:
    """Raises ValueError unless the numbers in arrays of the right layout can belong to diagrams."""
    check_dots("values", values)
    if (pixels < -1).any():
        raise ValueError(f"pixels must be at least -1, got {pixels.min()}")
    if not np.isin(dimensions, range(MOST_DIMENSION + 1)).all():
        raise ValueError("dimensions must be 0, 1 or 2, got other numbers as well")
    if (np.diff(splits) < 0).any():
        raise ValueError("splits must not decrease")
    check_holes_die("values", values, dimensions)


def check_holes_die(name: str, values: FloatArray, dimensions: NDArray[np.int8]) -> None:
    """Raises ValueError if a hole, tunnel or cavity never dies.

    The last threshold fills every hole of an image. A hole that never dies would be matched like
    the component that never dies. A death of either infinity means "never" here.
    """
    undying = (dimensions > 0) & np.isinf(values[:, 1])
    if undying.any():
        row = int(np.argmax(undying))
        raise ValueError(
            f"{name} must have a death for each hole (dimension {dimensions[row]}), as all holes "
            f"of an image die; got one that never dies in row {row}"
        )


def dot_array(name: str, values: ArrayLike, *, sublevel: bool = False) -> FloatArray:
    """(n, 2) births and deaths as an array: float32 stays as it is, other numbers become float64.

    Raises:
        TypeError: If there are no real numbers in it.
        ValueError: If it isn't (n, 2), or as :func:`check_dots`.
    """
    given = number_array(name, values)
    if given.size == 0 and given.ndim <= 2:  # An empty list has no second axis.
        given = given.reshape(0, 2)
    if given.ndim != 2 or given.shape[1] != 2:
        raise ValueError(f"{name} must have shape (n, 2), got {given.shape}")
    dots: FloatArray = (
        given.astype(np.float32) if given.dtype == np.float32 else given.astype(np.float64)
    )
    check_dots(name, dots, sublevel=sublevel)
    return dots


def check_dots(name: str, values: FloatArray, *, sublevel: bool = False) -> None:
    """Raises ValueError unless (n, 2) values are births and deaths in the right order.

    Args:
        name: For the sentence.
        values: (n, 2) births and deaths.
        sublevel: Whether they are of sublevel sets, where birth <= death and "never" is inf.
    """
    birth, death = (-values if sublevel else values).T
    if not np.isfinite(birth).all() or np.isnan(death).any() or (death == np.inf).any():
        never = "inf" if sublevel else "-inf"
        raise ValueError(f"{name} must hold finite numbers (deaths may be {never})")
    if (birth < death).any():
        row = int(np.argmax(birth < death))
        order = "birth <= death (sublevel" if sublevel else "birth >= death (superlevel"
        raise ValueError(f"{name} must have {order} sets), got {values[row]} in row {row}")
