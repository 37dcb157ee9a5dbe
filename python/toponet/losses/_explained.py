"""Explanations of a batch, patch by patch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from toponet.losses.binary_loss import Patches
from toponet.topology.explanation import Explanation


def explained(
    patches: Patches,
    images: int,
    explain: Callable[[int, int, NDArray[np.int64]], Explanation],
) -> Iterator[tuple[int, Explanation]]:
    """Index and explanation of each patch whose weight isn't 0.

    Args:
        patches: How the images are cut.
        images: Their number.
        explain: Takes the indices of patch and image, and the patch's box.
    """
    per_image = len(patches.boxes) // images
    for patch in np.flatnonzero(patches.weights).tolist():
        box = patches.boxes[patch]
        corner = tuple(box[: len(box) // 2].tolist())
        yield patch, replace(explain(patch, patch // per_image, box), corner=corner)
