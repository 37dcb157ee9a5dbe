"""toponet-inspect: what is in a data set, what is wrong with it, and its labels cleaned."""

from __future__ import annotations

import csv
import errno
import json
import shutil
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
import tifffile
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from toponet import betti_numbers
from toponet.cli import inspect as cli
from toponet.data import load_folder, synthetic_membranes
from toponet.inspection import clean_mask, find_tiny
from toponet.topology.labelling import label_cells, label_structure

masks = hnp.arrays(
    np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 12)), elements=st.integers(0, 1)
)
connectivities = st.sampled_from([4, 8])
sizes = st.integers(1, 7)

# A wall with a leak at a corner, a one-pixel hole in it, and a speck of two pixels.
TRUTH = np.array(
    [
        [0, 0, 0, 1, 1, 1, 0, 0, 0, 0],
        [0, 0, 0, 1, 0, 1, 0, 0, 0, 0],
        [0, 0, 0, 1, 1, 1, 0, 1, 1, 0],
        [0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
    ],
    dtype=np.uint8,
)


def write(folder: Path, name: str, image: NDArray[Any] | None, mask: NDArray[Any] | None) -> None:
    for kind, pixels in (("images", image), ("labels", mask)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        if pixels is not None:
            Image.fromarray(pixels).save(folder / kind / f"{name}.png")


def grey(shape: tuple[int, ...] = TRUTH.shape) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(3, 200, shape).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pairs that training takes."""
    write(tmp_path / "data", "a", grey(), TRUTH * 255)
    write(tmp_path / "data", "b", grey((12, 15)), np.eye(12, 15, dtype=np.uint8) * 255)
    return tmp_path / "data"


def run(folder: Path, *options: str, code: int = 0) -> dict[str, Any]:
    """The report; the command ends with this code."""
    out = folder.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    assert cli.main([str(folder), "--out", str(out), *options]) == code
    report: dict[str, Any] = json.loads((out / "report.json").read_text())
    return report


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line on stderr; the command fails with exit code 2."""
    assert cli.main([str(a) for a in arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("toponet-inspect: ")
    assert error.count("\n") == 1
    return error


def test_the_report_counts_by_hand(folder: Path) -> None:
    """The leak is one corner: 4 opens it and cuts the wall; the diagonal falls to pieces."""
    first, second = run(folder)["images"]
    assert (first["height"], first["width"], first["channels"]) == (6, 10, 1)
    assert first["structure"] == round(float(TRUTH.mean()), 5)
    assert (first["low"], first["high"]) == (grey().min(), grey().max())
    assert first["corners"] == 1
    # With a frame, the wall is part of it where it touches the border; with 4 its two halves do.
    assert (first["components_8"], first["components_4"]) == (1, 1)
    assert (first["holes_8"], first["holes_4"]) == (3, 2)
    # Below 10 pixels: the speck; with 4 the halves of the wall as well, of 9 and 2.
    assert (first["tiny_specks_8"], first["tiny_specks_4"]) == (1, 3)
    assert second["corners"] == 11
    assert (second["components_8"], second["components_4"]) == (0, 10)
    assert (second["holes_8"], second["holes_4"]) == (2, 1)


@hypothesis.given(masks)
def test_betti_numbers_are_those_of_loss_and_metrics(mask: NDArray[np.uint8]) -> None:
    """Oracle: with a frame, holes are the components of the background that labelling finds."""
    from toponet.data import Sample
    from toponet.inspection.statistics import image_statistics

    found = image_statistics(Sample(np.zeros((1, *mask.shape), np.float32), mask), 10**3)
    for c in (4, 8):
        assert found.betti[c] == tuple(betti_numbers(mask, connectivity=c, frame=True)[0])
        assert found.holes[c].sum() == found.betti[c][1]
        assert found.specks[c] @ np.arange(1, 10**3) == mask.sum()
    if found.corners == 0:
        assert found.betti[4] == found.betti[8]


@hypothesis.given(masks, connectivities, sizes)
def test_tiny_parts_are_the_components_below_the_size(
    mask: NDArray[np.uint8], connectivity: int, min_size: int
) -> None:
    tiny = find_tiny(mask, connectivity, min_size)
    for labels, where, centres in (
        (label_cells(mask, connectivity), tiny.holes, tiny.hole_centres),
        (label_structure(mask, connectivity), tiny.specks, tiny.speck_centres),
    ):
        small = [k for k in range(1, labels.max() + 1) if (labels == k).sum() < min_size]
        np.testing.assert_array_equal(where, np.isin(labels, small))
        expected = [np.argwhere(labels == k).mean(axis=0) for k in small]
        np.testing.assert_allclose(centres, np.reshape(expected, (-1, 2)))


@hypothesis.given(masks, connectivities, sizes)
def test_cleaned_masks_have_no_tiny_part(
    mask: NDArray[np.uint8], connectivity: int, min_size: int
) -> None:
    """Unless the whole mask is one; and cleaning again changes nothing."""
    cleaned = clean_mask(mask, connectivity, min_size)
    tiny = find_tiny(cleaned, connectivity, min_size)
    assert mask.size < min_size or not (tiny.holes.any() or tiny.specks.any())
    np.testing.assert_array_equal(clean_mask(cleaned, connectivity, min_size), cleaned)
    np.testing.assert_array_equal(clean_mask(mask, connectivity, 1), mask)


def test_cleaning_writes_labels_that_training_reads(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {p: p.read_bytes() for p in folder.rglob("*.png")}
    clean = tmp_path / "clean"
    assert cli.main([str(folder), "--clean", str(clean), "--min-size", "3"]) == 0
    assert "3 pixels changed" in capsys.readouterr().out
    shutil.copytree(folder / "images", clean / "images")
    expected = TRUTH.copy()
    expected[1, 4] = 1
    expected[2, 7:9] = 0
    np.testing.assert_array_equal(load_folder(clean).masks[0], expected)
    assert {p: p.read_bytes() for p in before} == before


def test_nothing_is_written_unasked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(folder.parent.rglob("*"))
    monkeypatch.chdir(folder.parent)
    assert cli.main([str(folder)]) == 0
    assert sorted(folder.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("option", "sizes"), [(["--min-size=2"], (1, 0)), (["--min-size=3"], (1, 1))], ids=str
)
def test_the_smallest_size_decides_what_is_tiny(
    folder: Path, option: list[str], sizes: tuple[int, int]
) -> None:
    first = run(folder, *option)["images"][0]
    assert (first["tiny_holes_8"], first["tiny_specks_8"]) == sizes
    page = (folder.parent / "out" / "report.md").read_text()
    assert f"holes < {option[0][-1]}" in page


def test_the_connectivity_asked_for_is_the_one_cleaned_by(folder: Path, tmp_path: Path) -> None:
    """Under 4 each pixel of the diagonal is a speck; by default 8 is used, as recommended."""
    structure = {}
    for name, options in (
        ("default", []),
        ("8", ["--connectivity=8"]),
        ("4", ["--connectivity=4"]),
    ):
        clean = tmp_path / name
        assert cli.main([str(folder), "--clean", str(clean), "--min-size=3", *options]) == 0
        structure[name] = np.asarray(Image.open(clean / "labels" / "b.png")).sum() // 255
    assert structure == {"default": 12, "8": 12, "4": 0}


def test_the_side_that_is_thin_gets_the_connectivity_that_holds_over_corners(
    tmp_path: Path,
) -> None:
    line = np.eye(30, dtype=np.uint8) * 255
    plain = np.zeros((30, 30), np.uint8)
    plain[:, 7] = 255
    for name, mask in (("line", line), ("gap", 255 - line), ("straight", plain)):
        write(tmp_path / name, "x", grey((30, 30)), mask)
    advice = {name: run(tmp_path / name)["advice"] for name in ("line", "gap", "straight")}
    assert {name: a["connectivity"] for name, a in advice.items()} == {
        "line": 8,
        "gap": 4,
        "straight": 8,
    }
    assert (
        "the structure is the thin side (a pixel lies 1.0 from its edge" in advice["line"]["reason"]
    )
    assert (
        "differ at 29 corners: 4 counts 28 more components and 1 fewer hole"
        in advice["line"]["reason"]
    )
    assert "the background is the thin side" in advice["gap"]["reason"]
    assert "no pixels of structure touch by a corner only" in advice["straight"]["reason"]


def test_the_files_say_what_the_terminal_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run(folder)
    shown = capsys.readouterr().out
    out = folder.parent / "out"
    page = (out / "report.md").read_text()
    for text in (shown, page):
        assert "6 x 10 (1), 12 x 15 (1)" in text
        assert "3 to 199" in text
        assert report["advice"]["reason"] in text
        assert "counted with a frame of structure" in text
    with (out / "images.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [{k: str(v) for k, v in row.items()} for row in report["images"]] == rows
    with Image.open(out / "contact_sheet.png") as sheet:
        assert min(sheet.size) > 300
        assert len(set(sheet.convert("L").tobytes())) > 20


def test_labels_that_look_inverted_are_noted(folder: Path) -> None:
    """Most pixels are structure, and it is the thick side."""
    assert not any("inverted" in note for note in run(folder)["notes"])
    write(folder, "a", None, 255 - TRUTH * 255)
    write(folder, "b", None, 255 - np.eye(12, 15, dtype=np.uint8) * 255)
    (note,) = run(folder)["notes"]
    assert "the structure is the thick side: 8" in note
    assert note.endswith("the labels are inverted")


def test_the_contact_sheet_shows_a_dozen_of_many_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = synthetic_membranes(14, (24, 20))
    for name, image, mask in zip(data.names, data.images, data.masks, strict=True):
        colour = np.repeat((image[0].clip(0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)
        write(tmp_path / "many", name, colour, mask)
    titles: list[str] = []
    monkeypatch.setattr(Figure, "suptitle", lambda _, title, **__: titles.append(title))
    assert len(run(tmp_path / "many")["images"]) == 14
    assert titles == ["12 of 14 images"]
    with Image.open(tmp_path / "out" / "contact_sheet.png") as sheet:
        width, height = sheet.size
    assert 1.1 < width / height < 1.4  # Four columns, three rows.


def test_all_problems_are_listed_and_the_rest_is_inspected(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "alone", grey(), None)
    write(folder, "lonely", None, TRUTH)
    write(folder, "large", grey((7, 7)), TRUTH)
    write(folder, "colours", grey((*TRUTH.shape, 3)), TRUTH)
    write(folder, "classes", grey(), TRUTH + np.eye(6, 10, dtype=np.uint8))
    write(folder, "broken", grey(), TRUTH)
    path = folder / "images" / "broken.png"
    path.write_bytes(path.read_bytes()[:40])
    tifffile.imwrite(folder / "images" / "a.tif", grey())
    report = run(folder, code=1)
    assert [row["image"] for row in report["images"]] == ["a", "b"]
    shown = capsys.readouterr().out
    sentences = (
        "alone.png has no partner of that name in",
        "lonely.png has no partner of that name in",
        "large.png has 6 x 10 pixels, its image 7 x 7",
        "colours has 3 channel(s), most images have 1",
        "classes.png must hold 0 and one of 1, 255, 65535, got 0, 1, 2",
        "broken.png can't be read as an image",
        "a.tif and",
    )
    assert len(report["problems"]) == len(sentences)
    for sentence in sentences:
        assert sum(sentence in problem for problem in report["problems"]) == 1
        assert sentence in shown


def test_what_training_would_take_but_learn_nothing_from_is_noted(folder: Path) -> None:
    write(folder, "empty", grey(), TRUTH * 0)
    write(folder, "full", grey(), TRUTH * 0 + 1)
    write(folder, "flat", grey() * 0 + 9, TRUTH)
    assert run(folder)["notes"] == [
        "empty: the label is all background",
        "flat: the image has a single grey value",
        "full: the label is all structure",
    ]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--min-size=0"], "--min-size must be at least 1"),
        (["--connectivity=6"], "--connectivity must be one of 4, 8"),
        (["--out=."], ". exists already and is never overwritten; choose another --out"),
        (["--clean=."], ". exists already and is never overwritten; choose another --clean"),
        (["--bogus"], "--bogus"),
    ],
    ids=str,
)
def test_mistakes_get_one_line_and_exit_code_2(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    assert sentence in complaint(capsys, folder, *options)


def test_folders_without_a_usable_pair_are_mistakes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "nowhere/images is not a folder" in complaint(capsys, "nowhere")
    write(tmp_path / "x", "a", None, None)
    assert "x/images holds no PNG" in complaint(capsys, tmp_path / "x")
    write(tmp_path / "x", "a", grey((3, 3)), TRUTH)
    error = complaint(capsys, tmp_path / "x", "--out", tmp_path / "out")
    assert "the first of 1 problems" in error
    assert "its image 3 x 3" in error
    assert not (tmp_path / "out").exists()


def test_an_interrupted_inspection_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("toponet.inspection.run.open_data", interrupt)
    assert cli.main([str(folder)]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "step"), [("out", "save_contact_sheet"), ("clean", "clean_mask")]
)
def test_a_folder_that_an_error_cut_short_is_removed(
    option: str, step: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Else the same command would refuse it the next time, though nothing whole is in it."""

    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "x.png")

    arguments = [str(folder), f"--{option}", str(tmp_path / "made")]
    with monkeypatch.context() as patch:
        patch.setattr(f"toponet.inspection.run.{step}", fail)
        assert "can't write x.png: No space left" in complaint(capsys, *arguments)
    assert not (tmp_path / "made").exists()
    assert cli.main(arguments) == 0
