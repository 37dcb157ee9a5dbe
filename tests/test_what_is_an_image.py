"""What isn't a mask or an image is refused, wherever one is taken, with the cure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

import toponet
from toponet import metrics
from toponet.data import instance_borders
from toponet.evaluation import Protocol, score_image
from toponet.plots import (
    plot_critical_pixels,
    plot_errors,
    plot_filtration,
    plot_landscape,
    plot_masks,
    plot_mistakes,
    plot_segmentation,
)
from toponet.topology.cleaning import clean_mask, find_tiny
from toponet.topology.labelling import label_cells, label_structure

MASK = np.eye(7, 11, dtype=np.uint8)
IMAGE = np.zeros((1, 7, 11))
CLASSES = [
    "AdaptedRandScore",
    "BettiError",
    "BettiNumberError",
    "PixelAccuracy",
    "VariationOfInformation",
]
FUNCTIONS = ["betti_error", "betti_number_error", "pixel_accuracy", "variation_of_information"]
Taker = Callable[[Any], Any]


def axes() -> Any:
    return Figure().subplots()


def explanation() -> Any:
    likelihood = torch.rand(1, 7, 11)
    return toponet.TopologicalLoss().explain(likelihood, torch.from_numpy(MASK)[None])[0]


def compare(name: str, mask: Any) -> Any:
    return getattr(metrics, name)(mask, MASK)


def compare_with(name: str, mask: Any) -> Any:
    return getattr(metrics, name)(MASK, mask)


def update(name: str, mask: Any) -> Any:
    return getattr(metrics, name)().update(MASK, mask)


# Each takes a mask in one place. Where a mask is compared, both places are tried.
MASKS: dict[str, Taker] = {
    "betti_numbers": toponet.betti_numbers,
    "label_cells": lambda m: label_cells(m, 8),
    "label_structure": lambda m: label_structure(m, 8),
    "find_tiny": lambda m: find_tiny(m, 8, 3),
    "clean_mask": lambda m: clean_mask(m, 8, 3),
    "score_image": lambda m: score_image(MASK, m, Protocol()),
    "plot_mistakes": lambda m: plot_mistakes(axes(), m, MASK),
    "plot_mistakes, truth": lambda m: plot_mistakes(axes(), MASK, m),
    "plot_errors": lambda m: plot_errors(axes(), m, MASK),
    "plot_errors, truth": lambda m: plot_errors(axes(), MASK, m),
    "plot_masks": lambda m: plot_masks(Figure(), MASK, {"f": m}),
    "plot_masks, truth": lambda m: plot_masks(Figure(), m, {"f": MASK}),
    "plot_segmentation": lambda m: plot_segmentation(Figure(), IMAGE, m, MASK),
    "adapted_rand_score": lambda m: metrics.adapted_rand_score(MASK, m),
    **{name: partial(compare, name) for name in FUNCTIONS},
    **{f"{name}, target": partial(compare_with, name) for name in FUNCTIONS},
    **{name: partial(update, name) for name in CLASSES},
}

# These take other numbers as well.
LIKELIHOODS: dict[str, Taker] = {
    "score_image, likelihood": lambda f: score_image(f, MASK, Protocol()),
    "adapted_rand_score, likelihood": lambda f: metrics.adapted_rand_score(f, MASK),
    "plot_segmentation, likelihood": lambda f: plot_segmentation(Figure(), IMAGE, MASK, f),
    "plot_filtration": lambda f: plot_filtration([axes()], f, [0.5]),
    "plot_critical_pixels": lambda f: plot_critical_pixels(axes(), f, explanation()),
    "plot_landscape": lambda f: plot_landscape(Figure().add_subplot(projection="3d"), f),
}
NUMBERS: dict[str, Taker] = {
    "persistence": toponet.persistence,
    "instance_borders": instance_borders,
    "plot_masks, image": lambda i: plot_masks(Figure(), MASK, {}, image=i[None]),
}


@pytest.mark.parametrize("taker", MASKS)
@pytest.mark.parametrize("value", [0.1, 2, 255, -1, np.nan])
def test_what_is_neither_0_nor_1_is_no_mask(taker: str, value: float) -> None:
    mask = MASK.astype(float)
    mask[2, 2] = value
    with pytest.raises(ValueError, match=r"must hold only 0 and 1, got .* make it a mask first"):
        MASKS[taker](mask)
    for good in (MASK, MASK.astype(bool), MASK.astype(np.float32)):
        MASKS[taker](good)


@pytest.mark.parametrize("value", [1.5, -0.1, np.nan])
@pytest.mark.parametrize("taker", LIKELIHOODS)
def test_what_leaves_the_unit_interval_is_no_likelihood(taker: str, value: float) -> None:
    likelihood = MASK.astype(float)
    likelihood[2, 2] = value
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got"):
        LIKELIHOODS[taker](likelihood)


@pytest.mark.parametrize("taker", [*MASKS, *LIKELIHOODS, *NUMBERS])
def test_masked_arrays_are_refused_and_not_stripped(taker: str) -> None:
    """numpy would drop the mask without a word, and its pixels would count."""
    take = {**MASKS, **LIKELIHOODS, **NUMBERS}[taker]
    masked = np.ma.masked_array(MASK.astype(float), mask=MASK == 0)
    with pytest.raises(TypeError, match=r"must be a plain array, got a masked one.* valid="):
        take(masked)


def test_lists_of_masked_arrays_and_diagrams_are_refused_too() -> None:
    masked = np.ma.masked_array(MASK.astype(float), mask=MASK == 0)
    with pytest.raises(TypeError, match="masks must be a plain array, got a masked one"):
        toponet.betti_numbers([masked, masked])
    with pytest.raises(TypeError, match="prediction must be a plain array, got a masked one"):
        metrics.pixel_accuracy([masked, masked], np.stack([MASK, MASK]))
    dots = np.ma.masked_array([[0.9, 0.1], [0.8, 0.2]], mask=[[False, False], [True, True]])
    with pytest.raises(TypeError, match="values_f must be a plain array, got a masked one"):
        toponet.match(dots, [[1.0, 0.0]])
    with pytest.raises(TypeError, match=r"diagrams\[0\]\[0\] must be a plain array"):
        toponet.PersistenceDiagrams.from_scikit_tda([[dots, np.empty((0, 2))]], negated=False)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("taker", [*MASKS, *LIKELIHOODS, "persistence", "instance_borders"])
def test_a_last_axis_of_channels_is_refused(taker: str, channels: int) -> None:
    """Read as H images of one to four columns, each result would be another one."""
    take = {**MASKS, **LIKELIHOODS, **NUMBERS}[taker]
    image = np.repeat(MASK[..., None], channels, axis=2).astype(float)
    with pytest.raises(ValueError, match=r"shape.* \(7, 11, \d\)|got \(7, 11, \d\)"):
        take(image)


@pytest.mark.parametrize("channels", [1, 3])
def test_metrics_of_two_images_with_channels_last_are_refused_with_the_cure(channels: int) -> None:
    image = np.repeat(MASK[..., None], channels, axis=2)
    for name in ("adapted_rand_score", "betti_error", "pixel_accuracy", "betti_number_error"):
        with pytest.raises(ValueError, match=r"looks like channels last: take one channel"):
            getattr(metrics, name)(image, image)
    for name in CLASSES:
        with pytest.raises(ValueError, match="channel"):
            getattr(metrics, name)().update(image, image)
        with pytest.raises(ValueError, match="must have one channel, got shape"):
            getattr(metrics, name)().update(image[None], image[None])


def test_thin_images_are_images() -> None:
    """One by one, in small batches and with the long side last."""
    for shape in ((9, 1), (9, 3), (4, 9, 1), (9, 1, 9), (9, 3, 3)):
        assert len(toponet.betti_numbers(np.ones(shape))) == (1 if len(shape) == 2 else shape[0])
    single = np.ones((9, 1))
    assert metrics.pixel_accuracy(single, single) == 1


@pytest.mark.parametrize(
    "shape", [(7, 11), (7, 11, 1), (7, 11, 3), (2, 7, 11), (1, 11, 7), (1, 1, 7, 11)], ids=str
)
def test_images_of_pictures_are_channels_first_and_as_large_as_the_masks(
    shape: tuple[int, ...],
) -> None:
    image: NDArray[Any] = np.zeros(shape)
    draws: list[Callable[[], Any]] = [
        lambda: plot_segmentation(Figure(), image, MASK, MASK),
        lambda: plot_masks(Figure(), MASK, {"f": MASK}, image=image),
    ]
    for draw in draws:
        with pytest.raises(ValueError, match=r"image must have shape \(1, H, W\) or \(3, H, W\)"):
            draw()


def test_a_stack_of_instances_is_refused() -> None:
    """Compared along the first two axes, slices would have borders between each other."""
    stack = np.arange(24).reshape(2, 3, 4)
    with pytest.raises(ValueError, match=r"those of one image.*pass the slices of a stack one by"):
        instance_borders(stack)
    with pytest.raises(TypeError, match="labels must hold real numbers"):
        instance_borders(np.array([["a", "b"]]))
