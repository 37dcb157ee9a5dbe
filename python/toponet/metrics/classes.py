"""The metrics as ``torchmetrics.Metric`` classes: over batches, epochs and processes.

Every image counts the same, whatever its size; see :mod:`toponet.metrics._mean_metric`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from toponet._ground.spaces import space_of
from toponet._ground.validation import check_flag, chosen_connectivity
from toponet.metrics._mean_metric import MeanMetric
from toponet.metrics.betti import BettiErrorResult, betti_differences, betti_result
from toponet.metrics.conventions import (
    BettiConvention,
    BettiOptions,
    betti_convention,
    spelled_out,
)
from toponet.metrics.inputs import likelihood_without_channel
from toponet.metrics.partition import (
    THRESHOLDS,
    conditional_entropies,
    describe_information,
    describe_rand_score,
    rand_scores,
)
from toponet.metrics.pixel import describe_accuracy, equal_shares

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Unpack


class BettiErrorOptions(BettiOptions, total=False):
    """The options of a Betti error, those of all classes, and torchmetrics' own."""

    only: str | None
    threshold: float | None
    compute_on_cpu: bool
    dist_sync_on_step: bool
    process_group: Any
    dist_sync_fn: Callable[..., Any] | None
    distributed_available_fn: Callable[..., Any] | None
    sync_on_compute: bool
    compute_with_cache: bool


def convention_apart(options: dict[str, Any]) -> tuple[BettiOptions, dict[str, Any]]:
    """The options of a convention, and the others."""
    rest = dict(options)
    chosen: Any = {name: rest.pop(name) for name in BettiOptions.__annotations__ if name in rest}
    return chosen, rest


class ConventionMetric(MeanMetric):
    """Numbers by name, of the patches of a convention."""

    _by_name = True

    def __init__(
        self, convention: BettiConvention, names: Sequence[str], words: str, **kwargs: Any
    ) -> None:
        """Takes checked options."""
        super().__init__(names, words, spatial_dims=convention.spatial_dims, **kwargs)
        self._convention = convention
        self._number: int | None = None

    @property
    def convention(self) -> BettiConvention:
        """All options that the numbers are measured by."""
        return self._convention

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Adds a batch and returns the error of this batch, with the patches of ``update``."""
        # torchmetrics sets the count of updates to 0 during forward().
        self._number = self.update_count
        try:
            return super().forward(*args, **kwargs)
        finally:
            self._number = None

    def _update_number(self) -> int:
        """The number of the update, which random positions depend on."""
        return self.update_count - 1 if self._number is None else self._number


class _BettiMetric(ConventionMetric):
    """Betti errors, with a convention."""

    higher_is_better = False
    _prefix: str

    def __init__(self, convention: BettiConvention, **kwargs: Any) -> None:
        names = [f"{self._prefix}_{dimension}" for dimension in convention.dims]
        super().__init__(convention, names, str(convention), **kwargs)

    def result(self) -> BettiErrorResult:
        """All errors so far in the form of the function, with their convention."""
        errors = [float(error) for error in self._numbers().values()]
        return betti_result(errors, self._convention)

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return betti_differences(preds, target, self._convention, self._update_number(), valid)


class BettiError(_BettiMetric):
    """Absolute difference of Betti numbers, mean over patches, then over images; 0 is perfect.

    The class of :func:`toponet.metrics.betti_error`, with its options. Random patches are drawn
    anew at each update. Their positions follow from ``seed`` and the number of updates since the
    last ``reset``. So the same batches in the same order give the same result, each epoch and on
    each rank. The first update draws the positions that the function draws.

    Args:
        kwargs: The options of :func:`toponet.metrics.betti_error`, from ``convention`` to ``dims``,
            ``only`` and ``threshold`` (:func:`toponet.metrics.scalar_metric`), and torchmetrics'
            own, such as ``process_group``.

    Returns:
        ``compute``: a dict of scalars ``betti_error_0`` and ``betti_error_1``; of volumes
        ``betti_error_2`` as well.

    Raises:
        TypeError: For the reasons of the function.
        ValueError: For the reasons of the function; from ``compute`` if there was no update.

    Example:
        >>> import torch
        >>> from toponet.metrics import BettiError
        >>> metric = BettiError(patches="grid")
        >>> truth = torch.zeros(2, 1, 9, 9)
        >>> truth[:, :, 4] = 1
        >>> broken = truth.clone()
        >>> broken[1, 0, 4, 4] = 0
        >>> metric.update(broken, truth)
        >>> metric.compute()
        {'betti_error_0': tensor(0.), 'betti_error_1': tensor(0.5000)}
    """

    _prefix = "betti_error"

    @spelled_out
    def __init__(self, **kwargs: Unpack[BettiErrorOptions]) -> None:
        """Checks the options."""
        options, rest = convention_apart({**kwargs})
        super().__init__(betti_convention(**options), **rest)


class BettiNumberError(_BettiMetric):
    """Absolute difference of the Betti numbers of whole images, mean over images; 0 is perfect.

    The class of :func:`toponet.metrics.betti_number_error`.

    Args:
        spatial_dims: 2 = images, 3 = volumes.
        connectivity: Connectivity of the structure.
        frame: True, False or "rim".
        kwargs: ``only`` and ``threshold`` (:func:`toponet.metrics.scalar_metric`), and
            torchmetrics' own options.

    Returns:
        ``compute``: a dict of scalars ``betti_number_error_0`` and ``betti_number_error_1``; of
        volumes ``betti_number_error_2`` as well.

    Raises:
        TypeError: For the reasons of the function.
        ValueError: For the reasons of the function; from ``compute`` if there was no update.
    """

    _prefix = "betti_number_error"

    def __init__(
        self,
        *,
        spatial_dims: int = 2,
        connectivity: int | None = None,
        frame: bool | str = True,
        **kwargs: Any,
    ) -> None:
        """Checks the options."""
        chosen = betti_convention(
            patches="whole", spatial_dims=spatial_dims, connectivity=connectivity, frame=frame
        )
        super().__init__(chosen, **kwargs)


class AdaptedRandScore(MeanMetric):
    """Adapted Rand F-score of the cells, mean over images; 1 is perfect.

    The class of :func:`toponet.metrics.adapted_rand_score`.

    Args:
        spatial_dims: 2 = images, 3 = volumes.
        connectivity: Connectivity of the structure; cells have the dual one.
        maximal: Whether to take the best of 19 thresholds. One threshold holds for all images.
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
    _read = staticmethod(likelihood_without_channel)

    def __init__(
        self,
        *,
        spatial_dims: int = 2,
        connectivity: int | None = None,
        maximal: bool = False,
        **kwargs: Any,
    ) -> None:
        """Checks the options."""
        space = space_of(spatial_dims)
        chosen = chosen_connectivity(connectivity, space)
        check_flag("maximal", maximal)
        means = len(THRESHOLDS) if maximal else 1
        words = describe_rand_score(chosen, maximal, space)
        super().__init__(("ari",), words, spatial_dims=spatial_dims, means=means, **kwargs)
        self.connectivity = chosen
        self.maximal = maximal

    def _numbers(self) -> dict[str, Tensor]:
        return {"ari": self._means().max()}

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return rand_scores(preds, target, self.connectivity, self.maximal, valid, self._space)


