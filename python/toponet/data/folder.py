"""Folders with ``images/`` and ``labels/`` or ``instances/``, paired by file name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toponet.data.files import as_image, as_instances, read_mask, read_pixels
from toponet.data.image_set import ImageSet
from toponet.data.instances import instance_borders
from toponet.data.pairing import (
    IMAGE_SUFFIXES,
    LABEL_SUFFIXES,
    check_partners,
    files_by_name,
    image_files,
    unused_in,
)
from toponet.data.samples import Case, Sample, collect, same_size


def load_folder(folder: str | Path, progress: Callable[[int, int], None] | None = None) -> ImageSet:
    """Reads all pairs of images and labels, sorted by name.

    Args:
        folder: Holds ``images/`` (8 or 16 bit or floating point, grey or RGB; PNG, TIFF, JPEG, GIF
            or BMP) and ``labels/`` (0 and one of 1, 255, 65535, which is the structure; not JPEG),
            paired by name without suffix; and ``valid/`` if some pixels don't count (likewise, 0 =
            doesn't count).
        progress: Called with (images read, images in all) after each pair.

    Raises:
        ValueError: If a folder or partner is missing, a file can't be read, sizes or channels
            differ, or a label has other values. The file is named.
    """
    return collect(folder_cases(Path(folder)), progress)


def folder_cases(folder: Path) -> list[Case]:
    """Pairs of ``images/`` and ``labels/``, with ``valid/`` where there is such a folder.

    Raises:
        ValueError: If a folder or partner is missing.
    """
    expected = "expected images/ and labels/ side by side"
    images = files_by_name(folder / "images", expected)
    labels = files_by_name(folder / "labels", expected, LABEL_SUFFIXES)
    check_partners(images, labels, folder / "labels")
    check_partners(labels, images, folder / "images")
    valid: dict[str, Path] = {}
    if (folder / "valid").is_dir():
        valid = files_by_name(folder / "valid", expected, LABEL_SUFFIXES)
        check_partners(images, valid, folder / "valid")
    return [
        Case(name, str(images[name]), masked(images[name], labels[name], valid.get(name)))
        for name in images
    ]


def instance_cases(folder: Path) -> list[Case]:
    """Pairs of ``images/`` and ``instances/``, whose borders are the structure.

    Raises:
        ValueError: If a folder or partner is missing.
    """
    expected = "expected images/ and instances/ side by side"
    images = files_by_name(folder / "images", expected)
    labels = files_by_name(folder / "instances", expected, LABEL_SUFFIXES)
    check_partners(images, labels, folder / "instances")
    check_partners(labels, images, folder / "images")

    def borders(path: Path) -> NDArray[np.uint8]:
        return instance_borders(as_instances(read_pixels(path), str(path)))

    return [
        Case(name, str(images[name]), masked(images[name], labels[name], read_truth=borders))
        for name in images
    ]


def unused_in_folder(folder: Path, labels: str = "labels") -> list[str]:
    """What :func:`folder_cases` or :func:`instance_cases` leaves out, in sentences.

    Args:
        folder: Of the data set.
        labels: "labels" or "instances".
    """
    names = {"images": IMAGE_SUFFIXES, labels: LABEL_SUFFIXES}
    if labels == "labels" and (folder / "valid").is_dir():
        names["valid"] = LABEL_SUFFIXES
    parts = {folder / name: suffixes for name, suffixes in names.items()}
    found = unused_in(folder, parts)
    for part, suffixes in parts.items():
        found += unused_in(part, image_files(part, "", suffixes))
    return found


def masked(
    image_path: Path,
    label_path: Path,
    valid_path: Path | None = None,
    read_truth: Callable[[Path], NDArray[np.uint8]] = read_mask,
) -> Callable[[], Sample]:
    """Reads image, truth and, where there is one, the mask of the pixels that count."""

    def read() -> Sample:
        pixels = read_pixels(image_path)
        image = as_image(pixels, str(image_path))
        mask = same_size(read_truth(label_path), image, str(label_path))
        valid = None
        if valid_path is not None:
            valid = same_size(read_mask(valid_path), image, str(valid_path))
        return Sample(image, mask, valid, pixels.dtype.name)

    return read
