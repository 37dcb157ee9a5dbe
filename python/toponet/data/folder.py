"""A folder with ``images/`` and ``labels/``: PNG or TIFF, paired by file name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet.data.image_set import ImageSet

SUFFIXES = (".png", ".tif", ".tiff")


def load_folder(folder: str | Path, progress: Callable[[int, int], None] | None = None) -> ImageSet:
    """Reads all pairs of images and labels, sorted by name.

    Args:
        folder: Holds ``images/`` (8 or 16 bit or floating point, grey or RGB) and ``labels/`` (two
            values, the larger one = structure; 0/1, 0/255 or 0/65535), paired by name without
            suffix.
        progress: Called with (images read, images in all) after each pair.

    Raises:
        ValueError: If a folder or partner is missing, a file can't be read, sizes or channels
            differ, or a label has other values. The file is named.
    """
    folder = Path(folder)
    images, labels = _files(folder / "images"), _files(folder / "labels")
    for here, there, name in ((images, labels, "labels"), (labels, images, "images")):
        lonely = sorted(set(here) - set(there))
        if lonely:
            raise ValueError(f"{here[lonely[0]]} has no partner of that name in {folder / name}")
    names = sorted(images)
    pairs: list[tuple[NDArray[np.float32], NDArray[np.uint8]]] = []
    for count, name in enumerate(names, start=1):
        image, mask = read_image(images[name]), read_mask(labels[name])
        if image.shape[1:] != mask.shape:
            raise ValueError(
                f"{labels[name]} has {mask.shape[0]} x {mask.shape[1]} pixels, its image "
                f"{image.shape[1]} x {image.shape[2]}"
            )
        if pairs and len(image) != len(pairs[0][0]):
            raise ValueError(
                f"{images[name]} has {len(image)} channel(s), {images[names[0]]} has "
                f"{len(pairs[0][0])}"
            )
        pairs.append((image, mask))
        if progress is not None:
            progress(count, len(names))
    return ImageSet(tuple(names), tuple(p[0] for p in pairs), tuple(p[1] for p in pairs))


def read_image(path: Path) -> NDArray[np.float32]:
    """(C, H, W) float32, in the file's own grey values; C is 1 or 3.

    Raises:
        ValueError: If the file isn't a grey or RGB image, or holds NaN or infinite values.
    """
    pixels = _read(path)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        opaque = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "ui" else 1
        if (pixels[..., 3] != opaque).any():
            raise ValueError(f"{path} has transparent pixels; expected grey or RGB")
        pixels = pixels[..., :3]
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or pixels.size == 0:
        raise ValueError(f"{path} must be one grey or RGB image, got shape {pixels.shape}")
    image = np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32)
    if not np.isfinite(image).all():
        raise ValueError(f"{path} holds NaN or infinite values")
    return image


def read_mask(path: Path) -> NDArray[np.uint8]:
    """(H, W) uint8, 1 = structure.

    Raises:
        ValueError: If the file holds other values than 0 and one of 1, 255, 65535.
    """
    pixels = _read(path)
    if pixels.ndim == 3 and pixels.shape[2] in (3, 4):
        if (pixels[..., :1] != pixels[..., :3]).any():
            raise ValueError(f"{path} must be one grey mask, got colours")
        pixels = pixels[..., 0]
    if pixels.ndim != 2 or pixels.size == 0:
        raise ValueError(f"{path} must be one grey mask, got shape {pixels.shape}")
    values = np.unique(pixels)
    if not any(set(values.tolist()) <= {0, high} for high in (1, 255, 65535)):
        shown = ", ".join(map(str, values[:5])) + (", ..." if len(values) > 5 else "")
        raise ValueError(f"{path} must hold 0 and one of 1, 255, 65535, got {shown}")
    mask: NDArray[np.uint8] = (pixels != 0).astype(np.uint8)
    return mask


def _files(folder: Path) -> dict[str, Path]:
    """Image files by name without suffix."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; expected images/ and labels/ side by side")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in files:
            raise ValueError(f"{path} and {files[path.stem]} have the same name")
        files[path.stem] = path
    if not files:
        raise ValueError(f"{folder} holds no PNG or TIFF file")
    return files


def _read(path: Path) -> NDArray[Any]:
    """The file's pixels as shown: white is large, palettes are looked up.

    Raises:
        ValueError: If no reader can make an image of the file, or it holds other than real numbers.
    """
    try:
        pixels = _read_png(path) if path.suffix.lower() == ".png" else _read_tiff(path)
    except Exception as error:  # Decoders fail in every way on damaged files.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path} can't be read as an image: {reason}") from error
    if pixels.dtype.kind not in "buif":
        raise ValueError(f"{path} must hold real numbers, got {pixels.dtype}")
    return pixels


def _read_png(path: Path) -> NDArray[Any]:
    from PIL import Image

    header = path.read_bytes()[:26]
    bits, colour_type = header[24], header[25]
    if bits == 16 and colour_type in (2, 6):  # RGB and RGBA, of which Pillow drops the low bytes.
        import png

        with path.open("rb") as file:
            width, height, rows, info = png.Reader(file=file).read()
            flat = np.vstack([np.asarray(row, dtype=np.uint16) for row in rows])
        return flat.reshape(height, width, info["planes"])
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB") if image.mode == "P" else image)


def _read_tiff(path: Path) -> NDArray[Any]:
    import tifffile
    from PIL import Image

    with tifffile.TiffFile(path) as file:
        photometric = file.pages.first.photometric
        try:
            pixels = np.asarray(file.asarray())
        except ValueError:  # A compression that tifffile leaves to other packages, such as LZW.
            with Image.open(path) as image:
                return np.asarray(image.convert("RGB") if image.mode == "P" else image)
    if photometric == tifffile.PHOTOMETRIC.PALETTE:
        raise ValueError("palette TIFF files are not supported; save it as grey or RGB")
    if photometric == tifffile.PHOTOMETRIC.MINISWHITE and pixels.dtype.kind in "bu":
        return ~pixels
    return pixels
