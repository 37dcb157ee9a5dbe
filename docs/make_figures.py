"""Makes the pictures of the documentation, from synthetic data only: the same at every run.

    python docs/make_figures.py [--out FOLDER]

Replaces the files of the same names in the folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import betti_matching_figures
import numpy as np
import segmentation_figures
import torch
import volume_figures
from figure_parts import Map, cutout, sheet
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from rich.progress import track
from scipy.ndimage import gaussian_filter

import toponet
from toponet.data import synthetic_membranes
from toponet.plots import (
    plot_critical_pixels,
    plot_diagram,
    plot_filtration,
    plot_landscape,
    plot_mistakes,
)
from toponet.plots.canvas import show, show_structure
from toponet.plots.style import BLUE, DIMENSION_STYLES, GREEN, ORANGE, VERMILION
from toponet.topology.explanation import Explanation, explain_matching
from toponet.topology.labelling import label_cells

ROOT = Path(__file__).resolve().parents[1]

# Weaker forces are noise of no interest in a picture.
MIN_FORCE = 0.1
SEED = 3


@dataclass(frozen=True, eq=False)
class BrokenMembrane:
    """Two likelihoods with the same mask at 0.5, whose membrane has a gap; one gap is deeper."""

    truth: Map
    likelihood: Map
    worse: Map


def broken_membrane() -> BrokenMembrane:
    """A cell in a 33 x 33 patch, on a membrane that is cut by the border; its wall is broken."""
    rows, columns = np.indices((33, 33), dtype=np.float64) - 16
    radius, angle = np.hypot(rows, columns), np.arctan2(rows, columns)
    wall = np.abs(radius - 9 - 0.8 * np.sin(3 * angle))
    membrane = np.abs(rows - 1.5 * np.sin(columns / 4)) + 9 * (radius < 9)
    truth = (np.minimum(wall, membrane) < 1.4).astype(np.float64)

    gap = np.exp(-((rows + 8) ** 2 + (columns - 4) ** 2) / 10)
    speck = 0.75 * np.exp(-((rows - 12) ** 2 + (columns - 9) ** 2) / 5)
    noise = 0.12 * gaussian_filter(np.random.default_rng(SEED).normal(size=truth.shape), 1.2)
    background = 0.07 + 0.08 * np.exp(-(radius**2) / 60)
    ridge = 0.93 * np.exp(-((np.minimum(wall, membrane) / 2) ** 2))
    likelihood, deeper = (
        np.clip(
            np.maximum.reduce([ridge * (1 - depth * gap), speck, background]) + noise, 0.01, 0.99
        )
        for depth in (0.6, 0.85)
    )
    worse = np.where(likelihood < 0.5, deeper, likelihood)  # The same mask.
    if ((worse >= 0.5) != (likelihood >= 0.5)).any():
        raise AssertionError("the two likelihoods must have the same mask")
    return BrokenMembrane(truth, likelihood, worse)


def framed(image: Map) -> toponet.PersistenceDiagrams:
    """By the loss's convention."""
    return toponet.persistence(image, frame=True, num_threads=1)


def explained(likelihood: Map, truth: Map) -> Explanation:
    """By the loss's default options."""
    return explain_matching(
        framed(likelihood),
        framed(truth),
        (likelihood.shape[0], likelihood.shape[1]),
        matching="complete",
        min_persistence=0.0,
        dim_weights=(1.0, 1.0),
    )


def idea() -> Figure:
    """The truth, a likelihood and a worse one; their diagrams and what the loss does to them."""
    example = broken_membrane()
    figure = sheet(10, 7)
    maps, planes = figure.subplots(2, 3, height_ratios=(1, 1.15))
    show_structure(maps[0], example.truth)
    maps[0].set_title("truth g: three cells within the frame")
    plot_diagram(planes[0], framed(example.truth))
    planes[0].set_title("diagram of g")
    for column, name, likelihood in ((1, "f", example.likelihood), (2, "f′", example.worse)):
        explanation = explained(likelihood, example.truth)
        plot_critical_pixels(maps[column], likelihood, explanation, min_force=MIN_FORCE)
        maps[column].set_title(f"likelihood {name}")
        plot_diagram(planes[column], explanation)
        planes[column].set_title(f"from {name} to g: loss {explanation.loss:.2f}")
    return figure


