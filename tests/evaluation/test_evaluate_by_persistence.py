"""toponet-evaluate with threshold, keep and add: what is compared is what persistence decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from toponet import segment
from toponet.cli import evaluate as cli
from toponet.data import synthetic_membranes
from toponet.evaluation import EvaluateConfig, Protocol, score_image
from toponet.metrics.conventions import betti_convention

NUMBERS: dict[str, Any] = {"threshold": 0.45, "keep": 0.4, "add": 0.2}
OPTIONS = ["--threshold=0.45", "--keep=0.4", "--add=0.2"]
SHAPE = (24, 31)


def likelihood_and_truth(seed: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    truth = synthetic_membranes(1, SHAPE, seed=seed).masks[0]
    noise = np.random.default_rng(seed).normal(0, 0.25, SHAPE)
    return (0.2 + 0.6 * truth + noise).clip(0, 1).astype(np.float32), truth


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``predictions/`` with likelihoods, ``labels/`` with masks."""
    for kind in ("predictions", "labels"):
        (tmp_path / kind).mkdir()
    for seed in range(2):
        likelihood, truth = likelihood_and_truth(seed)
        tifffile.imwrite(tmp_path / "predictions" / f"im{seed}_likelihood.tif", likelihood)
        Image.fromarray(truth * 255).save(tmp_path / "labels" / f"im{seed}.png")
    return tmp_path


def run(folder: Path, *options: str, name: str = "predictions") -> dict[str, Any]:
    """The report; the command succeeds."""
    out = folder / f"report {name} {' '.join(options)}"
    arguments = [str(folder / name), str(folder / "labels"), "--out", str(out), "--pictures=0"]
    assert cli.main([*arguments, *options]) == 0
    report: dict[str, Any] = json.loads((out / "report.json").read_text())
    return report


def write_masks(folder: Path, connectivity: int = 8) -> None:
    """``masks/`` with what the likelihoods become."""
    (folder / "masks").mkdir()
    for seed in range(2):
        mask = segment(likelihood_and_truth(seed)[0], **NUMBERS, connectivity=connectivity).mask
        Image.fromarray(mask).save(folder / "masks" / f"im{seed}.png")


@pytest.mark.parametrize(
    ("options", "connectivity"),
    [([], 8), (["--connectivity=4"], 4), (["--convention=topomortar"], 8)],
    ids=str,
)
def test_likelihoods_score_as_the_masks_that_they_become(
    folder: Path, options: list[str], connectivity: int
) -> None:
    """Even where Betti numbers are counted without a frame, masks are made with one."""
    write_masks(folder, connectivity)
    found = run(folder, *OPTIONS, *options)
    assert found["total"] == run(folder, *options, name="masks")["total"]
    assert found["total"]["voi"] != run(folder, "--threshold=0.45", *options)["total"]["voi"]


@pytest.mark.parametrize("option", ["--threshold=0.6", "--keep=0", "--add=null", "--add=0.05"])
def test_every_number_changes_the_scores(folder: Path, option: str) -> None:
    assert run(folder, *OPTIONS, option)["total"] != run(folder, *OPTIONS)["total"]


def test_the_plain_cut_is_the_default(folder: Path) -> None:
    expected = run(folder)
    assert run(folder, "--keep=0", "--add=none", "--threshold=0.5")["total"] == expected["total"]
    assert expected["conventions"]["all"] == "likelihood >= 0.5 is structure; mean over the images"
    config = EvaluateConfig("predictions", "labels")
    assert (config.threshold, config.keep, config.add) == (0.5, 0.0, None)


def test_the_numbers_stand_beside_the_scores(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run(folder, *OPTIONS)
    words = (
        "masks by persistence: threshold 0.45, keep 0.4, add 0.2, connectivity 8, with frame; "
        "mean over the images"
    )
    assert report["conventions"]["all"] == words
    assert words in capsys.readouterr().out
    assert {name: report["config"][name] for name in NUMBERS} == NUMBERS


def test_masks_have_nothing_to_keep_or_add(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_masks(folder)
    for options in (["--keep=0.5"], ["--add=0.3"]):
        arguments = [str(folder / "masks"), str(folder / "labels")]
        assert cli.main([*arguments, *options]) == 2
        error = capsys.readouterr().err
        assert "im0.png is a mask, and --keep and --add need likelihoods" in error
        assert error.count("\n") == 1
        assert cli.main([*arguments, *options, "--predictions-are=mask"]) == 2
        assert "leave them out with --predictions-are mask" in capsys.readouterr().err
        assert cli.main([*arguments, "--threshold=0.7"]) == 0


def test_what_does_not_count_does_not_decide() -> None:
    """It is taken for structure, whatever its value, even if it is none."""
    likelihood, truth = likelihood_and_truth(0)
    valid = np.ones(SHAPE, np.uint8)
    valid[4:15, 6:20] = 0
    protocol = Protocol(betti_convention(patches="whole"), **NUMBERS)
    expected = score_image(np.where(valid, likelihood, 1), truth, protocol, valid)
    for value in (0, np.nan, 7):
        assert score_image(np.where(valid, likelihood, value), truth, protocol, valid) == expected
    assert score_image(likelihood, truth, protocol) != expected


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.uint8, bool])
def test_a_protocol_takes_every_type(kind: type) -> None:
    likelihood, truth = likelihood_and_truth(0)
    image = likelihood if np.dtype(kind).kind == "f" else likelihood >= 0.5
    protocol = Protocol(**NUMBERS)
    rounded: NDArray[Any] = image.astype(kind)
    expected = score_image(rounded.astype(np.float64), truth, protocol)
    assert score_image(rounded, truth, protocol) == expected


@pytest.mark.parametrize(
    ("numbers", "message"),
    [({"threshold": 1.0}, "threshold"), ({"keep": -1}, "keep"), ({"add": -1}, "add")],
    ids=str,
)
def test_a_protocol_refuses_numbers_of_no_use(numbers: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message} must "):
        Protocol(**numbers)
