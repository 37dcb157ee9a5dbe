"""toponet-segment --labels: numbers chosen on some labelled images, and measured on others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

import toponet
from data_layouts import save
from segment_command import complaint, ilastik, likelihood, mask, segment, tiff
from toponet.cli import evaluate as cli_evaluate
from toponet.data import synthetic_membranes
from toponet.evaluation.protocol import Protocol
from toponet.evaluation.scores import mean_metrics, score_image
from toponet.prediction import SegmentConfig
from toponet.segmentation.scores import METRICS

COUNT = 5


def labelled(folder: Path) -> tuple[list[NDArray[np.float32]], list[NDArray[np.uint8]]]:
    """Likelihoods in in/, masks in labels/."""
    data = synthetic_membranes(COUNT, (40, 36))
    rng = np.random.default_rng(0)
    likelihoods = []
    for k, truth in enumerate(data.masks):
        blurred = gaussian_filter(1.2 * truth + rng.normal(0, 0.5, truth.shape), 1)
        likelihoods.append(blurred.clip(0, 1).astype(np.float32))
        tiff(folder / "in" / f"im{k}_likelihood.tif", likelihoods[-1])
        save(folder / "labels" / f"im{k}.png", truth * 255)
    return likelihoods, list(data.masks)


def choice(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "predict.json").read_text())["choice"]
    return found


def test_the_numbers_are_chosen_on_some_labels_and_measured_on_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    likelihoods, truths = labelled(tmp_path)
    out = tmp_path / "out"
    segment(tmp_path / "in", "--labels", tmp_path / "labels", "--out", out)
    found = choice(out)
    every = {f"im{k}" for k in range(COUNT)}
    assert set(found["chosen_on"]) | set(found["held_out"]) == every
    assert not set(found["chosen_on"]) & set(found["held_out"])
    assert len(found["held_out"]) == 2
    places = [int(name[2:]) for name in found["chosen_on"]]
    expected = toponet.choose_segmentation(
        [likelihoods[k] for k in places], [truths[k] for k in places]
    )
    assert found["options"] == expected.to_plain()["options"]
    numbers = expected.options
    held_out = [int(name[2:]) for name in found["held_out"]]
    by_cut = [score_image(likelihoods[k], truths[k], Protocol()) for k in held_out]
    by_persistence = [
        score_image(mask(out / f"im{k}_mask.png").astype(np.uint8), truths[k], Protocol())
        for k in held_out
    ]
    assert found["metrics"] == {
        "cut at 0.5": mean_metrics(by_cut),
        "by persistence": mean_metrics(by_persistence),
    }
    assert found["metrics"]["cut at 0.5"] != found["metrics"]["by persistence"]
    for k, f in enumerate(likelihoods):
        settled = toponet.segment(
            f, threshold=numbers.threshold, keep=numbers.keep, add=numbers.add
        )
        np.testing.assert_array_equal(mask(out / f"im{k}_mask.png"), settled.mask)
    shown = capsys.readouterr().out
    assert f"chosen: {expected.describe('labelled images')}\n" in shown
    assert f"measured on what had no part in the choice: {', '.join(found['held_out'])}\n" in shown
    voi = [f"{found['metrics'][way]['voi']:.4f}" for way in ("cut at 0.5", "by persistence")]
    (line,) = (line for line in shown.splitlines() if line.split()[:1] == ["voi"])
    assert line.split()[2:] == voi


def test_the_same_command_with_labels_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled(tmp_path)
    command: list[str | Path] = [
        tmp_path / "in",
        "--labels",
        tmp_path / "labels",
        "--out",
        tmp_path / "out",
    ]
    segment(*command)
    segment(*command)
    assert f"0 segmented, {COUNT} done before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "part"),
    [
        ("--metric=accuracy", "score"),
        ("--accuracy-loss=0.5", "tried"),
        ("--held-out-share=0.6", "chosen_on"),
        ("--seed=1", "held_out"),
        ("--dims=1", "conventions"),
        ("--connectivity=4", "conventions"),
        ("--frame=false", "conventions"),
    ],
)
def test_every_option_of_the_choice_counts(option: str, part: str, tmp_path: Path) -> None:
    labelled(tmp_path)
    command: list[str | Path] = [tmp_path / "in", "--labels", tmp_path / "labels"]
    segment(*command, "--out", tmp_path / "out")
    segment(*command, "--out", tmp_path / "other", option)
    assert choice(tmp_path / "out")[part] != choice(tmp_path / "other")[part]


def test_the_metrics_are_those_that_a_choice_knows() -> None:
    assert SegmentConfig.__dataclass_fields__["metric"].default == "voi"
    for metric in METRICS:
        config = SegmentConfig(inputs=("a",), out="b", labels="c", metric=metric)  # type: ignore[arg-type]
        assert config.metric == metric


def test_likelihoods_without_label_are_segmented_as_well(tmp_path: Path) -> None:
    labelled(tmp_path)
    tiff(tmp_path / "in" / "new_likelihood.tif", likelihood())
    out = tmp_path / "out"
    segment(tmp_path / "in", "--labels", tmp_path / "labels", "--out", out)
    assert (out / "new_mask.png").exists()
    assert "new" not in choice(out)["chosen_on"] + choice(out)["held_out"]


def test_pixels_that_do_not_count_have_no_part_in_it(tmp_path: Path) -> None:
    """As for the evaluator: the numbers of both columns are those that it gives of the masks."""
    _, truths = labelled(tmp_path)
    for k, truth in enumerate(truths):
        valid = np.full(truth.shape, 255, np.uint8)
        valid[:, 20:] = 0
        save(tmp_path / "valid" / f"im{k}.png", valid)
    out = tmp_path / "out"
    segment(tmp_path / "in", "--labels", tmp_path, "--out", out)
    for k in range(COUNT):
        if f"im{k}" not in choice(out)["held_out"]:
            (out / f"im{k}_mask.png").unlink()
    report = tmp_path / "report"
    arguments = [str(out), str(tmp_path), "--missing=skip", f"--out={report}"]
    assert cli_evaluate.main(arguments) == 0
    total = json.loads((report / "report.json").read_text())["total"]
    for metric, value in choice(out)["metrics"]["by persistence"].items():
        assert total[metric] == value
    segment(tmp_path / "in", "--labels", tmp_path / "labels", "--out", tmp_path / "all")
    assert choice(tmp_path / "all")["metrics"] != choice(out)["metrics"]


def test_two_labelled_images_choose_on_one_with_a_word_about_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled(tmp_path)
    for k in range(2, COUNT):
        (tmp_path / "labels" / f"im{k}.png").unlink()
    segment(tmp_path / "in", "--labels", tmp_path / "labels", "--out", tmp_path / "out")
    assert (
        "warning: threshold, keep and add are chosen on a single image" in capsys.readouterr().out
    )


def test_small_specks_are_removed_from_what_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From both columns, or the second would look better for what has nothing to do with it."""
    labelled(tmp_path)
    command: list[str | Path] = [tmp_path / "in", "--labels", tmp_path / "labels"]
    segment(*command, "--out", tmp_path / "out")
    assert "px removed" not in capsys.readouterr().out
    segment(*command, "--out", tmp_path / "clean", "--min-size=9")
    assert "specks of less than 9 px removed in both columns\n" in capsys.readouterr().out
    plain, clean = (choice(tmp_path / name)["metrics"] for name in ("out", "clean"))
    assert plain["cut at 0.5"] != clean["cut at 0.5"]
    assert choice(tmp_path / "out")["options"] == choice(tmp_path / "clean")["options"]


