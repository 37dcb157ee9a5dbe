"""The page of an evaluation: its numbers are those of images.csv, its masks those that count."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from page_elements import Elements, pictures_of
from toponet.cli import evaluate as cli
from toponet.data import synthetic_membranes
from toponet.pages import shown_image

SHAPES = ((40, 31), (33, 45), (36, 38))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``predictions/`` with float TIFF, ``labels/`` and ``images/`` of a data set."""
    random = np.random.default_rng(0)
    for kind in ("predictions", "labels", "images"):
        (tmp_path / kind).mkdir()
    for k, shape in enumerate(SHAPES):
        truth = synthetic_membranes(1, shape, seed=k).masks[0]
        likelihood = (0.2 + 0.6 * truth + random.normal(0, 0.25, shape)).clip(0, 1)
        tifffile.imwrite(
            tmp_path / "predictions" / f"im{k}_likelihood.tif", likelihood.astype(np.float32)
        )
        for kind, pixels in (("labels", truth), ("images", 1 - truth)):
            Image.fromarray(pixels * np.uint8(255)).save(tmp_path / kind / f"im{k}.png")
    return tmp_path


def run(folder: Path, *options: str, labels: str = "") -> Path:
    """Where the page is."""
    out = folder / "out"
    arguments = [str(folder / "predictions"), str(folder / labels), f"--out={out}", "--patches=5"]
    assert cli.main([*arguments, *options]) == 0
    return out / "report.html"


def test_the_table_has_the_numbers_of_the_file(folder: Path) -> None:
    page = Elements(run(folder).read_text(encoding="utf-8"))
    with (folder / "out" / "images.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert all(list(row)[-1] == "worst_places" for row in rows)  # Words; the others are numbers.
    expected = [list(row.values())[:-1] for row in rows]
    values = [
        attributes["data-value"] for _, attributes in page.found if "data-value" in attributes
    ]
    width = len(expected[0])
    assert [values[k : k + width] for k in range(0, len(values), width)] == expected


def test_images_truths_and_both_masks_are_shown(folder: Path) -> None:
    pictures = pictures_of(run(folder, "--threshold=0.4", "--keep=0.6", "--add=0.2"))
    assert list(pictures) == ["im0", "im1", "im2"]
    for picture, (height, width) in zip(pictures.values(), SHAPES, strict=True):
        assert (picture["height"], picture["width"]) == (height, width)
        assert picture["masks"] == ["cut at 0.4", "by persistence"]
        assert picture["rule"] == {"threshold": 0.4, "keep": 0.6, "add": 0.2}
        assert picture["image"]
        assert picture["has_truth"]


def test_without_images_there_are_the_others(folder: Path) -> None:
    for picture in pictures_of(run(folder, labels="labels")).values():
        assert picture["image"] is None
        assert picture["likelihood"]
        assert picture["masks"] == ["cut at 0.5"]


def test_the_connectivity_of_the_metrics_is_that_of_the_mistakes(folder: Path) -> None:
    found = []
    for connectivity in (4, 8):
        pictures = pictures_of(run(folder, f"--connectivity={connectivity}"))
        found.append([picture["mistakes"] for picture in pictures.values()])
        (folder / "out").rename(folder / f"out{connectivity}")
    assert found[0] != found[1]


def test_predictions_that_are_masks_have_no_likelihood(folder: Path) -> None:
    for path in (folder / "predictions").iterdir():
        mask = (tifffile.imread(path) >= 0.5).astype(np.uint8) * np.uint8(255)
        path.unlink()
        Image.fromarray(mask).save(path.with_name(path.name.replace("likelihood.tif", "mask.png")))
    for picture in pictures_of(run(folder)).values():
        assert picture["masks"] == ["mask"]
        assert picture["likelihood"] is None
        assert picture["dots"] == []


@pytest.mark.parametrize("damage", [b"no image", None], ids=["unreadable", "of another size"])
def test_an_image_that_cant_be_shown_is_named_and_stops_nothing(
    folder: Path, damage: bytes | None
) -> None:
    """The metrics don't need it."""
    path = folder / "images" / "im1.png"
    if damage is None:
        Image.new("L", (7, 8)).save(path)
    else:
        path.write_bytes(damage)
    page = run(folder)
    assert [bool(picture["image"]) for picture in pictures_of(page).values()] == [True, False, True]
    assert "The image of im1 isn&#x27;t shown: " in page.read_text(encoding="utf-8")


def test_of_too_many_images_all_have_their_row(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown_image, "MOST_PICTURES", 2)
    page = run(folder)
    assert list(pictures_of(page)) == ["im0", "im2"]
    rows = [cells[0] for cells in Elements(page.read_text(encoding="utf-8")).cells]
    assert rows[-3:] == ["im0", "im1", "im2"]


def test_without_out_there_is_no_page(folder: Path) -> None:
    assert cli.main([str(folder / "predictions"), str(folder), "--patches=5"]) == 0
    assert not list(folder.rglob("report.html"))
