"""The in-place loss of one image, dot by dot: each critical value against the truth of its pixel.

Nothing is matched. For a likelihood f and a binary truth g, two images have the critical values
that count:

- inside, min(f, g): each true feature has its dot there. All other dots are faults of the
  structure: breaks of a piece (dimension 0) and pinholes (dimension 1).
- outside, max(f, g): births and deaths outside the structure are specks and bridges between true
  pieces (dimension 0), and walls within true cells (dimension 1).

Ties between f and a value of g are broken in favour of g: inside, the background has a value below
all likelihoods; outside, the structure has one above them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet.topology.diagrams import PersistenceDiagrams
from toponet.topology.explanation import Explanation, joined_explanation
from toponet.topology.labelling import label_cells, label_structure
from toponet.topology.superlevel import persistence
from toponet.topology.transport import Values

IN_PLACE = "in_place"
IN_PLACE_WEIGHTS = ("persistence", "one")

_BACKGROUND = -1.0  # Of the image inside.
_STRUCTURE = 2.0  # Of the image outside.
Pixels = NDArray[np.int32]
Pull = tuple[Values, Values]  # (n,) costs, and the sizes of the derivatives.


@dataclass(frozen=True)
class InPlaceOptions:
    """What decides the in-place loss of an image; see :class:`toponet.TopologicalLoss`."""

    dims: tuple[int, ...]
    connectivity: int
    frame: bool
    weight: str
    extremes: bool
    min_persistence: float
    dim_weights: tuple[float, ...]


def explain_in_place(
    likelihood: NDArray[Any], structure: NDArray[np.bool_], options: InPlaceOptions
) -> Explanation:
    """What the in-place loss does to one image.

    The rows are, for each dimension, the true features that are there ("matched"), the faults
    inside and the faults outside ("removed" or "ignored"); true features that aren't there at all
    ("missing") come last. The dot of a true feature has its birth inside and its death outside.

    Args:
        likelihood: (H, W), float32 or float64, values in [0, 1].
        structure: (H, W), the truth.
        options: What decides the loss.

    Cost: that of the persistence of two images, and of labelling the truth.
    """
    inside = _diagram(np.where(structure, likelihood, _BACKGROUND), 1.0, likelihood.dtype, options)
    outside = _diagram(
        np.where(structure, _STRUCTURE, likelihood), _STRUCTURE, likelihood.dtype, options
    )
    parts = []
    for dimension in sorted(options.dims):
        label = label_cells if dimension else label_structure
        labels = np.append(label(structure, options.connectivity), 0)  # Pixel -1 is in no feature.
        rows = _dimension_rows(
            _of(inside, dimension), _of(outside, dimension), dimension, labels, options
        )
        rows["dimensions"] = np.full(len(rows["fates"]), dimension, dtype=np.int8)
        for name in ("costs", "forces"):
            rows[name] = rows[name] * options.dim_weights[dimension]
        parts.append(rows)
    height, width = structure.shape
    return joined_explanation(parts, (height, width))


def _diagram(
    image: NDArray[Any], frame_value: float, dtype: np.dtype[Any], options: InPlaceOptions
) -> PersistenceDiagrams:
    return persistence(
        image.astype(dtype),
        dims=options.dims,
        connectivity=options.connectivity,
        frame=options.frame,
        frame_value=frame_value,
    )


def _of(diagram: PersistenceDiagrams, dimension: int) -> tuple[Values, Pixels]:
    rows = diagram.dimensions == dimension
    return diagram.values[rows].astype(np.float64), diagram.pixels[rows]


def _dimension_rows(
    inside: tuple[Values, Pixels],
    outside: tuple[Values, Pixels],
    dimension: int,
    labels: NDArray[np.int64],
    options: InPlaceOptions,
) -> dict[str, NDArray[Any]]:
    """The columns of the explanation for one dimension."""
    (values_in, pixels_in), (values_out, pixels_out) = inside, outside
    true_in = (values_in[:, 0] >= 0) & (values_in[:, 1] < 0)
    fault_in = values_in[:, 1] >= 0
    true_out = values_out[:, 0] > 1
    # A feature's dots have a pixel in it: a piece is born there, a cell dies there.
    rows_in, rows_out = np.flatnonzero(true_in), np.flatnonzero(true_out)
    rows_in = rows_in[np.argsort(labels[pixels_in[rows_in, dimension]])]
    rows_out = rows_out[np.argsort(labels[pixels_out[rows_out, dimension]])]
    births, deaths = values_in[rows_in, 0], values_out[rows_out, 1]
    pixels = np.stack([pixels_in[rows_in, 0], pixels_out[rows_out, 1]], axis=1)
    parts = (
        _true_features(births, deaths, pixels, dimension, options),
        _faults_inside(values_in[fault_in], pixels_in[fault_in], options),
        _faults_outside(values_out[~true_out], pixels_out[~true_out], dimension, options),
    )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _true_features(
    births: Values, deaths: Values, pixels: Pixels, dimension: int, options: InPlaceOptions
) -> dict[str, NDArray[Any]]:
    missing = births == 0
    births_pulled = np.full(len(births), dimension == 1 or options.extremes)
    deaths_pulled = (deaths >= 0) & (dimension == 0 or options.extremes)
    cost_in, force_in = _pull_true(np.where(births_pulled | missing, 1 - births, 0), options)
    cost_out, force_out = _pull_true(np.where(deaths_pulled, deaths, 0), options)
    dots = np.stack([births, deaths], axis=1)
    goals = dots.copy()
    goals[births_pulled | missing, 0] = 1
    goals[deaths_pulled, 1] = 0
    dots[missing] = np.nan
    pixels = pixels.copy()
    pixels[missing, 0] = -1
    goal_pixels = np.where(missing[:, None], np.int32(-1), pixels)
    return {
        "fates": np.where(missing, "missing", "matched"),
        "dots": dots,
        "goals": goals,
        "pixels": pixels,
        "goal_pixels": goal_pixels,
        "costs": cost_in + cost_out,
        "forces": np.stack([np.where(missing, 0, -force_in), force_out], axis=1),
    }


def _faults_inside(
    values: Values, pixels: Pixels, options: InPlaceOptions
) -> dict[str, NDArray[Any]]:
    """Deaths within the structure are raised until the dots vanish at their births."""
    births, deaths = values.T
    cost, force = _pull_surplus(1 - deaths, births - deaths, options)
    goals = np.stack([births, births], axis=1)
    return _fault_rows(values, pixels, goals, cost, np.stack([0 * force, -force], axis=1), options)


def _faults_outside(
    values: Values, pixels: Pixels, dimension: int, options: InPlaceOptions
) -> dict[str, NDArray[Any]]:
    """Births outside the structure are lowered, and so are the deaths of specks."""
    births, ends = values.T
    lives_on = np.isneginf(ends)
    deaths = np.where(lives_on, 0, ends)
    cost, force = _pull_surplus(births, births - deaths, options)
    apart = np.zeros((2, len(births)))
    goals = np.stack([deaths, deaths], axis=1)
    if dimension == 0:
        apart = np.where(lives_on, 0, _pull_apart(deaths, births - deaths, options))
        goals[:] = np.where(lives_on[:, None], (0, -np.inf), (0, 0))
    forces = np.stack([force, apart[1]], axis=1)
    return _fault_rows(values, pixels, goals, cost + apart[0], forces, options)


def _fault_rows(
    values: Values,
    pixels: Pixels,
    goals: Values,
    costs: Values,
    forces: Values,
    options: InPlaceOptions,
) -> dict[str, NDArray[Any]]:
    # What never dies is taken to die at 0.
    ignored = ~(values[:, 0] - np.maximum(values[:, 1], 0) > options.min_persistence)
    return {
        "fates": np.where(ignored, "ignored", "removed"),
        "dots": values,
        "goals": np.where(ignored[:, None], values, goals),
        "pixels": pixels,
        "goal_pixels": np.full(pixels.shape, -1, dtype=np.int32),
        "costs": np.where(ignored, 0, costs),
        "forces": np.where(ignored[:, None], 0, forces),
    }


def _pull_true(residuals: Values, options: InPlaceOptions) -> Pull:
    """Of one end of a true feature's dot, whose other end is the truth's."""
    if options.weight == "one":
        return residuals**2, 2 * residuals
    return residuals**2 * (1 - 2 * residuals / 3), 2 * (1 - residuals) * residuals


def _pull_surplus(residuals: Values, persistences: Values, options: InPlaceOptions) -> Pull:
    """Of one end of a fault's dot, towards the other end."""
    if options.weight == "one":
        return residuals**2, 2 * residuals
    return persistences**2 * (residuals - persistences / 3), 2 * persistences * residuals


def _pull_apart(residuals: Values, persistences: Values, options: InPlaceOptions) -> Pull:
    """Of one end of a fault's dot, away from the other end."""
    if options.weight == "one":
        return residuals**2, 2 * residuals
    return 0 * residuals, 2 * persistences * residuals
