"""The comparison of the cut with segmentation by persistence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import by_persistence
import numpy as np
import pytest
from comparison.evidence import ERRORS, SCORES, relative
from comparison.gains import COLUMNS, TARGETS, markdown, reached
from comparison.variants import METHODS

UNETS = [variant for variant in METHODS if variant.name in ("unet", "unet_toponet")]


def runs_of(finished_run: Path, folder: Path) -> Path:
    """The run, where tables.py would have put one with an inner split."""
    place = folder / "methods" / "minutes" / "membranes" / "unet"
    place.mkdir(parents=True)
    (place / "inner-fold0-seed0").symlink_to(finished_run, target_is_directory=True)
    return folder


def test_rows_of_a_run_are_made_once_and_its_cut_has_the_numbers_of_its_report(
    finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The floors of the images that it held out, too."""
    results = tmp_path / "results"
    command = ["--data", f"membranes={finished_run.parent / 'data'}", "--metrics", "betti",
               "--out", str(runs_of(finished_run, tmp_path / "runs")), "--results", str(results)
               ]  # fmt: skip
    assert by_persistence.main(command) == 0
    kept = results / "by_persistence-methods-minutes.jsonl"
    (row,) = map(json.loads, kept.read_text().splitlines())
    report = json.loads((finished_run / "report.json").read_text())
    assert {name: row["cut"][name] for name in report["final"]} == pytest.approx(report["final"])
    assert row["cut"].keys() >= SCORES.keys() | ERRORS.keys()
    floors = [json.loads(text) for text in (results / "floors.jsonl").read_text().splitlines()]
    assert [floor["split"] for floor in floors] == ["inner-fold0", "inner-fold0"]
    assert all(0 < floor["measures"]["accuracy"] < 1 for floor in floors)
    before = [path.read_text() for path in sorted(results.iterdir())]
    assert by_persistence.main(command) == 0
    assert [path.read_text() for path in sorted(results.iterdir())] == before
    assert by_persistence.main([*command, "--metrics", "voi", "betti"]) == 0
    first, second = kept.read_text().splitlines()
    assert first + "\n" == before[0]
    row, other = json.loads(first), json.loads(second)
    assert (row["metric"], other["metric"]) == ("betti", "voi")
    assert row["cut"] == other["cut"]
    shown = capsys.readouterr().out
    assert "cut at 0.5" in shown
    assert "the truth, thickened by a pixel" in shown


def test_without_runs_one_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--out", str(tmp_path), "--results", str(tmp_path)]
    assert by_persistence.main(command) == 2
    assert "holds no row" in capsys.readouterr().err


def row(
    fold: int, variant: str = "unet", data: str = "isbi12", better: dict[str, float] | None = None
) -> dict[str, Any]:
    cut = dict.fromkeys((*SCORES, *ERRORS), 1.0)
    return {"data": data, "variant": variant, "fold": fold, "seed": 0, "metric": "voi", "cut": cut,
            "chosen": {"threshold": 0.5, "keep": 0.5, "add": None},
            "mask": {**cut, **(better or {})}}  # fmt: skip


def test_the_table_says_how_much_is_gone_and_whether_that_is_enough() -> None:
    enough = {name: 1 - share for name, share in TARGETS.items()}
    page = markdown([row(0, better=enough), row(1, better=enough)], [], METHODS)
    (line,) = [text for text in page.splitlines() if "-35% (" in text]
    assert line.endswith("| met |")
    assert "0.5, 0.5, None (2)" in page


def test_floors_stand_above_what_networks_reach() -> None:
    measures = {**dict.fromkeys(SCORES, 0.75), **dict.fromkeys(ERRORS, 0.25)}
    floors = [{"data": data, "floor": "truth", "measures": measures} for data in ("isbi12", "x")]
    page = markdown([row(0)], floors, METHODS)
    assert page.count("| none | the truth |  | " + " | ".join(6 * ["0.750"])) == 1
    assert page.count("| none | the truth |  | " + " | ".join(8 * ["0.250"])) == 1


