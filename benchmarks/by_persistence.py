"""What segmentation by persistence makes of finished runs, beside the cut at 0.5.

    python benchmarks/by_persistence.py --data isbi12=PATH topomortar=PATH

Takes the runs that tables.py left in --runs. Threshold, keep and add are chosen on each run's
training images, and everything is measured on the images that it held out. Rows are kept in
--results as they are made, and aren't made again; --report-only makes the tables of what is kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from comparison.gains import markdown
from comparison.likelihoods import likelihoods_of, truths_of
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from tables import data_set

import toponet
from toponet.cli._command import finish
from toponet.data import load_data
from toponet.metrics import betti_number_error
from toponet.segmentation import SegmentationOptions
from toponet.training import TrainConfig
from toponet.training.evaluation import evaluate
from toponet.training.run_folder import read_config

PROGRAM = "by_persistence.py"
HERE = Path(__file__).parent
METRICS = ("betti", "voi")
Row = dict[str, Any]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", metavar="NAME[=PATH]", default=["synthetic_membranes"])
    parser.add_argument("--metrics", nargs="+", choices=METRICS, default=list(METRICS),
                        help="what the numbers are chosen by")  # fmt: skip
    parser.add_argument("--runs", type=Path, default=Path("runs/tables/methods/minutes"))
    parser.add_argument("--results", type=Path,
                        default=HERE / "results" / "comparison" / "by_persistence.jsonl"
                        )  # fmt: skip
    parser.add_argument("--report-only", action="store_true")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    return finish(PROGRAM, lambda: make(options))


def make(options: argparse.Namespace) -> int:
    """Makes the rows that are missing, and writes the report."""
    rows = read(options.results)
    if not options.report_only:
        for row in missing_rows(options, rows):
            rows.append(row)
            options.results.parent.mkdir(parents=True, exist_ok=True)
            with options.results.open("a") as file:
                file.write(json.dumps(row, allow_nan=False) + "\n")
    if not rows:
        raise ValueError(f"{options.results} holds no row, and --runs {options.runs} no run")
    page = markdown(rows)
    options.results.with_suffix(".md").write_text(page)
    Console().print(page, soft_wrap=True, markup=False, highlight=False)
    return 0


def read(path: Path) -> list[Row]:
    """All rows of the file; none if there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def missing_rows(options: argparse.Namespace, rows: Sequence[Row]) -> Iterator[Row]:
    """Those of finished runs that aren't kept."""
    kept = {tuple(row[name] for name in ("data", "variant", "place", "metric")) for row in rows}
    work = [
        (name, spec, report.parent, metric)
        for name, spec in map(data_set, options.data)
        for metric in options.metrics
        for report in sorted((options.runs / name).glob("*/*/report.json"), key=_seeds_last)
        if (name, report.parts[-3], report.parts[-2], metric) not in kept
    ]
    for name, spec, run, metric in track(work, "runs", console=Console(stderr=True)):
        place = {"data": name, "variant": run.parts[-2], "place": run.name, "metric": metric}
        yield {**place, **row_of(run, spec, metric)}


def _seeds_last(report: Path) -> tuple[str, ...]:
    """All folds and variants of the first seed come before the second seed."""
    place, _, seed = report.parts[-2].rpartition("-")
    return seed, place, report.parts[-3]


def row_of(run: Path, spec: str, metric: str) -> Row:
    """The numbers that were chosen, and both masks' measures."""
    config = read_config(run)
    data = load_data(spec, seed=config.seed)
    training, held_out = map(data.subset, config.split(len(data)))
    checkpoint = run / "checkpoints" / "last.ckpt"
    choice = toponet.choose_segmentation(
        likelihoods_of(checkpoint, training), truths_of(training), metric=metric,
        valid=training.valid, connectivity=config.connectivity,
    )  # fmt: skip
    likelihoods, truths = likelihoods_of(checkpoint, held_out), truths_of(held_out)
    measured = {
        name: measures(likelihoods, truths, config, options)
        for name, options in (("cut", SegmentationOptions.cut()), ("mask", choice.options))
    }
    return {"fold": config.fold, "seed": config.seed, "chosen": asdict(choice.options), **measured}


def measures(
    likelihoods: Sequence[NDArray[np.float32]],
    truths: Sequence[NDArray[np.bool_]],
    config: TrainConfig,
    options: SegmentationOptions,
) -> dict[str, float]:
    """The trainer's metrics, and the Betti errors of whole images."""
    connectivity = config.connectivity
    masks = [
        np.asarray(toponet.segment(f, **asdict(options), connectivity=connectivity).mask)
        for f in likelihoods
    ]
    whole = [
        betti_number_error(mask, truth, connectivity=connectivity, frame=True)
        for mask, truth in zip(masks, truths, strict=True)
    ]
    return {
        **evaluate(
            [mask.astype(np.float32) for mask in masks],
            [truth.astype(np.uint8) for truth in truths],
            config.protocol,
        ),
        **{f"whole_{dim}": float(np.mean([each[dim] for each in whole])) for dim in (0, 1)},
    }


if __name__ == "__main__":
    sys.exit(main())
