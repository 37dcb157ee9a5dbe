"""What segmentation by persistence gains on the cut at 0.5: tables of kept rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparison.plan import METHODS
from comparison.tables import head, line, p_value

Row = Mapping[str, Any]
LABELS = {variant.name: variant.label for variant in METHODS}
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


def markdown(rows: Sequence[Row]) -> str:
    """Means, and differences from the U-Net's cut, of each data set."""
    page = ["# Segmentation by persistence"]
    for data in sorted({row["data"] for row in rows}):
        of_data = [row for row in rows if row["data"] == data]
        page += ["", f"## {data}", "", *_means(of_data), "", *_gains(of_data), "",
                 *_numbers(of_data)]  # fmt: skip
    page += ["", "Betti errors of patches: 65×65, random; of whole images: absolute difference of "
             "the Betti numbers. All with a frame, connectivity 8. p: paired permutation test."
             ]  # fmt: skip
    return "\n".join(page) + "\n"


def masks_of(rows: Sequence[Row]) -> dict[tuple[str, str], dict[str, Mapping[str, float]]]:
    """The measures of each run, by variant and way to its mask."""
    found: dict[tuple[str, str], dict[str, Mapping[str, float]]] = {}
    for variant in LABELS:
        for row in rows:
            if row["variant"] == variant:
                found.setdefault((variant, "cut at 0.5"), {})[row["place"]] = row["cut"]
        for row in sorted(rows, key=lambda r: str(r["metric"])):
            if row["variant"] == variant:
                way = f"by persistence, chosen by {row['metric']}"
                found.setdefault((variant, way), {})[row["place"]] = row["mask"]
    return found


def _means(rows: Sequence[Row]) -> list[str]:
    lines = head(["network", "mask", "runs", *COLUMNS.values()])
    for (variant, way), runs in masks_of(rows).items():
        means = (np.mean([run[name] for run in runs.values()]) for name in COLUMNS)
        lines.append(line([LABELS[variant], way, str(len(runs)), *(f"{m:.3f}" for m in means)]))
    return lines


def _gains(rows: Sequence[Row]) -> list[str]:
    masks = masks_of(rows)
    base = masks.get((BASE, "cut at 0.5"), {})
    lines = head(["against the U-Net's cut", "mask", "pairs", *COLUMNS.values(), "target"])
    for (variant, way), runs in masks.items():
        pairs = sorted(runs.keys() & base.keys())
        if not pairs or (variant, way) == (BASE, "cut at 0.5"):
            continue
        ours, theirs = ({n: _array(m, pairs, n) for n in COLUMNS} for m in (runs, base))
        cells = [_difference(name, ours[name], theirs[name]) for name in COLUMNS]
        verdict = ("met" if reached(ours, theirs) else "missed") if variant == BASE else ""
        lines.append(line([LABELS[variant], way, str(len(pairs)), *cells, verdict]))
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


def _numbers(rows: Sequence[Row]) -> list[str]:
    """Which threshold, keep and add were chosen, and how often."""
    lines = head(["network", "chosen by", "threshold, keep, add (runs)"])
    for variant, metric in dict.fromkeys((r["variant"], r["metric"]) for r in rows):
        chosen = [
            tuple(row["chosen"][name] for name in ("threshold", "keep", "add"))
            for row in rows
            if (row["variant"], row["metric"]) == (variant, metric)
        ]
        counted = sorted(set(chosen), key=lambda c: (-chosen.count(c), str(c)))
        cells = "; ".join(f"{', '.join(map(str, c))} ({chosen.count(c)})" for c in counted)
        lines.append(line([LABELS[variant], metric, cells]))
    return lines


def _array(
    runs: Mapping[str, Mapping[str, float]], places: Sequence[str], name: str
) -> NDArray[np.float64]:
    return np.array([runs[place][name] for place in places])
