"""What the in-place loss does to each patch of a batch: numpy in, explanations out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.boxes import cut
from toponet._ground.validation import FloatArray
from toponet.losses._explained import explained
from toponet.losses.binary_loss import LossOptions, Patches
from toponet.topology.explanation import Explanation
from toponet.topology.in_place import IN_PLACE_WEIGHTS, InPlaceOptions, explain_in_place


def explain_in_place_patches(
    likelihood: FloatArray, masks: NDArray[Any], patches: Patches, options: LossOptions
) -> Iterator[Explanation]:
    """What the in-place loss does to each patch whose weight isn't 0.

    Takes the same arguments as
    :func:`toponet.losses.binary_loss.binary_topological_loss`, whose checks they have passed.
    """
    in_place = InPlaceOptions(
        dims=tuple(options.dims),
        connectivity=options.connectivity,
        frame=options.frame,
        weight=options.in_place_weight or IN_PLACE_WEIGHTS[0],
        extremes=options.in_place_extremes,
        min_persistence=options.min_persistence,
        dim_weights=tuple(options.dim_weights),
    )

    def explain(patch: int, image: int, box: NDArray[np.int64]) -> Explanation:
        return explain_in_place(cut(likelihood[image], box), cut(masks[image], box) != 0, in_place)

    return (explanation for _, explanation in explained(patches, len(likelihood), explain))
