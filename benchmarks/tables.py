"""The paper's tables 1 and 2: data sets x methods x folds x seeds, each against its twin.

    python benchmarks/tables.py --data isbi12=PATH topomortar=PATH synthetic_membranes

NAME is a preset (toponet-train --help lists them), PATH what --data takes; synthetic families need
none. Finished runs are kept in --out, their numbers in --results as they finish, and neither is
made again; interrupted runs go on where they were. Nothing is chosen here: variants and lengths
stand in comparison/plan.py. With --set ablation and --inner options are compared without a
look at the fold that is reported.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from comparison import results, tables
from comparison.plan import BUDGETS, SETS, Run, Variant, make_chain
from comparison.runner import run_chains
from rich.console import Console

from toponet.reporting import progress_bar
from toponet.training.vgg import FILE_NAME

HERE = Path(__file__).parent
# The published file has the beginning of its SHA-256 in its name.
DIGEST = Path(FILE_NAME).stem.partition("-")[2]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", metavar="NAME[=PATH]", default=["synthetic_membranes"])
    parser.add_argument("--set", choices=tuple(SETS), default="methods")
    parser.add_argument("--variants", nargs="+",
                        help="names; default: all, mosin only with --vgg-weights")  # fmt: skip
    parser.add_argument("--vgg-weights", type=Path, metavar="FILE",
                        help="torchvision's vgg19-dcbb9e9d.pth, for mosin")  # fmt: skip
    parser.add_argument("--budget", choices=tuple(BUDGETS), default="minutes")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--inner", action="store_true",
                        help="leave fold k out; hold out inner block k of the others")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("runs/tables"), help="run folders")
    parser.add_argument("--results", type=Path, default=HERE / "results" / "comparison")
    parser.add_argument("--devices", nargs="+", default=["cpu"],
                        help="a process each: cpu (they share the cores), or 0, 1 ...")  # fmt: skip
    parser.add_argument("--report-only", action="store_true", help="no runs, only tables")
    options = parser.parse_args(arguments)
    variants = _variants(options.set, options.variants, options.vgg_weights)
    kept = options.results / f"{options.set}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.touch()
    try:
        problems = [] if options.report_only else make_runs(options, variants, kept)
    except ValueError as error:
        sys.exit(f"tables.py: {kept}: {error}")
    records = [r for r in results.read([kept]) if r["budget"] == options.budget]
    if not records:
        sys.exit(f"tables.py: {kept} holds no run of budget {options.budget}")
    page = [f"# {options.set.capitalize()}, budget {options.budget}"]
    for data in sorted({r["data"] for r in records}):
        of_data = [r for r in records if r["data"] == data]
        page += ["", f"## {data}", "", tables.markdown(data, of_data, SETS[options.set])]
    stem = options.results / f"{options.set}-{options.budget}"
    stem.with_suffix(".md").write_text("\n".join(page))
    tables.save_csv(stem.with_suffix(".csv"), records)
    tables.plot(records, SETS[options.set]).savefig(stem.with_suffix(".png"))
    Console().print("\n".join(page), soft_wrap=True, markup=False, highlight=False)
    for problem in problems:
        print(f"tables.py: {problem}", file=sys.stderr)
    return int(bool(problems))


def make_runs(options: argparse.Namespace, variants: list[Variant], kept: Path) -> list[str]:
    """Those that aren't kept yet; what went wrong."""
    sets = [name.partition("=")[::2] for name in options.data]
    threads = max(1, len(os.sched_getaffinity(0)) // len(options.devices))
    extra = ["--num-threads", str(threads)]
    extra += ["--device", "cpu" if options.devices[0] == "cpu" else "cuda"]
    records = results.read([kept])
    chains = []
    for seed, fold, (data, path) in itertools.product(options.seeds, options.folds, sets):
        out = options.out / options.set / options.budget
        spec = path or f"synthetic:{data.removeprefix('synthetic_')}"
        chain = make_chain(
            data, spec, variants, options.budget, fold, seed, options.inner, out, extra
        )
        missing = [run for run in chain if not results.kept(records, run, options.budget)]
        twins = {run.variant.twin for run in missing}
        chains.append([run for run in chain if run in missing or run.variant.name in twins])
    with progress_bar(Console()) as progress:
        task = progress.add_task("runs", total=sum(map(len, chains)))

        def finished(run: Run) -> None:
            if not results.kept(records, run, options.budget):
                results.append(kept, results.record_of(run, options.budget))
            progress.advance(task)

        return run_chains([chain for chain in chains if chain], options.devices, finished)


def _variants(name: str, wanted: list[str] | None, vgg_weights: Path | None) -> list[Variant]:
    names = wanted or [v.name for v in SETS[name] if v.name != "mosin" or vgg_weights]
    unknown = sorted(set(names) - {v.name for v in SETS[name]})
    if unknown:
        sys.exit(f"tables.py: unknown variants {', '.join(unknown)} in the set {name}")
    return [
        replace(v, options=(*v.options, "--vgg-weights", _published(vgg_weights)))
        if v.name == "mosin"
        else v
        for v in SETS[name]
        if v.name in names
    ]


def _published(weights: Path | None) -> str:
    """Those of ImageNet: no table shall have a row from generated weights."""
    if weights is None:
        sys.exit(f"tables.py: mosin needs --vgg-weights, torchvision's {FILE_NAME}")
    try:
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    except OSError as error:
        sys.exit(f"tables.py: {weights}: {error.strerror}")
    if not digest.startswith(DIGEST):
        sys.exit(f"tables.py: {weights} isn't torchvision's {FILE_NAME}: its SHA-256 is {digest}")
    return str(weights)


if __name__ == "__main__":
    sys.exit(main())
