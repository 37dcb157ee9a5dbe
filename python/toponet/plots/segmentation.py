"""A segmentation beside its truth, with wrong topology marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet._validation import check_connectivity, check_flag
from toponet.labelling import label_cells, label_structure, without_partner
from toponet.plots._canvas import show, show_structure, stretched
from toponet.plots._style import BLUE, ORANGE, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AREA_OF_ALL = 5000.0  # Of all rings together, in square points, unless they are at their limits.


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
    _check_masks(prediction, truth, connectivity)
    show_structure(axes, prediction != 0)
    _mark_mistakes(axes, prediction, truth, connectivity, frame=False)
    return axes


def plot_errors(
    axes: Axes,
    prediction: NDArray[np.generic],
    truth: NDArray[np.generic],
    connectivity: int = 8,
    *,
    frame: bool = False,
) -> Axes:
    """The truth with the pixels that the prediction gets wrong, and rings as in `plot_mistakes`.

    Red pixel: structure that the prediction misses. Blue pixel: structure that isn't there.

    Args:
        axes: Drawn into.
        prediction: (H, W) mask, 1 = structure.
        truth: The same shape.
        connectivity: Of the structure.
        frame: Whether a frame of structure surrounds both, as in the loss of a patch: what touches
            the border is one piece then.

    Returns:
        The axes; the marks are labelled for a legend, with their numbers.

    Raises:
        TypeError: If ``frame`` isn't True or False.
        ValueError: As :func:`plot_mistakes`.
    """
    from matplotlib.colors import to_rgb

    _check_masks(prediction, truth, connectivity)
    check_flag("frame", frame)
    predicted, true = prediction != 0, truth != 0
    picture = np.ones((*true.shape, 3))
    picture[true] = 0.35
    picture[true & ~predicted] = to_rgb(VERMILION)
    picture[predicted & ~true] = 0.4 + 0.6 * np.array(to_rgb(BLUE))
    show(axes, picture)
    _mark_mistakes(axes, prediction, truth, connectivity, frame)
    return axes


def _check_masks(
    prediction: NDArray[np.generic], truth: NDArray[np.generic], connectivity: int
) -> None:
    check_connectivity(connectivity)
    if prediction.ndim != 2 or prediction.shape != truth.shape:
        raise ValueError(
            "prediction and truth must have the same shape (H, W), got "
            f"{prediction.shape} and {truth.shape}"
        )


def _mark_mistakes(
    axes: Axes,
    prediction: NDArray[np.generic],
    truth: NDArray[np.generic],
    connectivity: int,
    frame: bool,
) -> None:
    cells = [label_cells(mask, connectivity) for mask in (truth, prediction)]
    pieces = [_pieces(mask, connectivity, frame) for mask in (truth, prediction)]
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
    # Hundreds of large rings would hide what they are about.
    area = float(np.clip(_AREA_OF_ALL / max(sum(len(mark[3]) for mark in marks), 1), 8, 70))
    for label, marker, colour, centres in marks:
        axes.scatter(
            centres[:, 1],
            centres[:, 0],
            s=area,
            marker=marker,
            facecolors="none",
            edgecolors=colour,
            linewidths=0.4 + 0.14 * area**0.5,
            label=f"{label}: {len(centres)}",
        )


def _pieces(mask: NDArray[np.generic], connectivity: int, frame: bool) -> NDArray[np.int64]:
    """Components of the structure, without those that are part of the frame."""
    if not frame:
        return label_structure(mask, connectivity)
    framed = np.pad(mask != 0, 1, constant_values=True)
    labels = label_structure(framed, connectivity)
    return label_structure((framed & (labels != labels[0, 0]))[1:-1, 1:-1], connectivity)


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