class VariationOfInformation(MeanMetric):
    """Variation of information between the cells, in bits, mean over images; 0 is perfect.

    The class of :func:`toponet.metrics.variation_of_information`.

    Args:
        spatial_dims: 2 = images, 3 = volumes.
        connectivity: Connectivity of the structure; cells have the dual one.
        kwargs: ``only`` and ``threshold`` (:func:`toponet.metrics.scalar_metric`), and
            torchmetrics' own options.

    Returns:
        ``compute``: a dict of scalars ``voi_split`` and ``voi_merge``; VOI is their sum.

    Raises:
        TypeError: For the reasons of the function.
        ValueError: For the reasons of the function; from ``compute`` if there was no update.
    """

    higher_is_better = False

    _by_name = True

    def __init__(
        self, *, spatial_dims: int = 2, connectivity: int | None = None, **kwargs: Any
    ) -> None:
        """Checks the options."""
        space = space_of(spatial_dims)
        chosen = chosen_connectivity(connectivity, space)
        words = describe_information(chosen, space)
        super().__init__(("voi_split", "voi_merge"), words, spatial_dims=spatial_dims, **kwargs)
        self.connectivity = chosen

    def _sums_by_name(self) -> dict[str, tuple[str, ...]]:
        return {"voi": self._names}

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return conditional_entropies(preds, target, self.connectivity, valid, self._space)


class PixelAccuracy(MeanMetric):
    """Share of pixels at which the masks are equal, mean over images; 1 is perfect.

    The class of :func:`toponet.metrics.pixel_accuracy`.

    Args:
        spatial_dims: 2 = images, 3 = volumes.
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

    def __init__(self, *, spatial_dims: int = 2, **kwargs: Any) -> None:
        """Checks the options."""
        words = describe_accuracy(space_of(spatial_dims))
        super().__init__(("accuracy",), words, spatial_dims=spatial_dims, **kwargs)

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return equal_shares(preds, target, valid, self._space)
