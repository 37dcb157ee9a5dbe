"""The places where a prediction is wrong: named with their coordinates, and pictured."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import strategies
from toponet.cli import evaluate as cli
from toponet.topology.labelling import label_cells, label_structure
from toponet.topology.mistakes import find_mistakes, worst_places

SHAPE = (60, 80)


def walls(*columns: int) -> NDArray[np.bool_]:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[:, list(columns)] = True
    return mask


def masks(name: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Prediction and truth: a cell of 60 x 19 pixels is lost, a wall and a speck are invented."""
    truth = walls(30, 50)
    if name == "perfect":
        return truth, truth
    prediction = walls(30, 50, 74)
    prediction[20, 50] = False
    prediction[40:42, 10:13] = True
    return prediction, truth


@hypothesis.settings(max_examples=200)
@hypothesis.given(images=strategies.images(batch=2), connectivity=strategies.connectivities,
                  frame=strategies.frames)  # fmt: skip
def test_the_worst_places_are_the_largest_mistakes_and_lie_in_them(
    images: NDArray[np.float64], connectivity: int, frame: bool
) -> None:
    """Oracle: all mistakes, found without their sizes."""
    prediction, truth = images >= 0.5
    mistakes = find_mistakes(prediction, truth, connectivity, frame)
    places = worst_places(prediction, truth, connectivity, frame, most=1000)
    counts = {kind: sum(place.kind == kind for place in places) for kind in mistakes._fields}
    assert counts == {kind: len(getattr(mistakes, kind)) for kind in mistakes._fields}
    sizes = [place.pixels for place in places]
    assert sizes == sorted(sizes, reverse=True)
    assert worst_places(prediction, truth, connectivity, frame, most=2) == places[:2]
    for kind, row, column, pixels in places:
        mask = {"lost_cells": ~truth, "extra_cells": ~prediction}.get(kind)
        if mask is not None:
            labels = label_cells(~mask, connectivity)
            assert (labels == labels[row, column]).sum() == pixels
            assert mask[row, column]
        else:
            fits = [
                (labels == labels[row, column]).sum() == pixels
                for labels in (label_structure(m, connectivity) for m in (prediction, truth))
                if labels[row, column]
            ]
            assert any(fits)


def test_places_counted_by_hand() -> None:
    """Rows and columns of the pixel next to the centre."""
    places = worst_places(*masks("broken"), 8, frame=True)
    assert [place.kind for place in places] == ["lost_cells", "extra_cells", "pieces"]
    lost, extra, piece = places
    # Cells of 60 x 19 and 60 x 29 pixels grew together. The invented wall leaves the larger one 23
    # of its columns, so that it keeps the common cell for a partner, and 5 are a cell too many.
    assert (lost.pixels, lost.column) == (60 * 19, 40)
    assert (extra.pixels, extra.column) == (60 * 5, 77)
    assert (piece.pixels, piece.row, piece.column) == (6, 40, 11)
    # Without a frame, walls that touch the border are pieces as well.
    assert worst_places(*masks("broken"), 8, most=9) != worst_places(*masks("broken"), 8, True, 9)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind, k in (("predictions", 0), ("labels", 1)):
        (tmp_path / kind).mkdir()
        for name in ("broken", "perfect"):
            Image.fromarray(masks(name)[k]).save(tmp_path / kind / f"{name}.png")
    return tmp_path


def run(folder: Path, *options: str) -> Path:
    out = folder / f"out{len(list(folder.glob('out*')))}"
    arguments = [str(folder / "predictions"), str(folder), f"--out={out}", *options]
    assert cli.main(arguments) == 0
    return out


def test_tables_name_the_worst_places_with_their_coordinates(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = run(folder)
    shown = capsys.readouterr().out
    assert "Worst places" in shown
    assert max(map(len, shown.split("accuracy:")[0].splitlines())) <= 80
    words = "cell merged or lost at row 29, column 40 (1140 pixels)"
    page = (out / "report.md").read_text()
    html = (out / "report.html").read_text(encoding="utf-8")
    assert "Worst places" in html
    assert "cell merged or lost" in html.split("Worst places")[1]
    (line,) = (line for line in page.splitlines() if line.startswith("| perfect"))
    assert line.endswith("| - |")
    assert any(line.startswith("| broken") and words in line for line in page.splitlines())
    assert "| broken | 29 | 40 | 1140 | cell merged or lost |" in page
    with (out / "images.csv").open() as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    assert rows[0]["worst_places"].startswith(f"{words}; cell too many at row 29, column 77 (300")
    assert rows[1]["worst_places"] == ""
    assert list(rows[0])[-1] == "worst_places"
    report = json.loads((out / "report.json").read_text())["worst_places"]
    assert report["broken"][0] == {"kind": "lost_cells", "row": 29, "column": 40, "pixels": 1140}
    assert report["perfect"] == []


def test_pictures_show_the_images_with_the_largest_mistakes(folder: Path) -> None:
    speck = masks("perfect")[0]
    speck[40:42, 10:13] = True
    for kind, mask in (("predictions", speck), ("labels", masks("perfect")[1])):
        Image.fromarray(mask).save(folder / kind / "a speck.png")
    out = run(folder)
    assert {path.name for path in out.glob("*.png")} == {"worst_1.png", "worst_2.png"}
    assert {path.name for path in run(folder, "--pictures=1").glob("*.png")} == {"worst_1.png"}
    page = (out / "report.md").read_text()
    assert "](worst_1.png)" in page
    assert "![broken: cell merged or lost at row 29, column 40 (1140 pixels); " in page
    assert page.index("](worst_1.png)") > page.index("![broken: ")
    assert page.index("](worst_2.png)") > page.index("![a speck: ") > page.index("](worst_1.png)")
    with Image.open(out / "worst_1.png") as picture:
        assert picture.width > 3 * picture.height
        assert len(set(picture.convert("L").tobytes())) > 20
    assert not list(run(folder, "--pictures=0").glob("*.png"))


def test_what_does_not_count_and_the_frame_decide_as_for_the_metrics(folder: Path) -> None:
    (folder / "valid").mkdir()
    valid = np.ones(SHAPE, np.uint8)
    valid[:, 55:] = valid[18:23, 48:53] = 0
    for name in ("broken", "perfect"):
        Image.fromarray(255 * valid).save(folder / "valid" / f"{name}.png")
    report = json.loads((run(folder) / "report.json").read_text())["worst_places"]
    assert [place["kind"] for place in report["broken"]] == ["pieces"]

    def pieces(*options: str) -> int:
        found = json.loads((run(folder, *options) / "report.json").read_text())["worst_places"]
        return sum(place["kind"] == "pieces" for place in found["broken"])

    shutil.rmtree(folder / "valid")  # Without a frame, a wall with a gap is two pieces.
    for name, gap in (("broken", 50), ("perfect", 50)):
        mask = walls(30, 50)
        mask[20, gap] = name == "perfect"
        Image.fromarray(mask).save(folder / "predictions" / f"{name}.png")
    assert (pieces(), pieces("--frame=false")) == (0, 1)


def test_a_negative_number_of_pictures_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([str(folder / "predictions"), str(folder), "--pictures=-1"]) == 2
    assert "--pictures must be at least 0, got -1" in capsys.readouterr().err
