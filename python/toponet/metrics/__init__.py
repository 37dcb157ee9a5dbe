"""Metrics with stated conventions: masks in, numbers out; numpy or torch."""

from toponet.metrics.betti import BettiError, betti_error
from toponet.metrics.partition import (
    VariationOfInformation,
    adapted_rand_score,
    variation_of_information,
)
from toponet.metrics.pixel import pixel_accuracy

__all__ = [
    "BettiError",
    "VariationOfInformation",
    "adapted_rand_score",
    "betti_error",
    "pixel_accuracy",
    "variation_of_information",
]
