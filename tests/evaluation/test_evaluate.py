"""toponet-evaluate: files in, the trainer's numbers out; every mistake in one line."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from toponet import betti_numbers, metrics
from toponet.cli import evaluate as cli
from toponet.data import synthetic_membranes
from toponet.evaluation import Protocol, mean_metrics, score_image
from toponet.evaluation.predictions import read_likelihood
from toponet.evaluation.scores import bootstrap_intervals
from toponet.metrics.conventions import betti_convention
from toponet.training import TrainConfig
from toponet.training.evaluation import MEASURED, conventions, evaluate

SHAPES = ((40, 31), (33, 45), (70, 38))


def likelihoods() -> dict[str, tuple[NDArray[np.float32], NDArray[np.uint8]]]:
    """A likelihood and its truth by name; sizes differ, one is larger than a patch of 33."""
    rng = np.random.default_rng(1)
    pairs = {}
    for k, shape in enumerate(SHAPES):
        truth = synthetic_membranes(1, shape, seed=k).masks[0]
        noise = rng.normal(0, 0.25, shape)
        pairs[f"im{k}"] = ((0.2 + 0.6 * truth + noise).clip(0, 1).astype(np.float32), truth)
    return pairs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``predictions/`` with float TIFF, ``labels/`` with PNG masks."""
    for kind in ("predictions", "labels"):
        (tmp_path / kind).mkdir()
    for name, (likelihood, truth) in likelihoods().items():
        tifffile.imwrite(tmp_path / "predictions" / f"{name}_likelihood.tif", likelihood)
        Image.fromarray(truth * 255).save(tmp_path / "labels" / f"{name}.png")
    return tmp_path


