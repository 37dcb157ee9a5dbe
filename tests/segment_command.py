"""Likelihoods as other programs write them, and toponet-segment on them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from toponet.cli import segment as cli

SHAPE = (24, 31)


def likelihood(seed: int = 0, shape: tuple[int, int] = SHAPE) -> NDArray[np.float32]:
    """Smooth noise, in which there is something weak for every option."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(0, 1, shape), 0.8)
    values: NDArray[np.float32] = (1 / (1 + np.exp(-4 * noise))).astype(np.float32)
    return values


def tiff(path: Path, array: NDArray[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, array, photometric="minisblack")
    return path


def npy(path: Path, array: NDArray[np.float32]) -> Path:
    np.save(path, array)
    return path


def npz(path: Path, structure: NDArray[np.float32]) -> Path:
    """The softmax of two classes, as nnU-Net saves it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, probabilities=np.stack([1 - structure, structure]))
    return path


def ilastik(path: Path, structure: NDArray[np.float32]) -> Path:
    """Two classes, channels last, as ilastik exports them."""
    axes = "zyxc" if structure.ndim == 3 else "yxc"
    with h5py.File(path, "w") as file:
        file["exported_data"] = np.stack([structure, 1 - structure], axis=-1)
        tags = {"axes": [{"key": key, "typeFlags": 2} for key in axes]}
        file["exported_data"].attrs["axistags"] = json.dumps(tags)
    return path


def segment(*arguments: str | Path, code: int = 0) -> None:
    assert cli.main([str(a) for a in arguments]) == code


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line on stderr; the command fails with exit code 2."""
    capsys.readouterr()
    segment(*arguments, code=2)
    error = capsys.readouterr().err
    assert error.startswith("toponet-segment: ")
    assert error.count("\n") == 1
    return error


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"predict.json", "report.html"}


def mask(path: Path) -> NDArray[np.bool_]:
    pixels = tifffile.imread(path) if path.suffix == ".tif" else np.asarray(Image.open(path))
    assert set(np.unique(pixels)) <= {0, 255}
    found: NDArray[np.bool_] = pixels != 0
    return found


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))
