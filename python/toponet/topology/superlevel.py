"""Persistent homology and Betti numbers of 2-D images: numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet import _core
from toponet._ground.validation import (
    ALGORITHMS,
    binary_masks,
    check_choice,
    check_connectivity,
    check_dims,
    check_flag,
    check_frame_value,
    float_images,
    thread_count,
)
from toponet.topology.diagrams import PersistenceDiagrams


def persistence(
    images: ArrayLike,
    *,
    dims: Sequence[int] = (0, 1),
    connectivity: int = 8,
    frame: bool = False,
    frame_value: float = 1.0,
    algorithm: str = "union_find",
    num_threads: int | None = None,
) -> PersistenceDiagrams:
    """Persistence diagrams of the superlevel sets of images, with critical pixels.

    A threshold falls from +inf to -inf and {f >= threshold} grows. Meanwhile components (dimension
    0) and holes (dimension 1) are born and die. Ties in value are broken by pixel index, so that
    critical pixels are functions of the image alone. Classes of zero persistence are dropped. One
    component never dies. With a frame this component is the frame's, and isn't reported.

    Args:
        images: (H, W) or (B, H, W), float32 or float64, finite.
        dims: Which dimensions to compute: (0,), (1,) or (0, 1).
        connectivity: Of the foreground. 8: pixels are squares (T-construction), the background is
            4-connected. 4: pixels are vertices (V-construction), the background is 8-connected.
        frame: Surround each image by a virtual one-pixel frame of foreground (relative homology,
            paper section 2.3). Structures cut by the border then close loops with the frame. The
            frame alone encloses one hole. Its pixel is -1. Without a frame the outside is
            background.
        frame_value: The value of the frame, which is the birth of a class that is born with the
            frame. No pixel may have a larger value.
        algorithm: "union_find", or "reduction" (the textbook's reduction of a boundary matrix).
            Both give the same answers to the bit.
        num_threads: Threads that share the images; None = all cores, 1 = none started.

    Returns:
        Diagrams of the B images; see :class:`PersistenceDiagrams`.

    Raises:
        TypeError: If the images are not float32 or float64.
        ValueError: If an image is empty, holds NaN or an infinite value, or a value above
            ``frame_value`` with ``frame=True`` (the error names the index of the image); if an
            option is unknown or out of range.

    Cost: with "union_find" O(n + c log c) for an image of n pixels, of which c are critical; with
    "reduction" cubic at worst. The GIL is released.

    Source: Edelsbrunner and Harer, Computational Topology (2010), chapter VII.

    Example:
        >>> import numpy as np, toponet
        >>> ring = np.array([[0.9, 0.8, 0.7], [0.6, 0.1, 0.9], [0.8, 0.7, 0.5]])
        >>> toponet.persistence(ring, dims=(1,)).values
        array([[0.6, 0.1]])
    """
    dimension_0, dimension_1 = check_dims(dims)
    check_connectivity(connectivity)
    check_choice("algorithm", algorithm, ALGORITHMS)
    check_flag("frame", frame)
    checked = float_images("images", images)
    values, pixels, dimensions, splits = _core.persistence(
        checked,
        dimension_0=dimension_0,
        dimension_1=dimension_1,
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
    connectivity: int = 8,
    frame: bool = False,
    num_threads: int | None = None,
) -> NDArray[np.int64]:
    """Betti numbers of binary masks: components and holes of the foreground.

    Args:
        masks: (H, W) or (B, H, W); 0 and 1 in any dtype, 1 = foreground.
        connectivity: Of the foreground, 8 or 4; the background has the other one.
        frame: Surround each mask by a one-pixel frame of foreground. The component of the frame
            isn't counted: an empty mask with a frame has (0, 1).
        num_threads: Threads that share the masks; None = all cores, 1 = none started.

    Returns:
        (B, 2) int64: components and holes of each mask.

    Raises:
        TypeError: If the masks hold no numbers, or an option has the wrong type.
        ValueError: If a mask is empty or holds other values than 0 and 1, or an option is out of
            range.

    Cost: one pass over the pixels. The GIL is released.

    Example:
        >>> import numpy as np, toponet
        >>> toponet.betti_numbers(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]]))
        array([[1, 1]])
    """
    check_connectivity(connectivity)
    check_flag("frame", frame)
    return _core.betti_numbers(
        binary_masks("masks", masks),
        connectivity=connectivity,
        frame=bool(frame),
        num_threads=thread_count(num_threads),
    )