def run(folder: Path, *options: str) -> dict[str, Any]:
    """The report; the command succeeds."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    arguments = [str(folder / "predictions"), str(folder / "labels"), "--out", str(out)]
    # Drawing the worst places takes nine tenths of the time.
    assert cli.main([*arguments, "--pictures=0", *options]) == 0
    report: dict[str, Any] = json.loads((out / "report.json").read_text())
    return report


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line on stderr; the command fails with exit code 2."""
    assert cli.main([str(a) for a in arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("toponet-evaluate: ")
    assert error.count("\n") == 1
    return error


def test_the_numbers_are_the_trainers_own(folder: Path) -> None:
    """To the bit, with the trainer's patch size: one definition."""
    pairs = list(likelihoods().values())
    protocol = TrainConfig(metric_patch_size=33).protocol
    expected = evaluate([p[0] for p in pairs], [p[1] for p in pairs], protocol)
    report = run(folder, "--patch-size", "33")
    assert {name: report["total"][name] for name in MEASURED} == expected
    words = conventions(protocol)
    assert {name: report["conventions"][name] for name in words} == words


def test_pixels_that_do_not_count_are_left_out_as_by_the_trainer(folder: Path) -> None:
    everywhere = run(folder)["total"]
    pairs = likelihoods()
    (folder / "valid").mkdir()
    valid = {name: np.ones(p[1].shape, np.uint8) for name, p in pairs.items()}
    for name, mask in valid.items():
        mask[5:20, 3:25] = 0
        Image.fromarray(mask * 255).save(folder / "valid" / f"{name}.png")
    arguments = [str(folder / "predictions"), str(folder), f"--out={folder / 'counted'}"]
    assert cli.main(arguments) == 0
    total = json.loads((folder / "counted" / "report.json").read_text())["total"]
    f, g = zip(*pairs.values(), strict=True)
    expected = evaluate(f, g, TrainConfig().protocol, list(valid.values()))
    assert {name: total[name] for name in MEASURED} == expected
    assert all(total[name] != everywhere[name] for name in MEASURED)


def test_valid_masks_of_another_size_or_name_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "valid").mkdir()
    Image.fromarray(np.full((40, 31), 255, np.uint8)).save(folder / "valid" / "im0.png")
    arguments = [folder / "predictions", folder]
    assert "im1.png has no partner of that name in" in complaint(capsys, *arguments)
    for name in ("im1", "im2"):
        shutil.copy(folder / "valid" / "im0.png", folder / "valid" / f"{name}.png")
    assert "has 33 x 45 pixels, its valid mask 40 x 31" in complaint(capsys, *arguments)


def test_each_number_is_the_metric_of_its_name(folder: Path) -> None:
    """Oracle: the functions of toponet.metrics, image by image."""
    report = run(folder)
    for row, (name, (likelihood, truth)) in zip(
        report["images"], likelihoods().items(), strict=True
    ):
        mask = likelihood >= 0.5
        voi = metrics.variation_of_information(mask, truth)
        errors = metrics.betti_error(mask, truth)
        displaced = metrics.betti_matching_error(mask, truth)
        counts = [betti_numbers(m, frame=True)[0].tolist() for m in (mask, truth)]
        assert row == {
            "image": name,
            "accuracy": metrics.pixel_accuracy(mask, truth),
            "ari": metrics.adapted_rand_score(likelihood, truth),
            "voi": sum(voi),
            "voi_split": voi.split,
            "voi_merge": voi.merge,
            "betti_error_0": errors[0],
            "betti_error_1": errors[1],
            "components_predicted": counts[0][0],
            "components_true": counts[1][0],
            "holes_predicted": counts[0][1],
            "holes_true": counts[1][1],
            "cldice": metrics.cldice_score(mask, truth),
            "euler_number_error": metrics.euler_number_error(mask, truth),
            "betti_matching_error_0": displaced[0],
            "betti_matching_error_1": displaced[1],
        }
        # Columns of old stay in place.
        assert list(row)[-4:] == [
            "cldice",
            "euler_number_error",
            "betti_matching_error_0",
            "betti_matching_error_1",
        ]
    for name in ("ari", "voi_split", "betti_error_1"):
        assert report["total"][name] == np.mean([row[name] for row in report["images"]])
    assert report["total"]["holes_true"] == sum(row["holes_true"] for row in report["images"])


def test_the_files_and_the_terminal_say_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run(folder)
    shown = capsys.readouterr().out
    page = (folder / "out" / "report.md").read_text()
    with (folder / "out" / "images.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == ["im0", "im1", "im2"]
    assert [float(row["voi"]) for row in rows] == [row["voi"] for row in report["images"]]
    for name in ("accuracy", "ari", "voi", "betti_error_1"):
        for text in (shown, page):
            assert name in text
            assert f"{report['total'][name]:.4f}" in text
        # A bar would end the cell.
        assert report["conventions"][name].replace("|", r"\|") in page
    assert "100 random patches an image of 65 x 65, seed 0, connectivity 8, with frame" in page
    assert "1000 resamples, seed 0" in shown
    assert report["config"]["threshold"] == 0.5


@pytest.mark.parametrize(
    ("option", "changed"),
    [
        (["--threshold=0.7"], "accuracy"),
        (["--connectivity=4"], "ari"),
        (["--patch-size=17"], "betti_error_1"),
        (["--patch-size=17", "--patches=7"], "betti_error_1"),
        (["--patch-size=17", "--patches=grid"], "betti_error_1"),
        (["--patch-size=17", "--seed=1"], "betti_error_1"),
        (["--frame=false"], "betti_error_1"),
        (["--frame=false"], "euler_number_error"),
        (["--connectivity=4"], "euler_number_error"),
        (["--threshold=0.7"], "cldice"),
        (["--frame=rim"], "holes_predicted"),
        (["--convention=topomortar"], "betti_error_1"),
    ],
    ids=str,
)
def test_every_option_changes_its_number(folder: Path, option: list[str], changed: str) -> None:
    first = option[:1] if len(option) > 1 else []
    before, after = run(folder, *first), run(folder, *option)
    assert before["total"][changed] != after["total"][changed]
    assert before["conventions"] != after["conventions"]


def test_a_convention_that_counts_holes_alone_reports_holes_alone(folder: Path) -> None:
    report = run(folder, "--convention", "toponet-authors")
    assert "betti_error_0" not in report["total"]
    assert "components_true" not in report["total"]
    assert "(toponet-authors)" in report["conventions"]["betti_error_1"]


def test_intervals_hold_the_mean_and_follow_their_options(folder: Path) -> None:
    report = run(folder)
    for name, (low, high) in report["intervals"].items():
        assert low <= report["total"][name] <= high
    few, others = (run(folder, "--bootstrap=3", *seed) for seed in ([], ["--bootstrap-seed=1"]))
    assert report["intervals"] != few["intervals"] != others["intervals"]
    assert run(folder)["intervals"] == report["intervals"]
    none = run(folder, "--bootstrap", "0")
    assert none["intervals"] == {}
    assert "interval" not in none["conventions"]


def test_bootstrap_intervals_come_near_the_normal_ones() -> None:
    """Of the mean of many images: +- 1.96 standard errors."""
    rng = np.random.default_rng(0)
    truth = np.zeros((1, 400), dtype=np.uint8)
    scores = [score_image(rng.random((1, 400)) * p, truth, Protocol()) for p in rng.random(300)]
    values = [score.metrics["accuracy"] for score in scores]
    low, high = bootstrap_intervals(scores, 4000, 0)["accuracy"]
    half = 1.96 * np.std(values) / np.sqrt(300)
    assert (low, high) == pytest.approx((np.mean(values) - half, np.mean(values) + half), abs=2e-3)
    assert bootstrap_intervals(scores[:1], 4000, 0) == {}


def test_pixels_that_do_not_count_change_nothing() -> None:
    likelihood, truth = likelihoods()["im2"]
    valid = np.ones(truth.shape, dtype=bool)
    protocol = Protocol(betti_convention(patches="grid", patch_size=20))
    assert score_image(likelihood, truth, protocol, valid) == score_image(
        likelihood, truth, protocol
    )
    valid[:, 20:] = False
    spoilt = np.where(valid, likelihood, 1 - likelihood)
    masked = score_image(likelihood, truth, protocol, valid)
    assert score_image(spoilt, truth, protocol, valid) == masked
    assert masked.metrics["accuracy"] == np.mean((likelihood >= 0.5)[:, :20] == truth[:, :20])
    with pytest.raises(ValueError, match="at least one pixel that counts"):
        score_image(likelihood, truth, protocol, valid & False)


def test_the_callers_masks_stay_as_they_are() -> None:
    """Also where a rim is overwritten before whole images are counted."""
    likelihood, truth = next(iter(likelihoods().values()))
    masks = [(likelihood >= 0.5).astype(np.uint8), truth.astype(np.uint8)]
    before = [mask.copy() for mask in masks]
    score_image(masks[0], masks[1], Protocol(betti_convention(frame="rim")))
    assert not before[1][0].all()
    for mask, copy in zip(masks, before, strict=True):
        np.testing.assert_array_equal(mask, copy)


def test_the_words_name_the_connectivity_of_the_cells() -> None:
    """It is the structure's other one."""
    for structure, cells in ((8, 4), (4, 8)):
        words = Protocol(betti_convention(connectivity=structure)).describe()
        for name in ("ari", "voi"):
            assert f"cells = {cells}-connected components of the background" in words[name]


def test_means_count_every_image_the_same() -> None:
    """And so do the classes: one rule, whatever the images' sizes."""
    protocol = Protocol(betti_convention(patches="grid", patch_size=33))
    scores = [score_image(f, g, protocol) for f, g in likelihoods().values()]
    means = mean_metrics(scores)
    assert means["accuracy"] == pytest.approx(np.mean([s.metrics["accuracy"] for s in scores]))
    accuracy, rand = metrics.PixelAccuracy(), metrics.AdaptedRandScore()
    betti = metrics.BettiError(patches="grid", patch_size=33)
    for f, g in likelihoods().values():
        rand.update(f, g)
        accuracy.update(f >= 0.5, g)
        betti.update(f >= 0.5, g)
    assert means["accuracy"] == pytest.approx(float(accuracy.compute()), rel=1e-6)
    assert means["ari"] == pytest.approx(float(rand.compute()), rel=1e-6)
    for name, value in betti.compute().items():
        assert means[name] == pytest.approx(float(value), rel=1e-6)


@pytest.mark.parametrize(
    ("pixels", "suffix", "expected"),
    [
        ([[0, 127, 128, 255]], ".png", [[0, 127 / 255, 128 / 255, 1]]),
        ([[0, 127, 128, 200]], ".tif", [[0, 127 / 255, 128 / 255, 200 / 255]]),
        (np.array([[0, 32767, 65535]], np.uint16), ".png", [[0, 32767 / 65535, 1]]),
        (np.array([[0, 0.25, 1]], np.float32), ".tif", [[0, 0.25, 1]]),
        (np.array([[0, 0.25, 1]], np.float64), ".tif", [[0, 0.25, 1]]),
        ([[0, 1, 1]], ".png", [[0, 1, 1]]),
        ([[0, 255, 0]], ".png", [[0, 1, 0]]),
        (np.array([[0, 255, 0]], np.uint16), ".tif", [[0, 1, 0]]),
        ([[[255] * 3, [0] * 3]], ".png", [[1, 0]]),
    ],
    ids=["8-bit", "8-bit TIFF", "16-bit", "float", "double", "0/1", "0/255", "16-bit mask", "RGB"],
)
def test_files_are_scaled_to_probabilities(
    tmp_path: Path, pixels: Any, suffix: str, expected: Any
) -> None:
    array = np.array(pixels)
    array = array.astype(np.uint8) if array.dtype == np.int64 else array
    path = tmp_path / f"x{suffix}"
    tifffile.imwrite(path, array) if suffix == ".tif" else Image.fromarray(array).save(path)
    np.testing.assert_allclose(read_likelihood(path), expected, rtol=1e-6)


def label_map(side: int, dtype: type, count: int) -> NDArray[Any]:
    """Square cells numbered from 1 on, between walls of 0."""
    cells: NDArray[Any] = (np.arange(side * side).reshape(side, side) % count + 1).astype(dtype)
    cells = cells.repeat(6, 0).repeat(6, 1)
    cells[::6] = cells[:, ::6] = 0
    return cells


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.eye(6, 8, dtype=np.uint8) + 1, "1, 2 stay below half of 255"),
        (2 * np.eye(6, 8, dtype=np.uint8), "0, 2 stay below half of 255"),
        (label_map(5, np.uint8, 25), "0, 1, 2, 3, ... stay below half of 255"),
        (label_map(20, np.uint16, 400), "stay below half of 65535"),
        (label_map(15, np.uint8, 220), "most neighbouring pixels between its ends are equal"),
        (label_map(9, np.uint16, 81) * np.uint16(800), "most neighbouring pixels"),
    ],
    ids=["1/2", "0/2", "few cells", "16-bit cells", "many cells", "ids by chance"],
)
@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_classes_and_numbered_cells_are_not_taken_for_likelihoods(
    tmp_path: Path, pixels: NDArray[Any], reason: str, suffix: str
) -> None:
    path = tmp_path / f"x{suffix}"
    tifffile.imwrite(path, pixels) if suffix == ".tif" else Image.fromarray(pixels).save(path)
    with pytest.raises(ValueError, match=rf"no mask .* hardly a likelihood: .*{reason}"):
        read_likelihood(path)
    full = np.iinfo(pixels.dtype).max
    np.testing.assert_allclose(read_likelihood(path, "likelihood"), pixels / full, rtol=1e-6)
    with pytest.raises(ValueError, match="must hold 0 and one of 1, 255, 65535"):
        read_likelihood(path, "mask")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_likelihoods_in_integers_are_taken_for_what_they_are(tmp_path: Path, dtype: type) -> None:
    """Sharp ones as well, most of whose pixels are 0 or 1."""
    from scipy.ndimage import gaussian_filter

    full = np.iinfo(dtype).max
    for k, shape in enumerate(SHAPES):
        truth = synthetic_membranes(1, shape, seed=k).masks[0].astype(float)
        for likelihood in (gaussian_filter(truth, 0.6), gaussian_filter(truth, 2) ** 0.3):
            stored = (likelihood / likelihood.max() * full).round().astype(dtype)
            tifffile.imwrite(tmp_path / "x.tif", stored)
            np.testing.assert_allclose(
                read_likelihood(tmp_path / "x.tif"), stored / full, rtol=1e-6
            )


