"""Lists, arrays and tensors as numpy arrays, from which pictures are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from toponet._ground.validation import check_number, number_array

# Whatever holds numbers. Tensors are named, because for type checkers they aren't array-like.
Numbers = ArrayLike | torch.Tensor


def real_array(name: str, given: Numbers) -> NDArray[Any]:
    """The numbers of a list, an array or a tensor of any device, with or without a gradient.

    Raises:
        TypeError: If it holds no real numbers, or is a masked array.
        ValueError: If its rows have different lengths.
    """
    if isinstance(given, torch.Tensor):
        values = given.detach().cpu()
        # numpy has no bfloat16.
        given = (values.float() if values.dtype == torch.bfloat16 else values).numpy()
    elif isinstance(given, (list, tuple)):
        # A list of losses holds one tensor for each epoch.
        given = [real_array(name, x) if isinstance(x, torch.Tensor) else x for x in given]
    return number_array(name, given)


def real_number(name: str, given: object) -> float:
    """One finite number. A number of low precision means the decimal number that it prints.

    Raises:
        TypeError: If it isn't a number.
        ValueError: If it isn't finite.
    """
    if isinstance(given, (np.ndarray, torch.Tensor)):
        given = real_array(name, given)[()]  # Makes a scalar of an array without axes.
    return check_number(name, float(str(given)) if isinstance(given, np.floating) else given)


def level(threshold: float, likelihood: Numbers) -> float:
    """The threshold as the nearest number of the likelihood's own type.

    A pixel that was set to 0.7 reaches the threshold 0.7, although 0.7 as float32 lies below 0.7
    as float64.
    """
    if isinstance(likelihood, torch.Tensor):
        whole = not likelihood.is_floating_point()
        return threshold if whole else float(torch.tensor(threshold, dtype=likelihood.dtype))
    dtype = real_array("likelihood", likelihood).dtype
    return float(dtype.type(threshold)) if dtype.kind == "f" else threshold
