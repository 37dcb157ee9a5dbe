"""Markdown, CSV and a plot of the records."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

from comparison.holes import SIZES
from comparison.mistakes import KINDS
from comparison.paper import PAPER
from comparison.plan import Variant
from comparison.results import Record

# Name, label, "+" if higher is better, place in the paper's tables.
COLUMNS = (
    ("accuracy", "accuracy ↑", 0),
    ("ari", "ARI ↑", 1),
    ("voi", "VOI ↓", 2),
    ("betti_error_0", "Betti error, components ↓", None),
    ("betti_error_1", "Betti error, holes ↓", 3),
)
# Of the record's holes.
SURPLUSES = tuple((size, what) for size in SIZES for what in ("missing", "extra"))
ERRORS = (
    "of any size",
    "of 10 px and more",
    "truth cleaned",
    "truth and prediction cleaned",
    "at the threshold chosen",
    "patches of 129",
    "whole images",
)
YARDSTICKS = ("truth, thickened by a pixel", "truth, shifted by a pixel")
RESAMPLES = 10_000


def values(records: Sequence[Record], variant: str, name: str) -> dict[tuple[int, int, int], float]:
    """A metric by (fold, inner fold or -1, seed)."""
    return _by_run(records, variant, lambda r: float(r["late"][name]))


def _by_run(
    records: Sequence[Record], variant: str, number: Callable[[Record], float]
) -> dict[tuple[int, int, int], float]:
    return {
        (r["fold"], -1 if r["inner_fold"] is None else r["inner_fold"], r["seed"]): number(r)
        for r in records
        if r["variant"] == variant
    }


def paired(records: Sequence[Record], variant: Variant, name: str) -> NDArray[np.float64]:
    """Differences from the twin, of the folds and seeds that both have."""
    assert variant.twin is not None
    ours, twins = (values(records, v, name) for v in (variant.name, variant.twin))
    return np.array([ours[key] - twins[key] for key in sorted(ours) if key in twins])


def p_value(differences: NDArray[np.float64]) -> float:
    """Of a two-sided paired permutation test: signs flipped, exactly if there are few pairs."""
    if len(differences) < 2 or not differences.any():
        return 1.0
    test = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, rng=0
    )
    return float(test.pvalue)


def markdown(data: str, records: Sequence[Record], variants: Sequence[Variant]) -> str:
    """The table of one data set with its conventions; and the differences from the twins."""
    present = [v for v in variants if values(records, v.name, "ari")]
    lines = [
        "| | runs | " + " | ".join(label for _, label, _ in COLUMNS) + " |",
        "|---|---|" + "---|" * len(COLUMNS),
    ]
    for variant in present:
        count = len(values(records, variant.name, "ari"))
        cells = [
            _mean(list(values(records, variant.name, name).values())) for name, _, _ in COLUMNS
        ]
        lines.append(f"| {variant.label} | {count} | " + " | ".join(cells) + " |")
        if variant.name in PAPER.get(data, {}):
            figures = PAPER[data][variant.name]
            cells = ["" if place is None else f"{figures[place]:g}" for *_, place in COLUMNS]
            lines.append("| *in the paper* | | " + " | ".join(cells) + " |")
    compared = [v for v in present if v.twin is not None and len(paired(records, v, "ari"))]
    if compared:
        lines += [
            "",
            "| against its twin (p) | pairs | " + " | ".join(c[1] for c in COLUMNS) + " |",
            "|---|---|" + "---|" * len(COLUMNS),
        ]
    for variant in compared:
        cells = []
        for name, _, _ in COLUMNS:
            differences = paired(records, variant, name)
            twin = np.mean(list(values(records, str(variant.twin), name).values()))
            share = f", {differences.mean() / twin:+.0%}" if name.startswith("betti") else ""
            cells.append(f"{differences.mean():+.4f}{share} ({p_value(differences):.3f})")
        lines.append(f"| {variant.label} | {len(differences)} | " + " | ".join(cells) + " |")
    lines += ["", *_parts(records, present), "", _conventions(records)]
    return "\n".join(lines) + "\n"


def _parts(records: Sequence[Record], present: Sequence[Variant]) -> list[str]:
    """What the Betti error of holes is made of, what it is when counted otherwise, and mistakes."""
    yardsticks = ", ".join(
        f"the {name}: {np.mean([r['holes'][name]['error'] for r in records]):.3f}"
        for name in YARDSTICKS
    )
    return [
        "| holes a patch | " + " | ".join(f"{what}, {size}" for size, what in SURPLUSES) + " |",
        "|---|" + "---|" * len(SURPLUSES),
        *(
            f"| {v.label} | "
            + " | ".join(
                f"{np.mean(list(_by_run(records, v.name, _surplus(*key)).values())):.3f}"
                for key in SURPLUSES
            )
            + " |"
            for v in present
        ),
        "",
        "| Betti error, holes | " + " | ".join(ERRORS) + " |",
        "|---|" + "---|" * len(ERRORS),
        *(_row(records, v, ERRORS, _error) for v in present),
        "",
        f"Of the last epoch, over dense patches of 65 x 65; in brackets the change from the twin. "
        f"Yardsticks for the Betti error: {yardsticks}.",
        "",
        "| mistakes an image | " + " | ".join(KINDS) + " |",
        "|---|" + "---|" * len(KINDS),
        *(_row(records, v, KINDS, _mistakes) for v in present),
    ]


def _row(
    records: Sequence[Record],
    variant: Variant,
    names: Sequence[str],
    number: Callable[[str], Callable[[Record], float]],
) -> str:
    """Means over the runs, and the change from the twin, of the runs that have one."""
    cells = []
    for name in names:
        ours, twins = (_by_run(records, v, number(name)) for v in (variant.name, str(variant.twin)))
        both = ours.keys() & twins.keys()
        before = sum(twins[k] for k in both)
        share = f" ({sum(ours[k] for k in both) / before - 1:+.0%})" if before else ""
        cells.append(f"{np.mean(list(ours.values())):.3f}{share}")
    return f"| {variant.label} | " + " | ".join(cells) + " |"


def _surplus(size: str, what: str) -> Callable[[Record], float]:
    return lambda record: float(record["holes"][size][what])


def _error(name: str) -> Callable[[Record], float]:
    return lambda record: float(record["holes"][name]["error"])


def _mistakes(kind: str) -> Callable[[Record], float]:
    return lambda record: float(record["mistakes"][kind])


def save_csv(path: Path, records: Sequence[Record]) -> None:
    """One row a run."""
    keys = ("data", "variant", "budget", "fold", "inner_fold", "seed", "topo_weight", "seconds",
            "toponet", "torch")  # fmt: skip
    names = [name for name, *_ in COLUMNS]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        parts = (f"{what} holes {size}" for size, what in SURPLUSES)
        writer.writerow([*keys, *names, *parts, *(f"holes {name}" for name in ERRORS), *KINDS])
        for r in records:
            numbers = [r["late"][name] for name in names]
            numbers += [r["holes"][size][what] for size, what in SURPLUSES]
            numbers += [r["holes"][name]["error"] for name in ERRORS]
            numbers += [r["mistakes"][kind] for kind in KINDS]
            writer.writerow([*(r[key] for key in keys), *(f"{n:.6g}" for n in numbers)])


def plot(records: Sequence[Record], variants: Sequence[Variant]) -> Figure:
    """One column a metric, one row of axes a data set; a dot a run, lines join folds and seeds."""
    sets = sorted({r["data"] for r in records})
    size = (3.2 * len(COLUMNS), 0.9 + 2.6 * len(sets))
    figure = Figure(figsize=size, dpi=110, layout="constrained")
    grid = figure.subplots(len(sets), len(COLUMNS), squeeze=False)
    for row, data in zip(grid, sets, strict=True):
        of_data = [r for r in records if r["data"] == data]
        present = [v for v in variants if values(of_data, v.name, "ari")]
        for axes, (name, label, _) in zip(row, COLUMNS, strict=True):
            by_variant = [values(of_data, v.name, name) for v in present]
            for key in sorted(set().union(*by_variant)):
                points = [(k, found[key]) for k, found in enumerate(by_variant) if key in found]
                axes.plot(
                    *zip(*points, strict=True), "o-", color="0.6", linewidth=0.7, markersize=3
                )
            means = [float(np.mean(list(found.values()))) for found in by_variant]
            axes.plot(range(len(present)), means, "_", color="C3", markersize=22, markeredgewidth=2)
            axes.set_xticks(range(len(present)), [v.name for v in present], rotation=30, ha="right")
            axes.set_xlim(-0.5, len(present) - 0.5)
            axes.set_title(label if axes is not row[0] else f"{data}: {label}", fontsize=10)
    return figure


def _mean(numbers: Sequence[float]) -> str:
    deviation = f" ± {np.std(numbers, ddof=1):.4f}" if len(numbers) > 1 else ""
    return f"{np.mean(numbers):.4f}{deviation}"


def _conventions(records: Sequence[Record]) -> str:
    record = records[0]
    config, words = record["config"], record["conventions"]
    late = round(config["epochs"] / 3)
    return (
        f"Means ± standard deviation over folds and seeds of held-out images, each the mean of the "
        f"last {late} of {config['epochs']} epochs. {words['all']}; ARI: {words['ari']}; "
        f"VOI: {words['voi']}; Betti errors: {words['betti_error_1'].removeprefix('holes: ')}. "
        "p: two-sided paired permutation test "
        "over folds and seeds (1 for a single pair). The paper's ARI is the best over "
        "thresholds, its Betti error dimension 1."
    )
