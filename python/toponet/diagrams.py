"""Persistence diagrams of a batch of images, as flat arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._validation import FloatArray


@dataclass(frozen=True, eq=False, repr=False)
class PersistenceDiagrams:
    """Persistence diagrams of B images: one row per class of positive persistence.

    Rows are ordered by (image, dimension, death pixel, birth pixel); what never dies comes first.
    ``values == image.flat[pixels]`` bit for bit wherever ``pixels >= 0``. The arrays are read-only.

    Attributes:
        values: (n, 2), the images' dtype. Birth and death; birth >= death (superlevel sets). A
            class that never dies has death -inf.
        pixels: (n, 2) int32. Birth and death pixel, flat indices into H x W; -1 = born with the
            frame, or never dies.
        dimensions: (n,) int8. 0 = connected component, 1 = hole.
        splits: (B + 1,) int64. Rows ``splits[i]:splits[i + 1]`` are image i's.
    """

    values: FloatArray
    pixels: NDArray[np.int32]
    dimensions: NDArray[np.int8]
    splits: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Makes the arrays read-only, as the class is."""
        for array in (self.values, self.pixels, self.dimensions, self.splits):
            array.flags.writeable = False

    def __reduce__(self) -> tuple[type[PersistenceDiagrams], tuple[NDArray[Any], ...]]:
        """Copies and pickles go through the constructor: they are read-only as well."""
        return PersistenceDiagrams, (self.values, self.pixels, self.dimensions, self.splits)

    def __len__(self) -> int:
        """Number of images."""
        return len(self.splits) - 1

    def __getitem__(self, images: int | slice) -> PersistenceDiagrams:
        """The diagrams of one image (as a batch of one), or of a run of images: views, no copies.

        Raises:
            IndexError: If there is no such image.
            ValueError: If a slice has a step other than 1.
        """
        chosen = range(len(self))[images]
        if isinstance(chosen, int):
            chosen = range(chosen, chosen + 1)
        elif chosen.step != 1:
            raise ValueError(f"diagrams can be sliced in steps of 1 only, got {images}")
        splits = self.splits[chosen.start : chosen.start + len(chosen) + 1]
        rows = slice(int(splits[0]), int(splits[-1]))
        return PersistenceDiagrams(
            self.values[rows], self.pixels[rows], self.dimensions[rows], splits - splits[0]
        )

    def __iter__(self) -> Iterator[PersistenceDiagrams]:
        """The images' diagrams one after the other."""
        return (self[image] for image in range(len(self)))

    def __repr__(self) -> str:
        """Counts, not numbers: diagrams have hundreds of rows."""
        holes = int(np.count_nonzero(self.dimensions))
        return (
            f"PersistenceDiagrams({len(self)} images, {len(self.dimensions) - holes} components, "
            f"{holes} holes, {self.values.dtype})"
        )
