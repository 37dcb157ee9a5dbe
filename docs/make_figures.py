"""Makes the pictures of the documentation, from synthetic data only: the same at every run.

    python docs/make_figures.py [--out FOLDER]

Replaces the files of the same names in the folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray
from rich.progress import track
from scipy.ndimage import gaussian_filter

import toponet
from toponet.data import synthetic_membranes
from toponet.explanation import Explanation, explain_matching
from toponet.plots import (
    plot_critical_pixels,
    plot_diagram,
    plot_filtration,
    plot_landscape,
    plot_mistakes,
)
from toponet.plots._canvas import show_structure

ROOT = Path(__file__).resolve().parents[1]
Map = NDArray[np.float64]

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


def cutout(index: int, size: int) -> tuple[Map, Map]:
    """Truth and likelihood of a synthetic patch, as of a network that sees most membranes."""
    data = synthetic_membranes(index + 1, (129, 129), seed=3)
    truth = data.masks[index].astype(np.float64)
    noise = gaussian_filter(np.random.default_rng(index).normal(size=truth.shape), 0.7)
    # Partly the image's darkness: fading membranes break, organelles become specks.
    darkness = 0.42 - gaussian_filter(data.images[index][0], 1.2)
    logits = 4 * (gaussian_filter(truth, 0.8) - 0.5) + 9 * darkness + 0.5 * noise
    part = (slice(size), slice(size))
    return truth[part], (1 / (1 + np.exp(-logits)))[part]


def sheet(width: float, height: float) -> Figure:
    """An empty figure, in inches, whose titles keep off its rim."""
    return Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06))


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


PICTURES: dict[str, Callable[[], Figure]] = {
    "idea": idea,
    "diagram": diagram,
    "critical_pixels": critical_pixels,
    "filtration": filtration,
    "landscape": landscape,
    "mistakes": mistakes,
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
