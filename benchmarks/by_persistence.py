"""What segmentation by persistence makes of finished runs, beside the cut at 0.5.

    python benchmarks/by_persistence.py --data isbi12=PATH topomortar=PATH

Takes the runs that tables.py made of the same --set and --budget. Threshold, keep and add are
chosen on each run's training images, and everything is measured on the images that it held out.
Rows are kept in --results as they are made, and aren't made again; --report-only makes the tables
of what is kept. So are the floors of the metrics: the measures of the truth itself, a pixel off.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from comparison.floors import FLOORS
from comparison.gains import markdown
from comparison.likelihoods import choose_numbers, likelihoods_of, split_of, truths_of
from comparison.measures import make_masks, measure
from comparison.plan import BUDGETS
from comparison.rows import Row, add_row, read_rows
from comparison.variants import SETS
from rich.console import Console
from rich.progress import track
from tables import data_set

from toponet.cli._command import finish
from toponet.segmentation import SegmentationOptions
from toponet.training.run_folder import read_config

PROGRAM = "by_persistence.py"
HERE = Path(__file__).parent
METRICS = ("betti", "voi")
FLOORS_FILE = "floors.jsonl"


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", metavar="NAME[=PATH]", default=["synthetic_membranes"])
    parser.add_argument("--metrics", nargs="+", choices=METRICS, default=list(METRICS),
                        help="what the numbers are chosen by")  # fmt: skip
    parser.add_argument("--set", choices=tuple(SETS), default="methods")
    parser.add_argument("--budget", choices=tuple(BUDGETS), default="minutes")
    parser.add_argument("--out", type=Path, default=Path("runs/tables"),
                        help="run folders, as tables.py left them")  # fmt: skip
    parser.add_argument("--results", type=Path, default=HERE / "results" / "comparison")
    parser.add_argument("--report-only", action="store_true")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    return finish(PROGRAM, lambda: make(options))


def make(options: argparse.Namespace) -> int:
    """Makes the rows that are missing, and writes the report."""
    stem = options.results / f"by_persistence-{options.set}-{options.budget}"
    path, floors_path = stem.with_suffix(".jsonl"), options.results / FLOORS_FILE
    if not options.report_only:
        for row in missing_rows(options, read_rows(path)):
            add_row(path, row)
        for floor in missing_floors(options, read_rows(floors_path)):
            add_row(floors_path, floor)
    rows, floors = read_rows(path), read_rows(floors_path)
    if not rows:
        raise ValueError(f"{path} holds no row, and {runs_of(options)} no run")
    splits = {row["place"].rpartition("-")[0] for row in rows}
    page = markdown(rows, [row for row in floors if row["split"] in splits], SETS[options.set])
    stem.with_suffix(".md").write_text(page)
    Console().print(page, soft_wrap=True, markup=False, highlight=False)
    return 0


def runs_of(options: argparse.Namespace) -> Path:
    """Where tables.py leaves the runs of the set and budget."""
    folder: Path = options.out / options.set / options.budget
    return folder


def finished_runs(options: argparse.Namespace) -> list[tuple[str, str, Path]]:
    """Name of the data set, what --data takes, and run folder."""
    return [
        (name, spec, report.parent)
        for name, spec in map(data_set, options.data)
        for report in sorted((runs_of(options) / name).glob("*/*/report.json"), key=_seeds_last)
    ]


def missing_rows(options: argparse.Namespace, rows: Sequence[Row]) -> Iterator[Row]:
    """Those of finished runs that aren't kept."""
    kept = {tuple(row[name] for name in ("data", "variant", "place", "metric")) for row in rows}
    missing = {
        (name, spec, run): [
            metric
            for metric in options.metrics
            if (name, run.parts[-2], run.name, metric) not in kept
        ]
        for name, spec, run in finished_runs(options)
    }
    work = [(*run, metrics) for run, metrics in missing.items() if metrics]
    for name, spec, run, metrics in track(work, "runs", console=Console(stderr=True)):
        place = {"data": name, "variant": run.parts[-2], "place": run.name}
        for row in rows_of(run, spec, metrics):
            yield {**place, **row}


def missing_floors(options: argparse.Namespace, floors: Sequence[Row]) -> Iterator[Row]:
    """Those of the splits of finished runs; whatever the seed, a split has the same truths."""
    kept = {(row["data"], row["split"], row["floor"]) for row in floors}
    splits = {(name, run.name.rpartition("-")[0]): (spec, run)
              for name, spec, run in finished_runs(options)}  # fmt: skip
    for (name, split), (spec, run) in splits.items():
        config = read_config(run)
        for floor, change in FLOORS.items():
            if (name, split, floor) not in kept:
                _, held_out = split_of(config, spec)
                truths = truths_of(held_out)
                measures = measure([change(truth) for truth in truths], truths, config.protocol)
                yield {"data": name, "split": split, "floor": floor, "measures": measures}


def _seeds_last(report: Path) -> tuple[str, ...]:
    """All folds and variants of the first seed come before the second seed."""
    place, _, seed = report.parts[-2].rpartition("-")
    return seed, place, report.parts[-3]


def rows_of(run: Path, spec: str, metrics: Sequence[str]) -> Iterator[Row]:
    """The numbers that each metric chooses, and both masks' measures."""
    config = read_config(run)
    training, held_out = split_of(config, spec)
    checkpoint = run / "checkpoints" / "last.ckpt"
    of_training, likelihoods = (likelihoods_of(checkpoint, part) for part in (training, held_out))
    truths = truths_of(held_out)

    def measured(way: SegmentationOptions) -> dict[str, float]:
        return measure(make_masks(likelihoods, way, config.connectivity), truths, config.protocol)

    cut = measured(SegmentationOptions.cut())
    for metric in metrics:
        chosen = choose_numbers(of_training, training, metric, config.connectivity)
        yield {
            "metric": metric, "fold": config.fold, "seed": config.seed, "chosen": chosen,
            "cut": cut, "mask": measured(SegmentationOptions(**chosen)),
        }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
