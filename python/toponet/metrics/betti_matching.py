"""Betti matching error: are the features of prediction and truth the same places?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet import _core
from toponet._ground.spaces import IMAGES
from toponet._ground.validation import check_flag, thread_count
from toponet.metrics.betti import BettiErrorResult, sums_over_patches, with_rim
from toponet.metrics.conventions import (
    BettiConvention,
    BettiOptions,
    betti_convention,
    spelled_out,
)
from toponet.metrics.inputs import Masks, masks_to_compare, mean_over_images

if TYPE_CHECKING:
    from typing_extensions import Unpack


@dataclass(frozen=True)
class BettiMatchingErrorResult(BettiErrorResult):
    """Betti matching error per dimension, with the convention that it was measured by.

    Used like a :class:`BettiErrorResult`.

    Attributes:
        normalised: Whether the errors are shares of the true features.
    """

    normalised: bool = False

    def __str__(self) -> str:
        """The numbers and the convention."""
        words = describe_matching_error(self.convention, self.normalised)
        return f"Betti matching error {self.in_words}: {words}"


@dataclass(frozen=True)
class BettiMatchingScoreResult:
    """How many features are found at their place, per dimension.

    Attributes:
        precision: By dimension: the share of predicted features that are true.
        recall: By dimension: the share of true features that are predicted.
        f1: By dimension: the harmonic mean of both, of each image.
        convention: All options.
    """

    precision: Mapping[int, float]
    recall: Mapping[int, float]
    f1: Mapping[int, float]
    convention: BettiConvention

    def __iter__(self) -> Iterator[float]:
        """Precision of the dimensions that were counted, then recall, then F1."""
        for scores in (self.precision, self.recall, self.f1):
            yield from (scores[dimension] for dimension in self.convention.dims)

    def __str__(self) -> str:
        """The numbers and the convention."""
        scores = ", ".join(
            f"precision {self.precision[d]:.3f} recall {self.recall[d]:.3f} F1 {self.f1[d]:.3f} "
            f"({self.convention.space.features[d]})"
            for d in self.convention.dims
        )
        return f"Betti matching {scores}: {describe_matching_score(self.convention)}"


@spelled_out
def betti_matching_error(
    prediction: Masks,
    target: Masks,
    *,
    normalised: bool = False,
    valid: Masks | None = None,
    **options: Unpack[BettiOptions],
) -> BettiMatchingErrorResult:
    """Features without partner in prediction and truth, mean over patches, then images; 0 is best.

    A component or hole of the prediction and one of the truth are partners if they are the same
    place (:func:`toponet.betti_matching`). The error counts those of both masks that have none. So
    it is at least the Betti error, which a hole at the wrong place and one that is missing leave at
    0. (An 8-connected mask that lacks nothing but the place of its hole has a Betti matching error
    of 2.)

    Args:
        prediction: Mask (H, W) or (B, H, W), 1 = structure, numpy or torch.
        target: Mask of the same shape.
        normalised: Divide the features without partner by the number of true features, all patches
            of an image together, at most 1. Without true features the error is 0 or 1.
        convention: The same as in :func:`betti_error`, with the same names. "betti-matching" is
            what the papers of Betti matching count: whole images, 4-connected structure, no frame.
        spatial_dims: 2; features of volumes aren't matched.
        patch_size: The same as in :func:`betti_error`; and None, if it is given, means whole
            images.
        patches: The same as in :func:`betti_error`.
        seed: The same as in :func:`betti_error`.
        connectivity: The same as in :func:`betti_error`.
        frame: The same as in :func:`betti_error`.
        dims: The same as in :func:`betti_error`.
        valid: The same as in :func:`betti_error`.

    Raises:
        TypeError: For the reasons of :func:`betti_error`.
        ValueError: For the reasons of :func:`betti_error`.

    Cost: that of the persistence of two images of the size of each patch.

    Source: Stucki et al., ICML 2023, section 4 (the error). The normalised error divides as in the
    evaluation of Lux et al., "Topograph", 2025, but each dimension by its own features.

    Example:
        >>> import numpy as np
        >>> from toponet.metrics import betti_error, betti_matching_error
        >>> here, there = np.zeros((2, 5, 12), dtype=int)
        >>> here[1:4, 1:4] = there[1:4, 8:11] = 1
        >>> here[2, 2] = there[2, 9] = 0  # Two rings, at different places.
        >>> tuple(betti_error(here, there)), tuple(betti_matching_error(here, there))
        ((0.0, 0.0), (2.0, 2.0))
    """
    check_flag("normalised", normalised)
    chosen = matching_convention(**options)
    errors = matching_errors(prediction, target, chosen, normalised=normalised, valid=valid)
    return matching_error_result(mean_over_images(errors), chosen, normalised)


@spelled_out
def betti_matching_score(
    prediction: Masks,
    target: Masks,
    *,
    valid: Masks | None = None,
    **options: Unpack[BettiOptions],
) -> BettiMatchingScoreResult:
    """Precision, recall and F1 of topological features, mean over images; 1 is perfect.

    A feature is found if it has a partner at the same place (:func:`toponet.betti_matching`). The
    features of all patches of an image are counted together. Without predicted features the
    precision is 1, without true ones the recall.

    Args:
        prediction: The same as in :func:`betti_matching_error`.
        target: The same as in :func:`betti_matching_error`.
        convention: The same as in :func:`betti_matching_error`, as the other options.
        spatial_dims: See there.
        patch_size: See there.
        patches: See there.
        seed: See there.
        connectivity: See there.
        frame: See there.
        dims: See there.
        valid: See there.

    Raises:
        TypeError: For the reasons of :func:`betti_error`.
        ValueError: For the reasons of :func:`betti_error`.

    Example:
        >>> import numpy as np
        >>> from toponet.metrics import betti_matching_score
        >>> truth = np.zeros((5, 12), dtype=int)
        >>> truth[2, [2, 5, 8]] = 1
        >>> prediction = truth.copy()
        >>> prediction[2, 5] = 0
        >>> score = betti_matching_score(prediction, truth, patches="whole")
        >>> score.precision[0], round(score.recall[0], 3), score.f1[0]
        (1.0, 0.667, 0.8)
    """
    chosen = matching_convention(**options)
    scores = matching_scores(prediction, target, chosen, valid=valid)
    return matching_score_result(mean_over_images(scores), chosen)


def matching_convention(**options: Unpack[BettiOptions]) -> BettiConvention:
    """The convention; a patch size of None means whole images.

    Raises:
        ValueError: If it is one of volumes; for the reasons of :func:`betti_convention`.
    """
    if "patch_size" in options and options["patch_size"] is None and not options.get("convention"):
        options = {**options, "patches": options.get("patches") or "whole"}
    chosen = betti_convention(**options)
    if chosen.space is not IMAGES:
        raise ValueError(
            "Betti matching compares images: of volumes (spatial_dims=3) measure the betti_error, "
            "or pass the slices as a batch of images"
        )
    return chosen


def describe_matching_error(convention: BettiConvention, normalised: bool = False) -> str:
    """The convention of :func:`betti_matching_error` in words."""
    share = ", as a share of the true ones (at most 1)," if normalised else ""
    return f"mean features without partner{share} {convention.counted}"


def describe_matching_score(convention: BettiConvention) -> str:
    """The convention of :func:`betti_matching_score` in words."""
    return f"shares of features with a partner {convention.counted}"


def matching_error_result(
    errors: Sequence[float], convention: BettiConvention, normalised: bool
) -> BettiMatchingErrorResult:
    """The result of errors that come in the order of ``convention.dims``."""
    by_dimension = dict(zip(convention.dims, errors, strict=True))
    return BettiMatchingErrorResult(
        by_dimension.get(0), by_dimension.get(1), convention, normalised
    )


def matching_score_result(
    scores: Iterable[float], convention: BettiConvention
) -> BettiMatchingScoreResult:
    """The result of scores that come as :func:`matching_scores` has them."""
    by_name = np.reshape(list(scores), (3, len(convention.dims))).tolist()
    precision, recall, f1 = (dict(zip(convention.dims, part, strict=True)) for part in by_name)
    return BettiMatchingScoreResult(precision, recall, f1, convention)


def matching_errors(
    prediction: Masks,
    target: Masks,
    convention: BettiConvention,
    update: int = 0,
    *,
    normalised: bool = False,
    valid: Masks | None = None,
) -> NDArray[np.float64]:
    """(images, dims) The error of each image in which a pixel counts.

    Random positions depend on ``update`` too.
    """
    features, patches = _count_features(prediction, target, convention, update, valid)
    matched, only_predicted, only_true = np.moveaxis(features, 2, 0)
    errors: NDArray[np.float64] = only_predicted + only_true
    if not normalised:
        return errors / patches[:, None]
    return np.minimum(_share(errors, matched + only_true, (errors > 0).astype(float)), 1.0)


def matching_scores(
    prediction: Masks,
    target: Masks,
    convention: BettiConvention,
    update: int = 0,
    valid: Masks | None = None,
) -> NDArray[np.float64]:
    """(images, 3 * dims) Precision of each dimension, then recall, then F1, of each image."""
    features, _ = _count_features(prediction, target, convention, update, valid)
    matched, only_predicted, only_true = np.moveaxis(features, 2, 0)
    ones = np.ones(matched.shape)
    return np.concatenate(
        [
            _share(matched, matched + only_predicted, ones),
            _share(matched, matched + only_true, ones),
            _share(2 * matched, 2 * matched + only_predicted + only_true, ones),
        ],
        axis=1,
    )


def _share(
    part: NDArray[np.float64], whole: NDArray[np.float64], without: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Part over whole; what stands in ``without`` where there is no whole."""
    share: NDArray[np.float64] = np.divide(part, whole, out=without.copy(), where=whole > 0)
    return share


def _count_features(
    prediction: Masks,
    target: Masks,
    convention: BettiConvention,
    update: int,
    valid: Masks | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Features with a partner, of the prediction only, and of the truth only; and the patches.

    (images, dims, 3) of all patches of an image together, and (images,) the number of its patches.
    """
    compared = masks_to_compare(prediction, target, valid)
    dims = list(convention.dims)

    def count(predicted: NDArray[np.uint8], truth: NDArray[np.uint8]) -> NDArray[Any]:
        return _count_in_patches(predicted, truth, convention)[:, dims]

    return sums_over_patches(compared, convention, update, (len(dims), 3), count)


def _count_in_patches(
    predicted: NDArray[np.uint8], truth: NDArray[np.uint8], convention: BettiConvention
) -> NDArray[Any]:
    """(n, 2, 3) Features of both dimensions of each patch."""
    masks = [np.ascontiguousarray(with_rim(m, convention)) for m in (predicted, truth)]
    return _core.betti_matching_counts(
        *masks,
        connectivity=convention.connectivity,
        frame=convention.frame is True,
        num_threads=thread_count(None),
    )
