"""Predictions and truths, paired by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet.data import Case
from toponet.data.files import as_mask
from toponet.data.pairing import (
    LABEL_SUFFIXES,
    bare_name,
    image_files,
    image_stem,
    name_and_form,
    same_name,
    unused_in,
)
from toponet.data.provenance import PREDICT_FILE, Provenance, image_digest, read_provenances
from toponet.data.samples import instance_truth
from toponet.data.source import open_truths
from toponet.data.source import unused_files as unused_files_of
from toponet.evaluation.config import EvaluateConfig
from toponet.evaluation.predictions import read_likelihood

# Of several forms of one prediction, the smallest number is taken; of masks, the largest.
FORMS: Mapping[str, int] = MappingProxyType({"likelihood": 0, "": 1, "label": 1, "mask": 2})
NO_MASKS = ("_cells", "_overlay")  # What toponet-predict writes besides.


class Images(NamedTuple):
    """What is compared; (H, W) each.

    Attributes:
        likelihood: In [0, 1].
        truth: 1 = structure.
        valid: The pixels that count; None = all of them.
        instances: Numbers of the true instances; None if the truth is a mask.
    """

    likelihood: NDArray[np.float32]
    truth: NDArray[np.uint8]
    valid: NDArray[np.bool_] | None
    instances: NDArray[Any] | None


@dataclass(frozen=True)
class Pair:
    """One image's prediction and truth.

    Attributes:
        name: Without suffix and ending.
        prediction: File of a likelihood or mask.
        truth: What it is compared with.
        kind: What predictions are: "auto", "mask" or "likelihood".
        provenance: What the prediction was made of; None = not known.
        instances: Whether the truth is compared as numbered instances as well.
    """

    name: str
    prediction: Path
    truth: Case
    kind: str = "auto"
    provenance: Provenance | None = None
    instances: bool = False

    def read(self) -> Images:
        """Both, whole.

        Raises:
            ValueError: If a file can't be read or used, the sizes differ, or the prediction is of
                another image; it is named.
        """
        self.check_provenance()
        likelihood = read_likelihood(self.prediction, self.kind)
        mask, valid = self.truth.read_truth()
        for kind, partner in (("label", mask), ("valid mask", valid)):
            if partner is not None and likelihood.shape != partner.shape:
                raise ValueError(
                    f"{self.prediction} has {likelihood.shape[0]} x {likelihood.shape[1]} pixels, "
                    f"its {kind} {partner.shape[0]} x {partner.shape[1]}"
                )
        instances = self.truth.read_instances() if self.instances else None
        return Images(likelihood, mask, None if valid is None else valid != 0, instances)

    def check_provenance(self) -> None:
        """Raises ValueError unless prediction and truth are of the same image.

        Names alone don't tell one seed, or one volume, from another.
        """
        known = self.provenance
        if known is None or self.truth.image is None:
            return
        image, _ = self.truth.read_image()
        if image_digest(image) != known.sha256:
            raise ValueError(
                f"{self.prediction} was predicted of {known.data}, whose image {self.name!r} isn't "
                f"{self.truth.origin}; evaluate it against {known.data}"
            )


def find_pairs(config: EvaluateConfig) -> tuple[list[Pair], list[str]]:
    """All pairs, sorted by name, and the names of labels that have no prediction.

    Raises:
        ValueError: If a path is missing, holds nothing of use, or a partner is missing that
            ``config.missing`` doesn't excuse.
    """
    source = Path(config.predictions).expanduser()
    predictions = find_predictions(source, config.predictions_are)
    truths = open_truths(config.labels)
    numbered = config.labels_are == "instances"
    if numbered:
        truths = {name: _as_instances(case) for name, case in truths.items()}
    if source.is_file() and Path(config.labels).expanduser().is_file():
        predictions = dict(zip(truths, predictions.values(), strict=True))
    for name, path in predictions.items():
        if name not in truths:
            raise ValueError(f"{path} has no label named {name!r} in {config.labels}")
    noted = read_provenances(next(iter(predictions.values())).parent)
    made_of = {bare_name(name): provenance for name, provenance in noted.items()}
    pairs = [
        Pair(
            name,
            path,
            truths[name],
            config.predictions_are,
            made_of.get(image_name(path)),
            numbered,
        )
        for name, path in sorted(predictions.items())
    ]
    left_out = sorted(set(truths) - set(predictions))
    # Whoever names a single prediction means that one.
    if left_out and config.missing == "error" and not source.is_file():
        for pair in pairs:  # Of another data set labels are missing as well.
            pair.check_provenance()
        raise ValueError(
            f"{len(left_out)} of {len(truths)} labels have no prediction in {source}, the first is "
            f"{left_out[0]!r}; --missing skip leaves them out"
        )
    return pairs, left_out


def _as_instances(case: Case) -> Case:
    """The same truth, read as numbered instances.

    Raises:
        ValueError: If the data set has labels of another kind.
    """
    if case.truth not in (as_mask, instance_truth):
        raise ValueError(f"the label of {case.origin} is a mask: leave --labels-are out")
    return replace(case, truth=instance_truth)


def unused_files(config: EvaluateConfig) -> list[str]:
    """What lies in the folders of predictions and labels but isn't read, counted and named.

    Labels without prediction aren't among it: :func:`find_pairs` names them.
    """
    found = []
    source = Path(config.predictions).expanduser()
    if source.is_dir():
        used = find_predictions(source, config.predictions_are).values()
        found += unused_in(source, [*used, source / PREDICT_FILE])
    return found + unused_files_of(config.labels, "truths")


def find_predictions(source: Path, kind: str = "auto") -> dict[str, Path]:
    """One file for each name, or the file itself.

    Args:
        source: A folder or a file.
        kind: What predictions are: "auto", "mask" or "likelihood". Of several forms of one
            prediction, it is the mask if they are masks, else the likelihood.
    """
    sign = -1 if kind == "mask" else 1
    if source.is_file():
        return {image_name(source): source}
    best: dict[str, Path] = {}
    for _, path in sorted((sign * _form(path), path) for path in _images(source)):
        name = image_name(path)
        if name not in best:
            best[name] = path
        elif _form(path) == _form(best[name]):
            raise ValueError(same_name(path, best[name]))
    return best


def image_name(path: Path) -> str:
    """Without suffix and endings: what prediction and label have in common."""
    return bare_name(image_stem(path))


def _form(path: Path) -> int:
    return FORMS[name_and_form(image_stem(path))[1]]


def _images(folder: Path) -> list[Path]:
    if not folder.exists():
        raise ValueError(f"{folder} does not exist")
    return [
        path
        for path in image_files(folder, "expected predictions", LABEL_SUFFIXES)
        if not path.stem.endswith(NO_MASKS)
    ]
