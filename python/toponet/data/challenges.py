"""The official layouts of the paper's six data sets."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_choice, check_whole
from toponet.data.files import as_image, as_mask, read_pixels
from toponet.data.folder import paired_case
from toponet.data.pairing import check_partners, files_by_name
from toponet.data.samples import Case, Part, Truth, instance_truth
from toponet.data.volumes import hdf5_cases, hdf5_files, stack_cases

RAW, NEURON_IDS = "volumes/raw", "volumes/labels/neuron_ids"


def isbi12_cases(folder: Path) -> list[Case]:
    """``train-volume.tif`` and ``train-labels.tif``, where membrane is 0."""
    source = "of the ISBI 2012 EM segmentation challenge (imagej.net)"
    return _two_stacks(folder, source, ("train-volume.tif",), inverted_truth)


def isbi13_cases(folder: Path) -> list[Case]:
    """``train-volume.tif`` (or ``train-input.tif``) and ``train-labels.tif``, neuron ids."""
    source = "of the ISBI 2013 challenge SNEMI3D (snemi3d.grand-challenge.org)"
    return _two_stacks(folder, source, ("train-volume.tif", "train-input.tif"), instance_truth)


def cremi_cases(path: Path) -> list[Case]:
    """An HDF5 file with ``volumes/raw`` and ``volumes/labels/neuron_ids``, or a folder of them.

    Raises:
        ValueError: If there is no file or data set, or the file is a padded version.
    """
    expected = "expected sample_A_20160501.hdf or others of the CREMI challenge (cremi.org/data)"
    return [
        case
        for file in hdf5_files(path, expected)
        for case in hdf5_cases(file, RAW, NEURON_IDS, instance_truth)
    ]


def drive_cases(folder: Path, part: str = "training") -> list[Case]:
    """``images``, ``1st_manual`` and ``mask`` in ``training/`` (or ``test/``), paired by number.

    Raises:
        ValueError: If a folder or a partner is missing.
    """
    check_choice("part", part, ("training", "test"))
    expected = (
        f"expected {part}/images, {part}/1st_manual and {part}/mask of the data set DRIVE "
        "(drive.grand-challenge.org)"
    )

    def files(kind: str, *suffixes: str) -> dict[str, Path]:
        # 21_training.tif, 21_manual1.gif and 21_training_mask.gif belong together.
        return files_by_name(
            folder / part / kind, expected, suffixes, lambda path: path.stem.split("_")[0]
        )

    images, views = files("images", ".tif", ".tiff"), files("mask", ".gif")
    labels = files("1st_manual", ".gif")
    for other, kind in ((labels, "1st_manual"), (views, "mask")):
        check_partners(images, other, folder / part / kind)
        check_partners(other, images, folder / part / "images")
    return [paired_case(name, images[name], labels[name], views[name]) for name in images]


def cracktree_cases(folder: Path, dilation: int = 0) -> list[Case]:
    """All JPEG images in the folder, with the BMP or PNG file of the same name as ground truth.

    Args:
        folder: Searched with the folders in it.
        dilation: Pixels by which the one-pixel curves grow on each side.

    Raises:
        ValueError: If there is no such file, or a partner is missing.
    """
    check_whole("dilation", dilation, least=0)
    expected = "expected the images and ground truth of CrackTree (github.com/qinnzou/DeepCrack)"
    images = files_by_name(folder, expected, (".jpg", ".jpeg"), deep=True)
    labels = files_by_name(folder, expected, (".bmp", ".png"), deep=True)
    check_partners(images, labels, folder)
    check_partners(labels, images, folder)

    def curves(pixels: NDArray[Any], origin: str) -> NDArray[np.uint8]:
        return _dilated(_rarer(as_mask(pixels, origin)), dilation)

    return [paired_case(name, images[name], labels[name], truth=curves) for name in images]


def roads_cases(folder: Path, part: str = "train") -> list[Case]:
    """``sat`` and ``map`` in ``train/`` (or ``valid/``, ``test/``); white no-data isn't valid.

    Raises:
        ValueError: If a folder or a partner is missing.
    """
    check_choice("part", part, ("train", "valid", "test"))
    expected = (
        f"expected {part}/sat and {part}/map of the Massachusetts roads data set "
        "(www.cs.toronto.edu/~vmnih/data)"
    )
    images, labels = (
        files_by_name(folder / part / kind, expected, (".tif", ".tiff")) for kind in ("sat", "map")
    )
    check_partners(images, labels, folder / part / "map")
    check_partners(labels, images, folder / part / "sat")

    # An image is asked for once for itself and once for its pixels that count, one after the other.
    read = lru_cache(maxsize=1)(read_pixels)

    def with_data(path: Path) -> NDArray[np.uint8]:
        return _with_data(as_image(read(path), str(path)))

    return [
        Case(
            name,
            Part(str(path), partial(read, path)),
            Part.of_file(labels[name]),
            Part(str(path), partial(with_data, path)),
        )
        for name, path in images.items()
    ]


def _two_stacks(folder: Path, source: str, volumes: tuple[str, ...], truth: Truth) -> list[Case]:
    paths = [folder / name for name in volumes if (folder / name).is_file()]
    labels = folder / "train-labels.tif"
    for missing in ([] if paths else [folder / volumes[0]]) + [labels] * (not labels.is_file()):
        raise ValueError(
            f"{missing} is missing; expected {volumes[0]} and train-labels.tif {source}"
        )
    return stack_cases(paths[0], labels, truth)


def _rarer(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The curves, whether they are drawn in white or in black: they are the fewer pixels."""
    return 1 - mask if mask.mean() > 0.5 else mask


def _dilated(mask: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """A curve of one pixel gets a width of 2 radius + 1."""
    from skimage.morphology import dilation

    side = 2 * radius + 1
    wide: NDArray[np.uint8] = dilation(mask, np.ones((side, side), dtype=np.uint8))
    return wide


def inverted_truth(pixels: NDArray[Any], origin: str) -> NDArray[np.uint8]:
    """The structure is 0."""
    return 1 - as_mask(pixels, origin)


def _with_data(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """0 in white regions that reach the image's border, 1 elsewhere.

    The satellite images end inside some of their tiles. White roofs lie inside.
    """
    from skimage.segmentation import clear_border

    white = (image == 255).all(axis=0)
    no_data = white & ~clear_border(white)
    valid: NDArray[np.uint8] = (~no_data).astype(np.uint8)
    return valid
