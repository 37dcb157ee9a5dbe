"""Numbers of one image and its truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toponet._ground.valid import taken_for_structure, valid_pixels
from toponet.data import Sample
from toponet.topology.cleaning import component_sizes, label_parts
from toponet.topology.superlevel import betti_numbers

CONNECTIVITIES = (8, 4)


@dataclass(frozen=True)
class ImageStatistics:
    """Numbers of one image. Only pixels that count are counted.

    Attributes:
        name: Name of the image.
        shape: Channels, height and width.
        dtype: Type of the grey values in its file.
        low, high, mean: (C,) of each channel's grey values, over all pixels, as training sees them.
        counted: Number of pixels that count.
        structure: Number of pixels of structure among them.
        depths: Mean distance to the other side: of structure pixels, and of background pixels. NaN
            for a side without pixels.
        corners: Number of places where two pixels of structure touch by a corner only. Only there
            do the connectivities 4 and 8 differ.
        betti: Components and holes by connectivity, with the frame, as loss and metrics count.
        specks, holes: For each connectivity, how many components of structure and of background
            have each size below ``min_size``. Index 0 is the size of one pixel.
    """

    name: str
    shape: tuple[int, int, int]
    dtype: str
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    mean: NDArray[np.float64]
    counted: int
    structure: int
    depths: tuple[float, float]
    corners: int
    betti: Mapping[int, tuple[int, int]]
    specks: Mapping[int, NDArray[np.int64]]
    holes: Mapping[int, NDArray[np.int64]]

    @property
    def share(self) -> float:
        """The share of structure in the pixels that count."""
        return self.structure / self.counted


def image_statistics(sample: Sample, min_size: int) -> ImageStatistics:
    """Computes the numbers of one image. Components below ``min_size`` are counted by size."""
    image, mask = sample.image, sample.mask != 0
    valid = valid_pixels(sample.valid, mask.shape)
    filled = taken_for_structure(mask, valid)
    counts = np.ones_like(mask) if valid is None else valid
    parts = {c: label_parts(mask, c, valid) for c in CONNECTIVITIES}
    channels, height, width = image.shape
    return ImageStatistics(
        name=sample.name,
        shape=(channels, height, width),
        dtype=sample.dtype,
        low=image.min(axis=(1, 2)),
        high=image.max(axis=(1, 2)),
        mean=image.mean(axis=(1, 2), dtype=np.float64),
        counted=int(counts.sum()),
        structure=int((mask & counts).sum()),
        depths=(_depth(filled, counts), _depth(~filled, counts)),
        corners=_corners(mask, counts),
        betti={c: _betti(filled, c) for c in CONNECTIVITIES},
        specks={c: _by_size(parts[c].pieces, min_size) for c in CONNECTIVITIES},
        holes={c: _by_size(parts[c].cells, min_size) for c in CONNECTIVITIES},
    )


def _depth(side: NDArray[np.bool_], counts: NDArray[np.bool_]) -> float:
    from scipy.ndimage import distance_transform_edt

    measured = side & counts
    if not measured.any():
        return float("nan")
    if side.all():  # No other side to measure to.
        return float(min(side.shape))
    return float(distance_transform_edt(side)[measured].mean())


def _corners(mask: NDArray[np.bool_], counts: NDArray[np.bool_]) -> int:
    """Counts the 2 x 2 squares in which one diagonal is structure and the other is background."""
    here, right, below, across = _squares(mask)
    corners = (here == across) & (right == below) & (here != right)
    return int((corners & np.logical_and.reduce(_squares(counts))).sum())


def _squares(mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], ...]:
    """Returns the four pixels of each 2 x 2 square."""
    return mask[:-1, :-1], mask[:-1, 1:], mask[1:, :-1], mask[1:, 1:]


def _betti(mask: NDArray[np.bool_], connectivity: int) -> tuple[int, int]:
    components, holes = betti_numbers(mask, connectivity=connectivity, frame=True)[0].tolist()
    return components, holes


def _by_size(labels: NDArray[np.int64], min_size: int) -> NDArray[np.int64]:
    sizes = component_sizes(labels)
    return np.bincount(sizes[sizes < min_size], minlength=min_size)[1:]
