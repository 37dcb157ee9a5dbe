"""Persistent homology and Betti numbers of images and volumes: numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet import _core
from toponet._ground.spaces import IMAGES, space_of
from toponet._ground.validation import (
    ALGORITHMS,
    binary_masks,
    check_choice,
    check_dims,
    check_flag,
    check_frame_value,
    chosen_connectivity,
    float_images,
    thread_count,
)
from toponet.topology.diagrams import PersistenceDiagrams


def persistence(
    images: ArrayLike,
    *,
    spatial_dims: int = 2,
    dims: Sequence[int] | None = None,
    connectivity: int | None = None,
    frame: bool = False,
    frame_value: float = 1.0,
    algorithm: str = "union_find",
    num_threads: int | None = None,
) -> PersistenceDiagrams:
    """Persistence diagrams of the superlevel sets of images or volumes, with critical pixels.

    A threshold falls from +inf to -inf and {f >= threshold} grows. Meanwhile components (dimension
    0) and holes (dimension 1) are born and die; in volumes tunnels (dimension 1) and cavities
    (dimension 2). Ties in value are broken by pixel index, so that critical pixels are functions of
    the image alone. Classes of zero persistence are dropped. One component never dies. With a frame
    this component is the frame's, and isn't reported.

    Args:
        images: (H, W) or (B, H, W), float32 or float64, finite; with ``spatial_dims=3`` volumes,
            (D, H, W) or (B, D, H, W).
        spatial_dims: 2 = images, 3 = volumes.
        dims: Which dimensions to compute, such as (0,), (1,) or (0, 1); None = all: 0 and 1, of
            volumes 0, 1 and 2.
        connectivity: Of the foreground; None = the first of each pair. In images, 8: pixels are
            squares (T-construction), the background is 4-connected. 4: pixels are vertices
            (V-construction), the background is 8-connected. In volumes, 26: voxels are cubes, the
            background is 6-connected. 6: voxels are vertices, the background is 26-connected.
        frame: Surround each image by a virtual frame of foreground, one pixel wide (relative
            homology, paper section 2.3). Structures cut by the border then close loops with the
            frame. The frame alone encloses one hole (of a volume: one cavity). Its pixel is -1.
            Without a frame the outside is background.
        frame_value: The value of the frame, which is the birth of a class that is born with the
            frame. No pixel may have a larger value.
        algorithm: "union_find" (tunnels of volumes are found by reducing a matrix of critical cells
            alone), or "reduction" (the textbook's reduction of the boundary matrix of all cells).
            Both give the same answers to the bit.
        num_threads: Threads that share the images; None = all cores, 1 = none started. A volume has
            one thread.

    Returns:
        Diagrams of the B images or volumes; see :class:`PersistenceDiagrams`. Pixels are flat
        indices into (H, W) or (D, H, W).

    Raises:
        TypeError: If the images are not float32 or float64.
        ValueError: If an image is empty, holds NaN or an infinite value, or a value above
            ``frame_value`` with ``frame=True`` (the error names the index of the image); if an
            option is unknown or out of range.

    Cost: with "union_find" O(n + c log c) for an image of n pixels, of which c are critical; for
    tunnels of volumes beside that the size of the surfaces that fill them, and O(c^3) at worst.
    Memory: 13 to 20 bytes a voxel, in noise 80. With "reduction" cubic at worst. The GIL is
    released.

    Source: Edelsbrunner and Harer, Computational Topology (2010), chapter VII; volumes: Robins,
    Wood and Sheppard, Theory and algorithms for constructing discrete Morse complexes (2011).

    Example:
        >>> import numpy as np, toponet
        >>> ring = np.array([[0.9, 0.8, 0.7], [0.6, 0.1, 0.9], [0.8, 0.7, 0.5]])
        >>> toponet.persistence(ring, dims=(1,)).values
        array([[0.6, 0.1]])
    """
    space = space_of(spatial_dims)
    chosen = check_dims(space.dims if dims is None else dims, space)
    connectivity = chosen_connectivity(connectivity, space)
    check_choice("algorithm", algorithm, ALGORITHMS)
    check_flag("frame", frame)
    checked = float_images(f"{space.noun}s", images, space)
    compute = _core.persistence if space is IMAGES else _core.volume_persistence
    values, pixels, dimensions, splits = compute(
        checked,
        dimensions=chosen,
        connectivity=connectivity,
        frame=bool(frame),
        frame_value=check_frame_value(frame_value, checked.dtype),
        algorithm=algorithm,
        num_threads=thread_count(num_threads),
    )
    for array in (values, pixels, dimensions, splits):
        array.flags.writeable = False  # Nobody else has these arrays, so no copy is needed.
    return PersistenceDiagrams(values, pixels, dimensions, splits)


def betti_numbers(
    masks: ArrayLike,
    *,
    spatial_dims: int = 2,
    connectivity: int | None = None,
    frame: bool = False,
    num_threads: int | None = None,
) -> NDArray[np.int64]:
    """Betti numbers of binary masks: components and holes of the foreground.

    Args:
        masks: (H, W) or (B, H, W); 0 and 1 in any dtype, 1 = foreground. With ``spatial_dims=3``
            volumes, (D, H, W) or (B, D, H, W).
        spatial_dims: 2 = images, 3 = volumes.
        connectivity: Of the foreground, 8 (the default) or 4 in images, 26 (the default) or 6 in
            volumes; the background has the other one.
        frame: Surround each mask by a frame of foreground, one pixel wide. The component of the
            frame isn't counted: an empty mask with a frame has (0, 1), an empty volume (0, 0, 1).
        num_threads: Threads that share the masks; None = all cores, 1 = none started.

    Returns:
        (B, 2) int64: components and holes of each mask. Of volumes (B, 3): components, tunnels and
        cavities.

    Raises:
        TypeError: If the masks hold no numbers, or an option has the wrong type.
        ValueError: If a mask is empty or holds other values than 0 and 1, or an option is out of
            range.

    Cost: one pass over the pixels; three over the voxels of a volume. The GIL is released.

    Example:
        >>> import numpy as np, toponet
        >>> toponet.betti_numbers(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]]))
        array([[1, 1]])
    """
    space = space_of(spatial_dims)
    connectivity = chosen_connectivity(connectivity, space)
    check_flag("frame", frame)
    count = _core.betti_numbers if space is IMAGES else _core.volume_betti_numbers
    return count(
        binary_masks("masks", masks, space),
        connectivity=connectivity,
        frame=bool(frame),
        num_threads=thread_count(num_threads),
    )
