"""Tables of networks on images that differ from those of their training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from comparison.corruptions import CLEAN, CORRUPTIONS
from comparison.rows import Row
from comparison.tables import head, line
from comparison.variant import Variant

MEASURES = {
    "accuracy": "Accuracy ↑",
    "ari": "ARI ↑",
    "voi": "VOI ↓",
    "betti_error_1": "Betti error of holes, patches ↓",
    "betti_error_0": "Betti error of components, patches ↓",
    "whole_matching_1": "Betti matching error of holes, whole images ↓",
    "whole_matching_0": "Betti matching error of components, whole images ↓",
}
WAYS = {"cut": "cut at 0.5", "mask": "by persistence"}


def markdown(rows: Sequence[Row], variants: Sequence[Variant]) -> str:
    """A table for each data set and measure: corruptions in rows, networks and masks in columns."""
    page = ["# Out of distribution"]
    for data in sorted({row["data"] for row in rows}):
        of_data = [row for row in rows if row["data"] == data]
        present = [v for v in variants if any(row["variant"] == v.name for row in of_data)]
        page += ["", f"## {data}"]
        for measure, title in MEASURES.items():
            page += ["", f"**{title}**", "", *_table(of_data, present, measure)]
    strengths = "; ".join(
        f"{name}: {corruption.what}, {', '.join(f'{s:g}' for s in corruption.strengths)}"
        for name, corruption in CORRUPTIONS.items()
    )
    page += ["", f"Means over seeds. Strengths: {strengths}. Numbers of persistence are chosen by "
             "VOI on clean training images. Networks see a scaled image as it is; their likelihood "
             "is scaled back. The last row is the mean of all rows but the first."]  # fmt: skip
    return "\n".join(page) + "\n"


def _table(rows: Sequence[Row], variants: Sequence[Variant], measure: str) -> list[str]:
    """Clean images, each corruption and strength, and the mean of all corruptions."""
    names = [f"{variant.label}, {way}" for variant in variants for way in WAYS.values()]
    conditions = [(CLEAN, 0), *((name, level) for name in CORRUPTIONS for level in (1, 2, 3))]
    lines = head(["", *names])
    found = {}
    for condition in conditions:
        of_condition = [r for r in rows if (r["corruption"], r["level"]) == condition]
        if of_condition:
            found[condition] = [
                _mean([r[way][measure] for r in of_condition if r["variant"] == variant.name])
                for variant in variants
                for way in WAYS
            ]
    for (name, level), values in found.items():
        lines.append(line([f"{name} {level}" if level else name, *map(_shown, values)]))
    corrupted = [values for (name, _), values in found.items() if name != CLEAN]
    if corrupted:
        lines.append(line(["mean of all corruptions", *map(_shown, np.mean(corrupted, axis=0))]))
    return lines


def _mean(values: Sequence[float]) -> float:
    """NaN where a network has no row yet."""
    return float(np.mean(values)) if values else float("nan")


def _shown(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"
