"""Betti error: does each part of the image, or the whole of it, have the right topology?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toponet.metrics._patches import patch_stacks
from toponet.metrics.conventions import BettiConvention, betti_convention
from toponet.metrics.inputs import Masks, masks_to_compare, mean_over_images
from toponet.topology.superlevel import betti_numbers


@dataclass(frozen=True)
class BettiErrorResult:
    """Betti error per dimension, with the convention that it was measured by.

    Indexes by dimension, and unpacks to the dimensions that were counted. ``str`` is one line.

    Attributes:
        dimension_0: Of components; None if they weren't counted.
        dimension_1: Of holes; None if they weren't counted.
        convention: All options.
    """

    dimension_0: float | None
    dimension_1: float | None
    convention: BettiConvention

    def __getitem__(self, dimension: int) -> float:
        """The error of one dimension; ValueError if it wasn't counted."""
        error = (self.dimension_0, self.dimension_1)[dimension]
        if error is None:
            raise ValueError(f"dimension {dimension} was not counted: {self.convention}")
        return error

    def __iter__(self) -> Iterator[float]:
        """The dimensions that were counted, in order."""
        return (self[dimension] for dimension in self.convention.dims)

    def __str__(self) -> str:
        """The numbers and the convention."""
        words = ("components", "holes")
        errors = ", ".join(f"{self[d]:.3f} ({words[d]})" for d in self.convention.dims)
        return f"Betti error {errors}: {self.convention}"


def betti_error(
    prediction: Masks,
    target: Masks,
    *,
    convention: str | None = None,
    patch_size: int | None = None,
    patches: int | str | None = None,
    seed: int | None = None,
    connectivity: int | None = None,
    frame: bool | str | None = None,
    dims: Sequence[int] | None = None,
    valid: Masks | None = None,
) -> BettiErrorResult:
    """Absolute difference of Betti numbers, mean over patches, then over images; 0 is perfect.

    Every image counts the same, whatever its size and the number of its patches. Defined for every
    pair of masks: a framed patch has one hole if it is empty and none if it is full, at any size.

    The paper reports dimension 1 (holes) only; dimension 0 (components) is ours. Which class is
    structure matters: pass the membrane, vessel, road or crack as 1.

    ==================  ===========================================================================
    ``convention``      what it counts (and fixes)
    ==================  ===========================================================================
    "toponet"           what the loss sees: ``connectivity=8, frame=True, dims=(0, 1)``
    "toponet-authors"   what the script handed down from the paper's authors counts:
                        ``connectivity=8, frame="rim", dims=(1,)``. In their masks the cells are 1.
                        The script overwrites the patch's one-pixel rim with 0, their background
                        (our structure), and counts the 4-connected components of the cells that
                        are left: one number. Structure (0 there) never opens to the outside.
    "whole-image"       "toponet" on whole images: also ``patches="whole"``
    "topomortar"        TopoMortar's official Betti numbers: ``patches="whole", connectivity=8,
                        frame=False, dims=(0, 1)``. 8-connected structure, touching the border or
                        not; 4-connected background without the parts that touch the border.
    ==================  ===========================================================================

    Args:
        prediction: Mask (H, W) or (B, H, W), 1 = structure, numpy or torch.
        target: Mask of the same shape.
        convention: One of the names above, or None for the defaults below. What a name fixes
            can't be given as well.
        patch_size: Side of the square patches in pixels (default 65); an image smaller than that
            is one patch.
        patches: A number of patches per image, drawn uniformly and with replacement (default 100);
            "grid": each side in ceil(side / patch_size) parts, equal to within a pixel, so that
            every pixel is in one patch; "whole": the whole image is the patch.
        seed: Of random positions (default 0); the same seed and sizes give the same positions.
        connectivity: Of the structure (default 8); the background has the other one.
        frame: True (default) surrounds each patch by structure, as the loss does; "rim" overwrites
            the patch's own outermost pixels with structure; False leaves it: background that
            touches the border is then no hole.
        dims: Dimensions to count (default (0, 1)).
        valid: The same shape as the masks: 1 where a pixel counts; None = everywhere. The others
            are taken for structure in both masks. A patch of the grid without a pixel that counts
            is left out, random ones are drawn where there is one, and an image without any isn't
            part of the mean.

    Raises:
        TypeError: If an option is of the wrong type, or an array holds no numbers or is a masked
            one.
        ValueError: If shapes differ, a value that counts is neither 0 nor 1, no pixel counts, an
            option is out of range, is fixed by the convention, or has no meaning (``seed`` for a
            grid, ``patch_size`` for whole images).

    Source: Hu et al., NeurIPS 2019, section 3; Valverde et al., TopoMortar, BMVC 2025. The authors'
    script is known from its copies, such as github.com/Zyun-Y/DconnNet, metrics/betti_compute.py.

    Example:
        >>> import numpy as np
        >>> from toponet.metrics import betti_error
        >>> truth = np.zeros((9, 9), dtype=int)
        >>> truth[4] = 1
        >>> broken = truth.copy()
        >>> broken[4, 4] = 0
        >>> betti_error(broken, truth)[1]
        1.0
        >>> print(betti_error(broken, truth, convention="topomortar"))
        Betti error 1.000 (components), 0.000 (holes): mean |difference of Betti numbers| over \
whole images, connectivity 8, without frame (topomortar)
    """
    chosen = betti_convention(
        convention,
        patch_size=patch_size,
        patches=patches,
        seed=seed,
        connectivity=connectivity,
        frame=frame,
        dims=dims,
    )
    differences = betti_differences(prediction, target, chosen, valid=valid)
    return betti_result(mean_over_images(differences), chosen)


