"""The paper's comparison: what its numbers are made of, and that its runs are made once."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import figures
import numpy as np
import pytest
import tables
from comparison.fates import mean_fates
from comparison.holes import SIZES, best_threshold, dense_error, hole_errors
from comparison.mistakes import KINDS, mean_mistakes
from comparison.plan import BUDGETS, METHODS, Budget, make_chain
from comparison.results import kept
from comparison.tables import ERRORS, YARDSTICKS, markdown, p_value

UNETS = [v for v in METHODS if v.name in ("unet", "unet_toponet")]


def two_cells() -> np.ndarray[Any, np.dtype[np.bool_]]:
    """A wall down the middle of one patch."""
    truth = np.zeros((65, 65), dtype=np.bool_)
    truth[:, 32] = True
    return truth


def test_missing_and_extra_holes_are_told_apart_though_they_cancel_in_the_betti_error() -> None:
    truth = two_cells()
    prediction = np.zeros_like(truth)  # The two cells are one ...
    prediction[9:12, 9:12] = True
    prediction[10, 10] = False  # ... and a pinhole makes up for it.
    found = hole_errors([prediction], [truth], 8)
    assert found["100 px and more"] == {"missing": 1.0, "extra": 0.0}
    assert found["below 10 px"] == {"missing": 0.0, "extra": 1.0}
    assert found["of any size"]["error"] == found["truth cleaned"]["error"] == 0
    assert found["of 10 px and more"]["error"] == 1
    assert found["truth and prediction cleaned"]["error"] == 1


def test_at_a_larger_scale_a_patch_holds_more_and_a_thicker_truth_costs_something() -> None:
    truth = np.zeros((130, 65), dtype=np.bool_)
    truth[::26] = True  # Five rows of cells; in patches of 65 their number depends on the place.
    found = hole_errors([np.zeros_like(truth)], [truth], 8)
    assert found["whole images"]["error"] == 4
    assert found["patches of 129"]["error"] == 4
    assert found["of any size"]["error"] < 4
    assert found["truth, shifted by a pixel"]["error"] == 0  # To the right, along the walls.
    narrow = np.zeros((65, 65), dtype=np.bool_)
    narrow[[30, 32]] = True
    found = hole_errors([narrow], [narrow], 8)
    assert found["truth, thickened by a pixel"]["error"] == 1  # The gap between the walls.
    assert found["of any size"]["error"] == 0


def test_mistakes_are_counted_by_place() -> None:
    """A merged cell and a pinhole cancel in Betti numbers, not here."""
    truth, prediction = two_cells(), np.zeros((65, 65), dtype=np.bool_)
    prediction[9:12, 9:12] = True
    prediction[10, 10] = False
    found = mean_mistakes([prediction, truth], [truth, truth], 8)
    assert found["cells merged or lost"] == found["cells too many"] == 0.5
    assert mean_mistakes([truth], [truth], 8) == dict.fromkeys(KINDS, 0.0)


def test_cleaning_the_truth_takes_its_pinholes() -> None:
    truth = two_cells()
    truth[20:23, 32:35] = True
    truth[21, 33] = False
    found = hole_errors([two_cells()], [truth], 8)
    assert (found["of any size"]["error"], found["truth cleaned"]["error"]) == (1, 0)


@pytest.mark.parametrize("connectivity", [4, 8])
def test_dense_error_by_the_kernel_equals_labelling(connectivity: int) -> None:
    """Oracle: scipy's components of the background, whose border patches overlap the others."""
    masks = np.random.default_rng(0).random((2, 70, 100)) > 0.4
    prediction, truth = masks
    found = hole_errors([prediction], [truth], connectivity)
    assert dense_error([prediction], [truth], connectivity) == found["of any size"]["error"] > 0


def test_the_threshold_is_the_one_that_closes_the_wall_and_nearest_to_a_half() -> None:
    likelihood = two_cells() * np.float32(0.7)
    likelihood[30, 32] = 0.35  # Below 0.4 the wall is whole.
    assert best_threshold([likelihood], [two_cells()], 8) == 0.3
    assert best_threshold([two_cells().astype(np.float32)], [two_cells()], 8) == 0.5


def test_dots_are_counted_by_fate() -> None:
    likelihood = two_cells() * np.float32(0.75)
    likelihood[9:12, 9:12] = 0.5
    likelihood[10, 10] = 0.25
    found = mean_fates([likelihood], [two_cells()], 8)
    assert found["holes matched"] == {"dots": 2.0, "cost": 0.0625}
    assert found["holes removed"] == {"dots": 1.0, "cost": 0.25**2 / 2}
    assert found["components removed"] == {"dots": 1.0, "cost": 0.5**2 / 2}


@pytest.mark.parametrize(
    ("differences", "p"),
    [([1, 2, 3], 2 / 8), ([-1, -2, -3, -4], 2 / 16), ([1, -1], 1.0), ([5], 1.0), ([0, 0], 1.0)],
)
def test_the_paired_test_flips_every_sign(differences: list[float], p: float) -> None:
    assert p_value(np.array(differences, dtype=np.float64)) == pytest.approx(p)


def test_variants_go_on_from_the_epoch_of_the_twin_before_their_start(tmp_path: Path) -> None:
    def chain(**options: Any) -> list[Any]:
        given: dict[str, Any] = {"inner": False, "extra": (), **options}
        return make_chain("isbi12", "isbi12:.", UNETS, "minutes", 1, 2, out=tmp_path, **given)

    twin, variant = chain()
    assert twin.config.start_from is None
    before = twin.folder / "checkpoints" / "epoch_0004.ckpt"
    assert variant.config.start_from == str(before)
    assert (variant.config.topo_start_epoch, variant.config.save_every) == (5, 1)
    assert (twin.config.fold, twin.config.seed, twin.config.inner_fold) == (1, 2, None)
    inner, _ = chain(inner=True)
    assert inner.config.inner_fold == 1
    assert inner.folder != twin.folder
    assert chain(extra=["--lr", "0.5"])[0].config.lr == 0.5
    with pytest.raises(ValueError, match="needs its twin unet"):
        make_chain("isbi12", ".", UNETS[1:], "minutes", 0, 0, False, tmp_path)


