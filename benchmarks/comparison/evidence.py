"""One table of methods and their masks, with the floor of each metric; folds count, not seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from comparison.rows import Row
from comparison.statistics import fold_means, interval, p_value, smallest_p
from comparison.tables import head, line
from comparison.variant import Variant

# The measures of each run, by fold and seed.
Runs = Mapping[tuple[int, int], Mapping[str, float]]
# By variant and way to its masks.
Masks = Mapping[tuple[str, str], Runs]

CUT = "cut at 0.5"
# Differences of scores are shown as they are, those of errors as shares.
SCORES = {
    "accuracy": "accuracy ↑",
    "ari": "ARI ↑",
    "voi": "VOI ↓",
    "cldice": "clDice ↑",
    "f1_0": "F1, components ↑",
    "f1_1": "F1, holes ↑",
}
ERRORS = {
    f"{name}_{d}": f"{what}, {part} ↓"
    for d, what in ((0, "components"), (1, "holes"))
    for name, part in (
        ("betti_error", "patches"),
        ("betti_matching_error", "by place, patches"),
        ("whole", "whole images"),
        ("whole_matching", "by place, whole images"),
    )
}
TABLES = (SCORES, ERRORS)


def masks_of(rows: Sequence[Row], variants: Sequence[Variant]) -> Masks:
    """The measures by variant and way; variants in their order, each one's cut first."""
    found: dict[tuple[str, str], dict[tuple[int, int], Mapping[str, float]]] = {}
    for variant in variants:
        own = [row for row in rows if row["variant"] == variant.name]
        for row in own:
            found.setdefault((variant.name, CUT), {})[row["fold"], row["seed"]] = row["cut"]
        for row in sorted(own, key=lambda r: str(r["metric"])):
            way = f"by persistence, chosen by {row['metric']}"
            found.setdefault((variant.name, way), {})[row["fold"], row["seed"]] = row["mask"]
    return found


# What a variant's masks of one way are compared with.
Base = Callable[[Masks, Variant, str], Runs]


def cut_of_twin(masks: Masks, variant: Variant, way: str = CUT) -> Runs:
    """The cut of a variant's twin, or its own, whatever the way."""
    return masks.get((variant.twin or variant.name, CUT), {})


def made_alike(rival: Variant) -> Base:
    """The rival's masks of the same way."""
    return lambda masks, variant, way: masks.get((rival.name, way), {})


def means(masks: Masks, variants: Sequence[Variant], floors: Sequence[Row]) -> list[str]:
    """Two tables: scores and errors. The rows of the truth itself come first."""
    labels = {variant.name: variant.label for variant in variants}
    lines: list[str] = []
    for columns in TABLES:
        lines += head(["network", "mask", "runs", *columns.values()])
        for name in dict.fromkeys(row["floor"] for row in floors):
            own = [row["measures"] for row in floors if row["floor"] == name]
            lines.append(line(["none", f"the {name}", "", *_means(own, columns)]))
        for (variant, way), runs in masks.items():
            cells = _means(list(runs.values()), columns)
            lines.append(line([labels[variant], way, str(len(runs)), *cells]))
        lines.append("")
    return lines[:-1]


def differences(masks: Masks, variants: Sequence[Variant]) -> list[str]:
    """Two tables: from the twin's cut, with interval and p; a fold is one observation."""
    lines: list[str] = []
    for columns in TABLES:
        lines += head(["against the twin's cut", "mask", "folds", *columns.values()])
        for variant, way, runs, base in _compared(masks, variants):
            folds = len({fold for fold, _ in runs.keys() & base.keys()})
            cells = [_difference(name, runs, base) for name in columns]
            lines.append(line([variant.label, way, str(folds), *cells]))
        lines.append("")
    return lines[:-1]


def together(
    masks: Sequence[Masks], variants: Sequence[Variant], base: Base = cut_of_twin
) -> list[str]:
    """Two tables: the change as a share of the base, mean over the data sets; p, agreeing folds."""
    labels = {variant.name: variant.label for variant in variants}
    pairs: dict[tuple[str, str], list[tuple[Runs, Runs]]] = {}
    for of_data in masks:
        for variant, way, runs, others in _compared(of_data, variants, base):
            pairs.setdefault((variant.name, way), []).append((runs, others))
    lines: list[str] = []
    for columns in TABLES:
        lines += head(["all data sets", "mask", "folds", "smallest p", *columns.values()])
        for (variant_name, way), of_both in pairs.items():
            found = {
                name: np.concatenate([relative(name, *pair) for pair in of_both])
                for name in columns
            }
            shares = {name: np.mean([_share(name, *pair) for pair in of_both]) for name in columns}
            folds = len(next(iter(found.values())))
            place = [labels[variant_name], way, str(folds), f"{smallest_p(folds):.3f}"]
            cells = [
                ""
                if np.isnan(shares[name])
                else f"{shares[name]:+.1%} ({p_value(found[name]):.3f}; {agreeing(found[name])})"
                for name in columns
            ]
            lines.append(line([*place, *cells]))
        lines.append("")
    return lines[:-1]


def relative(name: str, ours: Runs, theirs: Runs) -> NDArray[np.float64]:
    """Returns the difference of each fold as a share of the mean of both methods.

    Whatever signs a permutation flips, this mean stays: so the test is exact.
    """
    both = ours.keys() & theirs.keys()
    scale = np.mean([(ours[key][name] + theirs[key][name]) / 2 for key in both])
    found = fold_means(_paired(name, ours, theirs))
    return found / scale if scale else found


def agreeing(found: NDArray[np.float64]) -> int:
    """In how many folds the difference has the sign of the mean difference."""
    return int((np.sign(found) == np.sign(found.mean())).sum())


def _share(name: str, ours: Runs, theirs: Runs) -> float:
    """The mean difference as a share of the other's mean; NaN if that is 0."""
    base = _mean_of(name, theirs, ours)
    return float(np.mean(fold_means(_paired(name, ours, theirs)))) / base if base else np.nan


def _mean_of(name: str, runs: Runs, others: Runs) -> float:
    """Of the runs that both have."""
    return float(np.mean([runs[key][name] for key in runs.keys() & others.keys()]))


def _paired(name: str, ours: Runs, theirs: Runs) -> dict[tuple[int, int], float]:
    return {key: ours[key][name] - theirs[key][name] for key in sorted(ours.keys() & theirs.keys())}


def _compared(
    masks: Masks, variants: Sequence[Variant], base: Base = cut_of_twin
) -> list[tuple[Variant, str, Runs, Runs]]:
    """Variant, way, its runs and those of its base; not the base itself."""
    return [
        (variant, way, runs, others)
        for variant in variants
        for (name, way), runs in masks.items()
        if name == variant.name
        and (others := base(masks, variant, way)) is not runs
        and runs.keys() & others.keys()
    ]


def _difference(name: str, ours: Runs, theirs: Runs) -> str:
    """The mean difference, its interval and p."""
    found = fold_means(_paired(name, ours, theirs))
    base = _mean_of(name, theirs, ours)
    if name in ERRORS and not base:
        return ""
    scale, shown = (base, "+.0%") if name in ERRORS else (1.0, "+.4f")
    reach = interval(found)
    words = "" if reach is None else " [{}, {}]".format(*(f"{r / scale:{shown}}" for r in reach))
    return f"{np.mean(found) / scale:{shown}}{words} ({p_value(found):.2f})"


def _means(runs: Sequence[Mapping[str, float]], columns: Mapping[str, str]) -> list[str]:
    return [f"{np.mean([run[name] for run in runs]):.3f}" for name in columns]
