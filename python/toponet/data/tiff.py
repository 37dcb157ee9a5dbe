"""TIFF files as arrays, in the grey values that they mean."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.reading import check_size

if TYPE_CHECKING:
    import tifffile
    from PIL import Image

# Following a chain of directories takes a tenth of a millisecond each, and arrays of them more.
MOST_PAGES = 20_000


def read_tiff(path: Path, whole: bool = False) -> NDArray[Any]:
    """(N, H, W) or (N, H, W, C); of unlike pages those like the first, or if ``whole`` none.

    Raises:
        ValueError: If it can't be read, memory can't hold it, or its colours aren't grey or RGB.
    """
    import tifffile

    with _complaints_as_errors(), tifffile.TiffFile(path) as file:
        if len(file.pages) > MOST_PAGES:
            raise ValueError(f"it has {len(file.pages)} pages; at most {MOST_PAGES} are read")
        first = file.series[0].shape, file.series[0].dtype
        alike = [series for series in file.series if (series.shape, series.dtype) == first]
        if whole and len(alike) < len(file.series):
            raise ValueError("its pages differ in size or type")
        for series in alike:
            _check_axes(series)
            _check_colours(series.keyframe)
        bits = file.pages.first.bitspersample
        size = path.stat().st_size
        check_size("the file", sum(series.size for series in alike), bits / 8, size)
        # Some compressions, such as LZW and Zstandard, tifffile leaves to other packages.
        with suppress(ValueError, ImportError):
            return np.concatenate([_as_pages(series) for series in alike])
        page = file.pages.first
    return _read_by_pillow(path, page)


def read_whole_tiff(path: Path) -> NDArray[Any]:
    """:func:`read_tiff` of all pages, which must be alike."""
    return read_tiff(path, whole=True)


def read_tiff_channels(path: Path) -> tuple[NDArray[Any], str] | None:
    """Pixels with an axis of channels, and a letter for each axis; None = there is no such axis.

    Raises:
        ValueError: As for :func:`read_tiff`, or if the pages differ in size or type.
    """
    import tifffile

    with _complaints_as_errors(), tifffile.TiffFile(path) as file:
        series = file.series[0]
        if _channels(series) == 1:
            return None
        if len(file.series) > 1:
            raise ValueError("its pages differ in size or type")
        _check_colours(series.keyframe)
        check_size("the file", series.size, series.dtype.itemsize, path.stat().st_size)
        # Q and I are tifffile's letters for pages of unknown meaning.
        return _grey_values(series), series.axes.lower().translate({ord("q"): "z", ord("i"): "z"})


def _check_axes(series: tifffile.TiffPageSeries) -> None:
    """Refuses several channels, since it is unknown whether they are colours or slices.

    Microscopes write colours so; tifffile calls the slices of a volume channels in its files for
    ImageJ. Each would be read as the other somewhere.
    """
    channels = _channels(series)
    if channels > 1:
        raise ValueError(
            f"it has {channels} channels (axis C); save colours as RGB, and slices as axis Z"
        )


def _channels(series: tifffile.TiffPageSeries) -> int:
    return dict(zip(series.axes, series.shape, strict=True)).get("C", 1)


def _check_colours(page: tifffile.TiffPage) -> None:
    """Refuses what would be taken for grey or RGB without being it."""
    import tifffile

    kind = page.photometric
    if kind == tifffile.PHOTOMETRIC.PALETTE:
        raise ValueError("palette TIFF files are not supported; save it as grey or RGB")
    # YCbCr is what JPEG inside TIFF is called; its decoder, Pillow, makes RGB of it.
    jpeg = kind == tifffile.PHOTOMETRIC.YCBCR and page.compression in (6, 7)
    plain = (
        tifffile.PHOTOMETRIC.MINISWHITE,
        tifffile.PHOTOMETRIC.MINISBLACK,
        tifffile.PHOTOMETRIC.RGB,
    )
    if kind not in plain and not jpeg:
        raise ValueError(f"its colours are {_name(kind)}; save it as grey or RGB")


def _bits_as_given(page: tifffile.TiffPage) -> bool:
    """Whether a page's bits are a mask that somebody handed to tifffile.

    tifffile calls masks of ``bool`` "white is zero", but stores and reads them as they are given:
    True is 1. Whatever else says "white is zero" means it.
    """
    return page.bitspersample == 1 and (page.is_shaped or page.software.startswith("tifffile"))


def _white_is_large(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    """Stored grey values whose 0 is white, turned over."""
    if pixels.dtype.kind == "b":
        return ~pixels
    if pixels.dtype.kind not in "ui":
        raise ValueError(f"white can't be zero in {pixels.dtype}; save it with black as zero")
    # Of 4 or 12 bit only the lower ones of a pixel are used.
    ones = 2**bits - 1 if pixels.dtype.kind == "u" else -1
    turned: NDArray[Any] = pixels ^ pixels.dtype.type(ones)
    return turned


def _as_pages(series: tifffile.TiffPageSeries) -> NDArray[Any]:
    """Whatever the file calls its axes: pages, then rows and columns, then colours."""
    pixels = _grey_values(series)
    last = [series.axes.index(axis) for axis in "YXS" if axis in series.axes]
    pixels = np.moveaxis(pixels, last, range(-len(last), 0))
    return pixels.reshape(-1, *pixels.shape[pixels.ndim - len(last) :])


def _grey_values(series: tifffile.TiffPageSeries) -> NDArray[Any]:
    """All pixels of a series, with white large."""
    import tifffile

    page = series.keyframe
    pixels = np.asarray(series.asarray())
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and not _bits_as_given(page):
        return _white_is_large(pixels, page.bitspersample)
    return pixels


def _read_by_pillow(path: Path, first: tifffile.TiffPage) -> NDArray[Any]:
    from PIL import Image, ImageSequence

    as_given = _bits_as_given(first)
    try:
        with Image.open(path) as image:
            return np.stack([_shown_page(page, as_given) for page in ImageSequence.Iterator(image)])
    except OSError as error:
        if first.compression == 1:
            raise
        raise ValueError(
            f"its compression ({_name(first.compression)}) can't be read; pip install imagecodecs, "
            f"or save it without compression: {error}"
        ) from None


def _name(kind: int) -> str:
    """Of one of tifffile's kinds of compression or colour, or its number."""
    return str(getattr(kind, "name", kind))


