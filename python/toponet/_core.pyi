from typing import Any

import numpy as np
from numpy.typing import NDArray

_Diagrams = tuple[
    NDArray[np.float32] | NDArray[np.float64],
    NDArray[np.int32],
    NDArray[np.int8],
    NDArray[np.int64],
]

def persistence(
    images: NDArray[np.float32] | NDArray[np.float64],
    *,
    dimensions: tuple[bool, ...],
    connectivity: int,
    frame: bool,
    frame_value: float,
    algorithm: str,
    num_threads: int,
    tile: tuple[int, int] = ...,
) -> _Diagrams: ...
def segment(
    images: NDArray[np.float32] | NDArray[np.float64],
    *,
    threshold: float,
    keep: float,
    add: float,
    dimension_0: bool,
    dimension_1: bool,
    connectivity: int,
    frame: bool,
    num_threads: int,
    tile: tuple[int, int] = ...,
) -> tuple[
    NDArray[np.float32] | NDArray[np.float64],
    NDArray[np.int32],
    NDArray[np.float64],
    NDArray[np.int32],
    NDArray[np.int8],
    NDArray[np.int8],
    NDArray[np.float64],
    NDArray[np.int32],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int64],
]: ...
def binary_topological_loss(
    images: NDArray[np.float32] | NDArray[np.float64],
    *,
    masks: NDArray[Any] | None,
    dots: NDArray[np.float64] | None,
    boxes: NDArray[np.int64],
    patch_weights: NDArray[np.float64],
    patches_overlap: bool,
    dimensions: tuple[bool, ...],
    dimension_weights: tuple[float, ...],
    connectivity: int,
    frame: bool,
    matching: str,
    min_persistence: float,
    unmatched_weight: float,
    in_place_weight: str,
    in_place_extremes: bool,
    num_threads: int,
    gradient: NDArray[np.float32] | NDArray[np.float64],
) -> NDArray[np.float64]: ...
def choose_dots(
    dots: NDArray[np.float64], *, target: tuple[float, float], targets: int, matching: str
) -> NDArray[np.bool_]: ...
def betti_matching(
    f: NDArray[np.float32] | NDArray[np.float64],
    g: NDArray[np.float32] | NDArray[np.float64],
    *,
    dimension_0: bool,
    dimension_1: bool,
    connectivity: int,
    frame: bool,
    frame_value: float,
    num_threads: int,
) -> tuple[_Diagrams, _Diagrams, NDArray[np.int64], NDArray[np.int64]]: ...
def betti_matching_counts(
    f: NDArray[np.uint8],
    g: NDArray[np.uint8],
    *,
    connectivity: int,
    frame: bool,
    num_threads: int,
) -> NDArray[np.int64]: ...
def betti_numbers(
    masks: NDArray[np.uint8], *, connectivity: int, frame: bool, num_threads: int
) -> NDArray[np.int64]: ...
def volume_persistence(
    volumes: NDArray[np.float32] | NDArray[np.float64],
    *,
    dimensions: tuple[bool, ...],
    connectivity: int,
    frame: bool,
    frame_value: float,
    algorithm: str,
    num_threads: int,
) -> _Diagrams: ...
def volume_betti_numbers(
    masks: NDArray[np.uint8], *, connectivity: int, frame: bool, num_threads: int
) -> NDArray[np.int64]: ...
def volume_topological_loss(
    volumes: NDArray[np.float32] | NDArray[np.float64],
    *,
    masks: NDArray[Any] | None,
    dots: NDArray[np.float64] | None,
    boxes: NDArray[np.int64],
    patch_weights: NDArray[np.float64],
    patches_overlap: bool,
    dimensions: tuple[bool, ...],
    dimension_weights: tuple[float, ...],
    connectivity: int,
    frame: bool,
    matching: str,
    min_persistence: float,
    num_threads: int,
    gradient: NDArray[np.float32] | NDArray[np.float64],
) -> NDArray[np.float64]: ...
