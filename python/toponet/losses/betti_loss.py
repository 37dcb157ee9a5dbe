"""What the loss under Betti matching does to the patches of a batch. No torch here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.boxes import cut
from toponet._ground.validation import FloatArray
from toponet.losses._explained import explained
from toponet.losses.binary_loss import LossOptions, Patches
from toponet.topology.betti_explanation import explain_betti
from toponet.topology.explanation import Explanation
from toponet.topology.induced_matching import betti_matching


def explain_betti_patches(
    likelihood: FloatArray, masks: NDArray[Any], patches: Patches, options: LossOptions
) -> Iterator[Explanation]:
    """The explanation of each patch whose weight isn't 0.

    Args:
        likelihood: (B, H, W), values in [0, 1].
        masks: (B, H, W), 0 and 1.
        patches: How the B images are cut.
        options: What decides the loss of a patch.
    """

    def explain(patch: int, image: int, box: NDArray[np.int64]) -> Explanation:
        _, _, height, width = box.tolist()
        matching = betti_matching(
            cut(likelihood[image], box),
            cut(masks[image], box).astype(likelihood.dtype),
            dims=options.dims,
            connectivity=options.connectivity,
            frame=options.frame,
            num_threads=options.num_threads,
        )
        return explain_betti(
            matching,
            (height, width),
            tuple(options.dims),
            min_persistence=options.min_persistence,
            dim_weights=(options.dim_weights[0], options.dim_weights[1]),
            unmatched_weight=options.unmatched_weight,
        )

    return (explanation for _, explanation in explained(patches, len(likelihood), explain))
