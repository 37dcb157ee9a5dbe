"""What is measured of the structure as a whole, as ``torchmetrics.Metric`` classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_choice
from toponet.metrics._mean_metric import MeanMetric
from toponet.metrics.centreline import (
    DEFAULT_SKELETON,
    SKELETONS,
    centreline_scores,
    describe_centreline,
)
from toponet.metrics.conventions import betti_convention
from toponet.metrics.euler import describe_euler, euler_differences


class CldiceScore(MeanMetric):
    """Centreline Dice (clDice) of two masks, mean over images; 1 is perfect.

    The class of :func:`toponet.metrics.cldice_score`.

    Args:
        skeleton: "zhang" or "lee".
        kwargs: ``only`` and ``threshold`` (:func:`toponet.metrics.scalar_metric`), and
            torchmetrics' own options.

    Returns:
        ``compute``: a scalar.

    Raises:
        TypeError: For the reasons of the function.
        ValueError: For the reasons of the function; from ``compute`` if there was no update.
    """

    higher_is_better = True
    plot_upper_bound = 1.0

    def __init__(self, *, skeleton: str = DEFAULT_SKELETON, **kwargs: Any) -> None:
        """Checks the options."""
        check_choice("skeleton", skeleton, SKELETONS)
        super().__init__(("cldice",), describe_centreline(skeleton), **kwargs)
        self.skeleton = skeleton

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return centreline_scores(preds, target, self.skeleton, valid)


class EulerNumberError(MeanMetric):
    """Absolute difference of the Euler numbers of whole images, mean over images; 0 is perfect.

    The class of :func:`toponet.metrics.euler_number_error`.

    Args:
        connectivity: Connectivity of the structure.
        frame: True, False or "rim".
        kwargs: ``only`` and ``threshold`` (:func:`toponet.metrics.scalar_metric`), and
            torchmetrics' own options.

    Returns:
        ``compute``: a scalar.

    Raises:
        TypeError: For the reasons of the function.
        ValueError: For the reasons of the function; from ``compute`` if there was no update.
    """

    higher_is_better = False

    def __init__(self, *, connectivity: int = 8, frame: bool | str = True, **kwargs: Any) -> None:
        """Checks the options."""
        counted = betti_convention(patches="whole", connectivity=connectivity, frame=frame)
        words = describe_euler(connectivity, frame)
        super().__init__(("euler_number_error",), words, **kwargs)
        self._counted = counted

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return euler_differences(preds, target, self._counted, valid)
