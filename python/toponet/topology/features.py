"""The pixels of a whole feature, not only the two where it is born and dies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet._ground.validation import (
    FloatArray,
    check_connectivity,
    check_flag,
    check_number,
    check_whole,
    float_images,
    number_array,
)


@dataclass(frozen=True, eq=False)
class Representative:
    """The pixels that a feature is made of at a threshold; see :func:`representative`.

    Attributes:
        dimension: 0 = piece, 1 = hole.
        threshold: The feature is that of {f >= threshold}.
        pixels: (H, W) Of a piece its pixels, of a hole its cells.
        loop: (H, W) The structure around a hole; None for a piece.
    """

    dimension: int
    threshold: float
    pixels: NDArray[np.bool_]
    loop: NDArray[np.bool_] | None


def representative(
    image: ArrayLike,
    pixels: ArrayLike,
    dimension: int,
    *,
    threshold: float | None = None,
    connectivity: int = 8,
    frame: bool = False,
    frame_value: float = 1.0,
) -> Representative:
    """The pixels of a whole feature: a piece of structure, or a hole with the loop around it.

    A dot of a persistence diagram names two pixels, and this function finds the others. A piece is
    the component of {f >= threshold} that holds the birth pixel. A hole is the component of
    {f < threshold} that holds the death pixel. Its loop is what encloses it: the pixels next to the
    hole on the outer side, all of them >= threshold. Islands within the hole belong to neither.

    The masks are for pictures, and for weights of your own. A feature is a class of homology, which
    other pixels represent as well. By default, this function takes a piece as large as it is before
    it joins an elder one, and a hole as large as it is when its loop closes.

    Args:
        image: (H, W) float32 or float64, finite: the image of the diagram.
        pixels: (2,) Birth and death pixel: a row of the ``pixels`` of a diagram or an explanation.
        dimension: 0 for a piece, 1 for a hole: the same row of ``dimensions``.
        threshold: Where the feature is looked at: at most its birth, and above its death. None = a
            piece at the smallest value above its death, a hole at its birth.
        connectivity: Of the foreground, as in :func:`toponet.persistence`.
        frame: Whether the diagram is that of the image with a frame. The frame has no pixels, so a
            loop that closes through it has a gap there.
        frame_value: The value of the frame.

    Returns:
        The threshold, and the pixels as masks.

    Raises:
        TypeError: If the image isn't float32 or float64, or an argument has the wrong type.
        ValueError: If the image isn't one of shape (H, W) and finite, the pixels can't be a dot of
            it, or the feature isn't there at the threshold.

    Cost: labels all pixels once or twice.

    Example:
        >>> import numpy as np, toponet
        >>> ring = np.array([[0.9, 0.8, 0.7], [0.6, 0.1, 0.9], [0.8, 0.7, 0.5]])
        >>> dots = toponet.persistence(ring, dims=(1,))
        >>> hole = toponet.representative(ring, dots.pixels[0], dots.dimensions[0])
        >>> hole.threshold, int(hole.pixels.sum()), int(hole.loop.sum())
        (0.6, 1, 4)
    """
    check_connectivity(connectivity)
    check_flag("frame", frame)
    dimension = check_whole("dimension", dimension, least=0, most=1)
    values = _one_image(image)
    ends = _critical_pixels(pixels, values.size)
    births = check_number("frame_value", frame_value) if frame and dimension == 1 else np.inf
    birth = float(values.flat[ends[0]]) if ends[0] >= 0 else births
    death = float(values.flat[ends[1]]) if ends[1] >= 0 else -np.inf
    if not death < birth < np.inf or (np.isinf(death) and (frame or dimension == 1)):
        raise ValueError(
            f"pixels {ends} are no dot of dimension {dimension} of the image: its birth is "
            f"{birth:g}, its death {death:g}"
        )
    level = _level(values, threshold, dimension, birth, death)
    # Around the image is the frame, which is structure, or the outside, which is background.
    structure = np.pad(values >= level, 1, constant_values=bool(frame))
    if dimension == 0:
        piece = _component(structure, _place(ends[0], values), connectivity)
        return Representative(0, level, piece[1:-1, 1:-1], None)
    cells = _component(~structure, _place(ends[1], values), 12 - connectivity)
    loop = _component(~cells, (0, 0), connectivity) & _grown(cells, 12 - connectivity)
    return Representative(1, level, cells[1:-1, 1:-1], loop[1:-1, 1:-1])


def _one_image(image: ArrayLike) -> FloatArray:
    """The image (H, W), finite."""
    if np.ndim(image) != 2:
        raise ValueError(
            f"image must be one image of shape (H, W), got {np.shape(image)}: take the image of a "
            "batch that the diagram is of"
        )
    values: FloatArray = float_images("image", image)[0]
    if not np.isfinite(values).all():
        raise ValueError("image must be finite, got NaN or an infinite value")
    return values


def _critical_pixels(pixels: ArrayLike, count: int) -> tuple[int, int]:
    """Birth and death pixel, -1 or within the image."""
    pair = number_array("pixels", pixels)
    if pair.shape != (2,) or pair.dtype.kind not in "iu":
        raise ValueError(
            "pixels must be two whole numbers, the birth and death pixel of one dot, got "
            f"{pair.dtype} of shape {pair.shape}"
        )
    birth, death = pair.tolist()
    if not -1 <= min(birth, death) <= max(birth, death) < count:
        raise ValueError(f"pixels must lie within the {count} of the image, got {birth}, {death}")
    return birth, death


def _level(
    values: FloatArray, threshold: float | None, dimension: int, birth: float, death: float
) -> float:
    """The threshold, or its default."""
    if threshold is None:
        return birth if dimension == 1 else float(values[values > death].min())
    # In the image's own type, in which 0.7 is at most a birth of 0.7.
    level = float(values.dtype.type(check_number("threshold", threshold)))
    if not death < level <= birth:
        raise ValueError(
            f"threshold must be above the death, {death:g}, and at most the birth, {birth:g}: "
            f"there is no such feature at {level:g}"
        )
    return level


def _place(pixel: int, values: FloatArray) -> tuple[int, int]:
    """Row and column of a pixel in the padded image."""
    row, column = divmod(pixel, values.shape[1])
    return row + 1, column + 1


def _component(
    mask: NDArray[np.bool_], place: tuple[int, int], connectivity: int
) -> NDArray[np.bool_]:
    """The component of a mask that holds the pixel at ``place``."""
    from scipy.ndimage import label

    labels, _ = label(mask, _neighbours(connectivity))
    component: NDArray[np.bool_] = labels == labels[place]
    return component


def _grown(mask: NDArray[np.bool_], connectivity: int) -> NDArray[np.bool_]:
    """The mask with all neighbours of its pixels."""
    from scipy.ndimage import binary_dilation

    grown: NDArray[np.bool_] = binary_dilation(mask, _neighbours(connectivity))
    return grown


def _neighbours(connectivity: int) -> NDArray[np.bool_]:
    """(3, 3) A pixel and its neighbours."""
    near = np.ones((3, 3), dtype=bool)
    near[::2, ::2] = connectivity == 8
    return near
