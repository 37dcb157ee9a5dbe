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
from toponet.data.samples import same_size


@dataclass(frozen=True)
class Sample:
    """One image with its truth.

    Attributes:
        name: Of its files, without suffix.
        image: (C, H, W) in the file's own grey values.
        mask: (H, W), 1 = structure.
        dtype: Of the grey values in the file, such as "uint16".
        valid: (H, W), 1 = the pixel counts; None = all do.
    """

    name: str
    image: NDArray[np.float32]
    mask: NDArray[np.uint8]
    dtype: str = "float32"
    valid: NDArray[np.uint8] | None = None


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
    """A folder with images/, labels/ and maybe valid/, file by file; or a data set by NAME:PATH.

    Raises:
        ValueError: If it is neither.
    """
    folder = Path(data)
    if not folder.exists() and (":" in data or data == "synthetic"):
        cases = {case.name: case for case in open_data(data)}

        def read_case(name: str) -> Sample:
            sample = cases[name].read()
            return Sample(name, sample.image, sample.mask, sample.dtype, sample.valid)

        return Source(sorted(cases), read_case, [], unused_files(data))
    problems: list[str] = []
    images = _by_name(folder / "images", IMAGE_SUFFIXES, problems)
    labels = _by_name(folder / "labels", LABEL_SUFFIXES, problems)
    for here, there, kind in ((images, labels, "labels"), (labels, images, "images")):
        problems += [
            f"{here[name]} has no partner of that name in {folder / kind}"
            for name in sorted(set(here) - set(there))
        ]

    valid = None
    if (folder / "valid").is_dir():
        valid = _by_name(folder / "valid", LABEL_SUFFIXES, problems)
        problems += [
            f"{images[name]} has no partner of that name in {folder / 'valid'}"
            for name in sorted(set(images) & set(labels) - set(valid))
        ]

    def read(name: str) -> Sample:
        pixels = read_pixels(images[name])
        image = as_image(pixels, str(images[name]))
        mask = same_size(read_mask(labels[name]), image, str(labels[name]))
        counted = None
        if valid is not None:
            counted = same_size(read_mask(valid[name]), image, str(valid[name]))
            if not counted.any():
                raise ValueError(f"{valid[name]} marks no pixel that counts")
        return Sample(name, image, mask, pixels.dtype.name, counted)

    notes = unused_files(data) if images and labels else []
    names = set(images) & set(labels) & set(images if valid is None else valid)
    return Source(sorted(names), read, problems, notes)


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
