"""Pictures of segmentation by persistence, for make_figures.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
from figure_parts import Map, cutout, sheet
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.interpolate import PchipInterpolator

import toponet
from toponet.plots import plot_decision_diagram, plot_decisions, plot_masks
from toponet.plots.style import ACTION_STYLES
from toponet.segmentation import Segmentation, SegmentationOptions

OPTIONS = SegmentationOptions(threshold=0.5, keep=0.5, add=0.3)
# Heights of a cross-section, tops and bottoms in turn. Of the bottoms between them, one each is
# there for good, closed, filled, opened and hollowed out; the last but one is left alone.
PROFILE = (0.1, 0.9, 0.06, 0.42, 0.04, 0.86, 0.43, 0.84, 0.1, 0.57, 0.22, 0.95, 0.58, 0.94, 0.05,
           0.2, 0.08)  # fmt: skip


def thresholds() -> Figure:
    """Cuts at three thresholds beside the truth, and the mask by persistence."""
    truth, likelihood = cutout(index=5, size=129)
    figure = sheet(12.5, 3.1)
    masks = {f"cut at {t:g}": likelihood >= t for t in (0.35, 0.5, 0.65)}
    masks["by persistence"] = segmented(likelihood).mask
    plot_masks(figure, truth, masks)
    return figure


def decisions() -> Figure:
    """What persistence changed of the same patch, on the likelihood and in its diagram."""
    _, likelihood = cutout(index=5, size=129)
    result = segmented(likelihood)
    figure = sheet(11, 5.9)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.05))
    plot_decisions(left, likelihood, result)
    diagram = toponet.persistence(likelihood, frame=True, num_threads=1)
    plot_decision_diagram(right, diagram, OPTIONS, result.decisions)
    return figure


def profile() -> Figure:
    """A likelihood along a line: four holes that are changed, and where they lie in the diagram."""
    likelihood = cross_section()
    result = segmented(likelihood, dims=(1,))
    figure = sheet(11, 4.6)
    left, right = figure.subplots(1, 2, width_ratios=(1.6, 1))
    draw_profile(left, likelihood[0], result)
    diagram = toponet.persistence(likelihood, frame=True, num_threads=1)
    plot_decision_diagram(right, diagram, OPTIONS, result.decisions, dims=(1,))
    return figure


def segmented(likelihood: Map, dims: tuple[int, ...] = (0, 1)) -> Segmentation:
    """By the numbers of all pictures."""
    return toponet.segment(likelihood, **asdict(OPTIONS), dims=dims, num_threads=1)


def cross_section() -> Map:
    """An image (1, n) that is monotone between the tops and bottoms of the profile."""
    places = np.linspace(0, 1, len(PROFILE))
    heights: Map = PchipInterpolator(places, PROFILE)(np.linspace(0, 1, 16 * len(PROFILE)))
    return np.clip(heights, min(PROFILE), max(PROFILE))[None]


def draw_profile(axes: Axes, heights: Map, result: Segmentation) -> None:
    """The likelihood, what was changed, and below it the masks of cut and persistence."""
    settled = result.likelihood[0]
    axes.plot(heights, color="0.55", lw=1.5)
    axes.axhline(OPTIONS.threshold, color="k", ls=":", lw=1)
    for row, action in enumerate(result.decisions.action):
        colour, _ = ACTION_STYLES[action]
        pixels = result.decisions.changed(row)
        axes.vlines(pixels, heights[pixels], settled[pixels], color=colour, lw=2)
        place = float(pixels.mean())
        axes.annotate(action, (place, 0.5), (place, 1.05), ha="center", color=colour, fontsize=11,
                      arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.8})  # fmt: skip
    masks = ("cut at 0.5", heights >= OPTIONS.threshold), ("by persistence", result.mask[0])
    for step, (words, mask) in enumerate(masks):
        level = -0.14 - 0.13 * step
        axes.fill_between(
            np.arange(len(mask)), level, level + 0.09 * mask, step="mid", color="0.25", lw=0
        )
        axes.text(-4, level + 0.02, words, ha="right", fontsize=9)
    axes.set(xlim=(0, len(heights) - 1), ylim=(-0.3, 1.12), xticks=[], yticks=[0, 0.5, 1])
    axes.spines[["top", "right", "bottom"]].set_visible(False)


PICTURES: dict[str, Callable[[], Figure]] = {
    "thresholds": thresholds,
    "profile": profile,
    "decisions": decisions,
}