def record(variant: str, seed: int, holes: float) -> dict[str, Any]:
    late = {"accuracy": 0.9, "ari": 0.8, "voi": 1.0, "betti_error_0": 0.1, "betti_error_1": holes}
    parts = {name: {"error": holes} for name in ERRORS} | {
        size: {"missing": 0.1, "extra": 0.2} for size in SIZES
    }
    conventions = dict.fromkeys(["all", *late], "as agreed")
    return {
        "data": "isbi12", "variant": variant, "fold": 0, "inner_fold": None, "seed": seed,
        "late": late, "holes": parts | {name: {"error": 0.3} for name in YARDSTICKS},
        "mistakes": dict.fromkeys(KINDS, 10 * holes), "conventions": conventions,
        "config": {"epochs": 8},
    }  # fmt: skip


def test_the_table_has_the_paper_beside_it_and_differences_from_the_twin() -> None:
    records = [record("unet", seed, 1.0 + seed) for seed in range(3)]
    records += [record("unet_toponet", seed, 0.5 + seed) for seed in range(3)]
    page = markdown("isbi12", records, UNETS)
    assert "2.0000 ± 1.0000" in page  # Holes of the twin.
    assert "| *in the paper* | | 0.9678 |" in page
    assert "-0.5000, -25% (0.250)" in page
    assert "| U-Net + topology | 0.100 | 0.200 |" in page  # Parts of the error: missing, extra.
    assert "1.500 (-25%)" in page
    assert "| U-Net + topology | 15.000 (-25%) |" in page
    assert "thickened by a pixel: 0.300" in page


@pytest.mark.slow
def test_runs_are_made_once_and_their_numbers_and_pictures_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also after the run folders are gone; and without a run there is no table."""
    monkeypatch.setitem(BUDGETS, "minutes", Budget({"unet": (2, 1)}))
    # In processes of their own, whose options come from the configuration.
    arguments = ["--variants", "unet", "unet_toponet", "--folds", "0", "--seeds", "0",
                 "--out", str(tmp_path / "runs"), "--results", str(tmp_path / "kept")]  # fmt: skip
    with pytest.raises(SystemExit, match="holds no run"):
        tables.main([*arguments, "--report-only"])
    assert tables.main(arguments) == 0
    assert "U-Net + topology" in capsys.readouterr().out
    rows = tmp_path / "kept" / "methods.jsonl"
    first = rows.read_text()
    records = [json.loads(line) for line in first.splitlines()]
    assert [r["variant"] for r in records] == ["unet", "unet_toponet"]
    assert [len(r["epochs"]) for r in records] == [2, 1]
    assert tables.main(arguments) == 0
    assert rows.read_text() == first
    names = {path.name for path in rows.parent.iterdir()}
    assert names == {"methods.jsonl"} | {f"methods-minutes.{kind}" for kind in ("md", "csv", "png")}

    places = ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "pictures")]
    figures.main(["--data", "synthetic_membranes", "--variants", "unet", "unet_toponet", *places])
    with (tmp_path / "pictures" / "synthetic_membranes-course.csv").open() as file:
        course = list(csv.DictReader(file))
    assert {(r["variant"], r["epoch"]) for r in course} == {
        ("U-Net", "1"), ("U-Net", "2"), ("U-Net + topology", "2"),
    }  # fmt: skip
    pictures = {path.name.partition("-")[2] for path in (tmp_path / "pictures").glob("*.png")}
    assert pictures == {"methods.png", "epochs.png", "course.png"}


def test_a_kept_run_of_other_options_is_no_substitute(tmp_path: Path) -> None:
    (run,) = make_chain("isbi12", "isbi12:.", UNETS[:1], "minutes", 0, 0, False, tmp_path)
    plain = {**run.config.to_plain(), "out": "elsewhere", "num_threads": 64}
    row = {**record("unet", 0, 1.0), "budget": "minutes", "config": plain}
    assert kept([row], run, "minutes") is row
    assert kept([row], run, "hours") is None
    row["config"] = {**plain, "lr": 0.5, "topo_ratio": 7.0}
    with pytest.raises(ValueError, match=r"seed 0 was made with other topo_ratio, lr; remove it"):
        kept([row], run, "minutes")


def test_generated_weights_enter_no_table(tmp_path: Path) -> None:
    generated = tmp_path / "vgg19-dcbb9e9d.pth"
    generated.write_bytes(b"generated")
    arguments = ["--variants", "unet", "mosin", "--results", str(tmp_path)]
    with pytest.raises(SystemExit, match="mosin needs --vgg-weights"):
        tables.main(arguments)
    with pytest.raises(SystemExit, match=r"isn't torchvision's vgg19-dcbb9e9d.pth: its SHA-256"):
        tables.main([*arguments, "--vgg-weights", str(generated)])
    with pytest.raises(SystemExit, match=r"nowhere.pth: No such file"):
        tables.main([*arguments, "--vgg-weights", str(tmp_path / "nowhere.pth")])


def test_unknown_names_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="unknown variants unett in the set methods"):
        tables.main(["--variants", "unett", "--results", str(tmp_path)])
    with pytest.raises(SystemExit, match="is no run folder"):
        figures.main(["--data", "isbi12", "--variants", "unet", "--runs", str(tmp_path)])
