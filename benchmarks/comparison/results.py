"""What is kept of a run: one line of JSON with its configuration, numbers and version."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from comparison.fates import mean_fates
from comparison.holes import best_threshold, dense_error, hole_errors
from comparison.likelihoods import likelihoods_of, truths_of
from comparison.mistakes import mean_mistakes
from comparison.plan import Run
from toponet.data import load_data
from toponet.training.evaluation import METRIC_NAMES, THRESHOLD

Record = dict[str, Any]

_LOCK = threading.Lock()
# Options that belong to one machine: another one may go on with what is kept.
OF_A_MACHINE = ("data", "out", "start_from", "device", "num_threads", "vgg_weights")


def record_of(run: Run, budget: str) -> Record:
    """Everything that a table or a figure needs, from the run folder and its last checkpoint."""
    report = json.loads((run.folder / "report.json").read_text())
    epochs = epochs_of(run.folder)
    late = epochs[-max(1, round(run.config.epochs / 3)) :]
    connectivity = run.config.connectivity
    checkpoint = run.folder / "checkpoints" / "last.ckpt"
    data = load_data(run.config.data, seed=run.config.seed)
    training, held_out = map(data.subset, run.config.split(len(data)))
    threshold = best_threshold(
        likelihoods_of(checkpoint, training), truths_of(training), connectivity
    )
    likelihoods, truths = likelihoods_of(checkpoint, held_out), truths_of(held_out)
    masks, chosen = ([f >= t for f in likelihoods] for t in (THRESHOLD, threshold))
    holes = hole_errors(masks, truths, connectivity)
    holes["at the threshold chosen"] = {
        "threshold": threshold,  # On the training images.
        "error": dense_error(chosen, truths, connectivity),
    }
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
        # Of the last epoch, over dense patches.
        "holes": holes,
        "mistakes": mean_mistakes(masks, truths, connectivity),
        "fates": mean_fates(likelihoods, truths, connectivity),
        "topo_weight": report["topo_weight"],
        "seconds": sum(row["seconds"] for row in epochs),
        "conventions": report["conventions"],
        "toponet": report["toponet"],
        "torch": torch.__version__,
        "config": _options(run),
        "epochs": epochs,
    }


def epochs_of(folder: Path) -> list[dict[str, float]]:
    """The rows of metrics.csv."""
    with (folder / "metrics.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def append(path: Path, record: Record) -> None:
    """Kept as soon as it is there."""
    with _LOCK, path.open("a") as file:
        file.write(json.dumps(record) + "\n")


def read(paths: Iterable[Path]) -> list[Record]:
    """All records of some files."""
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def kept(records: list[Record], run: Run, budget: str) -> Record | None:
    """The run's record, if it is among them.

    Raises:
        ValueError: If it was made with other options than the run has.
    """
    key = (run.data, run.variant.name, budget, run.config.fold, run.config.inner_fold,
           run.config.seed)  # fmt: skip
    names = ("data", "variant", "budget", "fold", "inner_fold", "seed")
    for record in records:
        if tuple(record[name] for name in names) != key:
            continue
        others = [
            name for name, value in _options(run).items() if record["config"].get(name) != value
        ]
        if others:
            raise ValueError(
                f"the run {run.variant.name} on {run.data}, fold {run.config.fold}, seed "
                f"{run.config.seed} was made with other {', '.join(others)}; remove it there, or "
                "choose another --results"
            )
        return record
    return None


def _options(run: Run) -> dict[str, Any]:
    plain = run.config.to_plain()
    return {name: value for name, value in plain.items() if name not in OF_A_MACHINE}
