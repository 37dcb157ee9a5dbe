"""Reads predictions as likelihoods, and tells masks, likelihoods and other files apart."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.probabilities import rounding_tolerance, without_rounding
from toponet.data.files import as_grey, as_mask, read_pixels
from toponet.data.likelihood_values import ValueSurvey

KINDS = ("auto", "mask", "likelihood")


def read_likelihood(path: Path, kind: str = "auto") -> NDArray[np.float32]:
    """Reads a file of a mask or a likelihood.

    Args:
        path: A grey image.
        kind: "mask": 0 and one of 1, 255, 65535. "likelihood": floating point in [0, 1], or 8 or 16
            bit, where the largest number stands for 1. "auto": a mask if it can be one, else a
            likelihood. Its integers must use at least half of their range and mustn't be numbered
            regions.

    Returns:
        (H, W) in [0, 1].

    Raises:
        ValueError: If the file isn't one grey image of that kind.
    """
    pixels = read_pixels(path)
    if kind == "mask":
        return as_mask(pixels, str(path)).astype(np.float32)
    if kind == "auto" and pixels.dtype.kind != "f":
        with suppress(ValueError):  # More than two values: perhaps a likelihood.
            return as_mask(pixels, str(path)).astype(np.float32)
    pixels = as_grey(pixels, str(path), "likelihood or mask")
    if pixels.dtype.kind == "f":
        return _in_unit_range(pixels, path)
    if pixels.dtype == np.bool_:
        return pixels.astype(np.float32)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"{path} must be 8 bit, 16 bit or floating point, got {pixels.dtype}")
    full = int(np.iinfo(pixels.dtype).max)
    survey = ValueSurvey()
    survey.add(pixels)
    if kind == "auto" and (reason := survey.why_no_likelihood(full)):
        raise ValueError(
            f"{path} is no mask (0 and one of 1, 255, 65535) and hardly a likelihood: {reason}; "
            f"make a mask of it, or --predictions-are likelihood takes {full} for 1"
        )
    return pixels.astype(np.float32) / np.float32(full)


def check_no_mask(likelihood: NDArray[np.float32], path: Path) -> None:
    """Raises ValueError if an image holds 0 and 1 and nothing else: it has no weak features."""
    if likelihood.min() == 0 and likelihood.max() == 1 and np.isin(likelihood, (0, 1)).all():
        raise ValueError(
            f"{path} is a mask, and --keep and --add need likelihoods: name these, or leave both "
            "options out"
        )


def _in_unit_range(pixels: NDArray[Any], path: Path) -> NDArray[np.float32]:
    """As float32; what rounding to it or to the file's type left outside is put at the end."""
    tolerance = max(map(rounding_tolerance, (pixels.dtype, "float32")))
    likelihood, inside = without_rounding(pixels.astype(np.float32), tolerance)
    if not inside:
        wrong = likelihood[~((likelihood >= 0) & (likelihood <= 1))]  # NaN as well.
        raise ValueError(f"{path} must lie in [0, 1], got {wrong[0]:.9g}")
    return likelihood
