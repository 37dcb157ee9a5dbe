"""Files that are written whole or not at all, and errors that say which file it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file beside ``path`` that takes its name at the end; after an error, ``path`` is as it was.

    Raises:
        OSError: If it can't be written, with the name ``path``.
    """
    partial = partial_of(path)
    try:
        with naming(path):
            with partial.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())  # Else a power cut could leave the name with other bytes.
            partial.replace(path)
    except BaseException:
        # A full disk is no place for half a file. Where even that fails, the error is the first.
        with suppress(OSError):
            partial.unlink()
        raise


def partial_of(path: Path) -> Path:
    """Where :func:`written_whole` writes before the file takes its name."""
    return path.with_name(f"{path.name}.partial")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Puts ``path`` into the OSErrors of writing to it, which name no file."""
    try:
        yield
    except OSError as error:
        # Of another file, inside, which is the one to name.
        if error.filename not in (None, str(partial_of(path))):
            raise
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
