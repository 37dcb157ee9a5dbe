"""Pictures of volumes, for make_figures.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from figure_parts import Map, sheet
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter

import toponet
from toponet.plots import plot_volume_feature
from toponet.plots.style import BLUE


def volumes() -> Figure:
    """Cubes that touch at a face, an edge and a corner, and a ring of cubes, counted both ways."""
    figure = sheet(11, 3.6)
    shapes = {"a face": (0, 0, 1), "an edge": (0, 1, 1), "a corner": (1, 1, 1)}
    for place, (words, (z, y, x)) in enumerate(shapes.items(), start=1):
        mask = np.zeros((2, 2, 2), dtype=int)
        mask[0, 0, 0] = mask[z, y, x] = 1
        show_cubes(figure, place, mask, f"two voxels share {words}")
    ring = np.zeros((2, 3, 3), dtype=int)
    for y, x in ((0, 1), (1, 0), (1, 2), (2, 1)):
        ring[0, y, x] = 1
    show_cubes(figure, 4, ring, "four voxels share edges")
    return figure


def show_cubes(figure: Figure, place: int, mask: Map | Any, words: str) -> None:
    """Voxels as cubes, with the Betti numbers of both connectivities in the title."""
    axes: Any = figure.add_subplot(1, 4, place, projection="3d")
    # matplotlib's z axis points up: planes go from top to bottom there.
    axes.voxels(np.moveaxis(mask, (0, 1, 2), (2, 1, 0)), facecolors=BLUE, edgecolor="white")
    axes.set_aspect("equal")
    axes.set_axis_off()
    lines = [words]
    for connectivity in (26, 6):
        numbers = toponet.betti_numbers(mask, spatial_dims=3, connectivity=connectivity)[0]
        lines.append(f"{connectivity}: Betti numbers {tuple(numbers.tolist())}")
    axes.set_title("\n".join(lines), y=0.99)


def volume_feature() -> Figure:
    """A thin shell with a weak place, on three slices through the voxel that closes its cavity."""
    z, y, x = np.indices((25, 31, 37)) - np.array([12, 15, 18])[:, None, None, None]
    radius = np.sqrt((z / 9) ** 2 + (y / 11) ** 2 + (x / 14) ** 2)
    likelihood = 0.9 * np.exp(-(((radius - 1) / 0.12) ** 2))
    likelihood *= 1 - 0.6 * np.exp(-(((z - 6) ** 2 + (y - 6) ** 2 + (x - 8) ** 2) / 10))
    noise = gaussian_filter(np.random.default_rng(0).normal(size=radius.shape), 0.7)
    likelihood = np.clip(likelihood + 0.05 + 0.1 * noise, 0, 1)
    cavities = toponet.persistence(likelihood, spatial_dims=3, dims=(2,))
    strongest = int(np.argmax(cavities.values[:, 0] - cavities.values[:, 1]))
    figure = sheet(11, 3.9)
    plot_volume_feature(figure.subplots(1, 3), likelihood, cavities.pixels[strongest], at="birth")
    return figure


PICTURES: dict[str, Callable[[], Figure]] = {"volumes": volumes, "volume_feature": volume_feature}
