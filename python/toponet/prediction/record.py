"""The file ``predict.json`` of a prediction folder.

It says which checkpoint and which settings made the predictions, and of which images or
likelihoods. So a later command can tell which predictions are done, and refuses those that were
made otherwise.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.reading import read_text
from toponet._ground.writing import written_whole
from toponet.data.provenance import PREDICT_FILE, Provenance, read_provenances
from toponet.data.series import Series
from toponet.prediction.config import FORMATS, OUTPUTS
from toponet.prediction.outputs import existing_output, remove_outputs
from toponet.prediction.work import Asked

# Of settings that older records lack: all masks were plain cuts.
DEFAULTS_SINCE = {"keep": 0.0, "add": None, "dims": [0, 1], "frame": True}
REMEDY = "choose another --out, or --overwrite"


@dataclass(frozen=True)
class Record:
    """The content of predict.json.

    Attributes:
        checkpoint: Its file, for the reader; None = the likelihoods are another tool's.
        settings: Everything that predictions depend on. The hash of the checkpoint is among it.
        images: Where each image came from, by name.
        data: For each image of a data set that was named: which data set it is from.
        choice: How threshold, keep and add were chosen on labelled images, for the reader; None =
            they weren't.
    """

    checkpoint: str | None
    settings: Mapping[str, Any]
    images: dict[str, str] = field(default_factory=dict)
    data: dict[str, Provenance] = field(default_factory=dict)
    choice: Mapping[str, Any] | None = None

    def write(self, folder: Path) -> None:
        """Writes predict.json; raises OSError if it can't be written."""
        plain = {"toponet": version("toponet"), "checkpoint": self.checkpoint,
                 "settings": dict(self.settings), "images": self.images,
                 "data": {name: asdict(entry) for name, entry in self.data.items()}}  # fmt: skip
        if self.choice is not None:
            plain["choice"] = dict(self.choice)
        with written_whole(folder / PREDICT_FILE) as file:
            file.write((json.dumps(plain, indent=2) + "\n").encode())

    def note(self, folder: Path, source: Series, image: NDArray[np.float32]) -> None:
        """Records which data set an image is from, if that data set was named.

        Raises:
            OSError: If it can't be written.
        """
        if source.data is not None:
            self.data[source.name] = Provenance.of(source.data, image)
            self.write(folder)

    @classmethod
    def read(cls, folder: Path) -> Record | None:
        """Reads predict.json; None if there is none.

        Raises:
            ValueError: If the file is something else.
        """
        path = folder / PREDICT_FILE
        if not path.exists():
            return None
        text = read_text(path)
        try:
            plain = json.loads(text)
            settings = {**DEFAULTS_SINCE, **plain["settings"]}
            images = dict(plain["images"])
            return cls(plain["checkpoint"], settings, images, dict(read_provenances(folder)))
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{path} isn't what toponet-predict writes; {REMEDY}") from None


def plan(
    asked: Asked, now: Record, sources: Sequence[Series]
) -> tuple[list[tuple[Series, list[str]]], Record]:
    """Decides what is still to be written of each source, and writes the folder's new record.

    Args:
        asked: What is asked for.
        now: This run's checkpoint and settings.
        sources: Those asked for.

    Raises:
        ValueError: If the folder holds predictions by other settings that wouldn't be replaced, or
            ones of other images, and ``asked.overwrite`` is False.
        OSError: If the record can't be written.
    """
    folder = Path(asked.out)
    before = _record_before(asked, now, sources)
    record = replace(now, images=dict(before.images), data=dict(before.data))
    work = []
    for source in sources:
        origin = _absolute(source)
        kinds: list[str] = list(dict.fromkeys(asked.outputs))
        if asked.overwrite:
            record.data.pop(source.name, None)
        else:
            kinds = _missing(folder, source, kinds, asked.likelihood_format, before, origin)
        record.images[source.name] = origin
        work.append((source, kinds))
    folder.mkdir(parents=True, exist_ok=True)
    if asked.overwrite:  # What another checkpoint left would pass for this one's afterwards.
        for source in sources:
            remove_outputs(folder, source.name)
    record.write(folder)
    return work, record


def _absolute(source: Series) -> str:
    """Its origin: a path that is relative means another file elsewhere."""
    if (source.data or "").startswith("synthetic:"):  # No file, and the same everywhere.
        return source.origin
    return os.path.abspath(source.origin)  # noqa: PTH100


def _record_before(asked: Asked, now: Record, sources: Sequence[Series]) -> Record:
    """Returns the folder's record if it holds for this run, too; else an empty one."""
    folder, nothing = Path(asked.out), Record(now.checkpoint, now.settings)
    try:
        before = Record.read(folder) or nothing
    except ValueError:
        if not asked.overwrite:
            raise
        return nothing
    difference = _difference(before, now)
    if difference is None:
        return before
    if not asked.overwrite:
        raise ValueError(f"{folder} holds predictions {difference}; {REMEDY}")
    kept = sorted(set(before.images) - {source.name for source in sources})
    for name in kept:
        if any(existing_output(folder, name, k, f) for k, f in product(OUTPUTS, FORMATS)):
            raise ValueError(
                f"{folder} holds predictions {difference}, of {name} as well; choose another "
                "--out, or name all of its images"
            )
    return nothing


def _missing(
    folder: Path, source: Series, kinds: list[str], likelihood_format: str, before: Record,
    origin: str,
) -> list[str]:  # fmt: skip
    """Returns the kinds of files that aren't there yet.

    Raises:
        ValueError: If one is there, but of another image.
    """
    found = {kind: existing_output(folder, source.name, kind, likelihood_format) for kind in kinds}
    there = next((path for path in found.values() if path), None)
    known = before.images.get(source.name)
    if there and known is None:
        raise ValueError(
            f"{there} exists already, and {PREDICT_FILE} doesn't say what of; {REMEDY}"
        )
    if there and known != origin:
        raise ValueError(f"{there} exists already and is of {known}, not of {origin}; {REMEDY}")
    return [kind for kind, path in found.items() if path is None]


def _difference(before: Record, now: Record) -> str | None:
    """Says in what the folder's predictions differ from those of this run; None = in nothing."""
    for name, value in now.settings.items():
        old = before.settings.get(name)
        if old != value:
            if name != "sha256":
                return f"with {name} {old}, not {value}"
            if before.checkpoint is None:
                return "of another tool's likelihoods"
            return f"of another checkpoint, {before.checkpoint}"
    return None
