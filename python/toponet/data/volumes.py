"""Volumes, slice by slice: TIFF stacks and HDF5 files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from toponet._ground.reading import check_regular, check_size, within_memory
from toponet.data.files import as_mask, read_pages, read_series
from toponet.data.samples import Case, Part, Truth

if TYPE_CHECKING:
    import h5py

HDF5_SUFFIXES = (".hdf", ".hdf5", ".h5")

# FILE.h5:DATASET; a data set's name may hold slashes.
_VOLUME = re.compile(rf"(.+(?:{'|'.join(map(re.escape, HDF5_SUFFIXES))})):(.+)", re.IGNORECASE)


def volume_of(text: str) -> tuple[Path, str] | None:
    """File and data set of FILE.h5:DATASET; None = the text isn't of this form."""
    match = _VOLUME.fullmatch(text)
    return match and (Path(match[1]).expanduser(), match[2])


def stack_cases(images_path: Path, labels_path: Path, truth: Truth = as_mask) -> list[Case]:
    """The pages of two TIFF stacks.

    Raises:
        ValueError: If a stack can't be read or their numbers of pages differ.
    """
    images, labels = read_pages(images_path), read_pages(labels_path)
    if len(images) != len(labels):
        raise ValueError(
            f"{labels_path} has {len(labels)} page(s), {images_path} has {len(images)}"
        )

    return [
        Case(
            f"{images_path.stem}_{i:03d}",
            _page(images_path, images, i),
            _page(labels_path, labels, i),
            truth=truth,
        )
        for i in range(len(images))
    ]


def truth_pages(case: Case) -> list[Case]:
    """A case without image for each page of a truth that is a file of several; else the case.

    Raises:
        ValueError: If a file can't be read, or the numbers of pages of label and valid mask differ.
    """
    if case.label is None or case.label.file is None:
        return [case]
    path, labels = case.label.file, read_series(case.label.file)
    if len(labels) == 1:
        return [case]
    cases = [
        Case(f"{case.name}_{i:03d}", None, _page(path, labels, i), truth=case.truth)
        for i in range(len(labels))
    ]
    if case.valid is None or case.valid.file is None:
        return cases
    valid = read_series(case.valid.file)
    if len(valid) != len(labels):
        raise ValueError(f"{case.valid.file} has {len(valid)} page(s), {path} has {len(labels)}")
    file = case.valid.file
    return [replace(each, valid=_page(file, valid, i)) for i, each in enumerate(cases)]


def _page(path: Path, pages: NDArray[Any], i: int) -> Part:
    return Part(f"{path}, page {i + 1}", partial(pages.__getitem__, i))


def hdf5_cases(
    path: Path, images_name: str, labels_name: str, truth: Truth = as_mask
) -> list[Case]:
    """The slices of two data sets of an HDF5 file, (N, H, W) or for RGB images (N, H, W, 3).

    Only one slice is in memory as labels: a volume's ids take eight bytes a voxel.

    Raises:
        ValueError: If the file can't be read, lacks a data set, or their numbers of slices differ.
    """
    with opened_hdf5(path) as file:
        images, labels = (find_volume(file, name, path) for name in (images_name, labels_name))
        count = len(images)
        if len(labels) != count:
            raise ValueError(
                f"{path}: {labels_name} has {len(labels)} slice(s), {images_name} has {count}"
            )

    return [
        Case(
            f"{path.stem}_{i:03d}",
            hdf5_slice(path, images_name, i),
            hdf5_slice(path, labels_name, i),
            truth=truth,
        )
        for i in range(count)
    ]


def hdf5_slice(path: Path, name: str, i: int) -> Part:
    """One slice of a data set, for which the file is opened when it is read."""

    def read() -> NDArray[Any]:
        with opened_hdf5(path) as file:
            pixels: NDArray[Any] = file[name][i]
            return pixels

    return Part(f"{path}, {name}[{i}]", read)


def hdf5_files(path: Path, expected: str) -> Sequence[Path]:
    """The file itself, or all HDF5 files in a folder.

    Raises:
        ValueError: If there is none.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        check_regular(path)
        raise ValueError(f"{path} does not exist; {expected}")
    files = sorted(p for p in path.iterdir() if p.suffix.lower() in HDF5_SUFFIXES)
    if not files:
        raise ValueError(f"{path} holds no HDF5 file; {expected}")
    return files


@contextmanager
def opened_hdf5(path: Path) -> Iterator[h5py.File]:
    """The file, open for reading.

    Raises:
        ValueError: If it can't be read.
    """
    import h5py

    check_regular(path)
    try:
        with within_memory(str(path)), h5py.File(path, "r") as file:
            yield file
    except OSError as error:  # HDF5's own messages have no other type.
        raise ValueError(f"{path} can't be read as HDF5: {' '.join(str(error).split())}") from error


def find_volume(file: h5py.File, name: str, path: Path) -> h5py.Dataset:
    """The slices of that name in the file ``path``.

    Raises:
        ValueError: If there is no such data set, or it isn't slices; others in the file are named.
    """
    import h5py

    volume = file.get(name)
    if not isinstance(volume, h5py.Dataset):
        raise ValueError(f"{path} has no data set {name!r}; it holds {_listed(_data_sets(file))}")
    if volume.ndim not in (3, 4) or volume.size == 0:
        raise ValueError(
            f"{path}: {name} must be slices, rows and columns, got shape {volume.shape}"
        )
    # An HDF5 file may hold far less than it claims: chunks that were never written take no room.
    check_size(f"{path}: a slice of {name}", volume.size // len(volume), volume.dtype.itemsize)
    return volume


def find_array(file: h5py.File, name: str | None, path: Path) -> h5py.Dataset:
    """The data set of that name in the file ``path``; without a name the only one.

    Raises:
        ValueError: If there is no such data set, or several; those in the file are named.
    """
    found = _data_sets(file)
    chosen = [each for each in found if name is None or each.name.strip("/") == name.strip("/")]
    if len(chosen) == 1:
        return chosen[0]
    if name is not None:
        raise ValueError(f"{path} has no data set {name!r}; it holds {_listed(found)}")
    if not found:
        raise ValueError(f"{path} holds no data set")
    raise ValueError(
        f"{path} holds {len(found)} data sets, {_listed(found)}; name one with --dataset"
    )


def _data_sets(file: h5py.File) -> list[h5py.Dataset]:
    import h5py

    found: list[h5py.Dataset] = []

    def note(_: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found.append(item)

    file.visititems(note)
    return found


def _listed(found: Sequence[h5py.Dataset]) -> str:
    return ", ".join(f"{each.name.lstrip('/')} {each.shape}" for each in found) or "none"