def diagram() -> Figure:
    """A diagram as such, without a frame, and a matching within the frame."""
    truth, likelihood = cutout(index=3, size=65)
    figure = sheet(9.5, 4.8)
    left, right = figure.subplots(1, 2, width_ratios=(1.16, 1))
    plot_diagram(left, toponet.persistence(likelihood, num_threads=1))
    left.set_title("a likelihood, no frame")
    plot_diagram(right, explained(likelihood, truth))
    right.set_title("its matching with the truth, framed")
    return figure


def critical_pixels() -> Figure:
    """Truth and critical pixels of a patch."""
    truth, likelihood = cutout(index=3, size=65)
    figure = sheet(9.5, 5.3)
    left, right = figure.subplots(1, 2)
    show_structure(left, truth)
    left.set_title("truth")
    plot_critical_pixels(right, likelihood, explained(likelihood, truth), min_force=MIN_FORCE)
    right.set_title("likelihood and what the loss pulls at")
    return figure


def filtration() -> Figure:
    """The broken membrane at five thresholds, with and without the frame."""
    figure = sheet(10, 5.6)
    likelihood = broken_membrane().likelihood
    for place, title in enumerate(("without a frame", "with a frame")):
        row = figure.add_subfigure(figure.add_gridspec(2, 1)[place])
        plot_filtration(row.subplots(1, 5), likelihood, frame=place == 1)
        row.suptitle(title)
    return figure


def landscape() -> Figure:
    """The gap and the deeper gap."""
    example = broken_membrane()
    figure = sheet(10, 4.6)
    for place, name, likelihood in ((1, "f", example.likelihood), (2, "f′", example.worse)):
        axes = figure.add_subplot(1, 2, place, projection="3d")
        explanation = explained(likelihood, example.truth)
        plot_landscape(axes, likelihood, explanation, min_force=MIN_FORCE)
        axes.view_init(elev=40, azim=50)  # The gap in front.
        axes.set_title(name)
    return figure


def mistakes() -> Figure:
    """A mask with wrong topology beside its truth."""
    truth, likelihood = cutout(index=5, size=97)
    figure = sheet(9.5, 5.2)
    left, right = figure.subplots(1, 2)
    show_structure(left, truth)
    left.set_title("truth")
    plot_mistakes(right, likelihood >= 0.5, truth)
    right.set_title("likelihood cut at 0.5")
    right.legend(loc="upper center", bbox_to_anchor=(0.5, 0), fontsize=9, frameon=False)
    return figure


def cells() -> Figure:
    """A broken membrane merges two cells; gradient descent on the loss alone parts them."""
    example = broken_membrane()
    figure = sheet(10, 3.05)
    row = figure.subplots(1, 4)
    show_structure(row[0], example.likelihood)
    row[0].set_title("likelihood f")
    true_cells = label_cells(example.truth, 8)
    fixed = descended(example.likelihood, example.truth, steps=60)
    masks = (("truth", example.truth), ("f at 0.5", example.likelihood), ("after 60 steps", fixed))
    for axes, (name, values) in zip(row[1:], masks, strict=True):
        mask = values >= 0.5
        right = (mask == (example.truth > 0)).mean()
        count = show_cells(axes, mask, true_cells)
        axes.set_title(f"{name}: {count} cells\n{right:.1%} of pixels right")
    return figure


def descended(likelihood: Map, truth: Map, steps: int) -> Map:
    """The likelihood after gradient descent of its pixels on the loss of the holes."""
    criterion = toponet.TopologicalLoss(dims=(1,), num_threads=1)
    target = torch.from_numpy(truth)[None, None]
    f = torch.from_numpy(likelihood)[None, None].clone().requires_grad_()
    for _ in range(steps):
        (gradient,) = torch.autograd.grad(criterion(f, target), f)
        with torch.no_grad():
            f -= 0.1 * gradient
            f.clamp_(0, 1)
    values: Map = f.detach().numpy()[0, 0]
    return values


