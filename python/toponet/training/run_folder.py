"""The files of one run: a new run never overwrites a folder, a stopped one goes on in its own."""

from __future__ import annotations

import csv
import io
import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image

from toponet._ground.reading import read_text
from toponet._ground.reporting import new_folder
from toponet._ground.writing import naming, written_whole
from toponet.data.files import read_mask
from toponet.training.config import TrainConfig
from toponet.training.run_lock import RunLock
from toponet.training.state import COLUMNS


class RunFolder:
    """``config.yaml``, ``metrics.csv``, ``checkpoints/``, ``report.json`` and pictures.

    Args:
        config: Of the run.
        resume: An existing run folder; None = a new one.
        write: Whether this rank writes; the others only know where the files are.

    Raises:
        ValueError: If a new folder exists already, or another process trains in it.
        OSError: If it can't be made.
    """

    def __init__(self, config: TrainConfig, resume: Path | None = None, write: bool = True) -> None:
        """Makes the folder and writes the configuration; locks it if this rank writes."""
        self.write = write
        self.path = resume or (Path(config.out) if config.out else _fresh_path(config))
        self._lock: RunLock | None = None
        if not write:
            return
        if resume:
            self._lock = RunLock(self.path)
            return
        new_folder(str(self.path), f"--out, or go on with --resume {self.path}")
        try:
            self._lock = RunLock(self.path)
            self.checkpoints.mkdir()
            (self.path / "masks").mkdir()
            plain = yaml.safe_dump(config.to_plain(), sort_keys=False, allow_unicode=True)
            self._write("config.yaml", plain)
            self.rewrite_metrics([])
        except OSError:
            self.discard()
            raise

    def discard(self) -> None:
        """Removes the new folder of a run that couldn't begin, so that its name is free again."""
        if self.write:
            shutil.rmtree(self.path, ignore_errors=True)
            self.release()

    def release(self) -> None:
        """Lets others train in the folder."""
        if self._lock is not None:
            self._lock.release()

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    def append_metrics(self, row: dict[str, float]) -> None:
        """One row an epoch."""
        if self.write:
            with naming(self._metrics), self._metrics.open("a", newline="") as file:
                csv.DictWriter(file, COLUMNS).writerow(row)

    def rewrite_metrics(self, rows: list[dict[str, float]]) -> None:
        """Writes the rows that a checkpoint remembers; epochs after it are done again."""
        if self.write:
            table = io.StringIO()
            writer = csv.DictWriter(table, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
            self._write("metrics.csv", table.getvalue())

    def save_mask(self, epoch: int, mask: NDArray[np.bool_]) -> None:
        """Saves the mask of the first held-out image, for the pictures of the report."""
        if self.write:
            with written_whole(self.path / "masks" / f"epoch_{epoch:04d}.png") as file:
                Image.fromarray(mask).save(file, format="png")

    def read_masks(self) -> dict[int, NDArray[np.uint8]]:
        """By epoch."""
        return {
            int(path.stem.removeprefix("epoch_")): read_mask(path)
            for path in sorted((self.path / "masks").glob("epoch_*.png"))
        }

    def write_report(self, report: dict[str, Any]) -> None:
        """``report.json``."""
        self._write("report.json", json.dumps(report, indent=2) + "\n")

    def _write(self, name: str, text: str) -> None:
        with written_whole(self.path / name) as file:
            file.write(text.encode())

    @property
    def _metrics(self) -> Path:
        return self.path / "metrics.csv"


def read_config(folder: Path) -> TrainConfig:
    """The configuration of a run folder.

    Raises:
        ValueError: If the folder holds none, or one that is damaged or of another version.
    """
    path = folder / "config.yaml"
    try:
        text = read_text(path)
    except OSError as error:
        raise ValueError(
            f"{folder} is no run folder of toponet-train: {path}: {error.strerror}"
        ) from None
    try:
        return TrainConfig.from_plain(yaml.safe_load(text))
    except (yaml.YAMLError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged or of another version: {error}") from None


def _fresh_path(config: TrainConfig) -> Path:
    data = config.data.rpartition(":")[2] or config.data
    name = f"{Path(data).name}-{time.strftime('%Y%m%d-%H%M%S')}"
    path, attempt = Path("runs") / name, 1
    while path.exists():
        attempt += 1
        path = Path("runs") / f"{name}-{attempt}"
    return path
