"""Folders with ``images/`` and ``labels/`` or ``instances/``, paired by file name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from toponet.data.files import as_mask
from toponet.data.image_set import ImageSet
from toponet.data.pairing import (
    IMAGE_SUFFIXES,
    LABEL_SUFFIXES,
    bare_name,
    check_partners,
    files_by_name,
    image_files,
    image_stem,
    unused_in,
    without_partner,
)
from toponet.data.samples import Case, Part, Truth, collect, instance_truth

LABELS, INSTANCES = "labels", "instances"
LABEL_TRUTHS: Mapping[str, Truth] = {LABELS: as_mask, INSTANCES: instance_truth}


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


def folder_cases(
    folder: Path, labels: str = LABELS, problems: list[str] | None = None
) -> list[Case]:
    """Pairs of ``images/`` and ``labels/``, with ``valid/`` where there is such a folder.

    Args:
        folder: Of the data set.
        labels: "labels", or "instances", whose borders are the structure.
        problems: Gets a sentence for each file without partner or with a name that is there twice;
            None = such a file is an error.

    Raises:
        ValueError: If a folder is missing or empty, or a file is without partner.
    """
    expected = f"expected images/ and {labels}/ side by side"
    found: list[str] = []
    images = files_by_name(folder / "images", expected, problems=found)
    truths = files_by_name(folder / labels, expected, LABEL_SUFFIXES, problems=found)
    found += without_partner(images, truths, folder / labels)
    found += without_partner(truths, images, folder / "images")
    pairs = {name: path for name, path in images.items() if name in truths}
    valid = None
    if _has_valid(folder, labels):
        valid = files_by_name(folder / "valid", expected, LABEL_SUFFIXES, problems=found)
        found += without_partner(pairs, valid, folder / "valid")
    if problems is None and found:
        raise ValueError(found[0])
    if problems is not None:
        problems += found
    truth = LABEL_TRUTHS[labels]
    return [
        paired_case(name, path, truths[name], None if valid is None else valid[name], truth)
        for name, path in pairs.items()
        if valid is None or name in valid
    ]


def folder_truths(folder: Path, labels: str = LABELS) -> list[Case]:
    """Truths of ``labels/``, or of a folder that is nothing but labels; images may be missing.

    Labels and valid masks may have endings such as _label, which don't count for their names.

    Raises:
        ValueError: If there is no label, or one has no valid mask where others have one.
    """
    where = folder / labels if (folder / labels).is_dir() else folder
    truths = files_by_name(where, "expected masks", LABEL_SUFFIXES, _bare)
    valid = None
    if _has_valid(folder, labels):
        valid = files_by_name(folder / "valid", "expected masks", LABEL_SUFFIXES, _bare)
        check_partners(truths, valid, folder / "valid")
    images: dict[str, Path] = {}
    with suppress(ValueError):
        images = files_by_name(folder / "images", "")
    return [
        paired_case(
            image_stem(path),
            images.get(image_stem(path)),
            path,
            None if valid is None else valid[name],
            LABEL_TRUTHS[labels],
        )
        for name, path in truths.items()
    ]


def folder_images(folder: Path) -> list[Path]:
    """Files of ``images/``, or of a folder that is nothing but images; labels may be missing.

    Raises:
        ValueError: If there is no image.
    """
    return image_files(_images_of(folder), "expected images")


def unused_in_folder(folder: Path, labels: str = LABELS) -> list[str]:
    """What :func:`folder_cases` leaves out, in sentences."""
    names = {"images": IMAGE_SUFFIXES, labels: LABEL_SUFFIXES}
    if _has_valid(folder, labels):
        names["valid"] = LABEL_SUFFIXES
    parts = {folder / name: suffixes for name, suffixes in names.items()}
    found = unused_in(folder, parts)
    for part, suffixes in parts.items():
        found += unused_in(part, image_files(part, "", suffixes))
    return found


def unused_by_truths(cases: Iterable[Case]) -> list[str]:
    """What lies beside the files of these truths, in sentences."""
    parts = [part for case in cases for part in (case.label, case.valid)]
    files = [part.file for part in parts if part is not None and part.file is not None]
    folders = sorted({file.parent for file in files})
    return [sentence for folder in folders for sentence in unused_in(folder, files)]


def unused_by_images(folder: Path) -> list[str]:
    """What :func:`folder_images` leaves out, in sentences."""
    where = _images_of(folder)
    found = unused_in(folder, [where]) if where != folder else []
    return found + unused_in(where, folder_images(folder))


def paired_case(
    name: str, image: Path | None, label: Path, valid: Path | None = None, truth: Truth = as_mask
) -> Case:
    """A case whose parts are files of their own."""
    image_part = None if image is None else Part.of_file(image)
    valid_part = None if valid is None else Part.of_file(valid)
    return Case(name, image_part, Part.of_file(label), valid_part, truth)


def _images_of(folder: Path) -> Path:
    return folder / "images" if (folder / "images").is_dir() else folder


def _has_valid(folder: Path, labels: str) -> bool:
    return labels == LABELS and (folder / "valid").is_dir()


def _bare(path: Path) -> str:
    return bare_name(image_stem(path))
