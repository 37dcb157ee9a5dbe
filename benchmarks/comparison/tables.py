"""Markdown, CSV and a plot of the records."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from comparison.floors import FLOORS
from comparison.holes import SIZES
from comparison.mistakes import KINDS
from comparison.paper import PAPER
from comparison.results import Record, late_epochs
from comparison.statistics import p_value
from comparison.variant import Variant
from toponet.evaluation.protocol import with_arrow
from toponet.training.evaluation import TRAINING_METRICS

# Places in the paper's tables.
IN_THE_PAPER = {"accuracy": 0, "maximal_ari": 1, "voi": 2, "betti_error_1": 3}
ERRORS = (
    "of any size",
    "of 10 px and more",
    "truth cleaned",
    "truth and prediction cleaned",
    "patches of 129",
    "whole images",
)
# What the topological loss is held to, against cross-entropy alone.
TARGET = "Betti error of holes 30 % lower, accuracy at most 0.003 lower, ARI and VOI not worse"

Values = dict[tuple[int, int], float]


def values(records: Sequence[Record], variant: str, *path: str) -> Values:
    """A number of the records, found by its names, by fold and seed."""
    found = {}
    for record in records:
        if record["variant"] == variant:
            number: Any = record
            for name in path:
                number = number[name]
            found[record["fold"], record["seed"]] = float(number)
    return found


def paired(
    records: Sequence[Record], variant: Variant, *path: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The numbers of a variant and of its twin, of the folds and seeds that both have."""
    ours, twins = (values(records, v, *path) for v in (variant.name, str(variant.twin)))
    both = sorted(ours.keys() & twins.keys())
    return np.array([ours[key] for key in both]), np.array([twins[key] for key in both])


def markdown(data: str, records: Sequence[Record], variants: Sequence[Variant]) -> str:
    """The tables of one data set with their conventions.

    Args:
        data: Its name.
        records: Of one budget, all of reported folds or all of inner ones.
        variants: In the order of the rows.

    Raises:
        ValueError: If the records were measured by different conventions.
    """
    conventions = [(r["conventions"], r["inner"], r["budget"]) for r in records]
    if any(convention != conventions[0] for convention in conventions):
        raise ValueError(f"the runs on {data} were measured by different conventions")
    present = [v for v in variants if values(records, v.name, "fold")]
    parts = [
        _means(data, records, present),
        _differences(records, present, "late", "against its twin (p)"),
        [_conventions(records)],
        _choice(records, present),
        _holes(records, present),
        _mistakes(records, present),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _means(data: str, records: Sequence[Record], present: Sequence[Variant]) -> list[str]:
    columns: list[tuple[str, tuple[str, ...]]] = [
        (with_arrow(name), ("late", name)) for name in TRAINING_METRICS
    ]
    columns.insert(2, (with_arrow("ari") + ", maximal", ("maximal_ari",)))
    lines = head(["", "runs", *(label for label, _ in columns)])
    for variant in present:
        numbers = [list(values(records, variant.name, *path).values()) for _, path in columns]
        lines.append(line([variant.label, str(len(numbers[0])), *map(_mean, numbers)]))
        if variant.name in PAPER.get(data, {}):
            figures = PAPER[data][variant.name]
            places = [IN_THE_PAPER.get(path[-1]) for _, path in columns]
            cells = ["" if place is None else f"{figures[place]:g}" for place in places]
            lines.append(line(["*in the paper*", "", *cells]))
    return lines


def _differences(
    records: Sequence[Record], present: Sequence[Variant], part: str, title: str
) -> list[str]:
    """Of the metrics in one part of the records; and whether they reach the target."""
    compared = [v for v in present if len(paired(records, v, "fold")[0])]
    if not compared:
        return []
    lines = head([title, "pairs", *map(with_arrow, TRAINING_METRICS), "target"])
    for variant in compared:
        cells, means, shares = [], {}, {}
        for name in TRAINING_METRICS:
            ours, twins = paired(records, variant, part, name)
            means[name] = float((ours - twins).mean())
            share = ""
            if name.startswith("betti") and twins.any():
                shares[name] = ours.sum() / twins.sum() - 1
                share = f", {shares[name]:+.0%}"
            cells.append(f"{means[name]:+.4f}{share} ({p_value(ours - twins):.3f})")
        met = (
            shares.get("betti_error_1", 0) <= -0.3
            and means["accuracy"] >= -0.003
            and means["ari"] >= 0
            and means["voi"] <= 0
        )
        lines.append(line([variant.label, str(len(ours)), *cells, "met" if met else "missed"]))
    return lines


def _choice(records: Sequence[Record], present: Sequence[Variant]) -> list[str]:
    """The threshold chosen, for all methods alike."""
    names = ("threshold", *TRAINING_METRICS)
    lines = head(["at a chosen threshold", *names])
    lines += [_row(records, v, [("chosen", name) for name in names]) for v in present]
    differences = _differences(records, present, "chosen", "there, against its twin (p)")
    return [
        *lines,
        *(["", *differences] if differences else []),
        "",
        "Of the last epoch, at the threshold of 0.2, 0.25 ... 0.8 that gives the training images "
        "the best accuracy, for all methods alike; metrics as above.",
    ]


def _holes(records: Sequence[Record], present: Sequence[Variant]) -> list[str]:
    """What the Betti error of holes is made of, and what it is when counted otherwise."""
    surpluses = [("holes", size, what) for size in SIZES for what in ("missing", "extra")]
    yardsticks = ", ".join(
        f"the {name}: {np.mean([r['holes'][name]['error'] for r in records]):.3f}"
        for name in FLOORS
    )
    return [
        *head(["holes a patch", *(f"{what}, {size}" for _, size, what in surpluses)]),
        *(_row(records, v, surpluses) for v in present),
        "",
        *head(["Betti error of holes", *ERRORS]),
        *(_row(records, v, [("holes", name, "error") for name in ERRORS]) for v in present),
        "",
        "Of the last epoch, at the threshold 0.5, over framed patches of 65 x 65 (or as the column "
        "says) that overlap by half. Cleaned: of holes and specks below 10 px. Yardsticks for the "
        f"first column: {yardsticks}. In brackets here and below: the change from the twin.",
    ]


def _mistakes(records: Sequence[Record], present: Sequence[Variant]) -> list[str]:
    return [
        *head(["mistakes an image", *KINDS]),
        *(_row(records, v, [("mistakes", kind) for kind in KINDS]) for v in present),
        "",
        "Of the last epoch, at the threshold 0.5: the marks of `toponet.plots.plot_mistakes` in "
        "whole images. They know places: a pinhole doesn't make up for a merged cell.",
    ]


def _row(records: Sequence[Record], variant: Variant, paths: Sequence[tuple[str, ...]]) -> str:
    """Means over the runs; of errors and mistakes the change from the twin as well."""
    cells = [variant.label]
    for path in paths:
        ours, twins = paired(records, variant, *path)
        counts = path[0] == "mistakes" or path[-1] == "error"
        share = f" ({ours.sum() / twins.sum() - 1:+.0%})" if counts and twins.any() else ""
        mean = np.mean(list(values(records, variant.name, *path).values()))
        cells.append(f"{mean:.3f}{share}")
    return line(cells)


def save_csv(path: Path, records: Sequence[Record]) -> None:
    """One row a run."""
    keys = ("data", "variant", "budget", "inner", "fold", "seed", "topo_weight", "seconds",
            "toponet", "torch")  # fmt: skip
    columns: dict[str, Callable[[Record], float]] = {
        **{name: lambda r, n=name: r["late"][n] for name in TRAINING_METRICS},  # type: ignore[misc]
        **{name: lambda r, n=name: r["holes"][n]["error"] for name in ERRORS},  # type: ignore[misc]
        **{name: lambda r, n=name: r["mistakes"][n] for name in KINDS},  # type: ignore[misc]
    }
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*keys, *columns])
        for r in records:
            numbers = (f"{number(r):.6g}" for number in columns.values())
            writer.writerow([*(r[key] for key in keys), *numbers])