def test_what_predictions_are_can_be_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (folder / "predictions").iterdir():
        name = path.name.removesuffix("_likelihood.tif")
        path.unlink()
        truth = likelihoods()[name][1]
        Image.fromarray(truth).save(folder / "predictions" / f"{name}.png")
    assert run(folder)["total"]["accuracy"] == 1
    assert run(folder, "--predictions-are=mask")["total"]["accuracy"] == 1
    # 1 of 255 is below every threshold of use.
    assert run(folder, "--predictions-are", "likelihood")["total"]["holes_predicted"] == 3
    capsys.readouterr()
    tifffile.imwrite(folder / "predictions" / "im0.tif", likelihoods()["im0"][0])
    (folder / "predictions" / "im0.png").unlink()
    arguments = [folder / "predictions", folder / "labels"]
    assert "im0.tif must hold 0 and one of" in complaint(
        capsys, *arguments, "--predictions-are=mask"
    )


def test_files_that_are_not_compared_are_counted_and_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder / "labels", folder / "predictions" / "more")
    (folder / "predictions" / "predict.json").write_text("{}")
    (folder / "predictions" / "notes.md").touch()
    Image.fromarray(likelihoods()["im0"][1]).save(folder / "predictions" / "im0_mask.png")
    (folder / "labels" / "notes.txt").touch()
    report = run(folder)
    expected = [
        f"not read in {folder / 'predictions'} (3): im0_mask.png, more/ (3 image files), notes.md",
        f"not read in {folder / 'labels'} (1): notes.txt",
    ]
    assert report["unused"] == expected
    shown = capsys.readouterr().out
    assert all(sentence in shown for sentence in expected)


