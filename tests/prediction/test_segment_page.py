"""The page of toponet-segment shows what its files hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import segment_command as given
from page_elements import Elements, pictures_of
from segment_command import likelihood, segment, tiff
from toponet import betti_numbers
from toponet.pages import shown_image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two likelihoods, and a stack of three."""
    for k, name in enumerate("ab"):
        tiff(tmp_path / "in" / f"{name}.tif", likelihood(k))
    tiff(tmp_path / "in" / "stack.tif", np.stack([likelihood(k, (20, 17)) for k in (2, 3, 4)]))
    return tmp_path


def cells(page: Path) -> dict[str, dict[str, str]]:
    """What the table of images says, by image and heading."""
    rows = Elements(page.read_text(encoding="utf-8")).cells
    start = next(k for k, row in enumerate(rows) if row[0] == "image")
    header = [name.split("\N{NO-BREAK SPACE}")[0] for name in rows[start]]
    return {row[0]: dict(zip(header, row, strict=True)) for row in rows[start + 1 :]}


STACK = ["stack_000", "stack_001", "stack_002"]


def test_the_numbers_of_each_image_are_those_of_its_files(folder: Path) -> None:
    out = folder / "out"
    segment(folder / "in", "--out", out)
    found = cells(out / "report.html")
    assert list(found) == ["a", "b", *STACK]
    for k, name in enumerate("ab"):
        mask = given.mask(out / f"{name}_mask.png")
        components, holes = betti_numbers(mask, frame=True)[0]
        decisions = given.rows(out / f"{name}_decisions.csv")
        assert found[name]["components"] == str(components)
        assert found[name]["holes"] == str(holes)
        assert found[name]["structure"] == f"{mask.mean():.4f}"
        assert found[name]["changed features"] == str(len(decisions))
        picture = pictures_of(out / "report.html")[name]
        assert picture["masks"] == ["cut at 0.5", "by persistence"]
        assert picture["rule"] == {"threshold": 0.5, "keep": 0.5, "add": 0.3}
        changed = {dot[5] for dot in picture["dots"]}
        assert {row["action"] for row in decisions} <= changed, k


def test_a_plain_cut_has_one_mask_and_nothing_changed(folder: Path) -> None:
    out = folder / "out"
    segment(folder / "in", "--out", out, "--keep=0", "--add=null", "--threshold=0.4")
    for picture in pictures_of(out / "report.html").values():
        assert picture["masks"] == ["cut at 0.4"]
        assert not picture["has_changes"]
    assert cells(out / "report.html")["a"]["changed features"] == "–"


def test_cleaning_is_seen_beside_the_plain_cut(folder: Path) -> None:
    out = folder / "out"
    segment(folder / "in" / "a.tif", "--out", out, "--keep=0", "--add=null", "--min-size=9")
    assert pictures_of(out / "report.html")["a"]["masks"] == ["cut at 0.5", "cleaned"]


def test_images_are_shown_if_they_are_named(folder: Path) -> None:
    for name in "ab":
        Image.new("L", given.SHAPE[::-1], 99).save(folder / f"{name}.png")
    (folder / "images").mkdir()
    for name in "ab":
        (folder / f"{name}.png").rename(folder / "images" / f"{name}.png")
    likelihoods = [folder / "in" / f"{name}.tif" for name in "ab"]
    segment(*likelihoods, "--out", folder / "with", "--images", folder / "images")
    segment(*likelihoods, "--out", folder / "without")
    for name in "ab":
        assert pictures_of(folder / "with" / "report.html")[name]["image"]
        assert pictures_of(folder / "without" / "report.html")[name]["image"] is None


def test_a_command_that_goes_on_shows_what_was_done_before(folder: Path) -> None:
    out = folder / "out"
    segment(folder / "in" / "b.tif", "--out", out)
    assert list(cells(out / "report.html")) == ["b"]
    alone = pictures_of(out / "report.html")["b"]
    segment(folder / "in", "--out", out)
    assert list(cells(out / "report.html")) == ["a", "b", *STACK]
    assert pictures_of(out / "report.html")["b"] == alone
    page = (out / "report.html").read_bytes()
    segment(folder / "in", "--out", out)
    assert (out / "report.html").read_bytes() == page
    (out / "report.html").unlink()
    segment(folder / "in", "--out", out)
    assert set(cells(out / "report.html")) == {"a", "b", *STACK}


def test_what_cant_be_used_is_named_on_the_page(folder: Path) -> None:
    (folder / "in" / "bad.tif").write_bytes(b"no image")
    segment(folder / "in", "--out", folder / "out", code=1)
    page = folder / "out" / "report.html"
    assert "bad" not in cells(page)
    assert "bad.tif" in page.read_text(encoding="utf-8")


def test_the_report_of_another_command_is_not_overwritten(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "run").mkdir()
    (folder / "run" / "report.html").write_text("of a training")
    arguments: list[str | Path] = [folder / "in", "--out", folder / "run"]
    assert "is the report of another command" in given.complaint(capsys, *arguments)
    assert (folder / "run" / "report.html").read_text() == "of a training"
    segment(*arguments, "--overwrite")
    assert set(cells(folder / "run" / "report.html")) == {"a", "b", *STACK}


def test_of_long_stacks_some_pages_are_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown_image, "MOST_PICTURES", 6)
    segment(folder / "in", "--out", folder / "out")
    assert set(cells(folder / "out" / "report.html")) == {"a", "b", "stack_000", "stack_002"}
    text = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "4 of 5 images are on this page." in text


def test_labelled_images_have_their_truth_and_those_held_out_their_metrics(folder: Path) -> None:
    labels = folder / "labels"
    labels.mkdir()
    for k, name in enumerate("ab"):
        truth = (likelihood(k) >= 0.45).astype(np.uint8) * np.uint8(255)
        Image.fromarray(truth).save(labels / f"{name}.png")
    segment(folder / "in", "--out", folder / "out", "--labels", labels)
    page = folder / "out" / "report.html"
    pictures = pictures_of(page)
    assert [name for name, picture in pictures.items() if picture["has_truth"]] == ["a", "b"]
    measured = [name for name, row in cells(page).items() if row["voi"] != "–"]
    assert len(measured) == 1
    assert measured[0] in "ab"
    assert "labelled image held out" in page.read_text(encoding="utf-8")


def test_pages_of_a_stack_are_pictures_of_their_own(folder: Path) -> None:
    segment(folder / "in" / "stack.tif", "--out", folder / "out")
    pictures = pictures_of(folder / "out" / "report.html")
    masks = tifffile.imread(folder / "out" / "stack_mask.tif")
    assert list(pictures) == STACK
    assert len({picture["bits"] for picture in pictures.values()}) == len(masks) == 3
