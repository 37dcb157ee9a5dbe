"""Images without truths, as a prediction takes them: one, or a series of one size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toponet.data.files import as_image, read_series
from toponet.data.pairing import image_stem
from toponet.data.samples import Case
from toponet.data.volumes import find_volume, hdf5_slice, opened_hdf5


@dataclass(frozen=True)
class Pages:
    """The images of one series, of one size.

    Attributes:
        read: Image i as (C, H, W) float32 in the file's own grey values; raises ValueError if it
            can't be used.
        count: Number of images.
        stack: Whether the source holds a series of images, be it of one.
        dtype: Of the grey values in the file, such as "uint8".
    """

    read: Callable[[int], NDArray[np.float32]]
    count: int = 1
    stack: bool = False
    dtype: str = "float32"


@dataclass(frozen=True)
class Series:
    """One image of a data set, or a file with one or several images.

    Attributes:
        name: Without suffix.
        origin: The file, or the data set's part, as errors name it.
        open: Looks at it; raises ValueError if it can't be used.
        data: The data set that it is from, as a command line names it with its seed; None = it was
            named as a file or folder.
        file: The file, if it is all of it.
    """

    name: str
    origin: str
    open: Callable[[], Pages]
    data: str | None = None
    file: Path | None = None


def series_of_file(path: Path, data: str | None = None) -> Series:
    """An image file, or a TIFF stack."""

    def look() -> Pages:
        pages = read_series(path)
        stack = len(pages) > 1

        def read(i: int) -> NDArray[np.float32]:
            return as_image(pages[i], f"{path}, page {i + 1}" if stack else str(path))

        return Pages(read, len(pages), stack, pages.dtype.name)

    return Series(image_stem(path), str(path), look, data, path)


def series_of_volume(path: Path, name: str) -> Series:
    """A data set of an HDF5 file, slices first."""

    def read(i: int) -> NDArray[np.float32]:
        part = hdf5_slice(path, name, i)
        return as_image(part.read(), part.origin)

    def look() -> Pages:
        with opened_hdf5(path) as file:
            volume = find_volume(file, name, path)
            if volume.dtype.kind not in "buif":
                raise ValueError(f"{path}: {name} must hold real numbers, got {volume.dtype}")
            return Pages(read, len(volume), True, volume.dtype.name)

    return Series(path.stem, f"{path}:{name}", look)


def series_of_case(case: Case, data: str | None) -> Series:
    """The image of a data set that was named."""

    def look() -> Pages:
        image, dtype = case.read_image()
        return Pages(lambda _: image, dtype=dtype)

    return Series(case.name, case.origin, look, data)
