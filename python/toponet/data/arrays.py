"""Arrays of NPY, NPZ, HDF5 and image files, with the axes that the files name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.reading import check_regular, check_size, decoding
from toponet.data.axes import AxisArray, Index
from toponet.data.files import read_channels, read_series
from toponet.data.volumes import HDF5_SUFFIXES, find_array, opened_hdf5

# The arrays that nnU-Net saves beside its label maps: (C, Z, Y, X) or, of 2-D images, (C, 1, Y, X).
NNUNET_KEYS = ("probabilities", "softmax")
NNUNET_AXES = {3: "cyx", 4: "czyx"}


def open_array(path: Path, dataset: str | None = None) -> AxisArray:
    """The array of a file.

    Args:
        path: NPY, NPZ, HDF5, or an image or stack of images.
        dataset: The data set of an HDF5 file or the key of an NPZ file; None = there is one only,
            or nnU-Net's. Other files have none.

    Raises:
        ValueError: If the file can't be read, or it isn't clear which array is meant.
    """
    check_regular(path)
    if not path.exists():
        raise ValueError(f"{path} does not exist")
    kind = ARRAY_FORMATS.get(path.suffix.lower(), _open_image)
    array = kind(path, dataset)
    if array.dtype.kind not in "buif":
        raise ValueError(f"{array.origin} must hold real numbers, got {array.dtype}")
    if len(array.shape) < 2 or 0 in array.shape:
        raise ValueError(f"{array.origin} must hold rows and columns, got shape {array.shape}")
    return array


def _open_numpy(path: Path, dataset: str | None) -> AxisArray:
    """By the content, not by the suffix: NPZ is an archive of NPY files."""
    with decoding(path, "a file of numpy"):
        # An array is read when a part of it is asked for.
        content = np.load(path, mmap_mode="r", allow_pickle=False)
    if isinstance(content, np.ndarray):
        _refuse_dataset(path, dataset)
        return _in_memory(str(path), content)
    with content:
        key = _key(path, content.files, dataset)
        with decoding(path, "a file of numpy"):
            # The name in the archive has a suffix that the key may lack.
            entry = next(e for e in content.zip.infolist() if e.filename in (key, f"{key}.npy"))
            check_size(str(path), entry.file_size, 1, path.stat().st_size)
            array = content[key]
    axes = NNUNET_AXES.get(array.ndim) if key in NNUNET_KEYS else None
    return _in_memory(f"{path}, {key}", array, axes)


def _key(path: Path, keys: list[str], dataset: str | None) -> str:
    usual = [key for key in keys if key in NNUNET_KEYS]
    candidates = [dataset] if dataset is not None else usual if len(usual) == 1 else keys
    if len(candidates) == 1 and candidates[0] in keys:
        return candidates[0]
    if not keys:
        raise ValueError(f"{path} holds no array")
    held = ", ".join(keys)
    if dataset is not None:
        raise ValueError(f"{path} has no array {dataset!r}; it holds {held}")
    raise ValueError(f"{path} holds {len(keys)} arrays, {held}; name one with --dataset")


def _open_hdf5(path: Path, dataset: str | None) -> AxisArray:
    with opened_hdf5(path) as file:
        volume = find_array(file, dataset, path)
        name, shape, dtype = volume.name.lstrip("/"), volume.shape, volume.dtype
        axes = _axes_of_ilastik(volume.attrs.get("axistags"), f"{path}, {name}")

    def read(index: Index) -> NDArray[Any]:
        # An HDF5 file may hold far less than it claims: chunks never written take no room.
        pixels = np.broadcast_to(np.empty(()), shape)[index].size
        check_size(f"{path}: a part of {name}", pixels, dtype.itemsize)
        with opened_hdf5(path) as file:
            return np.asarray(file[name][index])

    return AxisArray(f"{path}, {name}", shape, dtype, read, axes)


def _axes_of_ilastik(tags: Any, origin: str) -> str | None:
    """The letters in the attribute ``axistags`` that ilastik and vigra write; None = there is none.

    Raises:
        ValueError: If the attribute says something else.
    """
    if tags is None:
        return None
    try:
        text = tags.decode() if isinstance(tags, bytes) else str(tags)
        return "".join(str(axis["key"]) for axis in json.loads(text)["axes"])
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"{origin} has an attribute axistags that names no axes; remove it and name them with "
            "--axes"
        ) from None


def _open_image(path: Path, dataset: str | None) -> AxisArray:
    _refuse_dataset(path, dataset)
    found = read_channels(path)
    if found is not None:
        return _in_memory(str(path), *found)
    pages = read_series(path)
    axes = "zyx" if pages.ndim == 3 else "zyxc"
    one = len(pages) == 1
    array = _in_memory(str(path), pages[0] if one else pages, axes[1:] if one else axes)
    return replace(array, colours=pages.ndim == 4)


def _refuse_dataset(path: Path, dataset: str | None) -> None:
    if dataset is not None:
        raise ValueError(f"{path} has no data set {dataset!r}: it holds one array; leave it out")


def _in_memory(origin: str, array: NDArray[Any], axes: str | None = None) -> AxisArray:
    def read(index: Index) -> NDArray[Any]:
        return np.asarray(array[index])

    return AxisArray(origin, array.shape, array.dtype, read, axes)


# By suffix in lower case. Whatever has another suffix is an image.
ARRAY_FORMATS: Mapping[str, Callable[[Path, str | None], AxisArray]] = MappingProxyType(
    {".npy": _open_numpy, ".npz": _open_numpy, **dict.fromkeys(HDF5_SUFFIXES, _open_hdf5)}
)
