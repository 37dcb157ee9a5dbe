"""Likelihoods of any tool: files and folders of them, read as series of probabilities."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_choice, check_number, check_whole
from toponet.data.arrays import ARRAY_FORMATS, open_array
from toponet.data.axes import AxisArray, Channels, check_channel, named_axes
from toponet.data.files import as_grey
from toponet.data.likelihood_values import LOGITS, SOFTMAX, conversion_of
from toponet.data.pairing import (
    LABEL_SUFFIXES,
    bare_name,
    image_files,
    image_stem,
    same_name,
    unused_in,
)
from toponet.data.series import Pages, Series
from toponet.data.volumes import volume_of

# As toponet-predict and ilastik call their files.
_ENDING = re.compile(r"(?<=.)_(likelihood|probabilities)$", re.IGNORECASE)
# What toponet-predict and toponet-segment write besides.
_NO_LIKELIHOODS = ("_mask", "_cells", "_overlay", "_label")


@dataclass(frozen=True)
class Reading:
    """How files of likelihoods are read, where they don't say so themselves.

    Attributes:
        channel: The channel of the structure, from 0; None = there is one only.
        dataset: The data set of HDF5 files, or the key of NPZ files; None = there is one only.
        axes: A letter for each axis: t, z, y, x, c; None = as the files say, or as is usual.
        scale: What stands for 1; None = as types say: 1, or in whole numbers 255 or 65535.
        logits: "sigmoid" or "softmax" if the files hold logits; None = they don't.

    Raises:
        TypeError: If a number is none.
        ValueError: If one of them can't be used.
    """

    channel: int | None = None
    dataset: str | None = None
    axes: str | None = None
    scale: float | None = None
    logits: str | None = None

    def __post_init__(self) -> None:
        """Checks them."""
        if self.channel is not None:
            check_whole("channel", self.channel, least=0)
        if self.scale is not None and not check_number("scale", self.scale) > 0:
            raise ValueError(f"scale must be above 0, got {self.scale}")
        if self.logits is not None:
            check_choice("logits", self.logits, LOGITS)
        if self.scale is not None and self.logits is not None:
            raise ValueError("scale must be left out with --logits: logits have no scale")


@dataclass(frozen=True)
class LikelihoodPages(Pages):
    """Pages of probabilities, (1, H, W) each.

    Attributes:
        words: How the file's own values became probabilities; "" = they were ones.
    """

    words: str = ""


def open_likelihoods(spec: str, reading: Reading) -> list[Series]:
    """Finds the likelihoods that a path names: a file, FILE.h5:DATASET, or a folder of files.

    Of a folder that holds arrays (NPY, NPZ, HDF5), images aren't read: tools put label maps and the
    images themselves there. If files end in _likelihood or _probabilities, others aren't read.

    Args:
        spec: The path.
        reading: How they are read.

    Raises:
        ValueError: If there is no such file, or two files of a folder have the same name.
    """
    path = Path(spec).expanduser()
    if path.is_dir():
        return _of_folder(path, reading)
    volume = volume_of(spec)
    if volume is not None and not path.exists():
        file, dataset = volume
        return [_series(file, reading, dataset)]
    if not path.exists():
        raise ValueError(f"{path} does not exist")
    return [_series(path, reading)]


def unused_likelihoods(spec: str) -> list[str]:
    """What lies in the folder that ``spec`` names but isn't read, counted and named."""
    path = Path(spec).expanduser()
    return unused_in(path, _files(path)) if path.is_dir() else []


def likelihood_name(path: Path) -> str:
    """What a likelihood and its label have in common."""
    return bare_name(_ENDING.sub("", image_stem(path)))


def _of_folder(folder: Path, reading: Reading) -> list[Series]:
    found: dict[str, Series] = {}
    for path in _files(folder):
        series = _series(path, reading)
        if series.name in found:
            raise ValueError(same_name(path, found[series.name].origin))
        found[series.name] = series
    return list(found.values())


def _files(folder: Path) -> list[Path]:
    arrays = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in ARRAY_FORMATS and not path.name.startswith(".")
    )
    files = arrays or image_files(folder, "expected likelihoods", LABEL_SUFFIXES)
    files = [path for path in files if not image_stem(path).endswith(_NO_LIKELIHOODS)]
    named = [path for path in files if _ENDING.search(image_stem(path))]
    if not files:
        raise ValueError(f"{folder} holds masks, cells and overlays, and no likelihood")
    return named or files


def _series(path: Path, reading: Reading, dataset: str | None = None) -> Series:
    def look() -> LikelihoodPages:
        return _look(path, reading, dataset or reading.dataset)

    origin = str(path) if dataset is None else f"{path}:{dataset}"
    return Series(likelihood_name(path), origin, look, file=path)


def _look(path: Path, reading: Reading, dataset: str | None) -> LikelihoodPages:
    array = open_array(path, dataset)
    axes = named_axes(array, reading.axes, reading.channel)
    channel, channels = _channels(array, axes, reading)

    def raw(i: int) -> NDArray[Any]:
        pixels = channels.page(i)
        if channel is not None or pixels.ndim == 2:
            return pixels
        page = f", page {i + 1}" if channels.count > 1 else ""
        return as_grey(pixels, array.origin + page, "likelihood")

    conversion = conversion_of(
        map(raw, range(channels.count)), array.dtype, array.origin, reading.scale, reading.logits,
        channel,
    )  # fmt: skip
    assumed = reading.axes is None and array.axes is None and len(axes) > 2
    words = [f"axes read as {axes}"] * assumed + [conversion.words or ""]

    def read(i: int) -> NDArray[np.float32]:
        return conversion.apply(raw(i))[None]

    return LikelihoodPages(
        read, channels.count, channels.count > 1, array.dtype.name, ", ".join(filter(None, words))
    )


def _channels(array: AxisArray, axes: str, reading: Reading) -> tuple[int | None, Channels]:
    """The channel of the structure, and the pages; None = the array has none, or only colours."""
    if array.colours and reading.channel is None and axes == array.axes:
        return None, Channels(array, axes, None)
    channel = check_channel(array, axes, reading.channel)
    if reading.logits != SOFTMAX:
        return channel, Channels(array, axes, channel)
    if channel is None or array.shape[axes.index("c")] < 2:
        raise ValueError(
            f"{array.origin} has one channel, of which a softmax is 1 everywhere; expected "
            "--logits sigmoid"
        )
    return channel, Channels(array, axes, None)
