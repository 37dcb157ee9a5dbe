"""What inner splits choose: the training that all methods share, and the weight of each method."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from comparison.results import Record
from comparison.tables import head, line, values
from comparison.variant import Variant

# Data set, fold and seed.
Split = tuple[str, int, int]
# A weight that costs more accuracy than this isn't chosen.
ACCURACY_LOSS = 0.003


def chosen_training(records: Sequence[Record], variants: Sequence[Variant]) -> list[str]:
    """The variants by the mean of their ranks in accuracy and VOI; the first one is chosen.

    Ranks, because the splits differ more than the variants. Topology isn't looked at.

    Args:
        records: Of inner splits, all data sets together.
        variants: Those that are compared. One that lacks a split which another one has is listed,
            but not ranked.

    Returns:
        A table; nothing without records of these variants.
    """
    found = {variant.name: _splits(records, [variant]) for variant in variants}
    splits = sorted(set[Split]().union(*found.values()))
    if not splits:
        return []
    ranked = [variant for variant in variants if found[variant.name] == splits]
    rows = []
    if ranked:
        badness = [
            [sign * _late(records, v, split, name) for v in ranked]
            for name, sign in (("accuracy", -1), ("voi", 1))
            for split in splits
        ]
        ranks = stats.rankdata(badness, axis=1).mean(axis=0)
        for k in sorted(range(len(ranked)), key=lambda k: float(ranks[k])):
            rows.append(line([ranked[k].label, f"{ranks[k]:.2f}", str(len(splits))]))
    for variant in variants:
        if variant not in ranked and found[variant.name]:
            coverage = f"{len(found[variant.name])} of {len(splits)}"
            rows.append(line([variant.label, "not ranked", coverage]))
    return [*head(["the first is chosen, by accuracy and VOI alone", "mean rank", "splits"]), *rows]


def chosen_ratios(records: Sequence[Record], variants: Sequence[Variant]) -> list[str]:
    """Of each method the ratio with the best VOI, of those that cost little accuracy.

    VOI is compared with the twin's on the same split, as a share. If every ratio costs more than
    ``ACCURACY_LOSS``, the smallest one is chosen.

    Args:
        records: Of inner splits, all data sets together.
        variants: METHOD_RATIO and their twin, small ratios first; a method counts on the splits
            that all its ratios and the twin have.

    Returns:
        A table; its head alone if no method has such a split.
    """
    lines = head(["method", "splits", "VOI to the twin's", "accuracy less the twin's", ""])
    twin = next(v for v in variants if v.twin is None)
    for method in dict.fromkeys(_method(v) for v in variants if v is not twin):
        own = [v for v in variants if _method(v) == method]
        splits = _splits(records, [twin, *own])
        if not splits:
            continue
        found = [_against(records, v, twin, splits) for v in own]
        cheap = [k for k, (_, accuracy) in enumerate(found) if accuracy >= -ACCURACY_LOSS]
        best = min(cheap, key=lambda k: found[k][0], default=0)
        for k, (variant, (voi, accuracy)) in enumerate(zip(own, found, strict=True)):
            verdict = "chosen" if k == best else ""
            lines.append(
                line([variant.label, str(len(splits)), f"{voi:.3f}", f"{accuracy:+.4f}", verdict])
            )
    return lines


CHOICES: dict[str, Callable[[Sequence[Record], Sequence[Variant]], list[str]]] = {
    "common_training": chosen_training,
    "sceptic_ratios": chosen_ratios,
}


def _method(variant: Variant) -> str:
    return variant.name.rpartition("_")[0]


def _splits(records: Sequence[Record], variants: Sequence[Variant]) -> list[Split]:
    """Those that all variants have."""
    of_each = [{_split(r) for r in records if r["variant"] == v.name} for v in variants]
    return sorted(set.intersection(*of_each))


def _split(record: Record) -> Split:
    return record["data"], record["fold"], record["seed"]


def _late(records: Sequence[Record], variant: Variant, split: Split, name: str) -> float:
    data, *place = split
    of_data = [r for r in records if r["data"] == data]
    return values(of_data, variant.name, "late", name)[place[0], place[1]]


def _against(
    records: Sequence[Record], variant: Variant, twin: Variant, splits: Sequence[Split]
) -> tuple[float, float]:
    """VOI as a share of the twin's, and the difference in accuracy: means over the splits."""
    voi, accuracy = (
        np.array([[_late(records, v, split, name) for v in (variant, twin)] for split in splits])
        for name in ("voi", "accuracy")
    )
    return float(np.mean(voi[:, 0] / voi[:, 1])), float(np.mean(accuracy[:, 0] - accuracy[:, 1]))
