"""Images and labels one by one, so that one bad file doesn't hide the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toponet.data import open_data
from toponet.data.catalogue import unused_files
from toponet.data.files import as_image, read_mask, read_pixels
from toponet.data.pairing import IMAGE_SUFFIXES, LABEL_SUFFIXES, image_stem, same_name


@dataclass(frozen=True)
class Sample:
    """One image with its truth.

    Attributes:
        name: Of its files, without suffix.
        image: (C, H, W) in the file's own grey values.
        mask: (H, W), 1 = structure.
        dtype: Of the grey values in the file, such as "uint16".
    """

    name: str
    image: NDArray[np.float32]
    mask: NDArray[np.uint8]
    dtype: str = "float32"


@dataclass(frozen=True)
class Source:
    """A data set that is read when asked.

    Attributes:
        names: Of the pairs.
        read: The pair of that name; raises ValueError if it can't be used.
        problems: What is wrong before any file is opened.
        notes: What isn't wrong, but isn't read either.
    """

    names: Sequence[str]
    read: Callable[[str], Sample]
    problems: Sequence[str]
    notes: Sequence[str] = ()


def open_source(data: str) -> Source:
    """A folder with images/ and labels/, file by file; or a data set by NAME:PATH.

    Raises:
        ValueError: If it is neither.
    """
    folder = Path(data)
    if not folder.exists() and (":" in data or data == "synthetic"):
        cases = {case.name: case for case in open_data(data)}

        def read_case(name: str) -> Sample:
            sample = cases[name].read()
            return Sample(name, sample.image, sample.mask, sample.dtype)

        return Source(sorted(cases), read_case, [], unused_files(data))
    problems: list[str] = []
    images = _by_name(folder / "images", IMAGE_SUFFIXES, problems)
    labels = _by_name(folder / "labels", LABEL_SUFFIXES, problems)
    for here, there, kind in ((images, labels, "labels"), (labels, images, "images")):
        problems += [
            f"{here[name]} has no partner of that name in {folder / kind}"
            for name in sorted(set(here) - set(there))
        ]

    def read(name: str) -> Sample:
        pixels = read_pixels(images[name])
        image = as_image(pixels, str(images[name]))
        sample = Sample(name, image, read_mask(labels[name]), pixels.dtype.name)
        height, width = sample.image.shape[1:]
        if (height, width) != sample.mask.shape:
            raise ValueError(
                f"{labels[name]} has {sample.mask.shape[0]} x {sample.mask.shape[1]} pixels, its "
                f"image {height} x {width}"
            )
        return sample

    notes = unused_files(data) if images and labels else []
    return Source(sorted(set(images) & set(labels)), read, problems, notes)


def _by_name(folder: Path, suffixes: Sequence[str], problems: list[str]) -> dict[str, Path]:
    """Image files by name without suffix; of two with one name the second is a problem."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; expected images/ and labels/ side by side")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in suffixes or path.name.startswith(".") or path.is_dir():
            continue
        name = image_stem(path)
        if name in files:
            problems.append(same_name(path, files[name]))
        else:
            files[name] = path
    return files
