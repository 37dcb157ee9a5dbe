"""Networks on images that differ from those of their training: cut at 0.5 and by persistence.

    python benchmarks/out_of_distribution.py --data topomortar=PATH

Trains on all blocks of images but the last one, and measures on that: clean, and with the
corruptions of comparison/corruptions.py, each in three strengths. (TopoMortar's images 051-058 are
the last of its four blocks.) Threshold, keep and add are chosen on clean training images. Runs go
on where they stopped; rows are kept in --results as they are made, and aren't made again. A network
of which all rows are kept isn't trained.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from comparison.corruptions import CLEAN, CORRUPTIONS, corrupt
from comparison.likelihoods import choose_numbers, likelihoods_of, split_of, truths_of
from comparison.measures import make_masks, measure
from comparison.plan import BUDGETS, Run, make_chain, still_to_do
from comparison.robustness import markdown
from comparison.rows import Row, add_row, read_rows
from comparison.runner import run_chains
from comparison.variants import SETS
from numpy.typing import NDArray
from rich.console import Console
from skimage.transform import resize
from tables import data_set, named_variants, options_of_machine, threads_of_one

from toponet._ground.reporting import progress_bar
from toponet._ground.valid import taken_for_structure
from toponet.cli._command import complain, finish
from toponet.data import ImageSet
from toponet.prediction import StrangeImageWarning, load_model
from toponet.prediction.device import cpu_threads
from toponet.segmentation import SegmentationOptions

PROGRAM = "out_of_distribution.py"
HERE = Path(__file__).parent
VARIANTS = ("unet", "unet_cldice", "unet_toponet")
FOLDS = 4
METRIC = "voi"


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__.splitlines()[0])
    parser.add_argument("--data", metavar="NAME[=PATH]", default="synthetic_membranes")
    parser.add_argument("--set", choices=tuple(SETS), default="methods")
    parser.add_argument("--variants", nargs="+",
                        help="names; default: all, of methods three U-Nets")  # fmt: skip
    parser.add_argument("--corruptions", nargs="+", choices=tuple(CORRUPTIONS),
                        default=list(CORRUPTIONS))  # fmt: skip
    parser.add_argument("--budget", choices=tuple(BUDGETS), default="minutes")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, default=Path("runs/out_of_distribution"),
                        help="run folders")  # fmt: skip
    parser.add_argument("--devices", nargs="+", default=["cpu"],
                        help="a process each: cpu (they share the cores), or 0, 1 ...")  # fmt: skip
    parser.add_argument("--results", type=Path, default=HERE / "results" / "comparison")
    parser.add_argument("--report-only", action="store_true",
                        help="tables of what is kept, whatever the other options say")  # fmt: skip
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    return finish(PROGRAM, lambda: make(options))


def make(options: argparse.Namespace) -> int:
    """Makes runs and rows, and writes the report; the exit code is 1 if a run failed."""
    path = options.results / f"out_of_distribution-{options.set}-{options.budget}.jsonl"
    problems = [] if options.report_only else make_rows(options, path)
    for problem in problems:
        complain(PROGRAM, problem)
    rows = read_rows(path)
    if not rows:
        raise ValueError(f"{path} holds no row")
    page = markdown(rows, SETS[options.set])
    path.with_suffix(".md").write_text(page)
    Console().print(page, soft_wrap=True, markup=False, highlight=False)
    return int(bool(problems))


def make_rows(options: argparse.Namespace, path: Path) -> list[str]:
    """Trains, and keeps the rows of each run when it has ended; returns what went wrong."""
    kept = read_rows(path)
    chains = still_to_do(
        make_chains(options), lambda run: not missing_conditions(run, options.corruptions, kept)
    )
    with progress_bar(Console()) as progress:
        task = progress.add_task("runs", total=sum(map(len, chains)))

        def finished(run: Run, _: bool) -> None:
            for row in missing_rows(run, options.corruptions, kept):
                add_row(path, row)
            progress.advance(task)

        with cpu_threads(threads_of_one(options.devices)), warnings.catch_warnings():
            # That the images are strange is what this is about. The filter belongs to the whole
            # process, and several threads measure.
            warnings.simplefilter("ignore", StrangeImageWarning)
            return run_chains(chains, options.devices, finished)


def make_chains(options: argparse.Namespace) -> list[list[Run]]:
    """The runs of each seed, which hold out the last block of images."""
    name, spec = data_set(options.data)
    default = VARIANTS if options.set == "methods" else None
    variants = named_variants(options.set, options.variants or default)
    extra = ["--folds", str(FOLDS), *options_of_machine(options.devices)]
    return [
        make_chain(name, spec, variants, options.budget, FOLDS - 1, seed, False,
                   options.out / options.set / options.budget, extra)
        for seed in dict.fromkeys(options.seeds)
    ]  # fmt: skip


def place_of(run: Run) -> Row:
    """What the rows of a run have in common."""
    return {"data": run.data, "variant": run.variant.name, "seed": run.config.seed}


def rows_of(run: Run, rows: Sequence[Row]) -> list[Row]:
    """Those of a run."""
    place = place_of(run).items()
    return [row for row in rows if all(row[name] == value for name, value in place)]


def missing_conditions(
    run: Run, corruptions: Sequence[str], rows: Sequence[Row]
) -> list[tuple[str, int]]:
    """Corruptions and strengths of which a run has no row: clean images first."""
    conditions = [(CLEAN, 0), *((name, level) for name in corruptions for level in (1, 2, 3))]
    kept = {(row["corruption"], row["level"]) for row in rows_of(run, rows)}
    return [condition for condition in conditions if condition not in kept]


def missing_rows(run: Run, corruptions: Sequence[str], rows: Sequence[Row]) -> Iterator[Row]:
    """Those of a finished run that aren't kept."""
    own, missing = rows_of(run, rows), missing_conditions(run, corruptions, rows)
    if not missing:
        return
    config, checkpoint = run.config, run.folder / "checkpoints" / "last.ckpt"
    training, held_out = split_of(config, config.data)
    chosen = (
        own[0]["chosen"]
        if own
        else choose_numbers(
            likelihoods_of(checkpoint, training), training, METRIC, config.connectivity
        )
    )
    for name, level in missing:
        likelihoods = corrupted_likelihoods(checkpoint, held_out, name, level)
        masks = {
            way: measure(
                make_masks(likelihoods, numbers, config.connectivity), truths_of(held_out),
                config.protocol,
            )
            for way, numbers in (
                ("cut", SegmentationOptions.cut()), ("mask", SegmentationOptions(**chosen)),
            )
        }  # fmt: skip
        yield {**place_of(run), "corruption": name, "level": level, "chosen": chosen, **masks}


def corrupted_likelihoods(
    checkpoint: Path, data: ImageSet, name: str, level: int
) -> list[NDArray[np.float32]]:
    """(H, W) each, of the truth's size: an image of another scale is scaled back.

    Each image has a seed of its own, so that every network sees the same noise.
    """
    model = load_model(checkpoint, torch.device("cpu"))
    likelihoods = []
    for i, (image, valid) in enumerate(zip(data.images, data.valid, strict=True)):
        changed = corrupt(image, name, level, np.random.default_rng([i, level]))
        likelihood = model.likelihood(changed)
        back = resize(likelihood, image.shape[1:], order=1).clip(0, 1).astype(np.float32)
        likelihoods.append(taken_for_structure(back, valid))
    return likelihoods


if __name__ == "__main__":
    sys.exit(main())
