"""What a caller names, as images that are read when their turn comes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet.data import Case, fold_split, open_data
from toponet.data.catalogue import with_seed
from toponet.data.files import TIFF_SUFFIXES, as_image, read_pages, read_pixels
from toponet.data.pairing import image_files, image_stem, unused_in
from toponet.data.volumes import HDF5_SUFFIXES, find_volume, opened_hdf5

# FILE.h5:DATASET; a data set's name may hold slashes.
_HDF5 = re.compile(rf"(.+(?:{'|'.join(map(re.escape, HDF5_SUFFIXES))})):(.+)", re.IGNORECASE)


@dataclass(frozen=True)
class Pages:
    """The images of one source, of one size.

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
class Source:
    """What becomes one set of files.

    Attributes:
        name: Their names begin with it.
        origin: The file, or the data set's part, as errors name it.
        open: Looks at it; raises ValueError if it can't be used.
        data: The data set that it is from, as a command line names it with its seed; None = it was
            named as a file.
    """

    name: str
    origin: str
    open: Callable[[], Pages]
    data: str | None = None


def find_sources(inputs: Sequence[str], out: Path) -> list[Source]:
    """All sources, in the order in which they are named.

    Args:
        inputs: As on the command line.
        out: Where predictions will be; it can't be the folder of an image, since they would be
            taken for images the next time.

    Raises:
        ValueError: If an input doesn't exist, holds no image, is ``out``, or two have one name.
    """
    sources = [source for text in inputs for source in _sources_of(text, out)]
    return _named_once(sources)


def unused_inputs(inputs: Sequence[str]) -> list[str]:
    """What lies in folders among the inputs but isn't predicted, counted and named.

    Args:
        inputs: Those of :func:`find_sources`, which didn't refuse them.
    """
    found = []
    for text in inputs:
        path = Path(text).expanduser()
        if path.is_dir():
            folder = _images_of(path)
            if folder != path:
                found += unused_in(path, [folder])
            found += unused_in(folder, image_files(folder, "expected images"))
    return found


def _images_of(folder: Path) -> Path:
    """Where a folder has its images: in itself, or beside their labels."""
    return folder / "images" if (folder / "images").is_dir() else folder


def held_out_sources(config: Mapping[str, Any], data: str | None) -> list[Source]:
    """The images that a run held out for validation.

    Args:
        config: Of the run.
        data: Where its data are now; None = where they were.

    Raises:
        ValueError: If the configuration doesn't say which these are, or the data aren't there.
    """
    try:
        spec, folds, fold, seed = (config[name] for name in ("data", "folds", "fold", "seed"))
    except KeyError as error:
        raise ValueError(f"the checkpoint doesn't say which {error} its run had") from None
    validation = config.get("validation")
    if validation is None and folds == 1:
        raise ValueError("the run held no image out: it was trained on all images of its data")
    spec = spec if validation is None else validation
    try:
        cases = open_data(data or spec, seed=seed)
    except ValueError as error:
        hint = "" if data else "; if the run's data have moved, name them after the checkpoint"
        raise ValueError(f"{error}{hint}") from None
    if validation is None:
        _, held_out = fold_split(len(cases), folds, fold, config.get("inner_fold"))
    else:
        held_out = list(range(len(cases)))
    named = with_seed(data or spec, seed)
    return _named_once([_of_case(cases[i], named) for i in held_out])


def _sources_of(text: str, out: Path) -> list[Source]:
    path = Path(text).expanduser()
    if path.is_dir():
        folder = _images_of(path)
        _check_apart(folder, out)
        return _of_folder(folder)
    if path.exists():
        _check_apart(path.parent, out)
        if path.suffix.lower() in HDF5_SUFFIXES:
            raise ValueError(f"{path} needs the name of its data set: {path}:DATASET")
        return [_of_file(path)]
    if match := _HDF5.fullmatch(text):
        return [_of_hdf5(Path(match[1]).expanduser(), match[2])]
    if ":" in text or text == "synthetic":
        return [_of_case(case, with_seed(text, seed=0)) for case in open_data(text, seed=0)]
    raise ValueError(f"{path} does not exist")


def _check_apart(folder: Path, out: Path) -> None:
    """What lies beside an image may have the name of a prediction, and be overwritten."""
    if folder.resolve() == out.resolve():
        raise ValueError(f"{out} holds the images themselves; choose another --out")


def _of_folder(folder: Path) -> list[Source]:
    return [_of_file(path) for path in image_files(folder, "expected images")]


def _of_file(path: Path) -> Source:
    return Source(image_stem(path), str(path), partial(_open_file, path))


def _open_file(path: Path) -> Pages:
    if path.suffix.lower() in TIFF_SUFFIXES:
        try:
            pages = read_pages(path)
        except ValueError:  # Beside the image there may be a thumbnail.
            pages = read_pixels(path)[None]
    else:
        pages = read_pixels(path)[None]
    dtype = pages.dtype.name
    if len(pages) == 1:
        return Pages(lambda i: as_image(pages[i], str(path)), dtype=dtype)
    return Pages(lambda i: as_image(pages[i], f"{path}, page {i + 1}"), len(pages), True, dtype)


def _of_hdf5(path: Path, name: str) -> Source:
    def read(i: int) -> NDArray[np.float32]:
        with opened_hdf5(path) as file:
            return as_image(file[name][i], f"{path}, {name}[{i}]")

    def look() -> Pages:
        with opened_hdf5(path) as file:
            volume = find_volume(file, name, path)
            if volume.dtype.kind not in "buif":
                raise ValueError(f"{path}: {name} must hold real numbers, got {volume.dtype}")
            return Pages(read, len(volume), True, volume.dtype.name)

    return Source(path.stem, f"{path}:{name}", look)


def _of_case(case: Case, data: str) -> Source:
    def look() -> Pages:
        sample = case.read()
        return Pages(lambda _: sample.image, dtype=sample.dtype)

    return Source(case.name, case.origin, look, data)


def _named_once(sources: list[Source]) -> list[Source]:
    first: dict[str, Source] = {}
    for source in sources:
        if source.name in first:
            raise ValueError(
                f"{source.origin} and {first[source.name].origin} have the same name, so that "
                "their predictions would, too"
            )
        first[source.name] = source
    return sources
