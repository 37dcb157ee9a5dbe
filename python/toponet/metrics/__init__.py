"""Metrics with stated conventions: masks in, numbers out; numpy or torch.

There are functions for one batch (``betti_error``), and ``torchmetrics.Metric`` classes that sum
the same numbers over batches and processes (``BettiError``). torchmetrics is imported when a class
is first used.

Every image counts the same, whatever its size: a result is the mean over the images, and within an
image the mean over its patches or pixels. ``valid`` leaves pixels out, in the same way as in the
loss.
"""

from typing import TYPE_CHECKING

from toponet._ground.on_demand import on_demand
from toponet.metrics.betti import BettiErrorResult, betti_error, betti_number_error
from toponet.metrics.betti_matching import (
    BettiMatchingErrorResult,
    BettiMatchingScoreResult,
    betti_matching_error,
    betti_matching_score,
)
from toponet.metrics.centreline import cldice_score
from toponet.metrics.conventions import BettiConvention
from toponet.metrics.euler import euler_number_error
from toponet.metrics.instances import (
    InstanceConvention,
    InstanceRandResult,
    instance_rand_score,
    instance_variation_of_information,
)
from toponet.metrics.partition import (
    VariationOfInformationResult,
    adapted_rand_score,
    variation_of_information,
)
from toponet.metrics.pixel import pixel_accuracy

if TYPE_CHECKING:
    from toponet.metrics.betti_matching_classes import BettiMatchingError, BettiMatchingScore
    from toponet.metrics.classes import (
        AdaptedRandScore,
        BettiError,
        BettiNumberError,
        PixelAccuracy,
        VariationOfInformation,
    )
    from toponet.metrics.instance_classes import (
        InstanceRandScore,
        InstanceVariationOfInformation,
    )
    from toponet.metrics.presets import protocol_metrics, scalar_metric
    from toponet.metrics.structure_classes import CldiceScore, EulerNumberError

# Importing torchmetrics takes as long as importing torch.
__getattr__ = on_demand(
    __name__,
    {
        "AdaptedRandScore": "toponet.metrics.classes",
        "BettiError": "toponet.metrics.classes",
        "BettiMatchingError": "toponet.metrics.betti_matching_classes",
        "BettiMatchingScore": "toponet.metrics.betti_matching_classes",
        "BettiNumberError": "toponet.metrics.classes",
        "CldiceScore": "toponet.metrics.structure_classes",
        "EulerNumberError": "toponet.metrics.structure_classes",
        "InstanceRandScore": "toponet.metrics.instance_classes",
        "InstanceVariationOfInformation": "toponet.metrics.instance_classes",
        "PixelAccuracy": "toponet.metrics.classes",
        "VariationOfInformation": "toponet.metrics.classes",
        "protocol_metrics": "toponet.metrics.presets",
        "scalar_metric": "toponet.metrics.presets",
    },
)

__all__ = [
    "AdaptedRandScore",
    "BettiConvention",
    "BettiError",
    "BettiErrorResult",
    "BettiMatchingError",
    "BettiMatchingErrorResult",
    "BettiMatchingScore",
    "BettiMatchingScoreResult",
    "BettiNumberError",
    "CldiceScore",
    "EulerNumberError",
    "InstanceConvention",
    "InstanceRandResult",
    "InstanceRandScore",
    "InstanceVariationOfInformation",
    "PixelAccuracy",
    "VariationOfInformation",
    "VariationOfInformationResult",
    "adapted_rand_score",
    "betti_error",
    "betti_matching_error",
    "betti_matching_score",
    "betti_number_error",
    "cldice_score",
    "euler_number_error",
    "instance_rand_score",
    "instance_variation_of_information",
    "pixel_accuracy",
    "protocol_metrics",
    "scalar_metric",
    "variation_of_information",
]
