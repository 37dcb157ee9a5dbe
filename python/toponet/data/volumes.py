"""Volumes, slice by slice: TIFF stacks and HDF5 files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from toponet._ground.reading import check_regular, check_size, within_memory
from toponet.data.files import as_mask, read_pages
from toponet.data.samples import Case, Part, Truth

if TYPE_CHECKING:
    import h5py

HDF5_SUFFIXES = (".hdf", ".hdf5", ".h5")


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

    def page(path: Path, pages: NDArray[Any], i: int) -> Part:
        return Part(f"{path}, page {i + 1}", partial(pages.__getitem__, i))

    return [
        Case(
            f"{images_path.stem}_{i:03d}",
            page(images_path, images, i),
            page(labels_path, labels, i),
            truth=truth,
        )
        for i in range(len(images))
    ]


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
        found: list[str] = []

        def note(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset):
                found.append(f"{name} {item.shape}")

        file.visititems(note)
        raise ValueError(f"{path} has no data set {name!r}; it holds {', '.join(found) or 'none'}")
    if volume.ndim not in (3, 4) or volume.size == 0:
        raise ValueError(
            f"{path}: {name} must be slices, rows and columns, got shape {volume.shape}"
        )
    # An HDF5 file may hold far less than it claims: chunks that were never written take no room.
    check_size(f"{path}: a slice of {name}", volume.size // len(volume), volume.dtype.itemsize)
    return volume
