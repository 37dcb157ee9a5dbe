"""Tiny files in the official layouts; each writer returns what names them: NAME:PATH."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from toponet.data import synthetic_membranes

RNG = np.random.default_rng(0)
VOLUME = RNG.integers(0, 200, (3, 7, 9), dtype=np.uint8)
COLOURS = RNG.integers(0, 200, (3, 7, 9, 3), dtype=np.uint8)
MASKS = RNG.integers(0, 2, (3, 7, 9), dtype=np.uint8)
IDS = np.ones((3, 7, 9), np.uint64)
IDS[:, :, 4:] = 2**40
BORDERS = np.zeros((7, 9))
BORDERS[:, 3:5] = 1


def membrane_folder(path: Path, size: tuple[int, int]) -> Path:
    """Three synthetic images with their labels."""
    data = synthetic_membranes(3, size)
    for name, image, mask in zip(data.names, data.images, data.masks, strict=True):
        save(path / "images" / f"{name}.png", (image[0].clip(0, 1) * 255).astype(np.uint8))
        save(path / "labels" / f"{name}.png", mask * 255)
    return path


def save(path: Path, pixels: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".tif", ".tiff"):
        tifffile.imwrite(path, pixels, photometric="rgb" if pixels.shape[-1] == 3 else "minisblack")
    else:
        Image.fromarray(pixels).save(path)


def save_hdf5(path: Path, **volumes: NDArray[Any]) -> None:
    with h5py.File(path, "w") as file:
        for name, volume in volumes.items():
            file[name.replace("__", "/")] = volume


def isbi12(folder: Path) -> str:
    save(folder / "train-volume.tif", VOLUME)
    save(folder / "train-labels.tif", 255 * MASKS)
    return f"isbi12:{folder}"


def isbi13(folder: Path) -> str:
    save(folder / "train-volume.tif", VOLUME)
    save(folder / "train-labels.tif", np.minimum(IDS, 70_000).astype(np.uint32))
    return f"isbi13:{folder}"


def cremi(folder: Path) -> str:
    path = folder / "sample_A_20160501.hdf"
    save_hdf5(path, volumes__raw=VOLUME, volumes__labels__neuron_ids=IDS)
    return f"cremi:{path}"


def drive(folder: Path, part: str = "training") -> str:
    for number in ("21", "22"):
        view = np.full((7, 9), 255, np.uint8)
        view[:, 0] = 0
        save(folder / part / "images" / f"{number}_{part}.tif", COLOURS[0])
        save(folder / part / "1st_manual" / f"{number}_manual1.gif", 255 * MASKS[0])
        save(folder / part / "mask" / f"{number}_{part}_mask.gif", view)
    return f"drive:{folder}"


def cracktree(folder: Path) -> str:
    curve = np.zeros((7, 9), np.uint8)
    curve[3] = 255
    save(folder / "image" / "6192.jpg", COLOURS[0])
    save(folder / "gt" / "6192.bmp", curve)
    save(folder / "image" / "6193.jpg", COLOURS[1])
    save(folder / "gt" / "6193.png", 255 - curve)
    return f"cracktree:{folder}"


def roads(folder: Path, part: str = "train") -> str:
    sat = COLOURS[0].copy()
    sat[:2, :4] = 255  # No data.
    sat[4:6, 4:6] = 255  # A roof.
    save(folder / part / "sat" / "10078660_15.tiff", sat)
    save(folder / part / "map" / "10078660_15.tif", 255 * MASKS[0])
    return f"roads:{folder}"


def stack(folder: Path) -> str:
    save(folder / "images.tif", COLOURS)
    save(folder / "labels.tif", MASKS)
    return f"stack:{folder / 'images.tif'},{folder / 'labels.tif'}"


def hdf5(folder: Path) -> str:
    save_hdf5(folder / "data.h5", raw=VOLUME, labels__mine=MASKS)
    return f"hdf5:{folder / 'data.h5'},raw,labels/mine"


def truncate(path: Path, share: float = 0.6) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


def unlike_pages(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        for page in (VOLUME[0], VOLUME[1, :5]):
            writer.write(page)
