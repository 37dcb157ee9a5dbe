"""What segmentation by persistence gains on the cut at 0.5: the page of kept rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from comparison.evidence import (
    Masks,
    Runs,
    cut_of_twin,
    differences,
    made_alike,
    masks_of,
    means,
    together,
)
from comparison.rows import Row
from comparison.statistics import p_value
from comparison.tables import head, line
from comparison.variant import Variant

COLUMNS = {
    "accuracy": "accuracy ↑",
    "ari": "ARI ↑",
    "voi": "VOI ↓",
    "betti_error_1": "holes, patches ↓",
    "betti_error_0": "components, patches ↓",
    "whole_1": "holes, whole images ↓",
    "whole_0": "components, whole images ↓",
}
# Shares of the error that shall be gone, for cross-entropy alone.
TARGETS = {"betti_error_1": 0.35, "betti_error_0": 0.6, "whole_1": 0.5}
ACCURACY_LOSS = 0.001
BASE = "unet"
CONVENTIONS = (
    "Betti errors of patches: 65×65, random; of whole images: absolute difference of the Betti "
    "numbers. By place: Betti matching errors, features of both masks without a partner at the "
    "same place. F1: of the features of whole images that have a partner. All with a frame, "
    'connectivity 8. "None": the truth itself, which no network made: what a metric costs a '
    "mask whose topology is flawless.\n\n"
    "Where pairs are counted, p is that of a paired permutation test over folds and seeds. Where "
    "folds are counted, a fold is one observation, because its seeds share their images: the "
    "signs of all its seeds flip together, and all flips are tried. Three folds allow no p below "
    "0.25, six none below 0.031. In square brackets: 95 % intervals of Student's t over the "
    "folds. All data sets together: change as a share of the twin's cut, or of the named method's "
    "masks, mean over the data sets; in brackets p, whose differences are shares of the mean of "
    "both methods on their data set, and the number of folds in which these have the sign of "
    "their mean."
)


def markdown(rows: Sequence[Row], floors: Sequence[Row], variants: Sequence[Variant]) -> str:
    """Means and differences of each data set, and of all together.

    Args:
        rows: Of by_persistence.py.
        floors: Measures of truths that were changed a little, with "data" and "floor".
        variants: In the order of the rows.
    """
    page = ["# Segmentation by persistence"]
    sets = sorted({row["data"] for row in rows})
    every = []
    for data in sets:
        of_data = [row for row in rows if row["data"] == data]
        masks = masks_of(of_data, variants)
        every.append(masks)
        own_floors = [floor for floor in floors if floor["data"] == data]
        page += ["", f"## {data}"]
        for lines in (
            means(masks, variants, own_floors),
            _gains(masks, variants),
            differences(masks, variants),
            _numbers(of_data, variants),
        ):
            page += ["", *lines]
    if len(sets) > 1:
        page += ["", "## All data sets", "", *together(every, variants)]
        named = {row["variant"] for row in rows}
        present = [variant for variant in variants if variant.name in named]
        for k, rival in enumerate(present[:-1]):
            page += ["", f"Against {rival.label}, its masks made alike:", ""]
            page += together(every, present[k + 1 :], made_alike(rival))
    return "\n".join([*page, "", CONVENTIONS]) + "\n"


def _gains(masks: Masks, variants: Sequence[Variant]) -> list[str]:
    labels = {variant.name: variant for variant in variants}
    lines = head(["against the twin's cut", "mask", "pairs", *COLUMNS.values(), "target"])
    for (name, way), runs in masks.items():
        variant = labels[name]
        base = cut_of_twin(masks, variant)
        pairs = sorted(runs.keys() & base.keys())
        if not pairs or runs is base:
            continue
        ours, theirs = ({n: _array(m, pairs, n) for n in COLUMNS} for m in (runs, base))
        cells = [_difference(column, ours[column], theirs[column]) for column in COLUMNS]
        verdict = ("met" if reached(ours, theirs) else "missed") if name == BASE else ""
        lines.append(line([variant.label, way, str(len(pairs)), *cells, verdict]))
    return lines


def reached(
    ours: Mapping[str, NDArray[np.float64]], theirs: Mapping[str, NDArray[np.float64]]
) -> bool:
    """Whether the mask of the same network is as much better as it was meant to be."""
    change = {name: float((ours[name] - theirs[name]).mean()) for name in COLUMNS}
    lower = all(ours[n].sum() <= (1 - share) * theirs[n].sum() for n, share in TARGETS.items())
    return (
        lower and change["accuracy"] >= -ACCURACY_LOSS and change["ari"] >= 0 and change["voi"] <= 0
    )


def _difference(name: str, ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> str:
    p = p_value(ours - theirs)
    if name in ("accuracy", "ari", "voi"):
        return f"{(ours - theirs).mean():+.4f} ({p:.3f})"
    return f"{ours.sum() / theirs.sum() - 1:+.0%} ({p:.3f})" if theirs.any() else ""


def _numbers(rows: Sequence[Row], variants: Sequence[Variant]) -> list[str]:
    """Which threshold, keep and add were chosen, and how often."""
    labels = {variant.name: variant.label for variant in variants}
    lines = head(["network", "chosen by", "threshold, keep, add (runs)"])
    for variant, metric in dict.fromkeys((r["variant"], r["metric"]) for r in rows):
        chosen = [
            tuple(row["chosen"][name] for name in ("threshold", "keep", "add"))
            for row in rows
            if (row["variant"], row["metric"]) == (variant, metric)
        ]
        counted = sorted(set(chosen), key=lambda c: (-chosen.count(c), str(c)))
        cells = "; ".join(f"{', '.join(map(str, c))} ({chosen.count(c)})" for c in counted)
        lines.append(line([labels[variant], metric, cells]))
    return lines


def _array(runs: Runs, pairs: Sequence[tuple[int, int]], name: str) -> NDArray[np.float64]:
    return np.array([runs[pair][name] for pair in pairs])
