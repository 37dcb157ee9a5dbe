"""The error of the Euler number: pieces minus holes, of whole images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toponet._ground.spaces import IMAGES
from toponet.metrics.betti import count_betti_numbers
from toponet.metrics.conventions import FRAMES, BettiConvention, betti_convention
from toponet.metrics.inputs import Masks, masks_to_compare, mean_over_images


def euler_number_error(
    prediction: Masks,
    target: Masks,
    *,
    spatial_dims: int = 2,
    connectivity: int | None = None,
    frame: bool | str = True,
    valid: Masks | None = None,
) -> float:
    """Absolute difference of the Euler numbers of whole images, mean over images; 0 is perfect.

    The Euler number is the number of pieces minus the number of holes; of volumes, pieces minus
    tunnels plus cavities. A piece too many and a hole too many cancel out, so the error is at most
    the sum of the errors of :func:`toponet.metrics.betti_number_error`.

    Args:
        prediction: Mask (H, W) or (B, H, W), 1 = structure, numpy or torch. With
            ``spatial_dims=3`` a volume, (D, H, W) or (B, D, H, W).
        target: Mask of the same shape.
        spatial_dims: 2 = images, 3 = volumes.
        connectivity: Connectivity of the structure, 8 (default) or 4, in volumes 26 (default) or 6;
            the background has the other one.
        frame: True surrounds each image by structure, as the loss does; its own piece isn't
            counted. "rim" overwrites the outermost pixels with structure. False does neither: this
            is the Euler number of scikit-image.
        valid: The same shape: 1 where a pixel counts; None = everywhere. A pixel that doesn't count
            is taken for structure in both masks. An image in which no pixel counts isn't part of
            the mean.

    Raises:
        TypeError: If an array holds no numbers or is a masked array, or an option has the wrong
            type.
        ValueError: If shapes differ, a value that counts is neither 0 nor 1, no pixel counts, or an
            option is out of range.

    Cost: one pass over the pixels.

    Example:
        >>> from toponet.metrics import euler_number_error
        >>> ring, broken = [[1, 1, 1], [1, 0, 1], [1, 1, 1]], [[1, 1, 1], [1, 0, 0], [1, 1, 1]]
        >>> euler_number_error(broken, ring, frame=False)  # 1 - 0 against 1 - 1.
        1.0
    """
    convention = betti_convention(
        patches="whole", spatial_dims=spatial_dims, connectivity=connectivity, frame=frame
    )
    return mean_over_images(euler_differences(prediction, target, convention, valid))[0]


def describe_euler(convention: BettiConvention) -> str:
    """The convention of :func:`euler_number_error` in words."""
    numbers = "pieces - holes" if convention.space is IMAGES else "pieces - tunnels + cavities"
    return (
        f"mean |difference of Euler numbers| ({numbers}) over whole {convention.space.noun}s, "
        f"connectivity {convention.connectivity}, {FRAMES[convention.frame]}"
    )


def euler_differences(
    prediction: Masks, target: Masks, convention: BettiConvention, valid: Masks | None = None
) -> NDArray[np.float64]:
    """(images, 1) The absolute difference of each image in which a pixel counts.

    Args:
        prediction: Masks.
        target: Masks of the same shape.
        convention: Counts all dimensions. Its patches aren't looked at.
        valid: Which pixels count.
    """
    compared = masks_to_compare(prediction, target, valid, convention.space)
    signs = (1, -1, 1)[: convention.spatial_dims]
    numbers = [
        count_betti_numbers(masks, convention) @ signs
        for masks in (compared.prediction, compared.target)
    ]
    return np.abs(numbers[0] - numbers[1])[compared.images, None].astype(np.float64)
