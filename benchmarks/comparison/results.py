"""What is kept of a run: one line of JSON with its configuration, numbers and version."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from comparison.holes import hole_errors
from comparison.plan import Run
from toponet.data import load_data
from toponet.prediction import load_model
from toponet.training.evaluation import METRIC_NAMES
from toponet.training.worst_patches import counted

Record = dict[str, Any]

_LOCK = threading.Lock()


def record_of(run: Run, budget: str) -> Record:
    """Everything that a table or a figure needs, from the run folder and its last checkpoint."""
    report = json.loads((run.folder / "report.json").read_text())
    with (run.folder / "metrics.csv").open() as file:
        epochs = [
            {name: float(value) for name, value in row.items()} for row in csv.DictReader(file)
        ]
    late = epochs[-max(1, round(run.config.epochs / 3)) :]
    model = load_model(run.folder / "checkpoints" / "last.ckpt", torch.device("cpu"))
    data = load_data(run.config.data, seed=run.config.seed)
    held_out = data.subset(run.config.split(len(data))[1])
    masks = [
        counted(model.likelihood(image) >= model.threshold, valid)
        for image, valid in zip(held_out.images, held_out.valid, strict=True)
    ]
    truths = [
        counted(mask > 0, valid) for mask, valid in zip(held_out.masks, held_out.valid, strict=True)
    ]
    return {
        "data": run.data,
        "variant": run.variant.name,
        "budget": budget,
        "fold": run.config.fold,
        "inner_fold": run.config.inner_fold,
        "seed": run.config.seed,
        # Of the last third of the epochs: a single one swings.
        "late": {name: sum(row[name] for row in late) / len(late) for name in METRIC_NAMES},
        "final": report["final"],
        "holes": hole_errors(masks, truths, run.config.connectivity),
        "topo_weight": report["topo_weight"],
        "seconds": sum(row["seconds"] for row in epochs),
        "conventions": report["conventions"],
        "toponet": report["toponet"],
        "torch": torch.__version__,
        # Without what belongs to one machine.
        "config": {**asdict(run.config), "data": run.data, "out": None, "start_from": None},
        "epochs": epochs,
    }


def append(path: Path, record: Record) -> None:
    """Kept as soon as it is there."""
    with _LOCK, path.open("a") as file:
        file.write(json.dumps(record) + "\n")


def read(paths: Iterable[Path]) -> list[Record]:
    """All records of some files."""
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def is_kept(records: list[Record], run: Run, budget: str) -> bool:
    """Whether the run is among the records."""
    key = (run.data, run.variant.name, budget, run.config.fold, run.config.inner_fold,
           run.config.seed)  # fmt: skip
    names = ("data", "variant", "budget", "fold", "inner_fold", "seed")
    return any(tuple(record[name] for name in names) == key for record in records)
