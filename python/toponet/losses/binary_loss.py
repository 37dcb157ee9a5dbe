"""The topological loss of a batch against binary truths: numpy in, numpy out, one kernel call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet import _core
from toponet._ground.boxes import Boxes, whole_box
from toponet._ground.spaces import IMAGES, VOLUMES, space_of
from toponet._ground.validation import (
    FloatArray,
    check_choice,
    check_connectivity,
    check_dims,
    check_flag,
    check_min_persistence,
    check_number,
    check_weights,
    thread_count,
)
from toponet.topology.in_place import IN_PLACE, IN_PLACE_WEIGHTS
from toponet.topology.induced_matching import BETTI
from toponet.topology.matching import BY_VALUE, MATCHINGS


@dataclass(frozen=True)
class LossOptions:
    """What decides the loss of a patch. :class:`toponet.TopologicalLoss` describes the options.

    Raises:
        TypeError: If an option has the wrong type.
        ValueError: If an option is unknown or out of range.
    """

    dims: Sequence[int] = IMAGES.dims
    connectivity: int = IMAGES.connectivities[0]
    frame: bool = True
    matching: str = "complete"
    min_persistence: float = 0.0
    dim_weights: Sequence[float] = (1.0, 1.0)
    num_threads: int | None = None
    unmatched_weight: float = 1.0
    in_place_weight: str | None = None
    in_place_extremes: bool = False
    spatial_dims: int = 2

    def __post_init__(self) -> None:
        """Checks the options, and keeps them as plain Python numbers and tuples."""
        space = space_of(self.spatial_dims)
        check_dims(self.dims, space)
        check_connectivity(self.connectivity, space)
        check_flag("frame", self.frame)
        check_choice("matching", self.matching, (*MATCHINGS, BETTI, IN_PLACE))
        if space is VOLUMES and self.matching not in BY_VALUE:
            raise ValueError(
                f"matching {self.matching!r} is for images; volumes have "
                f"{', '.join(map(repr, BY_VALUE))}"
            )
        check_min_persistence(self.min_persistence)
        thread_count(self.num_threads)
        weight = check_number("unmatched_weight", self.unmatched_weight, least=0)
        if weight != 1 and self.matching != BETTI:
            raise ValueError(
                f"unmatched_weight needs matching='{BETTI}': the other matchings choose partners "
                f"by the costs themselves; got {weight:g} with {self.matching!r}"
            )
        check_choice("in_place_weight", self.in_place_weight, (None, *IN_PLACE_WEIGHTS))
        check_flag("in_place_extremes", self.in_place_extremes)
        for name in ("in_place_weight", "in_place_extremes"):
            if getattr(self, name) and self.matching != IN_PLACE:
                raise ValueError(f"{name} needs matching='{IN_PLACE}', got {self.matching!r}")
        plain = {
            "spatial_dims": int(self.spatial_dims),
            "dims": tuple(self.dims),
            "connectivity": int(self.connectivity),
            "frame": bool(self.frame),
            "min_persistence": float(self.min_persistence),
            "unmatched_weight": weight,
            "dim_weights": tuple(check_weights("dim_weights", self.dim_weights, len(space.dims))),
            "in_place_extremes": bool(self.in_place_extremes),
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)  # The class is frozen.


@dataclass(frozen=True, eq=False)
class Patches:
    """How the images of a batch are cut.

    Attributes:
        boxes: (P, 4) int64. Row, column, height and width of each patch; of volumes (P, 6), with
            plane and depth before each pair. Each image has the same number of patches, and they
            come image after image.
        weights: (P,) float64. The weight of each patch in its image's loss. A patch of weight 0
            isn't computed.
        overlap: Whether patches of one image may share pixels. If not, they cover the image.
    """

    boxes: Boxes
    weights: NDArray[np.float64]
    overlap: bool


def whole_images(images: FloatArray) -> Patches:
    """(B, H, W) images or (B, D, H, W) volumes, each of which is one patch."""
    count, *sides = images.shape
    return Patches(np.repeat(whole_box(sides), count, axis=0), np.ones(count), False)


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
        likelihood: (B, H, W), or (B, D, H, W) if the options say so; C order, values in [0, 1].
        masks: Of the same shape, C order, 0 and 1 as bool, uint8, int32, int64, float32 or
            float64; or None, if ``dots`` are given.
        patches: How the B images are cut.
        options: What decides the loss of a patch.
        dots: (P, 3) or (P, 4). For the truth of each patch: the numbers of dots at (1, 0) in each
            dimension, and the birth of the component that never dies (not used with a frame).
        gradient: Overwritten by the gradient, if given: the likelihood's shape and dtype.

    Returns:
        (B,) float64 losses and a gradient in the likelihood's shape and dtype. Partners and costs
        are the same as from :func:`toponet.match`.

    Raises:
        ValueError: If a likelihood lies outside [0, 1] or a mask holds other values than 0 and 1.

    Cost: that of the persistence of the likelihood, one pass over the masks, and O(dots) for the
    matching.
    """
    if gradient is None:
        gradient = np.empty_like(likelihood)
    space = space_of(options.spatial_dims)
    shared: dict[str, Any] = {
        "masks": masks,
        "dots": dots,
        "boxes": patches.boxes,
        "patch_weights": patches.weights,
        "patches_overlap": patches.overlap,
        "dimensions": tuple(dim in options.dims for dim in space.dims),
        "dimension_weights": tuple(options.dim_weights),
        "connectivity": options.connectivity,
        "frame": options.frame,
        "matching": options.matching,
        "min_persistence": options.min_persistence,
        "num_threads": thread_count(options.num_threads),
        "gradient": gradient,
    }
    if space is VOLUMES:
        return _core.volume_topological_loss(likelihood, **shared), gradient
    losses = _core.binary_topological_loss(
        likelihood,
        **shared,
        unmatched_weight=options.unmatched_weight,
        in_place_weight=options.in_place_weight or IN_PLACE_WEIGHTS[0],
        in_place_extremes=options.in_place_extremes,
    )
    return losses, gradient
