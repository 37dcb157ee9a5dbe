"""toponet-segment: likelihoods of other programs become the masks that persistence decides."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

import toponet
from data_layouts import save
from toponet._ground.validation import thread_count
from toponet.cli import evaluate as cli_evaluate
from toponet.cli import segment as cli
from toponet.data import synthetic_membranes
from toponet.evaluation.protocol import Protocol
from toponet.evaluation.scores import mean_metrics, score_image
from toponet.prediction import SegmentConfig
from toponet.prediction.record import Record, plan
from toponet.segmentation.scores import METRICS
from toponet.topology.cleaning import clean_mask

SHAPE = (24, 31)
FILES = {"a_cells.tif", "a_decisions.csv", "a_mask.png", "a_overlay.png"}


def likelihood(seed: int = 0, shape: tuple[int, int] = SHAPE) -> NDArray[np.float32]:
    """Smooth noise, in which there is something weak for every option."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(0, 1, shape), 0.8)
    values: NDArray[np.float32] = (1 / (1 + np.exp(-4 * noise))).astype(np.float32)
    return values


def tiff(path: Path, array: NDArray[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, array, photometric="minisblack")
    return path


def npy(path: Path, array: NDArray[np.float32]) -> Path:
    np.save(path, array)
    return path


def npz(path: Path, structure: NDArray[np.float32]) -> Path:
    """The softmax of two classes, as nnU-Net saves it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, probabilities=np.stack([1 - structure, structure]))
    return path


def ilastik(path: Path, structure: NDArray[np.float32]) -> Path:
    """Two classes, channels last, as ilastik exports them."""
    axes = "zyxc" if structure.ndim == 3 else "yxc"
    with h5py.File(path, "w") as file:
        file["exported_data"] = np.stack([structure, 1 - structure], axis=-1)
        tags = {"axes": [{"key": key, "typeFlags": 2} for key in axes]}
        file["exported_data"].attrs["axistags"] = json.dumps(tags)
    return path


def segment(*arguments: str | Path, code: int = 0) -> None:
    assert cli.main([str(a) for a in arguments]) == code


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line on stderr; the command fails with exit code 2."""
    capsys.readouterr()
    segment(*arguments, code=2)
    error = capsys.readouterr().err
    assert error.startswith("toponet-segment: ")
    assert error.count("\n") == 1
    return error


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"predict.json"}


def mask(path: Path) -> NDArray[np.bool_]:
    pixels = tifffile.imread(path) if path.suffix == ".tif" else np.asarray(Image.open(path))
    assert set(np.unique(pixels)) <= {0, 255}
    found: NDArray[np.bool_] = pixels != 0
    return found


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """A float TIFF."""
    return tiff(tmp_path / "in" / "a.tif", likelihood())


def test_the_files_are_what_segment_says(one: Path, tmp_path: Path) -> None:
    segment(one, "--out", tmp_path / "out")
    assert names(tmp_path / "out") == FILES
    expected = toponet.segment(likelihood())
    np.testing.assert_array_equal(mask(tmp_path / "out" / "a_mask.png"), expected.mask)
    cells = tifffile.imread(tmp_path / "out" / "a_cells.tif")
    np.testing.assert_array_equal(cells, expected.cells)
    decisions = rows(tmp_path / "out" / "a_decisions.csv")
    assert [row["action"] for row in decisions] == expected.decisions.action.tolist()
    assert len(decisions) > 3
    with Image.open(tmp_path / "out" / "a_overlay.png") as overlay:
        assert (overlay.mode, overlay.size) == ("RGB", SHAPE[::-1])


LAYOUTS: dict[str, tuple[Callable[[Path, NDArray[np.float32]], Path], list[str]]] = {
    "a.tif": (tiff, []),
    "a.npy": (npy, []),
    "a.npz": (npz, ["--channel=1"]),
    "a_Probabilities.h5": (ilastik, ["--channel", "0"]),
}


