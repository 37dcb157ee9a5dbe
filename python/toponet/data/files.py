"""Image files as arrays: one image or mask of a file, or all pages of a TIFF stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.reading import check_regular, check_size, decoding
from toponet.data.tiff import read_tiff, read_tiff_channels, read_whole_tiff


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
    pixels = _without_alpha(pixels, origin)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or pixels.size == 0:
        raise ValueError(
            f"{origin} must be one grey or RGB image, got shape {pixels.shape}; expected (H, W) or "
            "(H, W, 3)"
        )
    image = np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32)
    if not np.isfinite(image).all():
        raise ValueError(f"{origin} holds NaN or infinite values")
    return image


def as_mask(pixels: NDArray[Any], origin: str) -> NDArray[np.uint8]:
    """(H, W) uint8, 1 = structure, of two-valued pixels; ``origin`` names them in errors.

    Raises:
        ValueError: If there are other values than 0 and one of 1, 255, 65535.
    """
    pixels = as_grey(pixels, origin, "mask")
    values = np.unique(pixels)
    if not any(set(values.tolist()) <= {0, high} for high in (1, 255, 65535)):
        shown = ", ".join(map(str, values[:5])) + (", ..." if len(values) > 5 else "")
        raise ValueError(
            f"{origin} must hold 0 and one of 1, 255, 65535, got {shown}; if the structure is "
            f"{values[-1]}, save 255 * (label == {values[-1]})"
        )
    mask: NDArray[np.uint8] = (pixels != 0).astype(np.uint8)
    return mask


def as_instances(pixels: NDArray[Any], origin: str) -> NDArray[Any]:
    """(H, W) whole numbers, one for each instance; ``origin`` names them in errors.

    Raises:
        ValueError: If the pixels have colours or aren't of an integer type.
    """
    pixels = as_grey(pixels, origin, "label image")
    if pixels.dtype.kind not in "ui":
        raise ValueError(f"{origin} must hold whole numbers, got {pixels.dtype}")
    return pixels


def read_pixels(path: Path) -> NDArray[Any]:
    """The one image of a file, as shown: white is large, palettes are looked up.

    Of a TIFF file with pages that differ, the first one.

    Raises:
        ValueError: If the file isn't a regular one, no reader can make an image of it, memory can't
            hold it, or it holds several images or other than real numbers.
    """
    kind = FILE_FORMATS.get(path.suffix.lower(), OTHER_FORMAT)
    first, *others = _read(path, kind.read)
    if others:
        raise ValueError(
            f"{path} must be one image, got a stack of {1 + len(others)} pages of shape "
            f"{first.shape}"
        )
    page: NDArray[Any] = first
    return page


def read_pages(path: Path) -> NDArray[Any]:
    """(N, H, W) or (N, H, W, C) pixels of a stack; a file of one page is a stack of one.

    A file whose format has no stacks is read as TIFF, and refused with its reader's sentence.

    Raises:
        ValueError: As for :func:`read_pixels`, or if its pages differ in size or type.
    """
    return _read(path, FILE_FORMATS.get(path.suffix.lower(), _TIFF).read_stack or read_whole_tiff)


def read_series(path: Path) -> NDArray[Any]:
    """All pages of a file whose format has stacks, or else its one image as a series of one.

    Raises:
        ValueError: As for :func:`read_pixels`.
    """
    if FILE_FORMATS.get(path.suffix.lower(), OTHER_FORMAT).read_stack is not None:
        with suppress(ValueError):  # Beside the image there may be a thumbnail.
            return read_pages(path)
    return read_pixels(path)[None]


def read_channels(path: Path) -> tuple[NDArray[Any], str] | None:
    """Pixels with an axis of channels, which colours aren't, and a letter for each axis.

    None = the file has no such axis.

    Raises:
        ValueError: As for :func:`read_pages`.
    """
    if FILE_FORMATS.get(path.suffix.lower(), OTHER_FORMAT) is not _TIFF:
        return None
    check_regular(path)
    with decoding(path, "an image"):
        return read_tiff_channels(path)


def _read(path: Path, decode: Callable[[Path], NDArray[Any]]) -> NDArray[Any]:
    check_regular(path)
    with decoding(path, "an image"):
        pixels = decode(path)
    if pixels.dtype.kind not in "buif":
        raise ValueError(f"{path} must hold real numbers, got {pixels.dtype}")
    return pixels


def as_grey(pixels: NDArray[Any], origin: str, kind: str) -> NDArray[Any]:
    """(H, W) of pixels whose colours, if there are any, are all grey.

    Args:
        pixels: (H, W) or (H, W, C), with or without an opaque channel at the end.
        origin: Names them in errors.
        kind: What they should be, for errors.

    Raises:
        ValueError: If they have colours, are transparent or aren't one image.
    """
    pixels = _without_alpha(pixels, origin)
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        if (pixels[..., :1] != pixels[..., :3]).any():
            raise ValueError(
                f"{origin} must be one grey {kind}, got colours; save it as grey, one value a class"
            )
        pixels = pixels[..., 0]
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim != 2 or pixels.size == 0:
        raise ValueError(f"{origin} must be one grey {kind}, got shape {pixels.shape}")
    return pixels


def _without_alpha(pixels: NDArray[Any], origin: str) -> NDArray[Any]:
    """Grey or RGB, of which a last channel that is opaque everywhere is left out."""
    if pixels.ndim != 3 or pixels.shape[2] not in (2, 4):
        return pixels
    opaque = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "ui" else 1
    if (pixels[..., -1] != opaque).any():
        slices = pixels.shape[2]
        raise ValueError(
            f"{origin} has transparent pixels; expected grey or RGB. If it is a stack of {slices} "
            "slices, save it with photometric='minisblack'"
        )
    return pixels[..., :-1]


def _read_png(path: Path) -> NDArray[Any]:
    """(1, H, W) or (1, H, W, C)."""
    with path.open("rb") as file:
        header = file.read(26)
    bits, colour_type = header[24], header[25]
    # With several channels (RGB, grey and alpha, RGBA), of which Pillow drops the low bytes.
    if bits == 16 and colour_type in (2, 4, 6):
        import png

        with path.open("rb") as file:
            width, height, rows, info = png.Reader(file=file).read()
            check_size("the file", width * height * info["planes"], 2, path.stat().st_size)
            flat = np.vstack([np.asarray(row, dtype=np.uint16) for row in rows])
        return flat.reshape(1, height, width, info["planes"])
    return _read_other(path)


def _read_other(path: Path) -> NDArray[Any]:
    """(1, H, W) or (1, H, W, C) of what Pillow reads."""
    from PIL import Image

    with Image.open(path) as image:
        # JPEG has no fixed limit; its size says nothing.
        least = path.stat().st_size if path.suffix.lower() == ".png" else None
        check_size("the file", image.width * image.height, len(image.getbands()), least)
        frames = getattr(image, "n_frames", 1)
        if frames > 1 and image.format != "MPO":  # Cameras add a small second picture.
            raise ValueError(f"it holds {frames} frames; save one image a file")
        shown = image.convert("RGB") if image.mode in ("P", "CMYK") else image
        pixels: NDArray[Any] = np.asarray(shown)[None]
        return pixels


@dataclass(frozen=True)
class FileFormat:
    """One format of image files. Another one is a function and a line in :data:`FILE_FORMATS`.

    Attributes:
        name: As errors call it.
        read: Gives the pages of a file, (N, H, W) or (N, H, W, C), as shown: white is large. A file
            of one image gives N = 1. It calls ``check_size`` before it takes memory, and may raise
            anything on a damaged file.
        read_stack: Gives the pages of a stack likewise, or raises if they differ in size or type;
            None = the format has no stacks.
        lossy: Whether what was 0 and 255 comes back as 3 and 250, so that no mask can be kept.
    """

    name: str
    read: Callable[[Path], NDArray[Any]]
    read_stack: Callable[[Path], NDArray[Any]] | None = None
    lossy: bool = False


_TIFF = FileFormat("TIFF", read_tiff, read_stack=read_whole_tiff)
_JPEG = FileFormat("JPEG", _read_other, lossy=True)

# By suffix in lower case. A file of another suffix that somebody names is left to Pillow.
FILE_FORMATS: Mapping[str, FileFormat] = MappingProxyType(
    {
        ".png": FileFormat("PNG", _read_png),
        ".tif": _TIFF,
        ".tiff": _TIFF,
        ".jpg": _JPEG,
        ".jpeg": _JPEG,
        ".gif": FileFormat("GIF", _read_other),
        ".bmp": FileFormat("BMP", _read_other),
    }
)
OTHER_FORMAT = FileFormat("other", _read_other)
