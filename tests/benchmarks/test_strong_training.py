"""The sets that a sceptic asks for: what they hold, and how their options are chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from comparison.choice import chosen_ratios, chosen_training
from comparison.plan import make_chain
from comparison.strong import COMMON, COMMON_TRAININGS, SCEPTIC
from comparison.variants import INNER_SETS, SETS

from toponet.data.augmentation import AUGMENTATIONS
from toponet.training import TrainConfig


def configurations(name: str, variants: list[str], folder: Path) -> dict[str, TrainConfig]:
    chosen = [variant for variant in SETS[name] if variant.name in variants]
    chain = make_chain("isbi12", ".", chosen, "minutes", 1, 2, name in INNER_SETS, folder)
    return {run.variant.name: run.config for run in chain}


def test_the_common_training_is_chosen_from_all_combinations_without_topology() -> None:
    options = [variant.options for variant in COMMON_TRAININGS]
    found = {tuple(o[o.index(f"--{name}") + 1] for name in ("network", "base-loss", "augmentation"))
             for o in options}  # fmt: skip
    assert found == {
        (network, base_loss, augmentation)
        for network in ("unet", "unet_wide")
        for base_loss in ("cross_entropy", "cross_entropy_dice")
        for augmentation in AUGMENTATIONS
    }
    assert len(options) == len(found) == 12
    assert not any("topo" in word for given in options for word in given)
    assert {variant.twin for variant in COMMON_TRAININGS} == {None}


def test_a_common_training_is_what_its_name_says(tmp_path: Path) -> None:
    name = "unet_wide-cross_entropy_dice-all"
    (config,) = configurations("common_training", [name], tmp_path).values()
    assert [config.network, config.base_loss, config.augmentation] == name.split("-")
    assert (config.topo_weight, config.inner_fold) == (0, 1)


def test_all_methods_share_the_common_training_and_differ_by_their_term_alone(
    tmp_path: Path,
) -> None:
    of_terms = {"topo_loss", "topo_weight", "topo_ratio", "topo_patch_size", "matching",
                "in_place_weight", "in_place_extremes", "out", "start_from", "dims", "frame",
                "unmatched_weight"}  # fmt: skip
    names = ["common", "cldice_3", "complete_10", "in_place_30"]
    found = configurations("sceptic", names, tmp_path)
    twin = found["common"]
    for config in found.values():
        plain = config.to_plain()
        assert all(plain[n] == v for n, v in twin.to_plain().items() if n not in of_terms)
    terms = {
        name: (c.topo_loss, c.topo_weight, c.topo_ratio, c.matching, c.in_place_weight)
        for name, c in found.items()
        if name != "common"
    }
    assert terms == {
        "cldice_3": ("cldice", "auto", 3, None, None),
        "complete_10": ("persistence", "auto", 10, "complete", None),
        "in_place_30": ("persistence", "auto", 30, "in_place", "persistence"),
    }
    assert {c.start_from for n, c in found.items() if n != "common"} == {
        f"{twin.out}/checkpoints/epoch_0004.ckpt"
    }


def test_weights_are_chosen_from_the_same_ratios_on_inner_splits(tmp_path: Path) -> None:
    assert SETS["sceptic"] == SETS["sceptic_ratios"] == SCEPTIC
    assert {v.name for v in SCEPTIC} == {"common"} | {
        f"{term}_{ratio}" for term in ("cldice", "complete", "in_place") for ratio in (3, 10, 30)
    }
    assert any(v.options[2:] == COMMON for v in COMMON_TRAININGS)
    inner = configurations("sceptic_ratios", ["common"], tmp_path)["common"]
    reported = configurations("sceptic", ["common"], tmp_path)["common"]
    assert (inner.inner_fold, reported.inner_fold) == (1, None)


def test_fine_tunings_begin_where_the_long_common_training_ended(tmp_path: Path) -> None:
    names = ["common", "on", "cldice_3", "in_place_10"]
    chosen = [variant for variant in SETS["sceptic_fine_tuning"] if variant.name in names]
    runs = make_chain("isbi12", ".", chosen, "long", 1, 2, False, tmp_path)
    found = {run.variant.name: run.config for run in runs}
    twin = found.pop("common")
    assert (twin.epochs, twin.topo_weight, twin.start_from) == (40, 0, None)
    for config in found.values():
        assert (config.epochs, config.lr, config.lr_schedule) == (45, 3e-4, "constant")
        assert config.start_from == f"{twin.out}/checkpoints/epoch_0040.ckpt"
        assert (config.base_loss, config.augmentation) == (twin.base_loss, twin.augmentation)
    assert found["on"].topo_weight == 0
    assert {found[name].topo_start_epoch for name in ("cldice_3", "in_place_10")} == {41}
    assert (found["in_place_10"].matching, found["in_place_10"].topo_ratio) == ("in_place", 10)


def record(
    variant: str, accuracy: float, voi: float, data: str = "isbi12", fold: int = 0
) -> dict[str, Any]:
    late = {"accuracy": accuracy, "voi": voi, "ari": 0.0, "betti_error_1": 0.0}
    return {"variant": variant, "data": data, "fold": fold, "seed": 0, "late": late}


def test_the_training_with_the_best_ranks_is_chosen_whatever_a_single_split_says() -> None:
    first, second, third = (variant.name for variant in COMMON_TRAININGS[:3])
    records = [
        record(name, accuracy, voi, fold=fold)
        for fold, all_three in enumerate([
            [(0.9, 1.0), (0.8, 2.0), (0.7, 3.0)],
            [(0.9, 1.0), (0.8, 2.0), (0.7, 3.0)],
            [(0.1, 90.0), (0.2, 9.0), (0.3, 8.0)],  # As a mean this split would decide.
        ])
        for name, (accuracy, voi) in zip((first, second, third), all_three, strict=True)
    ]  # fmt: skip
    rows = chosen_training(records, COMMON_TRAININGS[:3])[2:]
    assert [row.split(" | ")[0] for row in rows] == [f"| {v.label}" for v in COMMON_TRAININGS[:3]]
    assert [row.split(" | ")[1] for row in rows] == ["1.67", "2.00", "2.33"]
    assert chosen_training(records, COMMON_TRAININGS)[2:] == rows
    assert chosen_training([], COMMON_TRAININGS) == []


def test_a_training_that_lacks_a_split_is_not_ranked() -> None:
    """With the splits that both have it would be the best."""
    first, second = COMMON_TRAININGS[:2]
    records = [record(first.name, 0.9, 1.0), record(second.name, 0.8, 2.0),
               record(second.name, 0.8, 2.0, fold=1)]  # fmt: skip
    assert chosen_training(records, COMMON_TRAININGS)[2:] == [
        f"| {second.label} | 1.00 | 2 |", f"| {first.label} | not ranked | 1 of 2 |",
    ]  # fmt: skip
    assert chosen_training(records[:1], COMMON_TRAININGS[1:]) == []


@pytest.mark.parametrize(
    ("accuracies", "chosen"),
    [((0.9, 0.9, 0.898), "30"), ((0.9, 0.9, 0.896), "10"), ((0.8, 0.7, 0.6), "3")],
)
def test_of_the_ratios_that_cost_little_accuracy_the_one_with_the_best_voi_is_chosen(
    accuracies: tuple[float, float, float], chosen: str
) -> None:
    records = [record("common", 0.9, 1.0)]
    for accuracy, voi, ratio in zip(accuracies, (0.9, 0.8, 0.7), (3, 10, 30), strict=True):
        records.append(record(f"cldice_{ratio}", accuracy, voi))
    records.append(record("in_place_3", 0.9, 0.1))  # Its other ratios aren't there yet.
    _, _, *rows = chosen_ratios(records, SCEPTIC)
    assert len(rows) == 3
    (row,) = [row for row in rows if row.endswith("| chosen |")]
    assert row.startswith(f"| clDice, ratio {chosen} | 1 |")
