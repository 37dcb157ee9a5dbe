"""The .npz files of diagrams. They are written whole or not at all, and hold no code to run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.reading import check_regular
from toponet._ground.validation import check_flag
from toponet._ground.writing import written_whole

FORMAT = 1


def write_arrays(
    path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]], *, overwrite: bool
) -> None:
    """Writes arrays to a .npz file; ``path`` is a whole file at any time.

    Args:
        path: Taken as it is: no suffix is added.
        arrays: Name and content of each array.
        overwrite: Whether to replace a file that exists.

    Raises:
        FileExistsError: If the file exists and ``overwrite`` is False.
        FileNotFoundError: If the folder of the file doesn't exist.
        TypeError: If overwrite isn't True or False.
    """
    check_flag("overwrite", overwrite)
    path = Path(path)
    if not overwrite and path.exists():
        raise FileExistsError(f"{path} exists already; pass overwrite=True to replace it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is not a folder; create it before saving to it")
    # Several data-loader workers may save the same diagrams at the same time.
    with written_whole(path, several_writers=True) as file:
        np.savez(file, **{"format": np.array(FORMAT), **arrays})  # type: ignore[arg-type]


def read_arrays(path: str | os.PathLike[str], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The arrays of a file that ``write_arrays`` wrote.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no .npz file, is of another format or holds other arrays.
    """
    check_regular(Path(path))
    with Path(path).open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        except Exception:  # On a damaged file, numpy and zipfile raise errors of many types.
            raise ValueError(f"{path} is not an .npz file of arrays, or is damaged") from None
    if "format" not in arrays:
        raise ValueError(f"{path} is not a file of persistence diagrams: it has no format number")
    found = arrays.pop("format")
    if not np.array_equal(found, FORMAT):
        raise ValueError(f"{path} has format {found}; this version of toponet reads {FORMAT}")
    if set(arrays) != set(names):
        raise ValueError(
            f"{path} must hold the arrays {', '.join(names)}, got {', '.join(sorted(arrays))}"
        )
    return arrays
