"""Predictions and truths, paired by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet.data import open_data
from toponet.data.files import read_mask
from toponet.data.pairing import (
    LABEL_SUFFIXES,
    check_partners,
    files_by_name,
    image_files,
    image_stem,
    same_name,
    unused_in,
)
from toponet.data.provenance import PREDICT_FILE, image_digest, read_provenances
from toponet.evaluation.config import EvaluateConfig
from toponet.evaluation.predictions import read_likelihood

# Of several forms of one prediction, the smallest number is taken.
FORMS: Mapping[str, int] = MappingProxyType({"likelihood": 0, "": 1, "label": 1, "mask": 2})
NO_MASKS = ("_cells", "_overlay")  # What toponet-predict writes besides.
_ENDINGS = re.compile(r"(?<=.)(_(likelihood|mask|label))+$")


@dataclass(frozen=True)
class Truth:
    """What an image is compared with.

    Attributes:
        mask: File of a mask (H, W), or the mask itself.
        valid: Of the pixels that count, likewise; None = all of them.
        image: Digest of the image that it belongs to; None = not known.
    """

    mask: Path | NDArray[np.uint8]
    valid: Path | NDArray[np.uint8] | None = None
    image: str | None = None


class Images(NamedTuple):
    """What is compared; (H, W) each.

    Attributes:
        likelihood: In [0, 1].
        truth: 1 = structure.
        valid: The pixels that count; None = all of them.
    """

    likelihood: NDArray[np.float32]
    truth: NDArray[np.uint8]
    valid: NDArray[np.bool_] | None


@dataclass(frozen=True)
class Pair:
    """One image's prediction and truth.

    Attributes:
        name: Without suffix and ending.
        prediction: File of a likelihood or mask.
        truth: See there.
        kind: What predictions are: "auto", "mask" or "likelihood".
    """

    name: str
    prediction: Path
    truth: Truth
    kind: str = "auto"

    def read(self) -> Images:
        """Both, whole.

        Raises:
            ValueError: If a file can't be read or used, or the sizes differ; it is named.
        """
        likelihood, mask = read_likelihood(self.prediction, self.kind), _mask(self.truth.mask)
        valid = None if self.truth.valid is None else _mask(self.truth.valid)
        for kind, partner in (("label", mask), ("valid mask", valid)):
            if partner is not None and likelihood.shape != partner.shape:
                raise ValueError(
                    f"{self.prediction} has {likelihood.shape[0]} x {likelihood.shape[1]} pixels, "
                    f"its {kind} {partner.shape[0]} x {partner.shape[1]}"
                )
        return Images(likelihood, mask, None if valid is None else valid != 0)


def find_pairs(config: EvaluateConfig) -> tuple[list[Pair], list[str]]:
    """All pairs, sorted by name, and the names of labels that have no prediction.

    Raises:
        ValueError: If a path is missing, holds nothing of use, or a partner is missing that
            ``config.missing`` doesn't excuse.
    """
    source = Path(config.predictions)
    predictions, truths = find_predictions(source), find_truths(config.labels)
    if source.is_file() and Path(config.labels).is_file():
        predictions = dict(zip(truths, predictions.values(), strict=True))
    for name, path in predictions.items():
        if name not in truths:
            raise ValueError(f"{path} has no label named {name!r} in {config.labels}")
    _check_provenance(config, predictions, truths)
    left_out = sorted(set(truths) - set(predictions))
    # Whoever names a single prediction means that one.
    if left_out and config.missing == "error" and not source.is_file():
        raise ValueError(
            f"{len(left_out)} of {len(truths)} labels have no prediction in {source}, the first is "
            f"{left_out[0]!r}; --missing skip leaves them out"
        )
    kind = config.predictions_are
    pairs = [Pair(name, path, truths[name], kind) for name, path in sorted(predictions.items())]
    return pairs, left_out


def unused_files(config: EvaluateConfig) -> list[str]:
    """What lies in the folders of predictions and labels but isn't read, counted and named.

    Labels without prediction aren't among it: :func:`find_pairs` names them.
    """
    found = []
    source, labels = Path(config.predictions), Path(config.labels)
    if source.is_dir():
        used = find_predictions(source).values()
        found += unused_in(source, [*used, source / PREDICT_FILE])
    if labels.is_dir():
        truths = find_truths(config.labels).values()
        files = [file for truth in truths for file in (truth.mask, truth.valid)]
        paths = [file for file in files if isinstance(file, Path)]
        for folder in sorted({path.parent for path in paths}):
            found += unused_in(folder, paths)
    return found


def _check_provenance(
    config: EvaluateConfig, predictions: Mapping[str, Path], truths: Mapping[str, Truth]
) -> None:
    """Whether predictions of a named data set are compared with truths of the same images.

    Raises:
        ValueError: If one isn't: names alone don't tell one seed, or one volume, from another.
    """
    folder = next(iter(predictions.values())).parent
    provenances = read_provenances(folder)
    for name, path in predictions.items():
        known = provenances.get(image_name(path))
        if known and truths[name].image not in (None, known.sha256):
            raise ValueError(
                f"{path} was predicted of {known.data}, whose image {name!r} isn't that of "
                f"{config.labels}; evaluate it against {known.data}"
            )


def find_predictions(source: Path) -> dict[str, Path]:
    """One file for each name, or the file itself."""
    if source.is_file():
        return {image_name(source): source}
    best: dict[str, Path] = {}
    for _, path in sorted((_form(path), path) for path in _images(source)):
        name = image_name(path)
        if name not in best:
            best[name] = path
        elif _form(path) == _form(best[name]):
            raise ValueError(same_name(path, best[name]))
    return best


def find_truths(source: str) -> dict[str, Truth]:
    """By name: a folder's, of the labels/ and valid/ in it, the file itself, or a named data set.

    Raises:
        ValueError: If there are none, or two of one name, or a valid mask is missing.
    """
    path = Path(source)
    if not path.exists() and ":" in source:
        samples = ((case.name, case.read()) for case in open_data(source))
        return {name: Truth(s.mask, s.valid, image_digest(s.image)) for name, s in samples}
    if path.is_file():
        return {image_name(path): Truth(path)}
    labels = _by_name(path / "labels" if (path / "labels").is_dir() else path)
    if not (path / "valid").is_dir():
        return {name: Truth(file) for name, file in labels.items()}
    valid = _by_name(path / "valid")
    check_partners(labels, valid, path / "valid")
    return {name: Truth(file, valid[name]) for name, file in labels.items()}


def image_name(path: Path) -> str:
    """Without suffix and endings: what prediction and label have in common."""
    return _ENDINGS.sub("", image_stem(path))


def _form(path: Path) -> int:
    ending = _ENDINGS.search(image_stem(path))
    return FORMS[ending[2] if ending else ""]


def _mask(source: Path | NDArray[np.uint8]) -> NDArray[np.uint8]:
    return read_mask(source) if isinstance(source, Path) else source


def _by_name(folder: Path) -> dict[str, Path]:
    _check_folder(folder)
    return files_by_name(folder, "expected masks", LABEL_SUFFIXES, image_name)


def _images(folder: Path) -> list[Path]:
    _check_folder(folder)
    return [
        path
        for path in image_files(folder, "expected predictions", LABEL_SUFFIXES)
        if not path.stem.endswith(NO_MASKS)
    ]


def _check_folder(folder: Path) -> None:
    if not folder.exists():
        raise ValueError(f"{folder} does not exist")