def show_cells(axes: Axes, structure: NDArray[np.bool_], true_cells: NDArray[np.int64]) -> int:
    """Each cell in the colour of the true cell that it shares most pixels with; their number."""
    found = label_cells(structure, 8)
    picture = np.full((*structure.shape, 3), 0.15)
    for cell in range(1, int(found.max()) + 1):
        shared = np.bincount(true_cells[found == cell], minlength=4)[1:]
        colour = (BLUE, VERMILION, GREEN)[int(shared.argmax())]
        picture[found == cell] = 0.5 + 0.5 * np.array(to_rgb(colour))
    show(axes, picture)
    return int(found.max())


def overview() -> Figure:
    """From the image to the force on the critical pixels."""
    truth, likelihood = cutout(index=3, size=65)
    image = synthetic_membranes(4, (129, 129), seed=3).images[3][0][:65, :65]
    explanation = explained(likelihood, truth)
    figure = sheet(10, 5, gap=0.16)  # Room for arrows.
    grid = figure.add_gridspec(2, 4, width_ratios=(1, 1, 0.9, 1.5))
    first = figure.add_subplot(grid[:, 0])
    show(first, (image - image.min()) / np.ptp(image))
    first.set_title("image")
    maps = [figure.add_subplot(grid[row, 1]) for row in (0, 1)]
    plot_critical_pixels(maps[0], likelihood, explanation, min_force=MIN_FORCE, legend=False)
    maps[0].set_title("likelihood f")
    show_structure(maps[1], truth)
    maps[1].set_title("truth g")
    planes = [figure.add_subplot(grid[row, 2]) for row in (0, 1)]
    for axes, name, values in zip(planes, "fg", (likelihood, truth), strict=True):
        plot_diagram(axes, framed(values), legend=False)
        axes.set(title=f"diagram of {name}", xlabel="", ylabel="", xticks=[], yticks=[])
    last = figure.add_subplot(grid[:, 3])
    plot_diagram(last, explanation)
    last.set_title(f"matching: loss {explanation.loss:.2f}")
    arrow(first, (1.03, 0.85), (1.2, 1.1))
    note = first.text(1.09, 1.1, "network", transform=first.transAxes, ha="right", fontsize=10)
    note.set_in_layout(False)
    for axes in maps:
        arrow(axes, (1.03, 0.5), (1.25, 0.5))
    arrow(planes[0], (1.04, 0.4), (1.22, 0.15))
    arrow(planes[1], (1.04, 0.6), (1.22, 0.85))
    return figure


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Between places in fractions of the axes, outside of the layout."""
    mark = axes.annotate(
        "",
        xy=end,
        xytext=start,
        xycoords="axes fraction",
        annotation_clip=False,
        arrowprops={"arrowstyle": "-|>", "color": "0.3", "lw": 1.5},
    )
    mark.set_in_layout(False)


def connectivity() -> Figure:
    """The same masks counted with 8 and with 4."""
    diamond = np.zeros((11, 11))
    for step in range(8):
        row, column = (abs(step - 4) + 1, step + 1)
        diamond[row, column] = diamond[10 - row, column] = 1
    diamond[5, 9] = 1
    staircase = np.zeros((11, 11))
    for step in range(9):
        staircase[9 - step, step + 1] = staircase[9 - step, min(step + 2, 9)] = 1
    return masks_in_rows((("connectivity 8", {}), ("connectivity 4", {"connectivity": 4})),
                         (diamond, staircase, checkered()))  # fmt: skip


def checkered() -> Map:
    """Two thick pieces that touch at a corner, one of them with a hole."""
    mask = np.zeros((11, 11))
    mask[1:6, 1:6] = 1
    mask[6:10, 6:10] = 1
    mask[3, 3] = 0
    return mask


def frame() -> Figure:
    """Empty patch, a speck, a wall and a Y, without and with the frame."""
    empty = np.zeros((15, 15))
    speck, wall, fork = empty.copy(), empty.copy(), empty.copy()
    speck[6:9, 6:9] = 1
    wall[:, 6:8] = 1
    fork[7:, 7] = 1
    for step in range(8):
        fork[7 - step, [7 - step, 7 + step]] = 1
    return masks_in_rows((("without a frame", {}), ("with a frame", {"frame": True})),
                         (empty, speck, wall, fork))  # fmt: skip


def masks_in_rows(rows: tuple[tuple[str, dict[str, Any]], ...], masks: tuple[Map, ...]) -> Figure:
    """Each row shows all masks by one convention, with their Betti numbers."""
    figure = sheet(2.4 * len(masks), 5.8)
    for place, (title, options) in enumerate(rows):
        part = figure.add_subfigure(figure.add_gridspec(len(rows), 1)[place])
        part.suptitle(title)
        for axes, mask in zip(part.subplots(1, len(masks)), masks, strict=True):
            plot_filtration([axes], mask, (0.5,), **options)
            axes.set_title(axes.get_title().split("\n")[1])
            height, width = mask.shape
            outline = Rectangle((-0.5, -0.5), width, height, fill=False, ec="0.7", lw=0.8)
            axes.add_patch(outline)
    return figure


def ties() -> Figure:
    """Which of equal pixels is the critical one."""
    peaks = np.full((3, 7), 0.1)
    peaks[1, 1:6] = 0.9, 0.5, 0.5, 0.5, 0.9
    ring = np.full((5, 6), 0.9)
    ring[0, 2:4] = ring[4, 2] = 0.6
    ring[1:4, 1:5] = 0.3
    ring[2, 2:4] = 0.1
    figure = sheet(10, 4.7)
    left, right = figure.subplots(1, 2, width_ratios=(7, 6))
    show_order(left, peaks, dimension=0)
    left.set_title("two equal peaks: the later one dies,\nat the last pixel of the saddle")
    show_order(right, ring, dimension=1)
    right.set_title("a hole: born at the last pixel of the rim,\ndies at the last one of the floor")
    return figure


def show_order(axes: Axes, values: Map, dimension: int) -> None:
    """Values, places in the total order, and an arrow from birth to death of each dot."""
    order = np.lexsort((np.arange(values.size), -values.ravel()))
    places = np.empty(values.size, dtype=int)
    places[order] = np.arange(1, values.size + 1)
    show_structure(axes, 0.8 * values)
    for pixel, (value, place) in enumerate(zip(values.flat, places, strict=True)):
        row, column = divmod(pixel, values.shape[1])
        colour = "white" if value > 0.7 else "black"
        axes.text(column, row - 0.18, f"{value:g}", ha="center", va="center", color=colour)
        axes.text(column, row + 0.25, f"{place}.", ha="center", va="center", color=colour,
                  fontsize=8)  # fmt: skip
    colour = DIMENSION_STYLES[dimension][0]
    dots = toponet.persistence(values, num_threads=1)[0, dimension].finite()
    for birth, death in dots.pixels.tolist():
        ends = [divmod(pixel, values.shape[1]) for pixel in (birth, death)]
        for row, column in ends:
            box = Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, fill=False, ec=colour, lw=3)
            axes.add_patch(box)
        (birth_row, birth_column), (death_row, death_column) = ends
        # Straight, and shorter than the way: clear of the numbers.
        gap = 13 * np.hypot(birth_row - death_row, birth_column - death_column)
        style = {"arrowstyle": "-|>", "color": ORANGE, "lw": 2.5, "mutation_scale": 18,
                 "shrinkA": gap, "shrinkB": gap}  # fmt: skip
        axes.annotate("", (death_column, death_row), (birth_column, birth_row), arrowprops=style)


PICTURES: dict[str, Callable[[], Figure]] = {
    "cells": cells,
    "overview": overview,
    "idea": idea,
    "connectivity": connectivity,
    "frame": frame,
    "ties": ties,
    "diagram": diagram,
    "critical_pixels": critical_pixels,
    "filtration": filtration,
    "landscape": landscape,
    "mistakes": mistakes,
    **betti_matching_figures.PICTURES,
    **segmentation_figures.PICTURES,
    **volume_figures.PICTURES,
}


def main() -> None:
    """Draws and saves each picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="folder")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, draw in track(PICTURES.items(), description="pictures"):
        # No software version in the file: the same bytes from the same libraries.
        draw().savefig(out / f"{name}.png", dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
