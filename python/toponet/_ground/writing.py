"""Files that are written whole or not at all, and errors that say which file it was."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: Path, *, several_writers: bool = False) -> Iterator[BinaryIO]:
    """Opens a file beside ``path`` that takes the name ``path`` at the end.

    After an error, ``path`` is as it was.

    Args:
        path: The file's name in the end.
        several_writers: Whether several processes may write to ``path`` at the same time. Each of
            them then writes to a file of its own, and the last one to end wins. What a process
            leaves that is killed meanwhile isn't overwritten by the next one.

    Raises:
        OSError: If the file can't be written; the error names ``path``.
    """
    # Not the tempfile module, whose files nobody else may read.
    partial = path.with_name(
        f".{uuid.uuid4().hex}.partial" if several_writers else f"{path.name}.partial"
    )
    try:
        with naming(path, partial):
            with partial.open("wb") as file:
                yield file
                file.flush()
                # Otherwise a power cut could leave the name on a file without its bytes.
                os.fsync(file.fileno())
            partial.replace(path)
    except BaseException:
        # Half a file would fill a full disk. If removing it fails, the first error is the one told.
        with suppress(OSError):
            partial.unlink()
        raise


@contextmanager
def naming(path: Path, partial: Path | None = None) -> Iterator[None]:
    """Names ``path`` in OSErrors that name no file, or the partial one."""
    try:
        yield
    except OSError as error:
        # An error that names another file says more than one that names this file.
        if error.filename not in (None, str(partial)):
            raise
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