def test_the_tables_fit_a_terminal_of_80_characters(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No number is cut in two, whatever the names; meanings stand below, on lines of their own."""
    for kind in ("predictions", "labels"):
        for path in list((folder / kind).iterdir()):
            path.rename(path.with_name(f"a_rather_long_name_of_an_experiment_{path.name}"))
    monkeypatch.setenv("COLUMNS", "80")
    report = run(folder)
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    table = lines[: next(k for k, line in enumerate(lines) if line.startswith("accuracy: "))]
    assert max(map(len, table)) <= 80
    for row in report["images"]:
        for number in (f"{row['ari']:.4f}", f"{row['holes_predicted']}/{row['holes_true']}"):
            assert number in shown
    for name, words in report["conventions"].items():
        assert words in shown, name


def test_of_several_forms_the_likelihood_is_taken(folder: Path) -> None:
    """And cells and overlays aren't predictions."""
    before = run(folder)
    for name, (likelihood, _) in likelihoods().items():
        for ending in ("_mask", "_cells", "_overlay"):
            Image.fromarray(likelihood < 0.5).save(folder / "predictions" / f"{name}{ending}.png")
    assert run(folder)["total"] == before["total"]
    for path in (folder / "predictions").glob("*_likelihood.tif"):
        path.unlink()
    assert run(folder)["total"]["accuracy"] == pytest.approx(1 - before["total"]["accuracy"])


def test_of_several_forms_the_mask_is_taken_if_masks_are_meant(folder: Path) -> None:
    """As toponet-predict leaves them, whose masks may say more than a cut of the likelihoods."""
    predictions = folder / "predictions"
    for name, (_, truth) in likelihoods().items():
        Image.fromarray(truth * 255).save(predictions / f"{name}_mask.png")
    assert run(folder)["total"]["accuracy"] < 1
    assert run(folder, "--predictions-are=mask")["total"]["accuracy"] == 1


def test_masks_at_the_threshold_score_as_their_likelihood(folder: Path) -> None:
    """What is exactly at the threshold is structure."""
    coarse = {name: likelihood.round(1) for name, (likelihood, _) in likelihoods().items()}
    for name, likelihood in coarse.items():
        assert (likelihood == 0.5).any()
        tifffile.imwrite(folder / "predictions" / f"{name}_likelihood.tif", likelihood)
    before = run(folder)
    for name, likelihood in coarse.items():
        (folder / "predictions" / f"{name}_likelihood.tif").unlink()
        Image.fromarray(likelihood >= 0.5).save(folder / "predictions" / f"{name}_mask.png")
    assert run(folder)["total"] == before["total"]


def test_a_data_set_and_single_files_are_labels_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = []
    for labels in (folder, folder / "labels"):
        assert cli.main([str(folder / "predictions"), str(labels)]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
    file = folder / "predictions" / "im1_likelihood.tif"
    for labels in (folder / "labels", folder / "labels" / "im1.png"):
        assert cli.main([str(file), str(labels)]) == 0
        assert "1 image " in capsys.readouterr().out
    other = folder / "labels" / "truth.png"
    (folder / "labels" / "im1.png").rename(other)
    assert cli.main([str(file), str(other)]) == 0


def test_missing_predictions_are_an_error_or_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "predictions" / "im1_likelihood.tif").unlink()
    arguments = (folder / "predictions", folder / "labels")
    assert "1 of 3 labels have no prediction" in complaint(capsys, *arguments)
    report = run(folder, "--missing", "skip")
    assert report["left_out"] == ["im1"]
    assert len(report["images"]) == 2
    assert "labels without prediction left out (1): im1" in capsys.readouterr().out
    assert report["unused"] == []


@pytest.mark.parametrize(
    ("name", "pixels", "sentence"),
    [
        ("im0_likelihood.tif", np.zeros((4, 5), np.float32), "has 4 x 5 pixels, its label 40 x 31"),
        ("im0_likelihood.tif", np.full((40, 31), 1.5, np.float32), "must lie in [0, 1], got 1.5"),
        ("im0_likelihood.tif", np.full((40, 31), np.nan, np.float32), "[0, 1], got nan"),
        ("im0_likelihood.tif", np.full((40, 31), -3, np.int16), "8 bit, 16 bit or floating point"),
        (
            "im0_likelihood.tif",
            np.zeros((5, 40, 31), np.float32),
            "must be one image, got a stack of 5 pages",
        ),
        ("im0_likelihood.tif", None, "can't be read as an image"),
        ("other.tif", np.zeros((40, 31), np.float32), "has no label named 'other'"),
        ("im0_likelihood.tiff", np.zeros((40, 31), np.float32), "have the same name"),
    ],
    ids=["size", "range", "NaN", "signed", "stack", "truncated", "no label", "name twice"],
)
def test_bad_predictions_are_named(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    pixels: NDArray[Any] | None,
    sentence: str,
) -> None:
    path = folder / "predictions" / name
    if pixels is None:
        path.write_bytes(path.read_bytes()[:60])
    else:
        tifffile.imwrite(path, pixels)
    out = folder / "out"
    error = complaint(capsys, folder / "predictions", folder / "labels", "--out", out)
    assert sentence in error
    assert str(path) in error
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--threshold=0"], "--threshold must lie between 0 and 1, both excluded, got 0"),
        (["--threshold=1.5"], "threshold must lie between 0 and 1"),
        (["--connectivity=6"], "connectivity must be one of 4, 8"),
        (["--patches=many"], "patches must be a number, 'grid' or 'whole'"),
        (["--patches=whole", "--patch-size=9"], "--patch-size has no meaning for whole images"),
        (["--convention=topomortar", "--connectivity=8"], "fixes connectivity=8"),
        (["--convention=best"], "convention must be one of"),
        (["--frame=maybe"], "frame must be True, False or 'rim'"),
        (["--missing=no"], "missing must be one of 'error', 'skip'"),
        (["--bootstrap=-1"], "bootstrap must be at least 0"),
        (["--bootstrap-seed=-1"], "--bootstrap-seed must be at least 0"),
        (["--out=."], "exists already and is never overwritten; choose another --out"),
        (["--bogus"], "--bogus"),
    ],
    ids=str,
)
def test_mistakes_get_one_line_and_exit_code_2(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    assert sentence in complaint(capsys, folder / "predictions", folder / "labels", *options)


def test_paths_without_images_are_mistakes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = folder / "labels"
    (folder / "empty").mkdir()
    assert "nowhere does not exist" in complaint(capsys, "nowhere", labels)
    assert "nowhere does not exist" in complaint(capsys, folder / "predictions", "nowhere")
    assert "empty holds no PNG, TIFF, GIF or BMP file" in complaint(
        capsys, folder / "empty", labels
    )
    assert "required" in complaint(capsys)
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(labels / "im0_mask.png")
    assert "have the same name" in complaint(capsys, folder / "predictions", labels)


def test_a_folder_that_cannot_be_made_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "labels" / "im0.png" / "out"
    error = complaint(capsys, folder / "predictions", folder / "labels", "--out", out)
    assert "im0.png" in error


def test_an_interrupted_evaluation_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("toponet.evaluation.run.find_pairs", interrupt)
    assert cli.main([str(folder / "predictions"), str(folder / "labels")]) == 130
    assert capsys.readouterr().err == "toponet-evaluate: interrupted\n"


@pytest.mark.parametrize("out", [True, False])
def test_an_interruption_after_the_report_says_where_it_is(
    folder: Path, out: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("toponet.evaluation.run.Evaluation.image_table", interrupt)
    if out:  # The pages have the table as well.
        monkeypatch.setattr("toponet.evaluation.run.Evaluation.write", lambda *_: None)
    arguments = [str(folder / "predictions"), str(folder / "labels")]
    assert cli.main([*arguments, *([f"--out={folder / 'out'}"] if out else [])]) == 130
    sentence = f"; everything is in {folder / 'out'}" if out else ""
    assert capsys.readouterr().err == f"toponet-evaluate: interrupted{sentence}\n"
    assert (folder / "out").exists() == out


def test_an_interruption_within_the_report_leaves_none(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("toponet.evaluation.report.Evaluation.notes", interrupt)
    arguments = [str(folder / "predictions"), str(folder / "labels"), f"--out={folder / 'out'}"]
    assert cli.main(arguments) == 130
    assert capsys.readouterr().err == "toponet-evaluate: interrupted\n"
    assert not (folder / "out").exists()


def test_options_from_a_yaml_file(folder: Path) -> None:
    path = folder / "options.yaml"
    path.write_text("threshold: 0.7\npatch_size: 17\n")
    report = run(folder, "--config", str(path))
    assert report["config"]["threshold"] == 0.7
    assert "17 x 17" in report["conventions"]["betti_error_1"]
