"""The topological loss of a batch against binary truths: numpy in, numpy out, one kernel call."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet import _core
from toponet._validation import FloatArray, check_dims, thread_count


class BinaryTruth(NamedTuple):
    """What the loss needs to know of B binary truths: all their dots are (1, 0).

    Attributes:
        dots: (B, 2) int64. Dots of finite persistence in dimension 0 and 1.
        essential_births: (B,) float64. Birth of the component that never dies; not used with a
            frame, where there is none.
    """

    dots: NDArray[np.int64]
    essential_births: NDArray[np.float64]


def binary_truth(
    masks: NDArray[np.uint8], connectivity: int, frame: bool, num_threads: int | None
) -> BinaryTruth:
    """Of (B, H, W) masks of bytes 0 and 1, in one pass over the pixels: no persistence, no sort.

    The superlevel sets of a mask change at 1 and at 0 only, so its diagram follows from its Betti
    numbers; without a frame one component is the one that never dies.
    """
    dots = _core.betti_numbers(
        masks, connectivity=connectivity, frame=frame, num_threads=thread_count(num_threads)
    )
    essential_births = (dots[:, 0] > 0).astype(np.float64)
    if not frame:
        dots[:, 0] -= dots[:, 0] > 0
    return BinaryTruth(dots, essential_births)


def binary_topological_loss(
    likelihood: FloatArray, truth: BinaryTruth, **options: Any
) -> tuple[NDArray[np.float64], FloatArray]:
    """Loss of each image (paper, eq. 2.2) and its gradient with respect to the pixels (eq. 2.3).

    Args:
        likelihood: (B, H, W), C order, values in [0, 1].
        truth: Of the same connectivity and frame.
        options: dims, connectivity, frame, matching, min_persistence and num_threads, as of
            :class:`toponet.TopologicalLoss`.

    Returns:
        (B,) float64 losses and a (B, H, W) gradient in the likelihood's dtype. Partners and costs
        are those of :func:`toponet.match`.

    Cost: that of the persistence of the likelihood, and O(dots) for the matching.
    """
    dimension_0, dimension_1 = check_dims(options.pop("dims"))
    num_threads = thread_count(options.pop("num_threads"))
    return _core.binary_topological_loss(
        likelihood,
        dots=truth.dots,
        essential_births=truth.essential_births,
        dimension_0=dimension_0,
        dimension_1=dimension_1,
        num_threads=num_threads,
        **options,
    )
