"""Segmentation by persistence of arrays and tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from toponet._ground.probabilities import rounding_tolerance, without_rounding
from toponet.topology.segmentation import Segmentation, SegmentationOptions, segment_images


def segment(
    likelihood: NDArray[Any] | torch.Tensor,
    *,
    threshold: float = 0.5,
    keep: float = 0.5,
    add: float | None = 0.3,
    dims: Sequence[int] = (0, 1),
    connectivity: int = 8,
    frame: bool = True,
    num_threads: int | None = None,
) -> Segmentation:
    """The mask that shows a likelihood's persistent features, and no others.

    A cut at a threshold shows a feature if birth >= threshold > death, however weak it is. Here its
    persistence, birth - death, decides. A shown feature stays if its persistence is larger than
    ``keep``, and a hidden one is brought out if its persistence is larger than ``add``. The
    likelihood is changed where that needs it, and nowhere else, each time in the cheaper way: a
    hole that isn't wanted is filled or opened into its elder neighbour, a piece is removed or
    joined to its elder neighbour. If the cheaper way would join two wanted features, the other one
    is taken.

    With ``dims=(1,)`` the mask's holes are exactly the wanted ones, and each holds the pixel where
    it dies. With ``dims=(0,)`` the same holds for pieces and the pixels where they are born. With
    both, holes are settled first; then pieces, by the features that the likelihood has after that,
    and without a change of any hole. A piece that encloses a hole stays as it is.

    Applied to its own result it changes nothing more if ``add`` is at least ``keep``, but for rare
    features that gained persistence from a new wall beside them. With a larger ``keep`` a feature
    that was brought out may be found too weak to stay.

    Args:
        likelihood: (H, W) or (B, H, W), probability of the structure in [0, 1]; numpy array of
            float32 or float64, or tensor of any float type on any device.
        threshold: Where the mask cuts; between 0 and 1, both excluded.
        keep: Least persistence of a shown feature; 0 = all stay.
        add: Least persistence of a hidden feature that is brought out; None = none is.
        dims: Which features to settle: holes (1,), pieces (0,) or both.
        connectivity: Of the structure, 8 or 4; the background has the other one.
        frame: Surround the image by a frame of structure, so that cells which its border cuts are
            holes.
        num_threads: CPU threads; None = all cores, 1 = none started.

    Returns:
        Mask, changed likelihood, cells and decisions: see :class:`Segmentation`. Tensors if the
        likelihood is one, on its device. Types of less than 32 bits come back as float32.

    Raises:
        TypeError: If the likelihood has no float type, or an option has the wrong type.
        ValueError: If a shape is wrong, a value lies outside [0, 1], or an option is out of range.

    Cost: near-linear; three to ten times the time of :func:`toponet.persistence`, most where many
    walls have to be found. A tensor on a device is copied to the CPU and back. Not differentiable.

    Source: the dynamics of minima (Grimaud 1992) are the persistence of holes; simplification by
    persistence is that of Edelsbrunner, Morozov and Pascucci (2006), and of Bauer, Lange and
    Wardetzky (2012).

    Example:
        >>> import numpy as np, toponet
        >>> weak_wall = np.array([[0.1, 0.1, 0.45, 0.1, 0.1]])
        >>> toponet.segment(weak_wall).mask
        array([[False, False,  True, False, False]])
    """
    options = SegmentationOptions(threshold, keep, add)
    settings: dict[str, Any] = {
        "dims": dims, "connectivity": connectivity, "frame": frame, "num_threads": num_threads,
    }  # fmt: skip
    if not isinstance(likelihood, torch.Tensor):
        return segment_images(likelihood, options, **settings)
    if not likelihood.is_floating_point():
        raise TypeError(f"likelihood must have a float type, got {likelihood.dtype}")
    given = likelihood.detach().cpu()
    wide = given if given.dtype in (torch.float32, torch.float64) else given.float()
    # What rounding of the given type left outside [0, 1] is judged by that type.
    array, _ = without_rounding(wide.numpy(), rounding_tolerance(likelihood.dtype))
    result = segment_images(array, options, **settings)

    def back(array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(likelihood.device)

    return replace(
        result, mask=back(result.mask), likelihood=back(result.likelihood), cells=back(result.cells)
    )
