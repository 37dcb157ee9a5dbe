"""The paper's figures 5 and 7, and the course of the topological loss, for runs of tables.py.

    python benchmarks/figures.py --data synthetic_membranes --variants unet unet_toponet unet_cldice

Takes the run folders that tables.py made, for one data set, fold and seed, and writes
NAME-methods.png (figure 5: errors of all variants on a held-out image), NAME-epochs.png (figure 7)
and NAME-course.png with NAME-course.csv (losses, ratio of gradients, metrics; and on held-out
images how many dots are matched or removed, and what they cost).
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from comparison.pictures import (
    Fates,
    Finished,
    course_figure,
    epochs_figure,
    fates_by_epoch,
    methods_figure,
)
from comparison.plan import BUDGETS
from comparison.variants import SETS
from rich.console import Console

from toponet._ground.reporting import progress_bar
from toponet.cli._command import finish

PROGRAM = "figures.py"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="NAME")
    parser.add_argument("--set", choices=tuple(SETS), default="methods")
    parser.add_argument("--variants", nargs="+", required=True, help="in the order of the panels")
    parser.add_argument("--budget", choices=tuple(BUDGETS), default="minutes")
    parser.add_argument("--place", default="fold0-seed0", help="name of the run folders")
    parser.add_argument("--image", type=int, default=0, help="number of the held-out image")
    parser.add_argument("--runs", type=Path, default=Path("runs/tables"), help="--out of tables.py")
    parser.add_argument("--out", type=Path, default=Path("runs/figures"))
    options = parser.parse_args(arguments)
    return finish(PROGRAM, lambda: make_figures(options))


def make_figures(options: argparse.Namespace) -> int:
    """Reads the runs, writes all three, and returns the exit code."""
    labels = {v.name: v.label for v in SETS[options.set]}
    unknown = sorted(set(options.variants) - set(labels))
    if unknown:
        raise ValueError(f"unknown variants {', '.join(unknown)} in the set {options.set}")
    root = options.runs / options.set / options.budget / options.data
    runs = [Finished.read(labels[name], root / name / options.place) for name in options.variants]
    if not 0 <= options.image < len(runs[0].data):
        raise ValueError(f"{len(runs[0].data)} images were held out, there is no {options.image}")
    options.out.mkdir(parents=True, exist_ok=True)
    stem = str(options.out / options.data)
    methods_figure(runs, options.image).savefig(f"{stem}-methods.png")
    epochs_figure(runs).savefig(f"{stem}-epochs.png")
    fates = {}
    with progress_bar(Console()) as progress:
        for run in runs:
            task = progress.add_task(f"dots: {run.label}", total=None)
            fates[run.label] = fates_by_epoch(run, partial(progress.advance, task))
    save_fates(Path(f"{stem}-course.csv"), fates)
    course_figure(runs, fates).savefig(f"{stem}-course.png")
    return 0


def save_fates(path: Path, fates: dict[str, dict[int, Fates]]) -> None:
    """One row a run, epoch and kind of dot."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["variant", "epoch", "kind", "dots a patch", "cost a patch"])
        for label, by_epoch in fates.items():
            for epoch, kinds in by_epoch.items():
                for kind, found in kinds.items():
                    numbers = (f"{found[name]:.6g}" for name in ("dots", "cost"))
                    writer.writerow([label, epoch, kind, *numbers])


if __name__ == "__main__":
    sys.exit(main())
