"""What a segmentation by persistence changed, in its place on the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_flag
from toponet.plots._arrays import Numbers, real_array
from toponet.plots.canvas import grey_or_colour, likelihood_map, ring_style, show, stretched
from toponet.plots.style import ACTION_STYLES, DIMENSION_STYLES
from toponet.topology.segmentation import Decisions, Segmentation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PALE = 0.55  # How much of the picture's contrast is left below the colours.


def plot_decisions(
    axes: Axes,
    image: Numbers,
    segmentation: Segmentation,
    *,
    outline: bool = True,
    legend: bool = True,
) -> Axes:
    """The image with what a segmentation by persistence changed, and the outline of its mask.

    Changed pixels are coloured, and each change has a mark around one of its pixels: a square for a
    hole, a circle for a component. Warm colours take a feature away: red raised the likelihood
    (a hole is filled, a component joined), orange lowered it (a hole is opened, a component
    removed). Cold colours bring one out: blue raised the likelihood (a hole is closed, a component
    added), green lowered it (a hole is hollowed out, a component separated).

    Args:
        axes: The axes to draw into.
        image: The likelihood (H, W), which is drawn the darker the higher it is; or an image
            (C, H, W) with one or three channels, any range.
        segmentation: What :func:`toponet.segment` gave for one likelihood (H, W).
        outline: Whether to draw the outline of the mask.
        legend: Whether to add a legend below. The marks have labels for one in either case.

    Returns:
        The axes; the marks are labelled with their numbers.

    Raises:
        TypeError: If the image holds no numbers, the segmentation isn't one, or an option has the
            wrong type.
        ValueError: If the segmentation is that of a batch, or the image has another shape.

    Cost: each change is looked up by itself; a picture with thousands of changes takes a second.
    """
    check_flag("outline", outline)
    check_flag("legend", legend)
    mask = _mask(segmentation)
    picture = _background(image, mask.shape)
    decisions = segmentation.decisions
    for row, action in enumerate(decisions.action):
        colour = _rgb(ACTION_STYLES[action][0])
        picture.reshape(-1, 3)[decisions.changed(row)] = colour
    show(axes, picture)
    if outline:
        _draw_outline(axes, mask)
    _mark_changes(axes, decisions, mask.shape)
    if legend and len(decisions):
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, fontsize=8, frameon=False)
    return axes


def _mask(segmentation: object) -> NDArray[np.bool_]:
    """The mask of one image."""
    if not isinstance(segmentation, Segmentation):
        raise TypeError(f"segmentation must be a Segmentation, got {type(segmentation).__name__}")
    mask: NDArray[np.bool_] = real_array("mask", segmentation.mask)
    if mask.ndim != 2:
        raise ValueError(
            f"segmentation must be that of one image (H, W), got masks of shape {mask.shape}: "
            "segment the images of a batch one by one"
        )
    return mask


def _background(image: Numbers, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The picture (H, W, 3) in pale colours, on which others stand out."""
    if real_array("image", image).ndim == 3:
        values = stretched(grey_or_colour(image, shape))
    else:
        values = 1 - likelihood_map(image)
        if values.shape != shape:
            raise ValueError(f"image has shape {values.shape}, but the segmentation {shape}")
    grey = values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)
    return np.asarray(1 - _PALE * (1 - grey), dtype=np.float64)


def _rgb(colour: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)


def _draw_outline(axes: Axes, mask: NDArray[np.bool_]) -> None:
    """Lines along the edges of pixels, where structure and background meet."""
    from matplotlib.collections import LineCollection

    rows, columns = np.nonzero(mask[:, 1:] != mask[:, :-1])
    upright = np.stack([[columns + 0.5, rows - 0.5], [columns + 0.5, rows + 0.5]])
    rows, columns = np.nonzero(mask[1:] != mask[:-1])
    level = np.stack([[columns - 0.5, rows + 0.5], [columns + 0.5, rows + 0.5]])
    lines = np.concatenate([upright, level], axis=2).transpose(2, 0, 1)
    axes.add_collection(LineCollection(list(lines), colors="0.25", linewidths=0.5))


def _mark_changes(axes: Axes, decisions: Decisions, shape: tuple[int, ...]) -> None:
    from matplotlib.patheffects import withStroke

    style = ring_style(len(decisions))
    # A white rim sets the mark off from changed pixels of the same colour.
    rim = [withStroke(linewidth=style["linewidths"] + 1.5, foreground="white")]
    for action, (colour, words) in ACTION_STYLES.items():
        chosen = np.flatnonzero(decisions.action == action).tolist()
        if chosen:
            dimension = decisions.dimension[chosen[0]]
            rows, columns = np.divmod([_place(decisions, row, shape) for row in chosen], shape[1])
            axes.scatter(
                columns,
                rows,
                marker=DIMENSION_STYLES[dimension][1],
                edgecolors=colour,
                label=f"{words}: {len(chosen)}",
                path_effects=rim,
                **style,
            )


def _place(decisions: Decisions, row: int, shape: tuple[int, ...]) -> int:
    """The changed pixel that lies nearest to the middle of all changed ones.

    If another feature's change did it as well: the pixel where the feature begins.
    """
    pixels = decisions.changed(row)
    if len(pixels) == 0:
        ends = decisions.birth_pixel, decisions.death_pixel
        return int(ends[decisions.dimension[row]][row])
    places: NDArray[Any] = np.stack(np.divmod(pixels, shape[1]), axis=1)
    distances = np.square(places - places.mean(axis=0)).sum(axis=1)
    return int(pixels[distances.argmin()])
