"""The .npz files of diagrams: written whole or not at all, read without running code from them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.reading import check_regular
from toponet._ground.validation import check_flag

FORMAT = 1


def write_arrays(
    path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]], *, overwrite: bool
) -> None:
    """Writes to a file beside ``path`` first, so that ``path`` is always a whole file.

    Args:
        path: Taken as it is: no suffix is added.
        arrays: Name and content of each array.
        overwrite: Replace a file that is there already.

    Raises:
        FileExistsError: If it is there already and ``overwrite`` is False.
        FileNotFoundError: If its folder doesn't exist.
        TypeError: If overwrite isn't True or False.
    """
    check_flag("overwrite", overwrite)
    path = Path(path)
    if not overwrite and path.exists():
        raise FileExistsError(f"{path} exists already; pass overwrite=True to replace it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is not a folder; create it before saving to it")
    # A name of its own, because several data-loader workers may save the same diagrams at once.
    # Not the tempfile module, whose files nobody else may read.
    partial = path.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        with partial.open("xb") as file:
            np.savez(file, **{"format": np.array(FORMAT), **arrays})  # type: ignore[arg-type]
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_arrays(path: str | os.PathLike[str], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The arrays of a file that ``write_arrays`` wrote.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it isn't such a file, is of another format or holds other arrays.
    """
    check_regular(Path(path))
    with Path(path).open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        except Exception:  # Whatever a file that isn't one makes of numpy's and zipfile's readers.
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
