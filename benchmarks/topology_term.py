"""What the topological term adds: paired runs with and without it from the same checkpoint.

For each seed one run with the term; then its twin goes on from the end of the same cross-entropy
phase with weight 0, on the same patches. Prints the differences of all metrics on the held-out
images, whatever their sign. Finished runs in --out are kept and not repeated.

    python benchmarks/topology_term.py --out runs/term --seeds 3 [options of toponet-train]
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from toponet.cli.train import parse
from toponet.training import TrainConfig, Trainer
from toponet.training.evaluation import TRAINING_METRICS


def report_of(config: TrainConfig, console: Console) -> dict[str, Any]:
    """Runs the configuration unless its folder holds a report already."""
    assert config.out is not None
    path = Path(config.out) / "report.json"
    if not path.exists():
        console.rule(config.out)
        return Trainer(config, console).train()
    report: dict[str, Any] = json.loads(path.read_text())
    return report


def paired_runs(config: TrainConfig, out: Path, seed: int, console: Console) -> list[Any]:
    """Metrics (without, with) the term, in the order of TRAINING_METRICS."""
    with_term = replace(config, seed=seed, out=str(out / f"seed{seed}-with"))
    reports = [report_of(with_term, console)]
    without = replace(
        with_term,
        topo_weight=0.0,
        out=str(out / f"seed{seed}-without"),
        start_from=str(out / f"seed{seed}-with" / "checkpoints" / "cross_entropy.ckpt"),
    )
    reports.insert(0, report_of(without, console))
    return [[report["final"][name] for name in TRAINING_METRICS] for report in reports]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for all runs")
    parser.add_argument("--seeds", type=int, default=3)
    options, rest = parser.parse_known_args()
    config = parse(rest)
    console = Console()
    results = np.array(
        [paired_runs(config, options.out, seed, console) for seed in range(options.seeds)]
    )
    table = Table(title=f"{config.data}: {options.seeds} seeds, weight {config.topo_weight}")
    for column in ("metric", "without", "with", "difference", "of each seed"):
        table.add_column(column, justify="left" if column == "metric" else "right")
    for k, name in enumerate(TRAINING_METRICS):
        without, with_term = results[:, 0, k], results[:, 1, k]
        difference = with_term - without
        table.add_row(
            name,
            f"{without.mean():.4f}",
            f"{with_term.mean():.4f}",
            f"{difference.mean():+.4f} ± {difference.std(ddof=min(1, len(difference) - 1)):.4f}",
            " ".join(f"{d:+.4f}" for d in difference),
        )
    console.print(table)


if __name__ == "__main__":
    main()
