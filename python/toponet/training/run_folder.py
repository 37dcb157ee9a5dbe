"""The files of one run: created once, never overwritten."""

from __future__ import annotations

import csv
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from toponet.training.config import TrainConfig

COLUMNS = (
    "epoch", "bce", "topo", "total", "accuracy", "ari", "voi", "betti_error_0", "betti_error_1",
    "topo_seconds", "seconds",
)  # fmt: skip


class RunFolder:
    """``config.yaml``, ``metrics.csv``, ``checkpoints/``, ``report.json`` and pictures.

    Raises:
        ValueError: If the folder exists already.
        OSError: If it can't be made.
    """

    def __init__(self, config: TrainConfig) -> None:
        """Makes the folder and writes the configuration."""
        self.path = Path(config.out) if config.out else _fresh_path(config)
        try:
            self.path.mkdir(parents=True)
        except FileExistsError:
            raise ValueError(
                f"{self.path} exists already and is never overwritten; choose another --out"
            ) from None
        self.checkpoints = self.path / "checkpoints"
        self.checkpoints.mkdir()
        plain = {**asdict(config), "dims": list(config.dims)}
        (self.path / "config.yaml").write_text(yaml.safe_dump(plain, sort_keys=False))
        with self._metrics_file("x") as file:
            csv.writer(file).writerow(COLUMNS)

    def append_metrics(self, row: dict[str, float]) -> None:
        """One row an epoch."""
        with self._metrics_file("a") as file:
            csv.DictWriter(file, COLUMNS).writerow(row)

    def write_report(self, report: dict[str, Any]) -> None:
        """``report.json``."""
        (self.path / "report.json").write_text(json.dumps(report, indent=2) + "\n")

    def _metrics_file(self, mode: str) -> Any:
        return (self.path / "metrics.csv").open(mode, newline="")


def _fresh_path(config: TrainConfig) -> Path:
    name = f"{Path(config.data).name}-{time.strftime('%Y%m%d-%H%M%S')}"
    path, attempt = Path("runs") / name, 1
    while path.exists():
        attempt += 1
        path = Path("runs") / f"{name}-{attempt}"
    return path
