"""Connected components of masks, and the components of one mask that another mask lacks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet._ground.spaces import Space, space_of
from toponet._ground.validation import binary_mask, check_connectivity


def label_cells(
    structure: ArrayLike, connectivity: int, *, spatial_dims: int = 2
) -> NDArray[np.int64]:
    """Numbers the components of one mask's background from 1 on; structure is 0.

    The background has the dual connectivity.

    Args:
        structure: (H, W) mask, 1 = structure; with ``spatial_dims=3`` a volume, (D, H, W).
        connectivity: Of the structure, 4 or 8; in volumes 6 or 26.
        spatial_dims: 2 = an image, 3 = a volume.

    Raises:
        TypeError: If the mask holds no numbers or is a masked array, or an option has the wrong
            type.
        ValueError: If the mask has another shape or holds other values than 0 and 1, or an option
            is out of range.
    """
    space = space_of(spatial_dims)
    check_connectivity(connectivity, space)
    return _label(~binary_mask("structure", structure, space), space.dual(connectivity), space)


def label_structure(
    structure: ArrayLike, connectivity: int, *, spatial_dims: int = 2
) -> NDArray[np.int64]:
    """Numbers the components of one mask's structure from 1 on; background is 0.

    Takes the same arguments and raises the same errors as :func:`label_cells`.
    """
    space = space_of(spatial_dims)
    check_connectivity(connectivity, space)
    return _label(binary_mask("structure", structure, space), connectivity, space)


def without_partner(labels: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
    """Centres of the components of ``labels`` that have no partner in ``other``.

    Two components are partners if each is the component with which the other shares most pixels. If
    a wall between two true cells is broken, one cell keeps its partner and the other cell has none.

    Args:
        labels: (H, W), components from 1 on, 0 = none.
        other: The same shape.

    Returns:
        (k, 2) mean row and column of each component without partner.
    """
    lonely = lonely_components(labels, other)
    sizes = np.maximum(np.bincount(labels.ravel()), 1)
    # Rows and columns summed over all components at once: a noisy mask has thousands.
    sums = [np.bincount(labels.ravel(), grid.ravel()) for grid in np.indices(labels.shape)]
    centres: NDArray[np.float64] = (np.stack(sums, axis=1) / sizes[:, None])[lonely]
    return centres


def lonely_components(labels: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """(k,) The numbers of the components that have no partner; see :func:`without_partner`."""
    components = np.arange(1, int(labels.max()) + 1)
    favourites, back = _favourites(labels, other), _favourites(other, labels)
    lonely: NDArray[np.int64] = components[back[favourites[1:]] != components]
    return lonely


def _favourites(labels: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each component, the component of ``other`` that it shares most pixels with; 0 = none.

    If several share the same number of pixels, it is the one with the smallest number.
    """
    favourites = np.zeros(int(labels.max()) + 1, dtype=np.int64)
    both = (labels > 0) & (other > 0)
    base = int(other.max()) + 1
    pairs, counts = np.unique(labels[both] * base + other[both], return_counts=True)
    components, partners = np.divmod(pairs, base)
    # Several rows write to one component; the last one stays.
    order = np.lexsort((-partners, counts, components))
    favourites[components[order]] = partners[order]
    return favourites


def _label(mask: NDArray[np.bool_], connectivity: int, space: Space) -> NDArray[np.int64]:
    from skimage.measure import label

    # scikit-image counts the axes that a step may change: 1 for 4 and 6, 2 for 8, 3 for 26.
    changed = space.spatial_dims if connectivity == max(space.connectivities) else 1
    # Its labels have 32 bits, in which a product of two labels could overflow.
    labels: NDArray[np.int64] = label(mask, connectivity=changed).astype(np.int64)
    return labels