def _shown_page(page: Image.Image, bits_as_given: bool) -> NDArray[Any]:
    """Pillow turns "white is zero" over for 1 and 8 bit, but not for 16."""
    from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION

    tags = page.tag_v2  # type: ignore[attr-defined]
    pixels = np.asarray(page.convert("RGB") if page.mode == "YCbCr" else page)
    if tags.get(PHOTOMETRIC_INTERPRETATION) == 0:
        if bits_as_given and page.mode == "1":
            return ~pixels
        if page.mode not in ("1", "L"):
            return _white_is_large(pixels, tags[BITSPERSAMPLE][0])
    return pixels


@contextmanager
def _complaints_as_errors() -> Iterator[None]:
    """Raises what tifffile only logs about a file that was cut off: it leaves out the pages."""
    import tifffile

    complaints: list[str] = []

    def note(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        # Complaints about a single tag are harmless.
        if message.startswith(("<tifffile.TiffFile", "<tifffile.TiffPages")):
            complaints.append(message.partition("> ")[2])
        return False

    logger = tifffile.logger()
    logger.addFilter(note)
    try:
        yield
    except Exception:  # What follows from the damage says less than the complaint.
        if not complaints:
            raise
    finally:
        logger.removeFilter(note)
    if complaints:
        raise ValueError(f"the file is damaged or incomplete ({complaints[0]})")
