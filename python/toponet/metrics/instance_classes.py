"""The metrics of label maps as ``torchmetrics.Metric`` classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet.metrics._mean_metric import MeanMetric
from toponet.metrics.instances import (
    InstanceConvention,
    describe_instance_information,
    describe_instance_rand,
    instance_entropies,
    instance_rand_rows,
)


class _InstanceMetric(MeanMetric):
    """What both share: the options, and how they are put into words."""

    _by_name = True
    _of_an_image: tuple[str, ...]
    _in_words: Callable[[InstanceConvention], str]

    def __init__(
        self,
        *,
        background: int | None = 0,
        predicted_background: str = "segment",
        **kwargs: Any,
    ) -> None:
        """Checks the options."""
        convention = InstanceConvention(background, predicted_background)
        super().__init__(self._of_an_image, type(self)._in_words(convention), **kwargs)
        self._compared = convention


class InstanceRandScore(_InstanceMetric):
    """Adapted Rand F-score of two label maps, with precision and recall, mean over images.

    The class of :func:`toponet.metrics.instance_rand_score`. ``update`` takes label maps.

    Args:
        background: The number that is no instance; None = all numbers are instances.
        predicted_background: "segment", "pixels" or "ignored".
        kwargs: ``spatial_dims=3`` for volumes, ``only`` and ``threshold``
            (:func:`toponet.metrics.scalar_metric`), and torchmetrics' own options.

    Returns:
        ``compute``: a dict of scalars ``instance_ari``, ``instance_precision`` and
        ``instance_recall``.

    Raises:
        TypeError: For the reasons of the function.
        ValueError: For the reasons of the function; from ``compute`` if there was no update.
    """

    higher_is_better = True
    plot_upper_bound = 1.0
    _of_an_image = ("instance_ari", "instance_precision", "instance_recall")
    _in_words = staticmethod(describe_instance_rand)

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return instance_rand_rows(preds, target, self._compared, valid, self._space)


class InstanceVariationOfInformation(_InstanceMetric):
    """Variation of information between two label maps, in bits, mean over images; 0 is perfect.

    The class of :func:`toponet.metrics.instance_variation_of_information`. ``update`` takes label
    maps.

    Args:
        background: The number that is no instance; None = all numbers are instances.
        predicted_background: "segment", "pixels" or "ignored".
        kwargs: ``spatial_dims=3`` for volumes, ``only`` and ``threshold``
            (:func:`toponet.metrics.scalar_metric`), and torchmetrics' own options.

    Returns:
        ``compute``: a dict of scalars ``instance_voi_split`` and ``instance_voi_merge``.

    Raises:
        TypeError: For the reasons of the function.
        ValueError: For the reasons of the function; from ``compute`` if there was no update.
    """

    higher_is_better = False
    _of_an_image = ("instance_voi_split", "instance_voi_merge")
    _in_words = staticmethod(describe_instance_information)

    def _sums_by_name(self) -> dict[str, tuple[str, ...]]:
        return {"instance_voi": self._names}

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return instance_entropies(preds, target, self._compared, valid, self._space)