def test_a_fold_is_one_observation_and_data_sets_are_put_together() -> None:
    """By hand: three equal folds a data set, each p the smallest that its folds allow."""
    rows = [
        {**row(fold, data=data, better={"whole_1": 0.5, "ari": 1.25}), "seed": seed}
        for data in ("isbi12", "topomortar")
        for fold in range(3)
        for seed in range(2)
    ]
    page = markdown(rows, [], METHODS)
    assert page.count("| U-Net | by persistence, chosen by voi | 3 | ") == 4
    assert page.count("-50% [-50%, -50%] (0.25)") == 2
    assert page.count("+0.2500 [+0.2500, +0.2500] (0.25)") == 2
    assert "| 6 | 0.031 |" in page
    assert "-50.0% (0.031; 6)" in page
    assert "+25.0% (0.031; 6)" in page


def test_data_sets_are_put_together_by_a_scale_that_knows_no_side() -> None:
    """Reason: a permutation swaps the methods of a fold, and must find the same scale."""
    ours, theirs = (
        {(fold, 0): {"voi": value} for fold, value in enumerate(values)}
        for values in ((1.0, 2.0, 6.0), (2.0, 2.0, 5.0))
    )
    found = relative("voi", ours, theirs)
    assert found.tolist() == pytest.approx([-1 / 3, 0, 1 / 3])
    assert (relative("voi", theirs, ours) == -found).all()
    nothing = {(0, 0): {"voi": 0.0}}
    assert relative("voi", nothing, nothing).tolist() == [0]


def test_without_errors_to_take_shares_of_a_cell_stays_empty() -> None:
    rows = [row(0, data=data, better={"whole_1": 0.0}) for data in ("isbi12", "topomortar")]
    for one in rows:
        one["cut"] = {**one["cut"], "whole_1": 0.0}
    page = markdown(rows, [], METHODS)
    assert "nan" not in page
    assert page.count(" |  | ") > 2


def test_a_method_is_compared_with_the_cut_of_its_twin() -> None:
    topology = row(0, "unet_toponet")
    topology["cut"] = {**topology["cut"], "betti_error_1": 0.75}
    page = markdown([row(0), topology], [], UNETS)
    assert "| U-Net + topology | cut at 0.5 | 1 | " in page
    assert "-25% (1.00)" in page


def test_all_methods_are_compared_mask_by_mask() -> None:
    """By hand: topology is better than its twin in five of six folds, clDice than it in all."""
    voi = {"unet": 1.0, "unet_toponet": 0.5, "unet_cldice": 0.25}
    rows = [
        row(fold, name, data, better={"voi": voi[name]})
        for data in ("isbi12", "topomortar")
        for name in voi
        for fold in range(3)
    ]
    (odd,) = (r for r in rows[9:] if r["variant"] == "unet_toponet" and r["fold"] == 2)
    odd["mask"]["voi"] = 1.25
    page = markdown(rows, [], METHODS)
    _, twin, topology = page.split("masks made alike:")

    def line_of(part: str, name: str) -> str:
        start = f"| {name} | by persistence, chosen by voi | 6 | 0.031 |"
        return next(text for text in part.splitlines() if text.startswith(start))

    # Mean over the data sets of -50 % and of (-0.5 - 0.5 + 0.25) / 3.
    assert "-37.5% (" in line_of(twin, "U-Net + topology")
    assert "; 5)" in line_of(twin, "U-Net + topology")
    assert "-75.0% (0.031; 6)" in line_of(twin, "U-Net + clDice")
    # Of -50 % and of (0.25 - 0.75) / 0.75.
    assert "-58.3% (0.031; 6)" in line_of(topology, "U-Net + clDice")
    assert "| U-Net + topology | by persistence" not in topology


@pytest.mark.parametrize("worse", [*TARGETS, "accuracy", "ari", "voi"])
def test_each_target_can_be_missed_by_itself(worse: str) -> None:
    theirs = {name: np.ones(2) for name in COLUMNS}
    ours = {name: np.full(2, 1 - TARGETS.get(name, 0.0)) for name in COLUMNS}
    assert reached(ours, theirs)
    ours[worse] = ours[worse] + (-0.01 if worse in ("accuracy", "ari") else 0.01)
    assert not reached(ours, theirs)
