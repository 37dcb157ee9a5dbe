"""Connected components of masks, and which of them two masks don't have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def label_cells(structure: NDArray[np.generic], connectivity: int) -> NDArray[np.int64]:
    """Components of one mask's background from 1 on, under the dual connectivity; structure is 0.

    Args:
        structure: (H, W); anything but 0 is structure.
        connectivity: Of the structure, 4 or 8.
    """
    return _label(np.asarray(structure) == 0, 12 - connectivity)


def label_structure(structure: NDArray[np.generic], connectivity: int) -> NDArray[np.int64]:
    """Components of one mask's structure from 1 on; background is 0."""
    return _label(np.asarray(structure) != 0, connectivity)


def without_partner(labels: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
    """Centres of the components of ``labels`` that have no counterpart in ``other``.

    Two components are partners if each is the one that the other shares most pixels with. If a
    wall between two true cells is broken, one of them keeps its partner and the other has none.

    Args:
        labels: (H, W), components from 1 on, 0 = none.
        other: The same shape.

    Returns:
        (k, 2) mean row and column of each component without partner.
    """
    shared = np.zeros((int(labels.max()) + 1, int(other.max()) + 1), dtype=np.int64)
    np.add.at(shared, (labels.ravel(), other.ravel()), 1)
    shared = shared[1:, 1:]
    components = np.arange(len(shared))
    if shared.size == 0:
        lonely = components
    else:
        favourite = shared.argmax(axis=1)
        chosen_back = shared.argmax(axis=0)[favourite] == components
        lonely = components[~chosen_back | (shared.max(axis=1) == 0)]
    return np.array(
        [np.argwhere(labels == component + 1).mean(axis=0) for component in lonely]
    ).reshape(-1, 2)


def _label(mask: NDArray[np.bool_], connectivity: int) -> NDArray[np.int64]:
    from skimage.measure import label

    # scikit-image counts the axes that a step may change: 1 for 4, 2 for 8.
    labels: NDArray[np.int64] = label(mask, connectivity=connectivity // 4)
    return labels
