"""What is measured of the structure as a whole, as ``torchmetrics.Metric`` classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.spaces import space_of
from toponet.metrics._mean_metric import MeanMetric
from toponet.metrics.centreline import (
    centreline_scores,
    chosen_skeleton,
    describe_centreline,
)
from toponet.metrics.conventions import betti_convention
from toponet.metrics.euler import describe_euler, euler_differences


class CldiceScore(MeanMetric):
    """Centreline Dice (clDice) of two masks, mean over images; 1 is perfect.

    The class of :func:`toponet.metrics.cldice_score`.

    Args:
        spatial_dims: 2 = images, 3 = volumes.
        skeleton: "zhang" or "lee"; volumes have "lee" alone.
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

    def __init__(
        self, *, spatial_dims: int = 2, skeleton: str | None = None, **kwargs: Any
    ) -> None:
        """Checks the options."""
        chosen = chosen_skeleton(skeleton, space_of(spatial_dims))
        words = describe_centreline(chosen)
        super().__init__(("cldice",), words, spatial_dims=spatial_dims, **kwargs)
        self.skeleton = chosen

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return centreline_scores(preds, target, self.skeleton, valid, self._space)


class EulerNumberError(MeanMetric):
    """Absolute difference of the Euler numbers of whole images, mean over images; 0 is perfect.

    The class of :func:`toponet.metrics.euler_number_error`.

    Args:
        spatial_dims: 2 = images, 3 = volumes.
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

    def __init__(
        self,
        *,
        spatial_dims: int = 2,
        connectivity: int | None = None,
        frame: bool | str = True,
        **kwargs: Any,
    ) -> None:
        """Checks the options."""
        counted = betti_convention(
            patches="whole", spatial_dims=spatial_dims, connectivity=connectivity, frame=frame
        )
        words = describe_euler(counted)
        super().__init__(("euler_number_error",), words, spatial_dims=spatial_dims, **kwargs)
        self._counted = counted

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return euler_differences(preds, target, self._counted, valid)
