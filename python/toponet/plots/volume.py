"""A feature of a volume on three slices through the voxel where it dies or is born."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet._ground.spaces import VOLUMES
from toponet._ground.validation import check_choice, check_flag, check_whole, number_array
from toponet.plots._arrays import Numbers
from toponet.plots.canvas import likelihood_map, show_structure
from toponet.plots.style import BLUE, ORANGE, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Place = tuple[int, ...]

AXES = ("depth", "row", "column")
ENDS = ("birth", "death")
_STYLES = {"birth": (BLUE, "^"), "death": (VERMILION, "v")}


def plot_volume_feature(
    axes: Iterable[Axes],
    likelihood: Numbers,
    pixels: ArrayLike,
    *,
    at: str | None = None,
    reach: int | None = None,
    legend: bool = True,
) -> NDArray[Any]:
    """Three slices of a volume through a critical voxel of one of its features.

    The three planes are orthogonal. Each title names the axis and the index of the plane. The
    higher the likelihood, the darker a voxel. Thin lines show where the other two planes cut a
    slice. A triangle that points up marks the voxel where the feature is born, and a triangle that
    points down the voxel where it dies. A voxel is marked in the slices that it lies in. Labels
    give value and place of both.

    Args:
        axes: The three axes to draw into.
        likelihood: (D, H, W) in [0, 1].
        pixels: (2,) Birth and death voxel, flat indices: a row of the ``pixels`` of the diagram
            that :func:`toponet.persistence` computes with ``spatial_dims=3``. -1 is no voxel: the
            frame, or "never dies". It has no mark.
        at: The planes go through this voxel, "death" or "birth". None = the voxel of the death, or
            of the birth if the death has none.
        reach: How many voxels are shown on each side of the place where the planes meet; None = the
            whole slices.
        legend: Whether to add a legend below the slice in the middle. The marks have labels for one
            in either case.

    Returns:
        The axes, (3,).

    Raises:
        TypeError: If the likelihood or the pixels don't hold numbers, or an option has the wrong
            type.
        ValueError: If the likelihood isn't (D, H, W) or leaves [0, 1], the pixels aren't two voxels
            of it, the planes would go through no voxel, there aren't three axes, or an option is
            out of range.

    Cost: draws three slices, whatever the size of the volume.

    Example:
        >>> import numpy as np, toponet
        >>> from matplotlib.figure import Figure
        >>> from toponet.plots import plot_volume_feature
        >>> shell = np.pad(np.full((3, 4, 5), 0.2), 1, constant_values=0.9)
        >>> shell[2, 3, 1] = 0.1
        >>> cavities = toponet.persistence(shell, spatial_dims=3, dims=(2,))
        >>> panels = plot_volume_feature(Figure().subplots(1, 3), shell, cavities.pixels[0])
        >>> [panel.get_title() for panel in panels]
        ['depth 2', 'row 3', 'column 1']
    """
    check_flag("legend", legend)
    values = likelihood_map(likelihood, space=VOLUMES)
    panels = list(axes)
    if len(panels) != len(AXES):
        raise ValueError(f"expected three axes, one for each slice, got {len(panels)}")
    voxels = _voxels(pixels, values.shape)
    centre = _centre(voxels, at)
    if reach is not None:
        reach = check_whole("reach", reach, least=0)
    for axis, panel in enumerate(panels):
        _draw_slice(panel, values, axis, centre)
        for end, place in voxels.items():
            _mark(panel, values, axis, centre, end, place)
        if reach is not None:
            _zoom(panel, axis, centre, reach)
    if legend:
        # The padding, in units of the font, leaves room for the name of the axis.
        panels[1].legend(
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            borderaxespad=2.5,
            fontsize=8,
            frameon=False,
        )
    return np.array(panels, dtype=object)


def _voxels(pixels: ArrayLike, shape: Place) -> dict[str, Place]:
    """The voxels of birth and death that there are, by name.

    Raises:
        TypeError: If the pixels aren't whole numbers.
        ValueError: If they aren't two, lie outside the volume, or neither is a voxel.
    """
    pair = number_array("pixels", pixels)
    if pair.dtype.kind not in "iu":
        raise TypeError(f"pixels must hold whole numbers, got {pair.dtype}")
    if pair.shape != (2,):
        raise ValueError(
            "pixels must be one birth and one death voxel, a row of a diagram's pixels, got shape "
            f"{pair.shape}"
        )
    count = int(np.prod(shape))
    outside = pair[(pair < -1) | (pair >= count)]
    if len(outside):
        raise ValueError(
            f"pixels must lie in the volume of shape {shape}, -1 to {count - 1}, got {outside[0]}"
        )
    return {
        end: tuple(int(k) for k in np.unravel_index(voxel, shape))
        for end, voxel in zip(ENDS, pair.tolist(), strict=True)
        if voxel >= 0
    }


def _centre(voxels: dict[str, Place], at: str | None) -> Place:
    """Where the three planes meet."""
    if at is not None:
        check_choice("at", at, ENDS)
    for end in ENDS[::-1] if at is None else (at,):
        if end in voxels:
            return voxels[end]
    which = "neither birth nor death" if at is None else f"no {at}"
    raise ValueError(
        f"pixels must name the voxel that the planes go through: {which} has one, only -1 (the "
        "frame, or never)"
    )


def _draw_slice(axes: Axes, values: NDArray[np.float64], axis: int, centre: Place) -> None:
    """One plane, the other two as lines."""
    show_structure(axes, np.moveaxis(values, axis, 0)[centre[axis]])
    down, right = (k for k in range(len(AXES)) if k != axis)
    axes.axhline(centre[down], color=ORANGE, lw=0.8, ls="--")
    axes.axvline(centre[right], color=ORANGE, lw=0.8, ls="--")
    axes.set_axis_on()
    axes.set(xticks=[], yticks=[], xlabel=AXES[right], ylabel=AXES[down])
    axes.set_title(f"{AXES[axis]} {centre[axis]}")


def _mark(
    axes: Axes,
    values: NDArray[np.float64],
    axis: int,
    centre: Place,
    end: str,
    place: Place,
) -> None:
    """A triangle at the voxel if it lies in the slice, and a label in any case."""
    colour, marker = _STYLES[end]
    down, right = (place[k] for k in range(len(AXES)) if k != axis)
    lies_here = place[axis] == centre[axis]
    axes.scatter(
        [right] if lies_here else [],
        [down] if lies_here else [],
        s=60, marker=marker, color=colour, edgecolors="white", linewidths=0.6, zorder=3,
        label=f"{end} {values[place]:.3g} at {place}",
    )  # fmt: skip


def _zoom(axes: Axes, axis: int, centre: Place, reach: int) -> None:
    """Limits the view to so many voxels around the place where the planes meet."""
    down, right = (centre[k] for k in range(len(AXES)) if k != axis)
    low, high = axes.get_xlim()
    axes.set_xlim(max(low, right - reach - 0.5), min(high, right + reach + 0.5))
    high, low = axes.get_ylim()
    axes.set_ylim(min(high, down + reach + 0.5), max(low, down - reach - 0.5))
