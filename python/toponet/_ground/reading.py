"""Checks before a file is read: is it a regular file, and can memory hold its content?"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class TooLargeError(ValueError):
    """An image or file doesn't fit into the memory."""


_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)

# The messages of allocators that have no exception of their own.
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")

# Deflate packs a constant image to a thousandth of its size, LZW to somewhat less. Claims below
# _HARMLESS_BYTES are harmless; other packings, of empty pages, may shrink them further.
_BEST_COMPRESSION = 4096
_HARMLESS_BYTES = 2**26


def check_regular(path: Path) -> None:
    """Refuses a path to a pipe, a device or a folder, also behind links: reading might never end.

    A path where there is nothing passes. The reader that opens it says what it expected there.

    Raises:
        ValueError: If there is something that isn't a regular file.
    """
    with suppress(OSError):
        mode = path.stat().st_mode
        for is_kind, words in _KINDS:
            if is_kind(mode):
                raise ValueError(f"{path} is {words}; expected a file")


def read_text(path: Path) -> str:
    """The content of a regular file as UTF-8.

    Raises:
        OSError: If it can't be read.
        ValueError: If it isn't a regular file, or isn't text.
    """
    check_regular(path)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path} isn't text") from None


def check_size(origin: str, pixels: int, bytes_each: float, file_bytes: int | None = None) -> None:
    """Checks the size that a file's header claims, before memory is allocated for it.

    Args:
        origin: The file, for the error message.
        pixels: The number of pixels in all.
        bytes_each: Bytes of each pixel as it is stored; may be less than 1.
        file_bytes: Size of the whole file; None = it isn't compared.

    Raises:
        TooLargeError: If the memory is too small for the pixels.
        ValueError: If the file is too small for the pixels.
    """
    claimed = pixels * bytes_each
    if claimed <= _HARMLESS_BYTES:
        return
    if file_bytes is not None and claimed > _BEST_COMPRESSION * file_bytes:
        raise ValueError(
            f"{origin} claims {pixels} pixels but has {file_bytes} bytes: it is damaged"
        )
    # In memory there are the pixels as they are stored, and the image as float32.
    if claimed + 4 * pixels > machine_memory():
        raise too_large(origin)


def machine_memory() -> float:
    """The most bytes of memory that this process can have; infinite if the system doesn't say."""
    most = float("inf")
    with suppress(ValueError, OSError, AttributeError):
        most = float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(ValueError, OSError):  # The limit of a container, or "max".
        most = min(most, float(Path("/sys/fs/cgroup/memory.max").read_text()))
    return most


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether the error comes from an allocator: Python's, numpy's, torch's or the system's."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    said = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(words in said for words in _OUT_OF_MEMORY)
    )


def too_large(origin: str) -> TooLargeError:
    """The error for an image or file that memory can't hold."""
    return TooLargeError(f"{origin} is too large for the memory")


@contextmanager
def within_memory(origin: str) -> Iterator[None]:
    """Replaces the error of any allocator by one that names ``origin``.

    Raises:
        TooLargeError: If memory runs out.
    """
    try:
        yield
    except (MemoryError, RuntimeError, OSError) as error:
        if ran_out_of_memory(error):
            raise too_large(origin) from error
        raise


@contextmanager
def decoding(path: Path, kind: str) -> Iterator[None]:
    """Makes one sentence that names the file of whatever its decoder raises within the context.

    Args:
        path: The file.
        kind: What it should be, such as "an image".

    Raises:
        ValueError: If the decoder fails, or memory can't hold what it gives.
    """
    try:
        yield
    except Exception as error:  # Decoders fail in every way on damaged files.
        if isinstance(error, TooLargeError) or ran_out_of_memory(error):
            raise too_large(str(path)) from error
        reason = " ".join(str(error).split()) or type(error).__name__
        if type(error).__name__ == "DecompressionBombError":
            reason = "its decoder takes no image of so many pixels; save it as uncompressed TIFF"
        raise ValueError(f"{path} can't be read as {kind}: {reason}") from error
