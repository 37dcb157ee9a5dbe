"""The paper's comparison: what its numbers are made of, and that its runs are made once."""

from __future__ import annotations

import csv
import json
import threading
import time
from pathlib import Path
from typing import Any

import figures
import numpy as np
import pytest
import tables
import yaml
from comparison.fates import mean_fates
from comparison.floors import FLOORS
from comparison.holes import SIZES, dense_error, hole_errors
from comparison.mistakes import KINDS, mean_mistakes
from comparison.plan import BUDGETS, Run, make_chain
from comparison.results import check_folder, keep, kept, read
from comparison.runner import RunFailedError, Trainings, run_chains
from comparison.statistics import p_value
from comparison.tables import ERRORS, markdown
from comparison.thresholds import maximal_ari, most_accurate
from comparison.variants import INNER_SETS, METHODS, SETS

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


def test_the_threshold_is_the_most_accurate_and_nearest_to_a_half() -> None:
    likelihood = two_cells() * np.float32(0.7)
    likelihood[:, 20] = 0.52  # No wall: from 0.55 on all pixels are right.
    assert most_accurate([likelihood], [two_cells()]) == 0.55
    assert most_accurate([two_cells().astype(np.float32)], [two_cells()]) == 0.5


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


def record(variant: str, seed: int, holes: float, **others: Any) -> dict[str, Any]:
    metrics = {"accuracy": 0.9, "ari": 0.8, "voi": 1.0, "betti_error_0": 0.1}
    late = {**metrics, "betti_error_1": holes}
    parts = {name: {"error": holes} for name in ERRORS} | {
        size: {"missing": 0.1, "extra": 0.2} for size in SIZES
    }
    return {
        "data": "isbi12", "variant": variant, "budget": "minutes", "inner": False, "fold": 0,
        "seed": seed, "late": late, "maximal_ari": 0.85, "chosen": {"threshold": 0.4, **late},
        "holes": parts | {name: {"error": 0.3} for name in FLOORS},
        "mistakes": dict.fromkeys(KINDS, 10 * holes), "toponet": "1", "torch": "2",
        "conventions": dict.fromkeys(["all", *late], "as agreed"), "config": {"epochs": 8},
        **others,
    }  # fmt: skip


def test_the_table_has_the_paper_beside_it_and_differences_from_the_twin() -> None:
    records = [record("unet", seed, 1.0 + seed) for seed in range(3)]
    records += [record("unet_toponet", seed, 0.5 + seed) for seed in range(3)]
    page = markdown("isbi12", records, UNETS)
    assert "2.0000 ± 1.0000" in page  # Holes of the twin.
    assert "| *in the paper* |  | 0.9678 |  | 0.9338 | 1.367 |" in page  # The ARI is the maximal.
    assert "-0.5000, -25% (0.250) | missed |" in page
    assert "| U-Net + topology | 0.100 | 0.200 |" in page  # Parts of the error: missing, extra.
    assert "| U-Net + topology | 0.400 | 0.900 |" in page  # At the threshold chosen.
    assert "1.500 (-25%)" in page
    assert "| U-Net + topology | 15.000 (-25%) |" in page
    assert "thickened by a pixel: 0.300" in page
    assert "the fold's held-out images" in page
    # A twin without a partner counts for its own mean, not for the difference.
    page = markdown("isbi12", [*records, record("unet", 3, 101.0)], UNETS)
    assert "-0.5000, -25% (0.250)" in page
    assert "| U-Net | 4 |" in page


def test_the_target_is_all_four_at_once() -> None:
    def met(**late: float) -> bool:
        better = record("unet_toponet", 0, 0.7)
        better["late"] = {**better["late"], **late}
        page = markdown("isbi12", [record("unet", 0, 1.0), better], UNETS)
        return "| met |" in page.partition("at a chosen threshold")[0]

    assert met()
    assert met(accuracy=0.8971, ari=0.81, voi=0.9)
    assert not met(betti_error_1=0.71)
    assert not met(accuracy=0.8969)
    assert not met(ari=0.79)
    assert not met(voi=1.01)