@pytest.mark.parametrize("stack", [False, True])
@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_of_other_programs_give_the_same_files(
    name: str, stack: bool, tmp_path: Path
) -> None:
    write, options = LAYOUTS[name]
    pages = np.stack([likelihood(seed) for seed in range(3)])
    path = write(tmp_path / name, pages if stack else pages[0])
    segment(path, "--out", tmp_path / "out", "--keep=0.45", *options)
    expected = toponet.segment(pages if stack else pages[0], keep=0.45)
    suffix = "tif" if stack else "png"
    np.testing.assert_array_equal(mask(tmp_path / "out" / f"a_mask.{suffix}"), expected.mask)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out" / "a_cells.tif"), expected.cells)
    found = rows(tmp_path / "out" / "a_decisions.csv")
    assert [row["action"] for row in found] == expected.decisions.action.tolist()
    if stack:
        assert [int(row["page"]) for row in found] == expected.decisions.image.tolist()
        assert tifffile.imread(tmp_path / "out" / "a_overlay.tif").shape == (3, *SHAPE, 3)


@pytest.mark.parametrize(("bits", "full"), [(8, 255), (16, 65535)])
def test_whole_numbers_are_divided_with_one_line_about_it(
    bits: int, full: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, name in enumerate(("a", "b")):
        pixels = (likelihood(seed) * full).round().astype(f"uint{bits}")
        save(tmp_path / "in" / f"{name}.png", pixels)
    segment(tmp_path / "in", "--out", tmp_path / "out")
    shown = capsys.readouterr().out
    assert shown.count(f"{bits} bit: divided by {full} (2 of 2)\n") == 1
    for seed, name in enumerate(("a", "b")):
        quantised = (likelihood(seed) * full).round().astype(np.float32) / np.float32(full)
        expected = toponet.segment(quantised).mask
        np.testing.assert_array_equal(mask(tmp_path / "out" / f"{name}_mask.png"), expected)


def test_probabilities_need_no_word(
    one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    segment(one, "--out", tmp_path / "out", "--min-size=3")
    assert capsys.readouterr().out.splitlines() == [
        "1 segmented, 0 done before, 0 left out; threshold 0.5, keep 0.5, add 0.3, connectivity 8, "
        "smallest part 3 px",
        f"Everything is in {tmp_path / 'out'}",
    ]


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["--threshold=0.6"], {"threshold": 0.6}),
        (["--keep=0.3"], {"keep": 0.3}),
        (["--add=0.15"], {"add": 0.15}),
        (["--add=null"], {"add": None}),
        (["--dims", "1"], {"dims": (1,)}),
        (["--dims=0"], {"dims": (0,)}),
        (["--connectivity=4"], {"connectivity": 4}),
        (["--frame=false"], {"frame": False}),
    ],
    ids=str,
)
def test_every_option_of_a_segmentation_counts(
    arguments: list[str], options: dict[str, Any], one: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    segment(one, "--out", tmp_path / "out", *arguments)
    with_option = mask(tmp_path / "out" / "a_mask.png")
    np.testing.assert_array_equal(with_option, toponet.segment(likelihood(), **options).mask)
    assert (with_option != toponet.segment(likelihood()).mask).any()
    words = {(1,): ", holes only", (0,): ", pieces only"}.get(options.get("dims", ()), "")
    words += ", without frame" if options.get("frame") is False else ""
    shown = capsys.readouterr().out
    assert words in shown
    assert words or "only" not in shown


def test_small_specks_are_removed_afterwards(one: Path, tmp_path: Path) -> None:
    segment(one, "--out", tmp_path / "out", "--min-size=12", "--keep=0.2")
    before = toponet.segment(likelihood(), keep=0.2).mask
    expected = clean_mask(before.astype(np.uint8), 8, 12) != 0
    assert (expected != before).any()
    np.testing.assert_array_equal(mask(tmp_path / "out" / "a_mask.png"), expected)


def test_a_plain_cut_decides_nothing(
    one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = ["--keep=0", "--add=null", "--threshold=0.4"]
    segment(one, "--out", tmp_path / "out", *cut)
    assert names(tmp_path / "out") == FILES - {"a_decisions.csv"}
    np.testing.assert_array_equal(mask(tmp_path / "out" / "a_mask.png"), likelihood() >= 0.4)
    only = complaint(capsys, one, "--out", tmp_path / "no", "--outputs=decisions", *cut)
    assert "--outputs must hold more than decisions" in only


def test_outputs_and_their_format_are_chosen(tmp_path: Path) -> None:
    pixels = (255 * likelihood()).astype(np.uint8)
    save(tmp_path / "a.png", pixels)
    segment(tmp_path / "a.png", "--out", tmp_path / "out", "--outputs", "likelihood", "cells")
    assert names(tmp_path / "out") == {"a_cells.tif", "a_likelihood.tif"}
    found = tifffile.imread(tmp_path / "out" / "a_likelihood.tif")
    np.testing.assert_allclose(found, pixels / 255, rtol=1e-6)
    options = ["--outputs=likelihood", "--likelihood-format=h5"]
    segment(tmp_path / "a.png", "--out", tmp_path / "h5", *options)
    assert names(tmp_path / "h5") == {"a_likelihood.h5"}


def hdf5(path: Path) -> Path:
    """Two data sets, logits and a likelihood of 0 to 255, rows last."""
    f = likelihood().astype(np.float64)
    with h5py.File(path, "w") as file:
        file["logits"] = np.stack([np.zeros(SHAPE), np.log(f / (1 - f))])
        file["scaled"] = (255 * f).T
    return path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dataset=scaled", "--axes=xy", "--scale=255"], "divided by 255, as told"),
        (["--dataset=logits", "--channel=1", "--logits=sigmoid"],
         "axes read as cyx, logits: sigmoid"),
        (["--dataset=logits", "--channel=1", "--logits=softmax"],
         "axes read as cyx, logits: softmax, channel 1"),
    ],
)  # fmt: skip
def test_options_say_what_a_file_does_not(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hdf5(tmp_path / "a.h5")
    segment(path, "--out", tmp_path / "out", *arguments)
    assert f"{words} (1 of 1)\n" in capsys.readouterr().out
    expected = toponet.segment(likelihood()).mask
    np.testing.assert_array_equal(mask(tmp_path / "out" / "a_mask.png"), expected)
    for left_out in (arguments[0], arguments[-1]):
        rest = [each for each in arguments if each != left_out]
        assert str(path) in complaint(capsys, path, "--out", tmp_path / "no", *rest)
    assert not (tmp_path / "no").exists()


def test_what_is_done_is_left_out_the_next_time(
    one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    segment(one, "--out", out)
    (out / "a_mask.png").unlink()
    kept = (out / "a_cells.tif").stat().st_mtime_ns
    tiff(one.parent / "b.tif", likelihood(1))
    segment(one.parent, "--out", out)
    assert "2 segmented, 0 done before" in capsys.readouterr().out
    assert (out / "a_cells.tif").stat().st_mtime_ns == kept
    assert names(out) == FILES | {name.replace("a_", "b_") for name in FILES}
    segment(one.parent, "--out", out)
    assert "0 segmented, 2 done before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "difference"),
    [
        ("--keep=0.4", "with keep 0.5, not 0.4"),
        ("--dims=1", "with dims [0, 1], not [1]"),
        ("--frame=false", "with frame True, not False"),
        ("--scale=2", "with scale None, not 2.0"),
    ],
)
def test_results_by_other_options_are_replaced_only_when_told(
    option: str, difference: str, one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    segment(one, "--out", out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    error = complaint(capsys, one, "--out", out, option)
    assert f"{difference}; choose another --out, or --overwrite" in error
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    segment(one, "--out", out, option, "--overwrite")
    assert (out / "a_cells.tif").read_bytes() != before["a_cells.tif"]


def test_folders_of_the_predictor_and_files_of_somebody_else_stay(
    one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a_mask.png").write_text("mine")
    assert "exists already" in complaint(capsys, one, "--out", out)
    (out / "predict.json").write_text(
        json.dumps({"checkpoint": "x.ckpt", "settings": {"sha256": "f00"}, "images": {}})
    )
    assert "of another checkpoint, x.ckpt" in complaint(capsys, one, "--out", out)
    assert (out / "a_mask.png").read_text() == "mine"
    assert "choose another --out" in complaint(capsys, one, "--out", one.parent)


def test_the_predictor_does_not_write_among_them(one: Path, tmp_path: Path) -> None:
    segment(one, "--out", tmp_path / "out")
    asked = SegmentConfig(inputs=("a.tif",), out=str(tmp_path / "out"))
    with pytest.raises(ValueError, match="holds predictions of another tool's likelihoods; choose"):
        plan(asked, Record("x.ckpt", {"sha256": "f00"}), [])


def test_who_interrupts_it_learns_how_to_go_on(
    one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("toponet.prediction.segment_run.write_all", interrupt)
    for option, words in (("--overwrite", "the same command without --overwrite goes on"),
                          ("--overwrite=false", "the same command goes on")):  # fmt: skip
        segment(one, "--out", tmp_path / "out", option, code=130)
        assert capsys.readouterr().err == f"toponet-segment: interrupted; {words}\n"


def test_one_bad_file_does_not_stop_the_others(
    one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiff(one.parent / "0.tif", likelihood() - 3)
    tiff(one.parent / "b.tif", 40 * likelihood(1))
    segment(one.parent, "--out", tmp_path / "out", code=1)
    shown = capsys.readouterr().out
    assert "1 segmented, 0 done before, 2 left out" in shown
    assert f"problem: {one.parent / '0.tif'} holds values from" in shown
    assert f"problem: {one.parent / 'b.tif'} holds values from" in shown
    assert names(tmp_path / "out") == FILES


def test_if_no_file_can_be_used_the_first_one_is_told_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        npz(tmp_path / "in" / f"{name}.npz", likelihood())
    error = complaint(capsys, tmp_path / "in", "--out", tmp_path / "out")
    assert "a.npz, probabilities holds 2 channels; choose that of the structure" in error
    assert not (tmp_path / "out").exists()


def test_files_that_are_not_read_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    npz(tmp_path / "in" / "a.npz", likelihood())
    save(tmp_path / "in" / "a.png", (likelihood() > 0.5).astype(np.uint8))
    segment(tmp_path / "in", "--out", tmp_path / "out", "--channel=1")
    assert f"not read in {tmp_path / 'in'} (1): a.png\n" in capsys.readouterr().out


def test_the_number_of_threads_is_that_of_everything(
    one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def note(*_: Any, **__: Any) -> None:
        seen.append(thread_count(None))
        raise ValueError("enough")

    monkeypatch.setattr("toponet.prediction.segment_run.open_likelihoods", note)
    for count in (1, 3):
        segment(one, "--out", tmp_path / "out", f"--num-threads={count}", code=2)
    assert seen == [1, 3]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "expected likelihoods: files, or folders of them"),
        (["x.tif"], "--out must name the folder for the results"),
        (["x.tif", "--out=o"], "x.tif does not exist"),
        (["x.h5:data", "--out=o"], "x.h5 does not exist"),
        (["x.tif", "--out=o", "--threshold=1"], "--threshold must lie between 0 and 1"),
        (["x.tif", "--out=o", "--keep=-1"], "--keep must be at least 0"),
        (["x.tif", "--out=o", "--dims=2"], "--dims must be (0,), (1,) or (0, 1)"),
        (["x.tif", "--out=o", "--connectivity=6"], "--connectivity must be one of 4, 8"),
        (["x.tif", "--out=o", "--min-size=0"], "--min-size must be at least 1"),
        (["x.tif", "--out=o", "--num-threads=0"], "--num-threads must be at least 1"),
        (["x.tif", "--out=o", "--likelihood-format=png"], "--likelihood-format must be one of"),
        (["x.tif", "--out=o", "--channel=-1"], "--channel must be at least 0"),
        (["x.tif", "--out=o", "--scale=0"], "--scale must be above 0"),
        (["x.tif", "--out=o", "--logits=tanh"], "--logits must be 'sigmoid' or 'softmax'"),
        (["x.tif", "--out=o", "--scale=2", "--logits=sigmoid"], "--scale must be left out with"),
        (["x.tif", "--out=o", "--metric=ari"], "--metric must be left out without --labels"),
        (["x.tif", "--out=o", "--seed=1"], "--seed must be left out without --labels"),
        (["x.tif", "--out=o", "--held-out-share=0.5"],
         "--held-out-share must be left out without --labels"),
        (["x.tif", "--out=o", "--accuracy-loss=0"],
         "--accuracy-loss must be left out without --labels"),
        (["x.tif", "--out=o", "--labels=l", "--metric=dice"], "--metric must be 'voi' or 'ari'"),
        (["x.tif", "--out=o", "--labels=l", "--held-out-share=1"],
         "--held-out-share must lie between 0 and 1"),
        (["x.tif", "--out=o", "--labels=l", "--accuracy-loss=-1"],
         "--accuracy-loss must be at least 0"),
        (["x.tif", "--out=o", "--labels=l", "--seed=-1"], "--seed must be at least 0"),
        (["x.tif", "--out=o", "--labels=l", "--keep=0.5"],
         "--keep must be left out with --labels, which chooses it"),
    ],
    ids=str,
)  # fmt: skip
def test_mistakes_get_one_line(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert words in complaint(capsys, *arguments)
    assert not list(tmp_path.iterdir())


# With labels. Walls of membranes, in which weak places and specks are the rule.
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
        ("--accuracy-loss=0.5", "options"),
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
