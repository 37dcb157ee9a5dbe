"""What made the predictions in a folder, so that others aren't taken for done."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from toponet.prediction.config import PredictConfig
from toponet.prediction.outputs import existing_output, remove_outputs
from toponet.prediction.sources import Source
from toponet.writing import written_whole

FILE = "predict.json"
REMEDY = "choose another --out, or --overwrite"


@dataclass(frozen=True)
class Record:
    """The content of predict.json.

    Attributes:
        checkpoint: Its file, for the reader.
        settings: All that predictions depend on; the checkpoint by the hash of its content.
        images: Where each image came from, by name.
    """

    checkpoint: str
    settings: Mapping[str, Any]
    images: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Raises OSError if it can't be written."""
        plain = {"toponet": version("toponet"), "checkpoint": self.checkpoint,
                 "settings": dict(self.settings), "images": dict(self.images)}  # fmt: skip
        with written_whole(folder / FILE) as file:
            file.write((json.dumps(plain, indent=2) + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> Record | None:
        """None if there is none.

        Raises:
            ValueError: If the file is something else.
        """
        path = folder / FILE
        if not path.exists():
            return None
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            return cls(plain["checkpoint"], dict(plain["settings"]), dict(plain["images"]))
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{path} isn't what toponet-predict writes; {REMEDY}") from None


def plan(
    config: PredictConfig, now: Record, sources: Sequence[Source]
) -> list[tuple[Source, list[str]]]:
    """What is still to be written of each source; notes in the folder what made it.

    Args:
        config: What is asked for.
        now: This run's checkpoint and settings.
        sources: Those asked for.

    Raises:
        ValueError: If the folder holds predictions by other settings or of other images, and
            ``config.overwrite`` is False.
        OSError: If the note can't be written.
    """
    folder = Path(config.out)
    before = None if config.overwrite else Record.read(folder)
    if before:
        _check_same(folder, before, now)
    images = dict(before.images) if before else {}
    work = []
    for source in sources:
        # A path that is relative means another file elsewhere.
        origin = os.path.abspath(source.origin)  # noqa: PTH100
        missing = list(dict.fromkeys(config.outputs))
        if not config.overwrite:
            found = {
                kind: existing_output(folder, source.name, kind, config.likelihood_format)
                for kind in missing
            }
            missing = [kind for kind, path in found.items() if path is None]
            there = next((path for path in found.values() if path), None)
            if there and images.get(source.name) != origin:
                raise ValueError(f"{there} exists already and isn't of {source.origin}; {REMEDY}")
        images[source.name] = origin
        work.append((source, missing))
    folder.mkdir(parents=True, exist_ok=True)
    if config.overwrite:  # What another checkpoint left would pass for this one's afterwards.
        for source in sources:
            remove_outputs(folder, source.name)
    Record(now.checkpoint, now.settings, images).write(folder)
    return work


def _check_same(folder: Path, before: Record, now: Record) -> None:
    for name, value in now.settings.items():
        old = before.settings.get(name)
        if old != value:
            words = (
                f"of another checkpoint, {before.checkpoint}"
                if name == "sha256"
                else f"with {name} {old}, not {value}"
            )
            raise ValueError(f"{folder} holds predictions {words}; {REMEDY}")