def test_the_target_is_asked_for_at_the_chosen_threshold_as_well() -> None:
    better = record("unet_toponet", 0, 1.0)
    better["chosen"] = {**better["chosen"], "betti_error_1": 0.7}
    first, _, chosen = markdown("isbi12", [record("unet", 0, 1.0), better], UNETS).partition(
        "at a chosen threshold"
    )
    assert ("| missed |" in first, "| met |" in chosen) == (True, True)


def test_inner_and_reported_folds_share_no_table() -> None:
    inner = record("unet", 0, 1.0, inner=True)
    assert "an inner block of the training part" in markdown("isbi12", [inner], UNETS)
    with pytest.raises(ValueError, match="isbi12 were measured by different conventions"):
        markdown("isbi12", [inner, record("unet", 0, 1.0)], UNETS)


def test_numbers_that_are_none_make_no_p_value(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        p_value(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="not JSON compliant"):
        keep(tmp_path / "rows.jsonl", record("unet", 0, np.nan), a_run(tmp_path))


def a_run(out: Path, **options: Any) -> Run:
    (run,) = make_chain("isbi12", "isbi12:.", UNETS[:1], "minutes", 0, 0, False, out, **options)
    return run


def test_a_kept_run_of_other_options_is_no_substitute(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    plain = {**run.config.to_plain(), "out": "elsewhere", "num_threads": 64}
    row = record("unet", 0, 1.0, config=plain)
    assert kept([row], run) is row
    assert kept([{**row, "seed": 1}], run) is None
    assert kept([{**row, "inner": True}], run) is None
    row["config"] = {**plain, "lr": 0.5, "topo_ratio": 7.0}
    with pytest.raises(ValueError, match="was made with other topo_ratio, lr; choose another"):
        kept([row], run)


def test_a_run_folder_of_other_options_is_no_substitute(tmp_path: Path) -> None:
    run, other = a_run(tmp_path), a_run(tmp_path, extra=["--lr", "0.5"])
    run.folder.mkdir(parents=True)
    (run.folder / "config.yaml").write_text(yaml.safe_dump(run.config.to_plain()))
    check_folder(run)
    with pytest.raises(ValueError, match=r"seed0 was made with other lr; choose another --out"):
        check_folder(other)


def test_a_record_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    path, run = tmp_path / "rows.jsonl", a_run(tmp_path)
    for holes in (1.0, 2.0):
        keep(path, record("unet", 0, holes), run)
        keep(path, record("unet_toponet", 0, holes), make_chain(
            "isbi12", "isbi12:.", UNETS, "minutes", 0, 0, False, tmp_path)[1])  # fmt: skip
    assert [(r["variant"], r["late"]["betti_error_1"]) for r in read(path)] == [
        ("unet", 2.0), ("unet_toponet", 2.0),
    ]  # fmt: skip
    path.write_text('{"variant": 1}\n')
    with pytest.raises(ValueError, match="holds something else than records"):
        read(path)


def test_a_failed_run_stops_those_that_start_within_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def finish(run: Run, environment: dict[str, str], _: Trainings) -> bool:
        made.append((run.config.fold, run.variant.name, environment.get("CUDA_VISIBLE_DEVICES")))
        if (run.config.fold, run.variant.name) in ((0, "unet"), (1, "unet_toponet")):
            raise RunFailedError(f"{run.folder}: diverged")
        return True

    monkeypatch.setattr("comparison.runner.finish", finish)
    three = [v for v in METHODS if v.name in ("unet", "unet_toponet", "unet_cldice")]
    chains = [make_chain("isbi12", ".", three, "minutes", k, 0, False, tmp_path) for k in (0, 1)]
    done: list[str] = []
    problems = run_chains(chains, ["3"], lambda run, _: done.append(run.variant.name))
    assert len(problems) == 2
    assert all(problem.endswith(": diverged") for problem in problems)
    assert done == ["unet", "unet_cldice"]
    assert made == [
        (0, "unet", "3"), (1, "unet", "3"), (1, "unet_toponet", "3"), (1, "unet_cldice", "3"),
    ]  # fmt: skip


def test_a_single_device_makes_chain_after_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reason: an interrupted comparison shall hold whole chains, which can be compared."""
    monkeypatch.setattr("comparison.runner.finish", lambda *_: True)
    chains = [make_chain("isbi12", ".", UNETS, "minutes", k, 0, False, tmp_path) for k in (0, 1)]
    made: list[tuple[int, str]] = []
    run_chains(chains, ["cpu"], lambda run, _: made.append((run.config.fold, run.variant.name)))
    assert made == [(0, "unet"), (0, "unet_toponet"), (1, "unet"), (1, "unet_toponet")]


def test_a_failure_without_words_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def finish(*_: object) -> bool:
        raise OSError

    monkeypatch.setattr("comparison.runner.finish", finish)
    chain = make_chain("isbi12", ".", UNETS, "minutes", 0, 0, False, tmp_path)
    assert run_chains([chain], ["cpu"], lambda run, made: None) == [""]


def test_methods_begin_side_by_side_once_their_twin_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    together = threading.Barrier(2, timeout=60)

    def finish(run: Run, environment: dict[str, str], _: Trainings) -> bool:
        if run.variant.twin is None:
            time.sleep(0.05)
            ended.set()
        else:
            assert ended.is_set()
            together.wait()
        return True

    monkeypatch.setattr("comparison.runner.finish", finish)
    three = [v for v in METHODS if v.name in ("unet", "unet_toponet", "unet_cldice")]
    chain = make_chain("isbi12", ".", three, "minutes", 0, 0, False, tmp_path)
    done: list[str] = []
    assert run_chains([chain], ["cpu"] * 3, lambda run, _: done.append(run.variant.name)) == []
    assert sorted(done) == ["unet", "unet_cldice", "unet_toponet"]


class UnexpectedError(Exception):
    """Of a kind that no one has thought of."""


@pytest.mark.parametrize("devices", [["cpu"], ["cpu", "cpu"]], ids=len)
def test_an_unexpected_error_ends_the_comparison_and_stops_what_goes_on(
    devices: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More chains than devices: a device that nobody gave back would be waited for."""
    begun = []

    def finish(run: Run, environment: dict[str, str], trainings: Trainings) -> bool:
        begun.append(run.config.seed)
        if run.config.seed == 0:
            raise UnexpectedError
        while not trainings.stopped:  # As a training that only ends when it is asked to.
            time.sleep(0.005)
        raise RunFailedError("stopped")

    monkeypatch.setattr("comparison.runner.finish", finish)
    chains = [
        make_chain("isbi12", ".", UNETS, "minutes", 0, seed, False, tmp_path) for seed in range(5)
    ]
    with pytest.raises(UnexpectedError):
        run_chains(chains, devices, lambda run, made: None)
    assert len(begun) <= len(devices)
    stopped = Trainings()
    stopped.stop()
    with pytest.raises(RunFailedError, match="stopped before it began"):
        stopped.run([], {})


def test_the_maximal_ari_is_that_of_the_best_threshold() -> None:
    likelihood = two_cells() * np.float32(0.7)
    likelihood[30, 32] = 0.35
    assert maximal_ari([likelihood], [two_cells()], 8) == 1.0
    # One threshold for all images, and no one suits both.
    inverse = (0.6 + 0.4 * two_cells()).astype(np.float32)
    assert maximal_ari([likelihood, inverse], [two_cells(), two_cells()], 8) < 1.0


@pytest.mark.slow
def test_runs_are_made_once_and_their_numbers_and_pictures_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In processes of their own, whose options come from the configuration."""
    monkeypatch.setitem(BUDGETS, "minutes", {"unet": (2, 1)})
    arguments = ["--data", "synthetic_membranes=synthetic:membranes,size=136",
                 "--variants", "unet", "unet_toponet", "--folds", "0", "--seeds", "0", "0",
                 "--out", str(tmp_path / "runs"), "--results", str(tmp_path / "kept")]  # fmt: skip
    assert tables.main([*arguments, "--report-only"]) == 2
    assert "holds no run of budget minutes" in capsys.readouterr().err
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
    assert names == {"methods.jsonl", "methods.lock"} | {
        f"methods-minutes.{kind}" for kind in ("md", "csv", "png")
    }
    # A number that got lost is measured again, without a training.
    rows.write_text(first.splitlines()[0] + "\n")
    monkeypatch.setattr("comparison.runner.Training", None)
    assert tables.main(arguments) == 0
    assert rows.read_text() == first

    places = ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "pictures")]
    runs = ["--data", "synthetic_membranes", "--variants", "unet", "unet_toponet"]
    assert figures.main([*runs, *places]) == 0
    with (tmp_path / "pictures" / "synthetic_membranes-course.csv").open() as file:
        course = list(csv.DictReader(file))
    assert {(r["variant"], r["epoch"]) for r in course} == {
        ("U-Net", "1"), ("U-Net", "2"), ("U-Net + topology", "2"),
    }  # fmt: skip
    pictures = {path.name.partition("-")[2] for path in (tmp_path / "pictures").glob("*.png")}
    assert pictures == {"methods.png", "epochs.png", "course.png"}
    assert figures.main([*runs, *places, "--image", "9"]) == 2
    assert "4 images were held out, there is no 9" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--variants", "unett"], "unknown variants unett in the set methods"),
        (["--variants", "unet_toponet"], "unet_toponet needs its twin unet: add it"),
        (["--data", "isbi12"], "--data isbi12 needs the place of its images: isbi12=PATH"),
        (["--data", "nosuch=."], "nosuch"),
        (["--data", "isbi12=a", "isbi12=b"], "names a data set twice"),
        (["--devices", "0", "cpu"], "--devices must be cpu, once or more, or numbers"),
        (["--devices", "gpu"], "--devices must be cpu, once or more, or numbers"),
        (["--budget", "hour", "--variants", "unet", "dive"], "hour has no length for dive"),
        (["--seeds", "-1"], "seed must be at least 0"),
        (["--folds", "7"], "fold must be"),
        (["--variants", "unet", "mosin", "--vgg-weights", "generated.pth"], "isn't torchvision's"),
        (["--variants", "unet", "mosin", "--vgg-weights", "nowhere.pth"], "nowhere.pth"),
        (["--variants", "unet", "mosin"], "vgg19-dcbb9e9d.pth"),
    ],
    ids=str,
)
def test_mistakes_get_one_line_and_exit_code_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Weights that were generated enter no table, and none are downloaded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    Path("generated.pth").write_bytes(b"generated")
    assert tables.main(["--results", "kept", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not Path("kept").exists()


def test_figures_need_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert figures.main(["--data", "isbi12", "--variants", "unett"]) == 2
    assert "unknown variants unett" in capsys.readouterr().err
    assert figures.main(["--data", "isbi12", "--variants", "unet", "--runs", str(tmp_path)]) == 2
    assert "is no run folder" in capsys.readouterr().err


KEPT = Path(tables.HERE) / "results" / "comparison"


@pytest.mark.parametrize("name", [name for name in SETS if (KEPT / f"{name}.jsonl").exists()])
def test_what_is_kept_was_made_as_runs_are_made_today(name: str, tmp_path: Path) -> None:
    """A new option of the trainer stands in the kept rows, or tables.py refuses them all."""
    records = read(KEPT / f"{name}.jsonl")
    inner = name in INNER_SETS
    by_name = {variant.name: variant for variant in SETS[name]}
    for record in records:
        own = by_name[record["variant"]]
        variants = [own] if own.twin is None else [by_name[own.twin], own]
        chain = make_chain(
            record["data"], ".", variants, record["budget"], record["fold"], record["seed"], inner,
            tmp_path,
        )  # fmt: skip
        (run,) = [run for run in chain if run.variant.name == record["variant"]]
        assert kept(records, run) is record
    assert records


def test_fine_tuning_begins_where_cross_entropy_ended(tmp_path: Path) -> None:
    variants = [v for v in SETS["fine_tuning"] if v.name in ("unet", "on", "wasserstein_10")]
    twin, *tuned = make_chain(
        "synthetic_membranes", "synthetic:membranes", variants, "converged", 0, 0, True, tmp_path
    )
    assert {run.config.lr_schedule for run in tuned} == {"constant"}
    for run in tuned:
        assert run.config.start_from == str(
            twin.folder / "checkpoints" / f"epoch_{twin.config.epochs:04d}.ckpt"
        )
        assert run.config.topo_start_epoch == twin.config.epochs + 1
        assert run.config.epochs == twin.config.epochs + 10
