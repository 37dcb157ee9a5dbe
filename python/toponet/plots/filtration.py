"""Superlevel sets of a likelihood at falling thresholds: the paper's figure 4."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_connectivity, check_flag
from toponet.plots._arrays import Numbers, level, real_number
from toponet.plots.canvas import likelihood_map, show
from toponet.plots.style import VERMILION
from toponet.topology.labelling import label_cells
from toponet.topology.superlevel import betti_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

THRESHOLDS = (0.9, 0.7, 0.5, 0.3, 0.1)


def plot_filtration(
    axes: Iterable[Axes],
    likelihood: Numbers,
    thresholds: Iterable[float] = THRESHOLDS,
    *,
    connectivity: int = 8,
    frame: bool = False,
) -> NDArray[Any]:
    """The superlevel set at each threshold, with its Betti numbers in the title.

    Structure is dark and holes are tinted. Background that is open to the outside is white.

    Args:
        axes: The axes to draw into, one for each threshold.
        likelihood: (H, W) in [0, 1]: list, array or tensor.
        thresholds: Usually falling. They are rounded to the likelihood's type, so that a pixel of
            0.7 reaches the threshold 0.7 in float32 too.
        connectivity: Connectivity of the structure, 8 or 4.
        frame: Surround the image by a frame of structure, which is drawn in grey. The component of
            the frame isn't counted. See :func:`toponet.persistence`.

    Returns:
        The axes, (number of thresholds,).

    Raises:
        TypeError: If the likelihood or a threshold isn't a number, or an option has the wrong type.
        ValueError: If the likelihood isn't (H, W) or leaves [0, 1], a threshold isn't finite, the
            connectivity is neither 4 nor 8, or there isn't one axes for each threshold.
    """
    check_connectivity(connectivity)
    check_flag("frame", frame)
    values = likelihood_map(likelihood)
    falling = [real_number("thresholds", threshold) for threshold in thresholds]
    row = list(axes)
    if len(row) != len(falling):
        raise ValueError(f"expected one axes for each of {len(falling)} thresholds, got {len(row)}")
    for panel, threshold in zip(row, falling, strict=True):
        mask = values >= level(threshold, likelihood)
        components, holes = betti_numbers(
            mask, connectivity=connectivity, frame=frame, num_threads=1
        )[0]
        show(panel, _structure_and_holes(mask, connectivity, frame), margin=int(frame))
        panel.set_title(f"$f \\geq {threshold:g}$\n$\\beta_0 = {components}$, $\\beta_1 = {holes}$")
    return np.array(row, dtype=object)


def _structure_and_holes(
    mask: NDArray[np.bool_], connectivity: int, frame: bool
) -> NDArray[np.float64]:
    """The picture of a mask: (H, W, 3), or (H + 2, W + 2, 3) with a frame."""
    from matplotlib.colors import to_rgb

    margin = np.pad(mask, 1, constant_values=frame)
    cells = label_cells(margin, connectivity)
    # Without a frame the margin is background, and its cell is the outside.
    outside = 0 if frame else cells[0, 0]
    picture = np.ones((*margin.shape, 3))
    picture[(cells > 0) & (cells != outside)] = 0.6 + 0.4 * np.array(to_rgb(VERMILION))
    picture[margin] = 0.15
    if not frame:
        return picture[1:-1, 1:-1]
    picture[[0, -1]] = picture[:, [0, -1]] = 0.5
    return picture
