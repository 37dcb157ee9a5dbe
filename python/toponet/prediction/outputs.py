"""Writes the files of one image or stack, page by page.

A file gets its name when it is whole.
"""

from __future__ import annotations

import csv
import errno
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.writing import written_whole
from toponet.data.series import Pages
from toponet.prediction.config import OUTPUTS
from toponet.prediction.decisions import COLUMNS
from toponet.prediction.segmentation import Segmentation

# TIFF counts bytes in 32 bit; more need BigTIFF, which not every program reads.
MOST_BYTES = 2**32 - 2**25
FULL = "No space left for the whole file"

# Takes one page: an array, or the rows of a table.
Add = Callable[[Any], None]


def existing_output(folder: Path, name: str, kind: str, likelihood_format: str) -> Path | None:
    """Returns the file of this kind, if there is one of an image or of a stack."""
    paths = (_path(folder, name, kind, likelihood_format, stack) for stack in (False, True))
    return next((path for path in paths if path.exists()), None)


def remove_outputs(folder: Path, name: str) -> None:
    """Removes all files of an image or stack, of every kind and format."""
    for kind, suffix in product(OUTPUTS, ("tif", "h5", "png", "csv")):
        (folder / f"{name}_{kind}.{suffix}").unlink(missing_ok=True)


@contextmanager
def open_outputs(
    folder: Path, name: str, kinds: Sequence[str], likelihood_format: str, pages: Pages
) -> Iterator[Callable[[Segmentation], None]]:
    """Returns a function that writes the segmentation of one page. Call it for each page in turn.

    The files get their names when all pages are written. After an error there are no files.

    Args:
        folder: Where the files are written.
        name: The names of the files begin with it.
        kinds: What of each segmentation is written.
        likelihood_format: "tif" or "h5".
        pages: What is segmented.

    Raises:
        OSError: If a file can't be written. The sentence names it.
    """
    with ExitStack() as stack:
        adders = {
            kind: stack.enter_context(_WRITERS[path.suffix](path, pages))
            for kind in kinds
            for path in [_path(folder, name, kind, likelihood_format, pages.stack)]
        }

        def add(segmentation: Segmentation) -> None:
            for kind, add_page in adders.items():
                add_page(getattr(segmentation, kind))

        yield add


def _path(folder: Path, name: str, kind: str, likelihood_format: str, stack: bool) -> Path:
    one_page = {"likelihood": likelihood_format, "cells": "tif", "decisions": "csv"}.get(
        kind, "png"
    )
    suffix = "tif" if stack and one_page == "png" else one_page
    return folder / f"{name}_{kind}.{suffix}"


@contextmanager
def _png(path: Path, pages: Pages) -> Iterator[Add]:
    from PIL import Image

    with written_whole(path) as file:
        yield lambda page: Image.fromarray(page).save(file, "PNG")


@contextmanager
def _tiff(path: Path, pages: Pages) -> Iterator[Add]:
    import tifffile

    with written_whole(path) as file, ExitStack() as stack:
        writers: list[tifffile.TiffWriter] = []

        def add(page: NDArray[Any]) -> None:
            if page.dtype == np.uint32 and not pages.stack and page.max() < 2**16:
                page = page.astype(np.uint16)  # More programs read it.
            if not writers:
                big = page.nbytes * pages.count > MOST_BYTES
                writers.append(stack.enter_context(tifffile.TiffWriter(file, bigtiff=big)))
            try:
                writers[0].write(
                    page,
                    photometric="rgb" if page.ndim == 3 else "minisblack",
                    # Likelihoods hardly shrink, and every program reads them as they are.
                    compression=None if page.dtype == np.float32 else "zlib",
                    metadata=None,  # tifffile's own would make a series of every page.
                )
            except OSError as error:  # numpy says how many numbers were written, but not why.
                raise error if error.errno else OSError(errno.ENOSPC, FULL) from error

        yield add


@contextmanager
def _hdf5(path: Path, pages: Pages) -> Iterator[Add]:
    import h5py

    with written_whole(path) as file:
        done = 0

        def add(page: NDArray[Any]) -> None:
            nonlocal done
            shape = (pages.count, *page.shape) if pages.stack else page.shape
            volume = output.require_dataset("likelihood", shape, page.dtype)
            volume[done if pages.stack else ...] = page
            done += 1

        try:
            with h5py.File(file.name, "w") as output:
                yield add
        except RuntimeError as error:  # Of a full disk, too.
            raise OSError(errno.EIO, f"HDF5: {error}") from error


@contextmanager
def _csv(path: Path, pages: Pages) -> Iterator[Add]:
    """A table of all pages; the first column of a stack's table is the page, from 0."""
    with written_whole(path) as file:
        done = 0

        def add(rows: Sequence[Sequence[str]]) -> None:
            nonlocal done
            write([[str(done), *row] for row in rows] if pages.stack else rows)
            done += 1

        def write(rows: Sequence[Sequence[str]]) -> None:
            text = io.StringIO(newline="")
            csv.writer(text, lineterminator="\n").writerows(rows)
            file.write(text.getvalue().encode())

        write([["page", *COLUMNS] if pages.stack else COLUMNS])
        yield add


_WRITERS = {".png": _png, ".tif": _tiff, ".h5": _hdf5, ".csv": _csv}
