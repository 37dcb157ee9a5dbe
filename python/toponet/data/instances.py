"""Instance labels, such as neuron ids, as membranes between the instances."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import number_array


def instance_borders(labels: NDArray[Any]) -> NDArray[np.uint8]:
    """(H, W) uint8, 1 where a label is 0 or differs from one of its four neighbours'.

    Both sides of a border are marked, so a membrane between two instances is two pixels wide and
    doesn't depend on the order of labels or axes. Four neighbours are enough under either
    connectivity: what is left of two instances doesn't even touch at corners, since the two
    pixels beside such a corner can't have both labels. Beyond the image there is no neighbour.

    Args:
        labels: (H, W) numbers of one image, 0 = membrane.

    Raises:
        TypeError: If labels aren't numbers, or are a masked array.
        ValueError: If labels aren't (H, W).
    """
    labels = number_array("labels", labels)
    if labels.ndim != 2:
        raise ValueError(
            f"labels must be those of one image, (H, W), got shape {labels.shape}: pass the slices "
            "of a stack one by one"
        )
    borders: NDArray[np.bool_] = labels == 0
    for here, there in (
        (np.s_[1:], np.s_[:-1]),
        (np.s_[:, 1:], np.s_[:, :-1]),
    ):
        differs = labels[here] != labels[there]
        borders[here] |= differs
        borders[there] |= differs
    return borders.astype(np.uint8)
