"""Betti matching error and score as ``torchmetrics.Metric`` classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_flag
from toponet.metrics.betti_matching import (
    BettiMatchingErrorResult,
    BettiMatchingScoreResult,
    describe_matching_error,
    describe_matching_score,
    matching_convention,
    matching_error_result,
    matching_errors,
    matching_score_result,
    matching_scores,
)
from toponet.metrics.classes import BettiErrorOptions, ConventionMetric, convention_apart
from toponet.metrics.conventions import spelled_out

if TYPE_CHECKING:
    from typing_extensions import Unpack


class BettiMatchingError(ConventionMetric):
    """Features without partner in prediction and truth, mean over patches, then images; 0 is best.

    The class of :func:`toponet.metrics.betti_matching_error`, with its options. Random patches are
    those of :class:`toponet.metrics.BettiError`.

    Args:
        normalised: The same as in the function.
        kwargs: The options of the function, from ``convention`` to ``dims``, ``only`` and
            ``threshold`` (:func:`toponet.metrics.scalar_metric`), and torchmetrics' own.

    Returns:
        ``compute``: a dict of scalars ``betti_matching_error_0`` and ``betti_matching_error_1``.

    Raises:
        TypeError: For the reasons of the function.
        ValueError: For the reasons of the function; from ``compute`` if there was no update.
    """

    higher_is_better = False

    @spelled_out
    def __init__(self, *, normalised: bool = False, **kwargs: Unpack[BettiErrorOptions]) -> None:
        """Checks the options."""
        check_flag("normalised", normalised)
        options, rest = convention_apart({**kwargs})
        convention = matching_convention(**options)
        names = [f"betti_matching_error_{dimension}" for dimension in convention.dims]
        words = describe_matching_error(convention, normalised)
        super().__init__(convention, names, words, **rest)
        self.normalised = bool(normalised)

    def result(self) -> BettiMatchingErrorResult:
        """All errors so far in the form of the function, with their convention."""
        errors = [float(error) for error in self._numbers().values()]
        return matching_error_result(errors, self.convention, self.normalised)

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return matching_errors(
            preds,
            target,
            self.convention,
            self._update_number(),
            normalised=self.normalised,
            valid=valid,
        )


class BettiMatchingScore(ConventionMetric):
    """Precision, recall and F1 of topological features, mean over images; 1 is perfect.

    The class of :func:`toponet.metrics.betti_matching_score`, with its options. Random patches are
    those of :class:`toponet.metrics.BettiError`.

    Args:
        kwargs: The options of the function, from ``convention`` to ``dims``, ``only`` and
            ``threshold`` (:func:`toponet.metrics.scalar_metric`), and torchmetrics' own.

    Returns:
        ``compute``: a dict of scalars ``betti_matching_precision_0`` and so on.

    Raises:
        TypeError: For the reasons of the function.
        ValueError: For the reasons of the function; from ``compute`` if there was no update.
    """

    higher_is_better = True
    plot_upper_bound = 1.0

    @spelled_out
    def __init__(self, **kwargs: Unpack[BettiErrorOptions]) -> None:
        """Checks the options."""
        options, rest = convention_apart({**kwargs})
        convention = matching_convention(**options)
        names = [
            f"betti_matching_{score}_{dimension}"
            for score in ("precision", "recall", "f1")
            for dimension in convention.dims
        ]
        super().__init__(convention, names, describe_matching_score(convention), **rest)

    def result(self) -> BettiMatchingScoreResult:
        """All scores so far in the form of the function, with their convention."""
        return matching_score_result(
            [float(score) for score in self._numbers().values()], self.convention
        )

    def _measure(
        self, preds: NDArray[Any], target: NDArray[Any], valid: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        return matching_scores(preds, target, self.convention, self._update_number(), valid)