def plot(records: Sequence[Record], variants: Sequence[Variant]) -> Figure:
    """One column a metric, one row of axes a data set; a dot a run.

    Lines join the runs of a fold and seed that share a cross-entropy phase.
    """
    sets = sorted({r["data"] for r in records})
    size = (3.2 * len(TRAINING_METRICS), 0.9 + 2.6 * len(sets))
    figure = Figure(figsize=size, dpi=110, layout="constrained")
    grid = figure.subplots(len(sets), len(TRAINING_METRICS), squeeze=False)
    for row, data in zip(grid, sets, strict=True):
        of_data = [r for r in records if r["data"] == data]
        present = [v for v in variants if values(of_data, v.name, "fold")]
        for axes, name in zip(row, TRAINING_METRICS, strict=True):
            by_variant = [values(of_data, v.name, "late", name) for v in present]
            roots = [v.twin or v.name for v in present]
            for key, root in sorted(itertools.product(set().union(*by_variant), set(roots))):
                points = [
                    (k, found[key])
                    for k, found in enumerate(by_variant)
                    if key in found and roots[k] == root
                ]
                line = np.reshape(points, (-1, 2)).T
                axes.plot(*line, "o-", color="0.6", linewidth=0.7, markersize=3)
            means = [float(np.mean(list(found.values()))) for found in by_variant]
            axes.plot(range(len(present)), means, "_", color="C3", markersize=22, markeredgewidth=2)
            axes.set_xticks(range(len(present)), [v.name for v in present], rotation=30, ha="right")
            axes.set_xlim(-0.5, len(present) - 0.5)
            label = with_arrow(name)
            axes.set_title(label if axes is not row[0] else f"{data}: {label}", fontsize=10)
    return figure


def head(cells: Sequence[str]) -> list[str]:
    """The two lines that begin a table."""
    return [line(cells), "|" + "---|" * len(cells)]


def line(cells: Sequence[str]) -> str:
    """A row."""
    return "| " + " | ".join(cells) + " |"


def _mean(numbers: Sequence[float]) -> str:
    deviation = f" ± {np.std(numbers, ddof=1):.4f}" if len(numbers) > 1 else ""
    return f"{np.mean(numbers):.4f}{deviation}"


def _conventions(records: Sequence[Record]) -> str:
    record = records[0]
    words, epochs = record["conventions"], record["config"]["epochs"]
    held_out = (
        "an inner block of the training part (the fold itself is left out altogether)"
        if record["inner"]
        else "the fold's held-out images"
    )
    versions = sorted({f"toponet {r['toponet']}, torch {r['torch']}" for r in records})
    return (
        f"Means ± standard deviation over folds and seeds, on {held_out}, each the mean of the "
        f"last {late_epochs(epochs)} of {epochs} epochs (maximal ARI: the last, and the best of 19 "
        f"thresholds chosen with the truth, as in the paper). {words['all']}; ARI: {words['ari']}; "
        f"VOI: {words['voi']}; Betti errors, 0 components and 1 holes: "
        f"{words['betti_error_1'].removeprefix('holes: ')}. "
        "p: two-sided paired permutation test over folds and seeds (1 for a single pair); it takes "
        "seeds of one fold, which share their images, for independent. "
        f"Target: {TARGET}. {'; '.join(versions)}."
    )
