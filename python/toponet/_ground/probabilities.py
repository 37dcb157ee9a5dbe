"""What counts as a likelihood in [0, 1]: one rule for losses, metrics, evaluation and pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# A softmax that is summed over channels, or an upsampling, ends one or two units in the last place
# away from 1.
UNITS = 4
# Types of eight bits have steps so coarse that logits would pass: they get bfloat16's tolerance.
BFLOAT16_UNIT = 2.0**-7


def rounding_tolerance(dtype: object) -> float:
    """How far outside [0, 1] rounding may leave a probability: four units in the last place of 1.

    Args:
        dtype: Of numpy or torch, in which the probability was computed; 0 for whole numbers.
    """
    name = str(dtype).removeprefix("torch.")
    if name in ("float16", "float32", "float64"):
        return UNITS * float(np.finfo(name).eps)
    return UNITS * BFLOAT16_UNIT if name.startswith(("bfloat", "float8", "float4")) else 0.0


def without_rounding(values: NDArray[Any], tolerance: float) -> tuple[NDArray[Any], bool]:
    """Values with those at most ``tolerance`` outside [0, 1] put at its end; others stay.

    Args:
        values: At least one.
        tolerance: What :func:`rounding_tolerance` gives.

    Returns:
        The values, a copy only if one has changed; and whether all of them lie in [0, 1] now.
    """
    low, high = values.min(), values.max()
    if low >= 0 and high <= 1:
        return values, True
    if low >= -tolerance and high <= 1 + tolerance:
        return np.clip(values, 0, 1), True
    near = (values >= -tolerance) & (values <= 1 + tolerance)
    return np.where(near, np.clip(values, 0, 1), values), False  # NaN isn't near.
