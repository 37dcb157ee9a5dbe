"""What is kept of a run: one line of JSON with its configuration, numbers and version."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from comparison.fates import mean_fates
from comparison.holes import hole_errors
from comparison.likelihoods import likelihoods_of, split_of, truths_of
from comparison.mistakes import mean_mistakes
from comparison.plan import Run
from comparison.thresholds import maximal_ari, most_accurate
from toponet._ground.writing import written_whole
from toponet.training.evaluation import THRESHOLD, TRAINING_METRICS, evaluate
from toponet.training.run_folder import read_config

Record = dict[str, Any]

# Options that belong to one machine: another one may go on with what is kept.
OF_A_MACHINE = ("data", "out", "start_from", "device", "num_threads", "vgg_weights")


def record_of(run: Run) -> Record:
    """Collects all that tables and figures need, from the run folder and its last checkpoint."""
    config = run.config
    report = json.loads((run.folder / "report.json").read_text())
    epochs = epochs_of(run.folder)
    late = epochs[-late_epochs(config.epochs) :]
    checkpoint = run.folder / "checkpoints" / "last.ckpt"
    training, held_out = split_of(config, config.data)
    threshold = most_accurate(likelihoods_of(checkpoint, training), truths_of(training))
    likelihoods, truths = likelihoods_of(checkpoint, held_out), truths_of(held_out)
    masks = [likelihood >= THRESHOLD for likelihood in likelihoods]
    at_threshold = replace(config.protocol, threshold=threshold)
    return {
        **run.key,
        # Of the last third of the epochs: a single one swings.
        "late": {name: sum(row[name] for row in late) / len(late) for name in TRAINING_METRICS},
        "final": report["final"],
        # From here on of the last epoch.
        "chosen": {
            "threshold": threshold,  # On the training images.
            **evaluate(likelihoods, held_out.masks, at_threshold, held_out.valid),
        },
        "maximal_ari": maximal_ari(likelihoods, truths, config.connectivity),
        "holes": hole_errors(masks, truths, config.connectivity),
        "mistakes": mean_mistakes(masks, truths, config.connectivity),
        "fates": mean_fates(likelihoods, truths, config.connectivity),
        "topo_weight": report["topo_weight"],
        "seconds": sum(row["seconds"] for row in epochs),
        "conventions": report["conventions"],
        "toponet": report["toponet"],
        "torch": torch.__version__,
        "config": _options(run),
        "epochs": epochs,
    }


def late_epochs(epochs: int) -> int:
    """Number of the last epochs whose mean is reported."""
    return max(1, round(epochs / 3))


def epochs_of(folder: Path) -> list[dict[str, float]]:
    """The rows of metrics.csv."""
    with (folder / "metrics.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def read(path: Path) -> list[Record]:
    """All records of a file; none if there is no file.

    Raises:
        ValueError: If it holds something else.
    """
    if not path.exists():
        return []
    try:
        records = [json.loads(line) for line in path.read_text().splitlines()]
        return [record for record in records if record["variant"] and record["config"]]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise ValueError(f"{path} holds something else than records of runs") from None


def keep(path: Path, record: Record, run: Run) -> None:
    """Adds a record to the file. It replaces an earlier record of the same run.

    Raises:
        ValueError: If a number isn't finite.
    """
    # Of threads and of processes: each writes all rows, and would forget those of the others.
    with FileLock(path.with_suffix(".lock")):
        records = [r for r in read(path) if not _is_of(r, run)]
        lines = [json.dumps(r, allow_nan=False) + "\n" for r in [*records, record]]
        with written_whole(path) as file:
            file.write("".join(lines).encode())


def kept(records: list[Record], run: Run) -> Record | None:
    """The run's record, if it is among them.

    Raises:
        ValueError: If it was made with other options than the run has.
    """
    for record in records:
        if not _is_of(record, run):
            continue
        if others := _differing(record["config"], run):
            raise ValueError(
                f"the kept run {run.key} was made with other {', '.join(others)}; choose another "
                "--results"
            )
        return record
    return None


def check_folder(run: Run) -> None:
    """Refuses a run folder that another run was begun in.

    Raises:
        ValueError: If the configuration in the folder has other options than the run.
    """
    if others := _differing(read_config(run.folder).to_plain(), run):
        raise ValueError(
            f"the run in {run.folder} was made with other {', '.join(others)}; choose another --out"
        )


def _is_of(record: Record, run: Run) -> bool:
    return all(record[name] == value for name, value in run.key.items())


def _differing(plain: dict[str, Any], run: Run) -> list[str]:
    """Names the options whose values differ from the run's; those of a machine may differ."""
    return [name for name, value in _options(run).items() if plain.get(name) != value]


def _options(run: Run) -> dict[str, Any]:
    plain = run.config.to_plain()
    return {name: value for name, value in plain.items() if name not in OF_A_MACHINE}
