"""Peers, as far as they are installed: what they compute is checked before it is timed.

Each gets float64 (what it works on inside) or float32 as it likes best, one thread, one image a
call: none takes batches.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import toponet

Image = NDArray[np.floating[Any]]
Dots = list[tuple[int, float, float]]


def _tidy(dots: list[tuple[int, float, float]]) -> Dots:
    """(dimension, birth, death) of positive, finite persistence, sorted."""
    return sorted((int(d), float(b), float(x)) for d, b, x in dots if np.isfinite(x) and b != x)


def toponet_dots(image: Image) -> Dots:
    """Ours, in the form in which peers are compared."""
    d = toponet.persistence(image)
    return _tidy([(k, b, x) for k, (b, x) in zip(d.dimensions, d.values, strict=True)])


def gudhi_fast(image: Image) -> Callable[[], Any]:
    """Values only, no critical pixels: the fastest known 2-D path."""
    module = importlib.import_module("gudhi._pers_cub_low_dim_ext")
    negative = np.ascontiguousarray(-image, dtype=np.float64)
    return lambda: module._persistence_on_rectangle_from_top_cells(negative, 0.0)


def gudhi_cofaces(image: Image) -> Callable[[], Any]:
    """The general cubical complex with critical cells: what other losses use."""
    gudhi = importlib.import_module("gudhi")
    negative = np.ascontiguousarray(-image, dtype=np.float64)

    def call() -> Any:
        complex_ = gudhi.CubicalComplex(top_dimensional_cells=negative)
        complex_.persistence(homology_coeff_field=2, min_persistence=0)
        return complex_, complex_.cofaces_of_persistence_pairs()

    return call


def cripser(image: Image) -> Callable[[], Any]:
    """T-construction with critical cells."""
    module = importlib.import_module("cripser")
    negative = np.ascontiguousarray(-image, dtype=np.float64)
    return lambda: module.computePH_T(negative, maxdim=1)


def oineus(image: Image) -> Callable[[], Any]:
    """Cubical filtration with pixels as cells, reduced as the package recommends for it."""
    module = importlib.import_module("oineus")
    values = np.ascontiguousarray(image, dtype=np.float64)
    parameters = module.ReductionParams()
    parameters.n_threads = 1

    def call() -> Any:
        filtration = module.cube_filtration(values, negate=True, values_on="cells", n_threads=1)
        decomposition = module.Decomposition(filtration, True)
        decomposition.reduce(parameters)
        return decomposition.diagram(filtration, include_inf_points=False)

    return call


def dots_of(name: str, result: Any) -> Dots:
    """A peer's result in the common form."""
    if name == "gudhi fast path (values only)":
        return _tidy([(k, -b, -x) for k, rows in enumerate(result) for b, x in rows])
    if name == "gudhi CubicalComplex with cofaces":
        pairs = result[0].persistence(homology_coeff_field=2, min_persistence=0)
        return _tidy([(k, -b, -x) for k, (b, x) in pairs])
    if name == "cripser":
        return _tidy([(k, -b, -x) for k, b, x, *_ in result if x < 1e300])
    return _tidy([(k, b, x) for k in (0, 1) for b, x in result.in_dimension(k) if np.isfinite(x)])


PEERS: dict[str, tuple[str, Callable[[Image], Callable[[], Any]]]] = {
    "gudhi fast path (values only)": ("gudhi", gudhi_fast),
    "gudhi CubicalComplex with cofaces": ("gudhi", gudhi_cofaces),
    "cripser": ("cripser", cripser),
    "oineus": ("oineus", oineus),
}
