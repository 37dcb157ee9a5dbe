"""Image files as arrays: one image or mask of a file, or all pages of a TIFF stack."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import tifffile
    from PIL import Image

SUFFIXES = (".png", ".tif", ".tiff")


def read_image(path: Path) -> NDArray[np.float32]:
    """(C, H, W) float32, in the file's own grey values; C is 1 or 3.

    Raises:
        ValueError: If the file isn't a grey or RGB image, or holds NaN or infinite values.
    """
    return as_image(read_pixels(path), str(path))


def read_mask(path: Path) -> NDArray[np.uint8]:
    """(H, W) uint8, 1 = structure.

    Raises:
        ValueError: If the file holds other values than 0 and one of 1, 255, 65535.
    """
    return as_mask(read_pixels(path), str(path))


def as_image(pixels: NDArray[Any], origin: str) -> NDArray[np.float32]:
    """(C, H, W) float32 of (H, W) or (H, W, C) pixels; ``origin`` names them in errors.

    Raises:
        ValueError: If the pixels aren't a grey or RGB image, or are NaN or infinite.
    """
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        opaque = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "ui" else 1
        if (pixels[..., 3] != opaque).any():
            raise ValueError(f"{origin} has transparent pixels; expected grey or RGB")
        pixels = pixels[..., :3]
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or pixels.size == 0:
        raise ValueError(f"{origin} must be one grey or RGB image, got shape {pixels.shape}")
    image = np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32)
    if not np.isfinite(image).all():
        raise ValueError(f"{origin} holds NaN or infinite values")
    return image


def as_mask(pixels: NDArray[Any], origin: str) -> NDArray[np.uint8]:
    """(H, W) uint8, 1 = structure, of two-valued pixels; ``origin`` names them in errors.

    Raises:
        ValueError: If there are other values than 0 and one of 1, 255, 65535.
    """
    pixels = _one_channel(pixels, origin, "mask")
    values = np.unique(pixels)
    if not any(set(values.tolist()) <= {0, high} for high in (1, 255, 65535)):
        shown = ", ".join(map(str, values[:5])) + (", ..." if len(values) > 5 else "")
        raise ValueError(f"{origin} must hold 0 and one of 1, 255, 65535, got {shown}")
    mask: NDArray[np.uint8] = (pixels != 0).astype(np.uint8)
    return mask


def as_instances(pixels: NDArray[Any], origin: str) -> NDArray[Any]:
    """(H, W) whole numbers, one for each instance; ``origin`` names them in errors.

    Raises:
        ValueError: If the pixels have colours or aren't of an integer type.
    """
    pixels = _one_channel(pixels, origin, "label image")
    if pixels.dtype.kind not in "ui":
        raise ValueError(f"{origin} must hold whole numbers, got {pixels.dtype}")
    return pixels


def read_pixels(path: Path) -> NDArray[Any]:
    """The file's pixels as shown: white is large, palettes are looked up.

    Raises:
        ValueError: If no reader can make an image of the file, or it holds other than real numbers.
    """
    try:
        match path.suffix.lower():
            case ".png":
                pixels = _read_png(path)
            case ".tif" | ".tiff":
                pages = _read_tiff(path)
                pixels = pages[0] if len(pages) == 1 else pages
            case _:
                pixels = _read_other(path)
    except Exception as error:  # Decoders fail in every way on damaged files.
        raise _unreadable(path, error) from error
    return _real(pixels, path)


def read_pages(path: Path) -> NDArray[Any]:
    """(N, H, W) or (N, H, W, C) pixels of a TIFF stack; a file of one page is a stack of one.

    Raises:
        ValueError: If the file can't be read as TIFF, its pages differ in size or type, or it
            holds other than real numbers.
    """
    try:
        pages = _read_tiff(path, whole=True)
    except Exception as error:  # As above.
        raise _unreadable(path, error) from error
    return _real(pages, path)


def _one_channel(pixels: NDArray[Any], origin: str, kind: str) -> NDArray[Any]:
    if pixels.ndim == 3 and pixels.shape[2] in (3, 4):
        if (pixels[..., :1] != pixels[..., :3]).any():
            raise ValueError(f"{origin} must be one grey {kind}, got colours")
        pixels = pixels[..., 0]
    if pixels.ndim != 2 or pixels.size == 0:
        raise ValueError(f"{origin} must be one grey {kind}, got shape {pixels.shape}")
    return pixels


def _unreadable(path: Path, error: Exception) -> ValueError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return ValueError(f"{path} can't be read as an image: {reason}")


def _real(pixels: NDArray[Any], path: Path) -> NDArray[Any]:
    if pixels.dtype.kind not in "buif":
        raise ValueError(f"{path} must hold real numbers, got {pixels.dtype}")
    return pixels


def _read_png(path: Path) -> NDArray[Any]:
    header = path.read_bytes()[:26]
    bits, colour_type = header[24], header[25]
    if bits == 16 and colour_type in (2, 6):  # RGB and RGBA, of which Pillow drops the low bytes.
        import png

        with path.open("rb") as file:
            width, height, rows, info = png.Reader(file=file).read()
            flat = np.vstack([np.asarray(row, dtype=np.uint16) for row in rows])
        return flat.reshape(height, width, info["planes"])
    return _read_other(path)


def _read_other(path: Path) -> NDArray[Any]:
    from PIL import Image

    with Image.open(path) as image:
        return _shown(image)


def _shown(image: Image.Image) -> NDArray[Any]:
    return np.asarray(image.convert("RGB") if image.mode in ("P", "CMYK") else image)


def _read_tiff(path: Path, whole: bool = False) -> NDArray[Any]:
    """(N, H, W) or (N, H, W, C); of unlike pages those like the first, or if ``whole`` none."""
    import tifffile
    from PIL import Image, ImageSequence

    pages: NDArray[Any] | None = None
    with _complaints_as_errors(), tifffile.TiffFile(path) as file:
        photometric = file.pages.first.photometric
        first = file.series[0].shape, file.series[0].dtype
        alike = [series for series in file.series if (series.shape, series.dtype) == first]
        if whole and len(alike) < len(file.series):
            raise ValueError("its pages differ in size or type")
        # Some compressions, such as LZW, tifffile leaves to other packages.
        with suppress(ValueError):
            pages = np.concatenate([_as_pages(series) for series in alike])
    if pages is None:
        with Image.open(path) as image:
            return np.stack([_shown(page) for page in ImageSequence.Iterator(image)])
    if photometric == tifffile.PHOTOMETRIC.PALETTE:
        raise ValueError("palette TIFF files are not supported; save it as grey or RGB")
    if photometric == tifffile.PHOTOMETRIC.MINISWHITE and pages.dtype.kind in "bu":
        return ~pages
    return pages


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


def _as_pages(series: tifffile.TiffPageSeries) -> NDArray[Any]:
    """Whatever the file calls its axes: pages, then rows and columns, then colours."""
    pixels = np.asarray(series.asarray())
    last = [series.axes.index(axis) for axis in "YXS" if axis in series.axes]
    pixels = np.moveaxis(pixels, last, range(-len(last), 0))
    return pixels.reshape(-1, *pixels.shape[pixels.ndim - len(last) :])
