"""Predictions against label maps: numbered regions as truths of toponet-evaluate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from toponet import metrics
from toponet.cli import evaluate as cli
from toponet.data.instances import instance_borders
from toponet.topology import label_cells

SHAPE = (37, 46)


def instances(k: int) -> NDArray[np.uint32]:
    """Regions between walls, with large numbers."""
    rows, columns = np.indices(SHAPE)
    cells: NDArray[np.uint32] = label_cells((rows % 12 == k) | (columns % 15 == 7), 8).astype("u4")
    return np.where(cells > 0, cells + 70_000 * k, 0).astype(np.uint32)


def prediction(k: int) -> NDArray[np.uint8]:
    """The true borders, broken here and there."""
    noise = np.random.default_rng(k).random(SHAPE)
    return ((instance_borders(instances(k)) > 0) & (noise > 0.1)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("predictions", "labels"):
        (tmp_path / name).mkdir()
    for k in (1, 2):
        Image.fromarray(255 * prediction(k)).save(tmp_path / "predictions" / f"im{k}_mask.png")
        tifffile.imwrite(tmp_path / "labels" / f"im{k}.tif", instances(k))
    return tmp_path


def run(folder: Path, *options: str) -> dict[str, Any]:
    out = folder / f"out{len(list(folder.glob('out*')))}"
    arguments = [str(folder / "predictions"), str(folder), f"--out={out}", *options]
    assert cli.main([*arguments, "--labels-are=instances"]) == 0
    report: dict[str, Any] = json.loads((out / "report.json").read_text())
    return report


@pytest.mark.parametrize("connectivity", [4, 8])
def test_cells_are_compared_with_instances_by_number(folder: Path, connectivity: int) -> None:
    """Oracle: the functions of toponet.metrics; the other metrics are of the borders."""
    report = run(folder, f"--connectivity={connectivity}")
    for k, row in zip((1, 2), report["images"], strict=True):
        cells = label_cells(prediction(k), connectivity)
        found = [row[name] for name in row if name.startswith("instance_")]
        assert found == [
            *metrics.instance_rand_score(cells, instances(k)),
            *metrics.instance_variation_of_information(cells, instances(k)),
        ]
        truth = instance_borders(instances(k))
        assert row["accuracy"] == metrics.pixel_accuracy(prediction(k), truth)
    assert "instances by number" in report["conventions"]["instance_ari"]
    (page,) = folder.glob("out*/report.md")
    assert f"| instance_voi_merge ↓ | {report['total']['instance_voi_merge']:.4f} |" in (
        page.read_text(encoding="utf-8")
    )


def test_what_does_not_count_is_excluded(folder: Path) -> None:
    before = run(folder)
    (folder / "valid").mkdir()
    valid = np.ones(SHAPE, np.uint8)
    valid[:, 20:] = 0
    for k in (1, 2):
        Image.fromarray(255 * valid).save(folder / "valid" / f"im{k}.png")
    after = run(folder)
    for k, row in zip((1, 2), after["images"], strict=True):
        cells = label_cells(np.where(valid, prediction(k), 1), 8)
        expected = metrics.instance_rand_score(cells, instances(k), valid=valid)
        assert row["instance_ari"] == expected.score
    assert after["total"]["instance_ari"] != before["total"]["instance_ari"]


def test_numbers_need_the_option_and_other_labels_refuse_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(folder / "predictions"), str(folder)]
    assert cli.main(arguments) == 2
    assert "im1.tif must hold 0 and one of 1, 255, 65535" in capsys.readouterr().err
    for name in ("train-volume.tif", "train-labels.tif"):
        tifffile.imwrite(folder / name, 255 * np.stack([prediction(1)] * 2))
    isbi = [arguments[0], f"isbi12:{folder}", "--labels-are=instances"]
    assert cli.main(isbi) == 2
    assert "is a mask: leave --labels-are out" in capsys.readouterr().err
    assert cli.main([*arguments, "--labels-are=ids"]) == 2
    assert "must be one of 'mask', 'instances'" in capsys.readouterr().err
