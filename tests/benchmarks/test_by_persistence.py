"""The comparison of the cut with segmentation by persistence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import by_persistence
import numpy as np
import pytest
from comparison.gains import COLUMNS, TARGETS, markdown, reached


def runs_of(finished_run: Path, folder: Path) -> Path:
    """The run, where tables.py would have put one with an inner split."""
    place = folder / "membranes" / "unet"
    place.mkdir(parents=True)
    (place / "inner-fold0-seed0").symlink_to(finished_run, target_is_directory=True)
    return folder


def test_rows_of_a_run_are_made_once_and_its_cut_has_the_numbers_of_its_report(
    finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "rows.jsonl"
    command = ["--data", f"membranes={finished_run.parent / 'data'}", "--metrics", "betti",
               "--runs", str(runs_of(finished_run, tmp_path / "runs")), "--results", str(kept)
               ]  # fmt: skip
    assert by_persistence.main(command) == 0
    (row,) = map(json.loads, kept.read_text().splitlines())
    report = json.loads((finished_run / "report.json").read_text())
    assert {name: row["cut"][name] for name in report["final"]} == pytest.approx(report["final"])
    before = kept.read_text()
    assert by_persistence.main(command) == 0
    assert kept.read_text() == before
    assert "cut at 0.5" in capsys.readouterr().out


def test_without_runs_one_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--runs", str(tmp_path), "--results", str(tmp_path / "rows.jsonl")]
    assert by_persistence.main(command) == 2
    assert "holds no row" in capsys.readouterr().err


def row(place: str, **better: float) -> dict[str, Any]:
    cut = dict.fromkeys(COLUMNS, 1.0)
    return {"data": "isbi12", "variant": "unet", "place": place, "metric": "voi", "cut": cut,
            "chosen": {"threshold": 0.5, "keep": 0.5, "add": None},
            "mask": {**cut, **better}}  # fmt: skip


def test_the_table_says_how_much_is_gone_and_whether_that_is_enough() -> None:
    enough = {name: 1 - share for name, share in TARGETS.items()}
    page = markdown([row("fold0-seed0", **enough), row("fold1-seed0", **enough)])
    (line,) = [text for text in page.splitlines() if "-35%" in text]
    assert line.endswith("| met |")
    assert "0.5, 0.5, None (2)" in page


@pytest.mark.parametrize("worse", [*TARGETS, "accuracy", "ari", "voi"])
def test_each_target_can_be_missed_by_itself(worse: str) -> None:
    theirs = {name: np.ones(2) for name in COLUMNS}
    ours = {name: np.full(2, 1 - TARGETS.get(name, 0.0)) for name in COLUMNS}
    assert reached(ours, theirs)
    ours[worse] = ours[worse] + (-0.01 if worse in ("accuracy", "ari") else 0.01)
    assert not reached(ours, theirs)
