"""A segmentation beside its truth, with wrong topology marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet._validation import check_connectivity
from toponet.labelling import label_cells, label_structure, without_partner
from toponet.plots._canvas import show, show_structure, stretched
from toponet.plots._style import BLUE, ORANGE, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_mistakes(
    axes: Axes,
    prediction: NDArray[np.generic],
    truth: NDArray[np.generic],
    connectivity: int = 8,
) -> Axes:
    """The predicted mask, with a ring around each cell or piece that is wrong.

    Red circle: a true cell that has grown together with another one, or is gone. Blue square: a
    predicted cell that isn't there. Orange diamond: a piece of structure too many or too few.

    Args:
        axes: Drawn into.
        prediction: (H, W) mask, 1 = structure.
        truth: The same shape.
        connectivity: Of the structure.

    Returns:
        The axes; the marks are labelled for a legend, with their numbers.

    Raises:
        ValueError: If the masks are not of one shape (H, W), or the connectivity is neither 4
            nor 8.
    """
    check_connectivity(connectivity)
    if prediction.ndim != 2 or prediction.shape != truth.shape:
        raise ValueError(
            "prediction and truth must have the same shape (H, W), got "
            f"{prediction.shape} and {truth.shape}"
        )
    show_structure(axes, prediction != 0)
    cells = [label_cells(mask, connectivity) for mask in (truth, prediction)]
    pieces = [label_structure(mask, connectivity) for mask in (truth, prediction)]
    marks = [
        ("cell merged or lost", "o", VERMILION, without_partner(cells[0], cells[1])),
        ("cell too many", "s", BLUE, without_partner(cells[1], cells[0])),
        (
            "piece too many or too few",
            "D",
            ORANGE,
            np.concatenate([without_partner(*pieces), without_partner(*pieces[::-1])]),
        ),
    ]
    for label, marker, colour, centres in marks:
        axes.scatter(
            centres[:, 1],
            centres[:, 0],
            s=70,
            marker=marker,
            facecolors="none",
            edgecolors=colour,
            linewidths=1.6,
            label=f"{label}: {len(centres)}",
        )
    return axes


def plot_segmentation(
    figure: Figure,
    image: NDArray[np.floating[Any]],
    truth: NDArray[np.generic],
    likelihood: NDArray[np.floating[Any]],
    connectivity: int = 8,
) -> NDArray[Any]:
    """Image, truth, likelihood, and the mask at 0.5 with wrong topology marked, in a row.

    Args:
        figure: Drawn into.
        image: (C, H, W) with one or three channels, any range.
        truth: (H, W) mask.
        likelihood: (H, W) in [0, 1].
        connectivity: Of the structure.

    Returns:
        The four axes.
    """
    row: NDArray[Any] = figure.subplots(1, 4, squeeze=True)
    show(row[0], stretched(image))
    show_structure(row[1], truth != 0)
    show(row[2], likelihood, "viridis")
    plot_mistakes(row[3], likelihood >= 0.5, truth, connectivity)
    for axes, title in zip(row, ("image", "truth", "likelihood", "cut at 0.5"), strict=True):
        axes.set_title(title, fontsize=10)
    marks, labels = row[3].get_legend_handles_labels()
    figure.legend(marks, labels, loc="outside lower right", ncols=3, fontsize=9, frameon=False)
    return row