def betti_number_error(
    prediction: Masks,
    target: Masks,
    *,
    connectivity: int = 8,
    frame: bool | str = True,
    valid: Masks | None = None,
) -> BettiErrorResult:
    """Absolute difference of the Betti numbers of whole images, mean over images; 0 is perfect.

    The same as ``betti_error(..., patches="whole")``. It can't tell a wrong hole here and a missing
    one there from no error; patches can.

    Args:
        prediction: Mask (H, W) or (B, H, W), 1 = structure, numpy or torch.
        target: Mask of the same shape.
        connectivity: Of the structure; the background has the other one.
        frame: As in :func:`betti_error`.
        valid: As in :func:`betti_error`.

    Raises:
        TypeError: As :func:`betti_error`.
        ValueError: If shapes differ, a value that counts is neither 0 nor 1, or no pixel counts.

    Example:
        >>> from toponet.metrics import betti_number_error
        >>> tuple(betti_number_error([[0, 0, 0]], [[0, 1, 0]]))
        (0.0, 1.0)
    """
    return betti_error(
        prediction,
        target,
        patches="whole",
        connectivity=connectivity,
        frame=frame,
        valid=valid,
    )


def betti_differences(
    prediction: Masks,
    target: Masks,
    convention: BettiConvention,
    update: int = 0,
    valid: Masks | None = None,
) -> NDArray[np.float64]:
    """(images, dims) absolute differences, each image's mean over its patches that count.

    One row for each image in which a pixel counts. Random positions also depend on ``update``.
    """
    compared = masks_to_compare(prediction, target, valid)
    sums = np.zeros((len(compared.target), len(convention.dims)))
    counts = np.zeros(len(compared.target))
    for image, predicted, truth in patch_stacks(*compared, convention, update):
        if len(image):
            numbers = [count_betti_numbers(masks, convention) for masks in (predicted, truth)]
            np.add.at(sums, image, np.abs(numbers[0] - numbers[1]))
            np.add.at(counts, image, 1)
    return sums[compared.images] / counts[compared.images, None]


def betti_result(errors: Sequence[float], convention: BettiConvention) -> BettiErrorResult:
    """Errors in the order of ``convention.dims``."""
    by_dimension = dict(zip(convention.dims, errors, strict=True))
    return BettiErrorResult(by_dimension.get(0), by_dimension.get(1), convention)


def count_betti_numbers(
    patches: NDArray[np.uint8], convention: BettiConvention
) -> NDArray[np.int64]:
    """(n, dims) Betti numbers of masks (n, h, w), each taken whole, by this convention."""
    if convention.frame == "rim":
        patches = patches.copy()  # Whole images may be the caller's own.
        patches[:, [0, -1]] = 1
        patches[:, :, [0, -1]] = 1
    numbers = betti_numbers(
        patches, connectivity=convention.connectivity, frame=convention.frame is True
    )
    return numbers[:, list(convention.dims)]