@pytest.mark.parametrize(("count", "words"), [(1, "one of"), (0, "none of")])
def test_fewer_than_two_labelled_images_are_refused(
    count: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled(tmp_path)
    for k in range(COUNT):
        if k >= count:
            label = tmp_path / "labels" / f"im{k}.png"
            label.rename(label.with_name(f"other{k}.png"))
    out = tmp_path / "out"
    error = complaint(capsys, tmp_path / "in", "--labels", tmp_path / "labels", "--out", out)
    assert "--labels needs at least two labelled images" in error
    assert f"{words} the likelihoods has a label" in error
    assert not out.exists()


def test_a_label_of_another_size_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled(tmp_path)
    save(tmp_path / "labels" / "im1.png", np.zeros((7, 9), np.uint8))
    command: list[str | Path] = [
        tmp_path / "in",
        "--labels",
        tmp_path / "labels",
        "--out",
        tmp_path / "out",
    ]
    assert "im1_likelihood.tif has 40 x 36 pixels, its label 7 x 9" in complaint(capsys, *command)


def stacks(folder: Path, count: int) -> None:
    """So many stacks of three pages, with stacks of labels of the same names."""
    likelihoods, truths = labelled(folder / "images")
    for k in range(count):
        order = [k, k + 1, k + 2]
        tiff(folder / "in" / f"s{k}.tif", np.stack([likelihoods[i] for i in order]))
        tiff(folder / "labels" / f"s{k}.tif", np.stack([255 * truths[i] for i in order]))


def test_of_one_stack_pages_are_held_out(tmp_path: Path) -> None:
    stacks(tmp_path, 1)
    command: list[str | Path] = [
        tmp_path / "in" / "s0.tif",
        "--labels",
        tmp_path / "labels" / "s0.tif",
    ]
    segment(*command, "--out", tmp_path / "out")
    found = choice(tmp_path / "out")
    assert {*found["chosen_on"], *found["held_out"]} == {"s0_000", "s0_001", "s0_002"}
    assert len(found["held_out"]) == 1


def test_of_several_stacks_whole_ones_are_held_out(tmp_path: Path) -> None:
    """Reason: neighbouring slices are so alike that a choice on one is a choice on the next."""
    stacks(tmp_path, 3)
    segment(tmp_path / "in", "--labels", tmp_path / "labels", "--out", tmp_path / "out")
    found = choice(tmp_path / "out")
    assert len(found["held_out"]) == 3
    assert len({name[:2] for name in found["held_out"]}) == 1


def test_the_label_of_a_stack_has_as_many_pages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks(tmp_path, 1)
    tiff(tmp_path / "labels" / "s0.tif", np.zeros((2, 40, 36), np.uint8))
    command: list[str | Path] = [
        tmp_path / "in",
        "--labels",
        tmp_path / "labels",
        "--out",
        tmp_path / "out",
    ]
    assert "s0.tif has 3 page(s), its label" in complaint(capsys, *command)


def test_the_valid_pixels_of_a_stack_are_a_stack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks(tmp_path, 1)
    valid = np.full((3, 40, 36), 255, np.uint8)
    valid[:, 20:] = 0
    tiff(tmp_path / "valid" / "s0.tif", valid)
    segment(tmp_path / "in", "--labels", tmp_path, "--out", tmp_path / "out")
    segment(tmp_path / "in", "--labels", tmp_path / "labels", "--out", tmp_path / "all")
    assert choice(tmp_path / "out")["metrics"] != choice(tmp_path / "all")["metrics"]
    tiff(tmp_path / "valid" / "s0.tif", valid[:2])
    error = complaint(capsys, tmp_path / "in", "--labels", tmp_path, "--out", tmp_path / "no")
    assert "s0.tif has 2 page(s)" in error


def test_slices_of_a_data_set_are_the_labels_of_a_stack(tmp_path: Path) -> None:
    """A likelihood of all pages of train-volume.tif, and the official layout of ISBI 2012."""
    likelihoods, truths = labelled(tmp_path / "images")
    pages = np.stack(likelihoods)
    for name, array in (("volume", (255 * pages).astype(np.uint8)), ("labels", np.stack(truths))):
        stored = 255 * (1 - array) if name == "labels" else array
        tiff(tmp_path / "isbi12" / f"train-{name}.tif", stored.astype(np.uint8))
    path = ilastik(tmp_path / "train-volume_Probabilities.h5", pages)
    options = ["--channel=0", "--labels", f"isbi12:{tmp_path / 'isbi12'}"]
    segment(path, *options, "--out", tmp_path / "out")
    found = choice(tmp_path / "out")
    assert len(found["chosen_on"] + found["held_out"]) == COUNT
    assert mask(tmp_path / "out" / "train-volume_mask.tif").shape == pages.shape
