"""All kinds of data by name, as a command line names them: NAME:PATH.

How to add one:

- another *layout*: write a function that finds the images below a path and returns a list of
  :class:`toponet.data.samples.Case`, whose parts are read later (``paired_case`` in ``folder.py``
  makes one of two files), and add a line to :data:`FORMATS` at the end of this file. That makes two
  files to edit at most: ``challenges.py`` or a new one, and this one;
- another *file format* of images: write a function that returns the pages of a file, and add a line
  to ``FILE_FORMATS`` at the end of ``files.py``.

Training, prediction, evaluation and inspection know it then, since they all come in by
``source.py``; so do the pairing of files by name and ``toponet-train --help``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from toponet.data.challenges import (
    cracktree_cases,
    cremi_cases,
    drive_cases,
    isbi12_cases,
    isbi13_cases,
    roads_cases,
)
from toponet.data.folder import INSTANCES, LABELS, folder_cases
from toponet.data.samples import Case
from toponet.data.synthetic import FAMILIES, synthetic_cases
from toponet.data.volumes import hdf5_cases, stack_cases


@dataclass(frozen=True)
class DataFormat:
    """One kind of data.

    Attributes:
        syntax: How it is asked for.
        help: What it is, in one line.
        cases: Finds the images, given what stands after the name and the options; raises
            ValueError if they aren't there.
        options: How the text of each option ``,name=text`` is read.
        labels: Of a folder with images/, the name of the folder beside it; images and truths can
            be asked for apart then, and ``cases`` takes ``problems``. None = another layout.
    """

    syntax: str
    help: str
    cases: Callable[..., Sequence[Case]]
    options: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)
    labels: str | None = None


class Request(NamedTuple):
    """What a specification says.

    Attributes:
        kind: Of the data.
        where: What stands after the name, without options; of a folder or file its path.
        options: By name, the seed among them where there is one.
        named: Whether it has a name, so that it isn't just a path.
    """

    kind: DataFormat
    where: str
    options: Mapping[str, Any]
    named: bool

    @property
    def path(self) -> Path:
        """``where`` as a path."""
        return Path(self.where).expanduser()


def resolve(spec: str, seed: int | None = None) -> Request:
    """Takes a specification apart; no file is opened.

    Args:
        spec: As for :func:`toponet.data.open_data`.
        seed: For data that have one, unless the specification has it.

    Raises:
        TypeError: If ``spec`` isn't text.
        ValueError: If the name or an option is unknown.
    """
    if not isinstance(spec, str):
        raise TypeError(f"data must be text such as 'isbi12:PATH' or a folder, got {spec!r}")
    name, where = _split(spec)
    kind = FORMATS[name or "folder"]
    if not name:  # A path may look as if it ended in options.
        return Request(kind, where, {}, False)
    where, texts = _options(where, kind, name)
    options = {key: kind.options[key](text) for key, text in texts.items()}
    if "seed" in kind.options and seed is not None:
        options.setdefault("seed", seed)
    return Request(kind, where, options, True)


def _split(spec: str) -> tuple[str, str]:
    """Name and what stands after it; a path has no name."""
    if spec == "synthetic":
        return spec, ""
    name, colon, where = spec.partition(":")
    known = name in FORMATS
    if known and colon and (where or name == "synthetic"):
        return name, where
    if known and not Path(spec).exists():
        raise ValueError(f"data {spec!r} lacks its path; expected {FORMATS[name].syntax}")
    # A drive letter has one letter; a folder's name may hold a colon.
    if not known and colon and re.fullmatch(r"\w{2,}", name) and not Path(spec).exists():
        raise ValueError(
            f"data {spec!r} has no known name; expected a folder or one of " + ", ".join(FORMATS)
        )
    if not spec:
        raise ValueError("data must be a folder or NAME:PATH, got ''")
    return "", spec


def _options(where: str, kind: DataFormat, name: str) -> tuple[str, dict[str, str]]:
    """What is left of ``where`` without the options at its end, and these."""
    texts: dict[str, str] = {}
    while match := re.fullmatch(r"(|.*,)([a-z]+)=([^,=/]*)", where):
        before, key, text = match.groups()
        if key not in kind.options:
            allowed = ", ".join(kind.options) or "none"
            raise ValueError(f"{name} has no option {key!r}; its options: {allowed}")
        texts[key] = text
        where = before.removesuffix(",")
    return where, texts


def _whole(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name} must be a whole number, got {text!r}") from None


def _side_or_sides(text: str) -> tuple[int, int]:
    sides = [_whole(side, "size") for side in text.split("x")]
    if len(sides) not in (1, 2):
        raise ValueError(f"size must be one side or HEIGHTxWIDTH, got {text!r}")
    return sides[0], sides[-1]


def _at_path(cases: Callable[..., Sequence[Case]]) -> Callable[..., Sequence[Case]]:
    return lambda where, **options: cases(Path(where).expanduser(), **options)


def _stack(where: str) -> Sequence[Case]:
    parts = where.split(",")
    if len(parts) != 2:
        raise ValueError(f"expected {FORMATS['stack'].syntax}, got {where!r}")
    images, labels = (Path(part).expanduser() for part in parts)
    return stack_cases(images, labels)


def _hdf5(where: str) -> Sequence[Case]:
    parts = where.split(",")
    if len(parts) != 3:
        raise ValueError(f"expected {FORMATS['hdf5'].syntax}, got {where!r}")
    return hdf5_cases(Path(parts[0]).expanduser(), parts[1], parts[2])


_SNEMI3D = DataFormat(
    "isbi13:PATH",
    "ISBI 2013 (SNEMI3D): train-volume.tif and train-labels.tif of neuron ids",
    _at_path(isbi13_cases),
)

FORMATS: Mapping[str, DataFormat] = MappingProxyType(
    {
        "folder": DataFormat(
            "folder:PATH",
            "images/ and labels/ (PNG or TIFF, or JPEG images; paired by name), valid/ if some "
            "pixels don't count",
            _at_path(folder_cases),
            labels=LABELS,
        ),
        "instances": DataFormat(
            "instances:PATH",
            "images/ and instances/ (PNG or TIFF): the borders of the instances are the structure",
            _at_path(partial(folder_cases, labels=INSTANCES)),
            labels=INSTANCES,
        ),
        "stack": DataFormat(
            "stack:IMAGES.tif,LABELS.tif", "two TIFF files of several pages", _stack
        ),
        "hdf5": DataFormat(
            "hdf5:FILE,images-dataset,labels-dataset",
            "two data sets of an HDF5 file, slices first",
            _hdf5,
        ),
        "isbi12": DataFormat(
            "isbi12:PATH",
            "ISBI 2012: train-volume.tif and train-labels.tif, where membrane is 0",
            _at_path(isbi12_cases),
        ),
        "isbi13": _SNEMI3D,
        "snemi3d": _SNEMI3D,
        "cremi": DataFormat(
            "cremi:PATH",
            "CREMI: an HDF5 file with volumes/raw and volumes/labels/neuron_ids, or a folder of "
            "them",
            _at_path(cremi_cases),
        ),
        "drive": DataFormat(
            "drive:PATH[,part=training|test]",
            "DRIVE: images, 1st_manual and mask in training/",
            _at_path(drive_cases),
            {"part": str},
        ),
        "cracktree": DataFormat(
            "cracktree:PATH[,dilation=N]",
            "CrackTree: JPEG images, BMP or PNG curves, widened by N pixels on each side",
            _at_path(cracktree_cases),
            {"dilation": partial(_whole, name="dilation")},
        ),
        "roads": DataFormat(
            "roads:PATH[,part=train|valid|test]",
            "Massachusetts roads: sat and map in train/",
            _at_path(roads_cases),
            {"part": str},
        ),
        "synthetic": DataFormat(
            "synthetic[:" + "|".join(FAMILIES) + "][,count=N][,size=HxW][,seed=N]",
            "images made on the fly, with their true structure",
            synthetic_cases,
            {
                "count": partial(_whole, name="count"),
                "size": _side_or_sides,
                "seed": partial(_whole, name="seed"),
            },
        ),
    }
)
