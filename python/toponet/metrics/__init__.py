"""Metrics with stated conventions: masks in, numbers out; numpy or torch.

There are functions for one batch (``betti_error``), and ``torchmetrics.Metric`` classes that sum
the same numbers over batches and processes (``BettiError``). torchmetrics is imported when a class
is first used.

Every image counts the same, whatever its size: a result is the mean over the images, and within an
image the mean over its patches or pixels. ``valid`` leaves pixels out, in the same way as in the
loss.
"""

import importlib
from typing import TYPE_CHECKING, Any

from toponet.metrics.betti import BettiErrorResult, betti_error, betti_number_error
from toponet.metrics.conventions import BettiConvention
from toponet.metrics.partition import (
    VariationOfInformationResult,
    adapted_rand_score,
    variation_of_information,
)
from toponet.metrics.pixel import pixel_accuracy

if TYPE_CHECKING:
    from toponet.metrics.classes import (
        AdaptedRandScore,
        BettiError,
        BettiNumberError,
        PixelAccuracy,
        VariationOfInformation,
    )

_CLASSES = (
    "AdaptedRandScore",
    "BettiError",
    "BettiNumberError",
    "PixelAccuracy",
    "VariationOfInformation",
)

__all__ = [
    "AdaptedRandScore",
    "BettiConvention",
    "BettiError",
    "BettiErrorResult",
    "BettiNumberError",
    "PixelAccuracy",
    "VariationOfInformation",
    "VariationOfInformationResult",
    "adapted_rand_score",
    "betti_error",
    "betti_number_error",
    "pixel_accuracy",
    "variation_of_information",
]


def __getattr__(name: str) -> Any:
    """Loads the classes at first use: importing torchmetrics takes as long as importing torch."""
    if name in _CLASSES:
        return getattr(importlib.import_module("toponet.metrics.classes"), name)
    raise AttributeError(f"module 'toponet.metrics' has no attribute {name!r}")
