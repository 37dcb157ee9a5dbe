"""The topological loss of a batch against binary truths: numpy in, numpy out, one kernel call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet import _core
from toponet._ground.boxes import Boxes, whole_box
from toponet._ground.validation import FloatArray, check_dims, thread_count


@dataclass(frozen=True)
class LossOptions:
    """What decides the loss of a patch; as of :class:`toponet.TopologicalLoss`."""

    dims: tuple[int, ...] = (0, 1)
    connectivity: int = 8
    frame: bool = True
    matching: str = "complete"
    min_persistence: float = 0.0
    dim_weights: tuple[float, float] = (1.0, 1.0)
    num_threads: int | None = None


@dataclass(frozen=True, eq=False)
class Patches:
    """How the images of a batch are cut.

    Attributes:
        boxes: (P, 4) int64. Row, column, height and width; as many for each image, one image after
            the other.
        weights: (P,) float64. Of each patch in its image's loss; one of weight 0 isn't looked at.
        overlap: Whether patches of one image may share pixels; if not, they cover the image.
    """

    boxes: Boxes
    weights: NDArray[np.float64]
    overlap: bool


def whole_images(images: FloatArray) -> Patches:
    """One patch for each of (B, H, W) images: the image."""
    count, height, width = images.shape
    return Patches(np.repeat(whole_box(height, width), count, axis=0), np.ones(count), False)


def binary_topological_loss(
    likelihood: FloatArray,
    masks: NDArray[Any] | None,
    patches: Patches,
    options: LossOptions,
    *,
    dots: NDArray[np.float64] | None = None,
    gradient: FloatArray | None = None,
) -> tuple[NDArray[np.float64], FloatArray]:
    """Loss of each image (paper, eq. 2.2) and its gradient with respect to the pixels (eq. 2.3).

    The superlevel sets of a mask change at 1 and at 0 only, so its diagram follows from its Betti
    numbers: no persistence of the truth, no sort.

    Args:
        likelihood: (B, H, W), C order, values in [0, 1].
        masks: (B, H, W), C order, 0 and 1 as bool, uint8, int32, int64, float32 or float64; or
            None, if ``dots`` are given.
        patches: Of the B images.
        options: Which topology, how matched, how many threads.
        dots: (P, 3). Of each patch's truth: how many dots at (1, 0) in dimension 0 and 1, and the
            birth of the component that never dies (not used with a frame).
        gradient: Written into if given: (B, H, W), C order, of the likelihood's dtype.

    Returns:
        (B,) float64 losses and a (B, H, W) gradient in the likelihood's dtype. Partners and costs
        are those of :func:`toponet.match`.

    Raises:
        ValueError: If a likelihood lies outside [0, 1] or a mask holds anything but 0 and 1.

    Cost: that of the persistence of the likelihood, one pass over the masks, and O(dots) for the
    matching.
    """
    if gradient is None:
        gradient = np.empty_like(likelihood)
    losses = _core.binary_topological_loss(
        likelihood,
        masks=masks,
        dots=dots,
        boxes=patches.boxes,
        patch_weights=patches.weights,
        patches_overlap=patches.overlap,
        dimensions=check_dims(options.dims),
        dimension_weights=options.dim_weights,
        connectivity=options.connectivity,
        frame=options.frame,
        matching=options.matching,
        min_persistence=options.min_persistence,
        num_threads=thread_count(options.num_threads),
        gradient=gradient,
    )
    return losses, gradient
