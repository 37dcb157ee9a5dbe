"""toponet-segment: likelihoods of other programs become the masks that persistence decides."""

from __future__ import annotations

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

import toponet
from data_layouts import save
from segment_command import (
    SHAPE,
    complaint,
    ilastik,
    likelihood,
    mask,
    names,
    npy,
    npz,
    rows,
    segment,
    tiff,
)
from toponet._ground.validation import thread_count
from toponet.prediction import SegmentConfig
from toponet.prediction.conventions import Conventions
from toponet.prediction.record import Record, plan
from toponet.prediction.segmentation import Segmentation
from toponet.topology.cleaning import clean_mask

FILES = {"a_cells.tif", "a_decisions.csv", "a_mask.png", "a_overlay.png"}


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
    # Old versions of rich end a bar that isn't drawn with an empty line.
    assert capsys.readouterr().out.strip().splitlines() == [
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


def test_overlays_are_drawn_on_the_images_that_are_named(tmp_path: Path) -> None:
    """By the names that nnU-Net gives: NAME_0000.png belongs to NAME.npz."""
    colours = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3)).astype(np.uint8)
    for name, seed in (("a", 0), ("b", 1)):
        npz(tmp_path / "in" / f"{name}.npz", likelihood(seed))
        save(tmp_path / "images" / f"{name}_0000.png", np.roll(colours, seed, axis=0))
    options: list[str | Path] = [
        "--channel=1",
        "--images",
        tmp_path / "images",
        "--out",
        tmp_path / "out",
    ]
    segment(tmp_path / "in", *options)
    conventions = Conventions(0.5, 8, 1, 0.5, 0.3)
    for name, seed in (("a", 0), ("b", 1)):
        image = np.roll(colours, seed, axis=0).transpose(2, 0, 1).astype(np.float32)
        expected = Segmentation(image, likelihood(seed), conventions).overlay
        overlay = np.asarray(Image.open(tmp_path / "out" / f"{name}_overlay.png"))
        np.testing.assert_array_equal(overlay, expected)


def test_one_likelihood_is_drawn_on_one_image_whatever_their_names(
    one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grey = np.random.default_rng(0).integers(0, 256, SHAPE).astype(np.uint8)
    save(tmp_path / "raw.png", grey)
    segment(one, "--out", tmp_path / "out", "--images", tmp_path / "raw.png")
    drawn = np.asarray(Image.open(tmp_path / "out" / "a_overlay.png"))
    expected = Segmentation(
        grey[None].astype(np.float32), likelihood(), Conventions(0.5, 8, 1, 0.5, 0.3)
    ).overlay
    np.testing.assert_array_equal(drawn, expected)
    assert "with images" in complaint(capsys, one, "--out", tmp_path / "out")


def test_images_that_do_not_fit_are_named(
    one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "images" / "a.png", np.zeros((7, 9), np.uint8))
    options: list[str | Path] = ["--images", tmp_path / "images", "--out"]
    segment(one, *options, tmp_path / "1", code=1)
    sizes = f"a.tif has 24 x 31 pixels, its image {tmp_path / 'images' / 'a.png'} 7 x 9\n"
    assert sizes in capsys.readouterr().out
    tiff(tmp_path / "images" / "a.png", np.zeros((2, *SHAPE), np.uint8))
    (tmp_path / "images" / "a.png").rename(tmp_path / "images" / "a.tif")
    segment(one, *options, tmp_path / "2", code=1)
    assert "a.tif has 1 page(s), its image" in capsys.readouterr().out
    tiff(one.parent / "b.tif", likelihood())
    error = complaint(capsys, one.parent, *options, tmp_path / "3")
    assert f"b.tif has no image named 'b' in {tmp_path / 'images'}" in error
    only = complaint(capsys, one, "--outputs=mask", *options, tmp_path / "4")
    assert "--images must be left out if no overlay is among --outputs" in only


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


def test_data_sets_of_one_file_are_different_likelihoods(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["one"], file["two"] = likelihood(1), likelihood(2)
    segment(f"{path}:one", "--out", tmp_path / "out")
    error = complaint(capsys, f"{path}:two", "--out", tmp_path / "out")
    assert f"is of {path}:one, not of {path}:two; choose another --out, or --overwrite" in error


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

    monkeypatch.setattr("toponet.prediction.segment_run.Segmenter.segment", interrupt)
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
