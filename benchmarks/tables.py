"""The paper's tables 1 and 2: data sets x methods x folds x seeds, each against its twin.

    python benchmarks/tables.py --data isbi12=PATH topomortar=PATH synthetic_membranes

NAME is a preset (toponet-train --help lists them), PATH what --data takes; synthetic families need
none. Finished runs are kept in --out, their numbers in --results as they finish, and neither is
made again; interrupted runs go on where they were. Variants stand in comparison/variants.py,
lengths in comparison/plan.py. With --set ablation options are compared: fold k is left out
altogether, and inner block k of the others held out, so that nothing is chosen on the fold that is
reported.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from comparison import results, tables
from comparison.choice import CHOICES
from comparison.plan import BUDGETS, Run, make_chain, still_to_do
from comparison.runner import run_chains
from comparison.variant import Variant
from comparison.variants import INNER_SETS, SETS
from rich.console import Console

from toponet._ground.reporting import progress_bar
from toponet._ground.validation import thread_count
from toponet.cli._command import complain, finish
from toponet.prediction.device import cpu_threads
from toponet.training.topology_terms.vgg_features import FILE_NAME

PROGRAM = "tables.py"
HERE = Path(__file__).parent
# The published file has the beginning of its SHA-256 in its name.
DIGEST = Path(FILE_NAME).stem.partition("-")[2]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", metavar="NAME[=PATH]", default=["synthetic_membranes"])
    parser.add_argument("--set", choices=tuple(SETS), default="methods")
    parser.add_argument("--variants", nargs="+",
                        help="names; default: all, mosin only with --vgg-weights")  # fmt: skip
    parser.add_argument("--vgg-weights", type=Path, metavar="FILE",
                        help=f"for mosin, torchvision's {FILE_NAME}; default: torch.hub's cache"
                        )  # fmt: skip
    parser.add_argument("--budget", choices=tuple(BUDGETS), default="minutes")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("runs/tables"), help="run folders")
    parser.add_argument("--results", type=Path, default=HERE / "results" / "comparison")
    parser.add_argument("--devices", nargs="+", default=["cpu"],
                        help="a process each: cpu (they share the cores), or 0, 1 ...")  # fmt: skip
    parser.add_argument("--report-only", action="store_true",
                        help="tables of what is kept, whatever the other options say")  # fmt: skip
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    return finish(PROGRAM, lambda: make_tables(options))


def make_tables(options: argparse.Namespace) -> int:
    """Makes the runs, writes the report and returns the exit code: 1 if a run failed."""
    try:
        problems = [] if options.report_only else make_runs(options)
        for problem in problems:
            complain(PROGRAM, problem)
        report(options)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("the same command goes on") from None
    return int(bool(problems))


def make_runs(options: argparse.Namespace) -> list[str]:
    """Those that aren't kept yet; what went wrong."""
    path = _path_of(options)
    records = results.read(path)
    chains = still_to_do(make_chains(options), lambda run: bool(results.kept(records, run)))
    path.parent.mkdir(parents=True, exist_ok=True)
    with cpu_threads(threads_of_one(options.devices)), progress_bar(Console()) as progress:
        task = progress.add_task("runs", total=sum(map(len, chains)))

        def finished(run: Run, just_made: bool) -> None:
            if just_made or not results.kept(records, run):
                results.keep(path, results.record_of(run), run)
            progress.advance(task)

        return run_chains(chains, options.devices, finished)


def make_chains(options: argparse.Namespace) -> list[list[Run]]:
    """All runs that were asked for, a chain for each seed, fold and data set."""
    sets = dict(data_set(text) for text in options.data)
    if len(sets) < len(options.data):
        raise ValueError(f"--data names a data set twice: {' '.join(options.data)}")
    extra = options_of_machine(options.devices)
    variants = named_variants(options.set, options.variants, options.vgg_weights)
    return [
        make_chain(
            data, spec, variants, options.budget, fold, seed, options.set in INNER_SETS,
            options.out / options.set / options.budget, extra,
        )
        for seed in dict.fromkeys(options.seeds)
        for fold in dict.fromkeys(options.folds)
        for data, spec in sets.items()
    ]  # fmt: skip


def options_of_machine(devices: Sequence[str]) -> list[str]:
    """Device and threads of each training, as toponet-train takes them.

    Raises:
        ValueError: If the devices are something else than ``--devices`` takes.
    """
    on_cpu = {device == "cpu" for device in devices}
    if len(on_cpu) > 1 or not (on_cpu == {True} or all(device.isdigit() for device in devices)):
        raise ValueError(
            f"--devices must be cpu, once or more, or numbers of CUDA devices, got "
            f"{' '.join(devices)}"
        )
    device = "cpu" if True in on_cpu else "cuda"
    return ["--num-threads", str(threads_of_one(devices)), "--device", device]


def threads_of_one(devices: Sequence[str]) -> int:
    """Of the trainings that go on at once, each on its device, and of what measures them."""
    return max(1, thread_count(None) // len(devices))


def report(options: argparse.Namespace) -> None:
    """Writes and prints the tables of all that is kept of a set and budget."""
    path = _path_of(options)
    records = [r for r in results.read(path) if r["budget"] == options.budget]
    if not records:
        raise ValueError(f"{path} holds no run of budget {options.budget}")
    page = [f"# {options.set.capitalize()}, budget {options.budget}"]
    for data in sorted({r["data"] for r in records}):
        of_data = [r for r in records if r["data"] == data]
        page += ["", f"## {data}", "", tables.markdown(data, of_data, SETS[options.set])]
    if options.set in CHOICES:
        page += ["", "## Choice", "", *CHOICES[options.set](records, SETS[options.set]), ""]
    stem = options.results / f"{options.set}-{options.budget}"
    stem.with_suffix(".md").write_text("\n".join(page))
    tables.save_csv(stem.with_suffix(".csv"), records)
    tables.plot(records, SETS[options.set]).savefig(stem.with_suffix(".png"))
    Console().print("\n".join(page), soft_wrap=True, markup=False, highlight=False)


def _path_of(options: argparse.Namespace) -> Path:
    path: Path = options.results / f"{options.set}.jsonl"
    return path


def data_set(text: str) -> tuple[str, str]:
    """Name and what --data takes."""
    name, _, path = text.partition("=")
    if not path and not name.startswith("synthetic_"):
        raise ValueError(f"--data {name} needs the place of its images: {name}=PATH")
    return name, path or f"synthetic:{name.removeprefix('synthetic_')}"


def named_variants(
    name: str, wanted: Sequence[str] | None, vgg_weights: Path | None = None
) -> list[Variant]:
    """Those of a set; None = all that can be made.

    Raises:
        ValueError: If the set has no variant of a name.
    """
    names = wanted or [v.name for v in SETS[name] if v.name != "mosin" or vgg_weights]
    unknown = sorted(set(names) - {v.name for v in SETS[name]})
    if unknown:
        raise ValueError(f"unknown variants {', '.join(unknown)} in the set {name}")
    return [
        replace(v, options=(*v.options, "--vgg-weights", _published(vgg_weights)))
        if v.name == "mosin"
        else v
        for v in SETS[name]
        if v.name in names
    ]


def _published(weights: Path | None) -> str:
    """Those of ImageNet: no table shall have a row from generated weights."""
    path = weights or Path(torch.hub.get_dir()) / "checkpoints" / FILE_NAME
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if not digest.startswith(DIGEST):
        raise ValueError(f"{path} isn't torchvision's {FILE_NAME}: its SHA-256 is {digest}")
    return str(path)


if __name__ == "__main__":
    sys.exit(main())
