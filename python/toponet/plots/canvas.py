"""Maps and masks in grey: structure is dark, as a stained membrane is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.probabilities import rounding_tolerance, without_rounding
from toponet._ground.spaces import IMAGES, Space
from toponet._ground.valid import taken_for_structure
from toponet.plots._arrays import Numbers, real_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of all rings of a picture together, in square points, unless they are at their limits.
_AREA_OF_ALL = 5000.0
# The grey of a pixel that doesn't count, as if it were so much structure.
_NOT_COUNTED = 0.3


def show(axes: Axes, picture: NDArray[Any], colours: str = "gray", margin: int = 0) -> None:
    """A map in [0, 1] or an RGB picture, without ticks, pixel (0, 0) at the data point (0, 0).

    Args:
        axes: The axes to draw into.
        picture: (H, W) or (H, W, 3).
        colours: Colour map of an (H, W) picture.
        margin: How many rows and columns of the picture lie outside the image at each side.
    """
    height, width = picture.shape[:2]
    low, right, bottom = -0.5 - margin, width - margin - 0.5, height - margin - 0.5
    extent = (low, right, bottom, low)
    axes.imshow(picture, cmap=colours, vmin=0, vmax=1, interpolation="nearest", extent=extent)
    axes.set_axis_off()


def stretched(image: NDArray[np.floating[Any]]) -> NDArray[Any]:
    """An image (C, H, W) of any range for :func:`show`. All but its extreme values fill [0, 1]."""
    low, high = np.percentile(image, (0.5, 99.5))
    shown: NDArray[Any] = np.clip((image - low) / max(high - low, 1e-12), 0, 1)
    return shown[0] if len(shown) == 1 else shown.transpose(1, 2, 0)


def show_structure(axes: Axes, structure: NDArray[Any]) -> None:
    """Draws a mask or a likelihood: the higher the value, the darker."""
    # Structure isn't quite black, because marks with a black edge lie on it.
    show(axes, 1 - 0.85 * structure)


def show_mask(axes: Axes, mask: NDArray[np.bool_], valid: NDArray[np.bool_] | None) -> None:
    """Structure dark, background white, pixels that don't count grey."""
    show_structure(axes, mask if valid is None else np.where(valid, mask, _NOT_COUNTED))


def grey_or_colour(image: Numbers, shape: tuple[int, ...]) -> NDArray[Any]:
    """An image (C, H, W) of one or three channels that belongs to masks of this shape (H, W).

    Raises:
        TypeError: If it doesn't hold numbers, or is a masked array.
        ValueError: If it has another shape.
    """
    array = real_array("image", image)
    if array.ndim != 3 or len(array) not in (1, 3) or array.shape[1:] != shape:
        raise ValueError(
            f"image must have shape (1, H, W) or (3, H, W), here with {shape[0]} x {shape[1]} "
            f"pixels, got {array.shape}: image[None] adds the channel axis of a grey one, "
            "image.transpose(2, 0, 1) moves a last one to the front"
        )
    return array


def likelihood_map(
    likelihood: Numbers, valid: NDArray[np.bool_] | None = None, space: Space = IMAGES
) -> NDArray[np.float64]:
    """One image's or volume's likelihood as float64. It is 1 where a pixel doesn't count.

    What rounding left just outside [0, 1] is put at the end of the interval.

    Raises:
        TypeError: If it doesn't hold numbers, or is a masked array.
        ValueError: If it isn't (H, W), or (D, H, W), with at least one pixel, or leaves [0, 1].
    """
    array = real_array("likelihood", likelihood)
    if array.ndim != space.spatial_dims or array.size == 0:
        raise ValueError(
            f"likelihood must have shape ({space.axes}), not empty, got {array.shape}: take one "
            f"{space.noun} and one channel of a batch"
        )
    tolerance = rounding_tolerance(getattr(likelihood, "dtype", array.dtype))
    values = taken_for_structure(array.astype(np.float64), valid)
    values, inside = without_rounding(values, tolerance)
    if not inside:
        wrong = values[~((values >= 0) & (values <= 1))]  # NaN as well.
        raise ValueError(f"likelihood must lie in [0, 1], got {wrong[0]:.9g}")
    return values


def ring_style(count: int) -> dict[str, Any]:
    """Keywords of ``scatter`` for so many hollow marks: large ones if they are few.

    Hundreds of large rings would hide the picture.
    """
    area = float(np.clip(_AREA_OF_ALL / max(count, 1), 8, 70))
    return {"s": area, "facecolors": "none", "linewidths": 0.4 + 0.14 * area**0.5}
