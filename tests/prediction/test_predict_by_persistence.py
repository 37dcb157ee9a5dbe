"""toponet-predict and TrainedModel with threshold, keep and add: persistence decides on masks."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from numpy.typing import NDArray
from PIL import Image

from data_layouts import save
from toponet import segment
from toponet.cli import predict as cli
from toponet.data import Normalisation
from toponet.data.training_scale import TrainingScale
from toponet.models import DIVE
from toponet.prediction import TrainedModel, load_model
from toponet.prediction.checkpoint import load_checkpoint, save_checkpoint
from toponet.prediction.conventions import Conventions
from toponet.prediction.decisions import COLUMNS
from toponet.prediction.segmentation import Segmentation
from toponet.segmentation import SegmentationOptions
from toponet.topology.cleaning import clean_mask
from toponet.topology.labelling import label_cells

CHOICE = SegmentationOptions(0.45, 0.6, 0.15)
SHAPE = (20, 27)
CUT = {"a_cells.tif", "a_likelihood.tif", "a_mask.png", "a_overlay.png", "predict.json"}


def grey(seed: int, shape: tuple[int, ...] = SHAPE) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 201, shape).astype(np.uint8)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as older versions wrote it: without choice. It is of two minds about noise."""
    torch.manual_seed(0)
    network = DIVE(1)
    with torch.no_grad():
        *_, weight, bias = network.parameters()
        weight.mul_(300)
        bias.sub_(network(torch.randn(1, 1, 90, 90)).median())
    content: dict[str, Any] = {
        "epoch": 1, "model": network.state_dict(), "optimiser": {}, "state": {}, "metrics": {},
        "normalisation": asdict(Normalisation((100.0,), (50.0,))), "threshold": 0.5,
        "training_scale": asdict(TrainingScale(("uint8",), (0, 200), ((95, 105),), ((54, 62),))),
        "config": {"network": "dive", "connectivity": 8},
    }  # fmt: skip
    path = tmp_path_factory.mktemp("weights") / "plain.ckpt"
    save_checkpoint(path, content)
    return path


@pytest.fixture(scope="module")
def chosen(plain: Path) -> Path:
    """The same network, for which training chose threshold, keep and add."""
    path = plain.with_name("chosen.ckpt")
    save_checkpoint(path, {**load_checkpoint(plain), "segmentation": {"options": asdict(CHOICE)}})
    return path


@pytest.fixture
def image(tmp_path: Path) -> Path:
    save(tmp_path / "images" / "a.png", grey(0))
    return tmp_path / "images" / "a.png"


@pytest.fixture
def predict(tmp_path: Path, image: Path) -> Callable[..., Path]:
    """Predicts the image, or what else is named, and returns the folder."""

    def run(weights: Path, *arguments: str, name: str = "out", what: Path = image) -> Path:
        fixed = [f"--out={tmp_path / name}", "--device=cpu", "--num-threads=1"]
        assert cli.main([str(weights), str(what), *fixed, *arguments]) == 0
        return tmp_path / name

    return run


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def mask_of(folder: Path) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = np.asarray(Image.open(folder / "a_mask.png")) != 0
    return mask


def by_hand(folder: Path, **numbers: Any) -> NDArray[np.bool_]:
    """The mask that the likelihood of the folder has with these numbers."""
    mask: NDArray[np.bool_] = segment(
        tifffile.imread(folder / "a_likelihood.tif"), **{**asdict(CHOICE), **numbers}
    ).mask
    return mask


def test_masks_are_those_of_the_checkpoints_choice(
    plain: Path, chosen: Path, predict: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Mask, cells and overlay follow; the likelihood doesn't, and the output says both."""
    cut, out = predict(plain, name="cut"), predict(chosen)
    printed = " ".join(capsys.readouterr().out.split())
    assert "the checkpoint has no choice of keep and add" in printed
    assert "threshold 0.45, keep 0.6, add 0.15, connectivity 8" in printed
    assert "threshold, keep and add are those that training chose" in printed
    assert "likelihood files are the network's own" in printed
    assert {path.name for path in out.iterdir()} == CUT | {"a_decisions.csv"}
    assert (out / "a_likelihood.tif").read_bytes() == (cut / "a_likelihood.tif").read_bytes()
    mask = mask_of(out)
    np.testing.assert_array_equal(mask, by_hand(out))
    assert (mask != (tifffile.imread(out / "a_likelihood.tif") >= np.float32(0.45))).any()
    np.testing.assert_array_equal(tifffile.imread(out / "a_cells.tif"), label_cells(mask, 8))
    assert (out / "a_overlay.png").read_bytes() != (cut / "a_overlay.png").read_bytes()


@pytest.mark.parametrize(
    ("option", "numbers"),
    [
        ("--threshold=0.6", {"threshold": 0.6}),
        ("--keep=0", {"keep": 0}),
        ("--add=null", {"add": None}),
        ("--add=0.05", {"add": 0.05}),
    ],
)
def test_one_number_can_be_another_than_the_checkpoints(
    chosen: Path, predict: Callable[..., Path], option: str, numbers: dict[str, Any]
) -> None:
    out = predict(chosen, option)
    np.testing.assert_array_equal(mask_of(out), by_hand(out, **numbers))
    assert (mask_of(out) != by_hand(out)).any()
    settings = json.loads((out / "predict.json").read_text())["settings"]
    assert {name: settings[name] for name in asdict(CHOICE)} == {**asdict(CHOICE), **numbers}


def test_keep_0_and_add_null_are_the_plain_cut(
    plain: Path, chosen: Path, predict: Callable[..., Path]
) -> None:
    """The files of a checkpoint without choice, byte for byte: nothing is decided."""
    cut = predict(plain, name="cut")
    out = predict(chosen, "--keep=0", "--add=null", "--threshold=0.5")
    assert {path.name for path in out.iterdir()} == CUT
    for name in CUT - {"predict.json"}:
        assert (out / name).read_bytes() == (cut / name).read_bytes()


def test_a_checkpoint_without_choice_takes_keep_and_add_from_the_command_line(
    plain: Path, predict: Callable[..., Path]
) -> None:
    """What is left out is the plain cut's: keep 0, and nothing is added."""
    out = predict(plain, "--keep=0.6")
    np.testing.assert_array_equal(mask_of(out), by_hand(out, threshold=0.5, keep=0.6, add=None))
    assert (mask_of(out) != (tifffile.imread(out / "a_likelihood.tif") >= 0.5)).any()


def test_cleaning_comes_after_persistence(chosen: Path, predict: Callable[..., Path]) -> None:
    out = predict(chosen, "--min-size=9")
    settled = by_hand(out)
    np.testing.assert_array_equal(mask_of(out), clean_mask(settled, 8, 9) != 0)
    assert (mask_of(out) != settled).any()


def test_decisions_are_listed_with_their_places(chosen: Path, predict: Callable[..., Path]) -> None:
    """All columns by the likelihood itself: births and deaths are its values at the places."""
    out = predict(chosen)
    likelihood = tifffile.imread(out / "a_likelihood.tif")
    decisions = segment(likelihood, **asdict(CHOICE)).decisions
    rows = read_table(out / "a_decisions.csv")
    assert len(rows) == len(decisions) > 3
    assert list(rows[0]) == [
        "dimension", "action", "birth", "death", "persistence", "cost", "pixels",
        "birth_row", "birth_column", "death_row", "death_column",
    ]  # fmt: skip
    for k, row in enumerate(rows):
        assert int(row["dimension"]) == decisions.dimension[k]
        assert row["action"] == decisions.action[k]
        assert int(row["pixels"]) == len(decisions.changed(k))
        for name in ("birth", "death", "persistence", "cost"):
            assert float(row[name]) == pytest.approx(getattr(decisions, name)[k], abs=1e-8)
        for end in ("birth", "death"):
            place = (row[f"{end}_row"], row[f"{end}_column"])
            pixel = getattr(decisions, f"{end}_pixel")[k]
            assert int(place[0]) * SHAPE[1] + int(place[1]) == pixel
            if row["dimension"] == "1":
                assert np.float32(row[end]) == likelihood[int(place[0]), int(place[1])]


def test_what_is_born_with_the_frame_has_no_place_there() -> None:
    """A cell as large as the image, of persistence 1 - 0.45, is filled."""
    likelihood = np.full((3, 5), 0.45, np.float32)
    shown = Segmentation(likelihood[None], likelihood, Conventions(0.5, 8, 1, keep=0.6))
    assert shown.mask.all()
    (row,) = (dict(zip(COLUMNS, row, strict=True)) for row in shown.decisions)
    assert (row["dimension"], row["action"], row["pixels"]) == ("1", "filled", "15")
    assert (row["birth"], row["birth_row"], row["birth_column"]) == ("1", "", "")
    # Of pixels of one value, the one with the largest index is the last in the order of all pixels.
    assert (row["death_row"], row["death_column"]) == ("2", "4")


def test_a_stack_is_decided_page_by_page(
    chosen: Path, predict: Callable[..., Path], tmp_path: Path
) -> None:
    pages = [grey(1), grey(2)]
    tifffile.imwrite(tmp_path / "a.tif", np.stack(pages), photometric="minisblack")
    out = predict(chosen, what=tmp_path / "a.tif")
    likelihoods = tifffile.imread(out / "a_likelihood.tif")
    settled = [segment(page, **asdict(CHOICE)) for page in likelihoods]
    masks = tifffile.imread(out / "a_mask.tif") != 0
    np.testing.assert_array_equal(masks, np.stack([each.mask for each in settled]))
    rows = read_table(out / "a_decisions.csv")
    assert next(iter(rows[0])) == "page"
    for k, each in enumerate(settled):
        actions = [row["action"] for row in rows if row["page"] == str(k)]
        assert actions == each.decisions.action.tolist() != []


def test_a_decision_table_is_one_of_the_files_that_are_done_or_missing(
    chosen: Path, predict: Callable[..., Path]
) -> None:
    out = predict(chosen)
    table = (out / "a_decisions.csv").read_bytes()
    (out / "a_decisions.csv").unlink()
    before = (out / "a_mask.png").stat().st_mtime_ns
    predict(chosen)
    assert (out / "a_decisions.csv").read_bytes() == table
    assert (out / "a_mask.png").stat().st_mtime_ns == before
    predict(chosen, "--outputs=decisions", name="alone")
    assert {path.name for path in out.with_name("alone").iterdir()} == {
        "a_decisions.csv", "predict.json",
    }  # fmt: skip


def test_other_numbers_do_not_go_on_in_the_folder(
    chosen: Path, image: Path, predict: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused by name; --overwrite leaves no table of the decisions before."""
    out = predict(chosen)
    capsys.readouterr()
    assert cli.main([str(chosen), str(image), f"--out={out}", "--device=cpu", "--keep=0"]) == 2
    assert "holds predictions with keep 0.6, not 0.0; choose another" in capsys.readouterr().err
    predict(chosen, "--keep=0", "--add=null", "--overwrite")
    assert {path.name for path in out.iterdir()} == CUT


def test_a_folder_from_before_keep_and_add_goes_on_with_plain_cuts(
    plain: Path, predict: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    out = predict(plain)
    record = json.loads((out / "predict.json").read_text())
    for name in ("keep", "add"):
        del record["settings"][name]
    (out / "predict.json").write_text(json.dumps(record))
    capsys.readouterr()
    predict(plain)
    assert "0 predicted, 1 done before" in capsys.readouterr().out


def test_decisions_of_a_plain_cut_alone_are_refused(
    plain: Path, image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(plain), str(image), f"--out={tmp_path / 'x'}", "--outputs=decisions"]
    assert cli.main(arguments) == 2
    assert "--outputs must hold more than decisions" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({}, "segmentation must hold options threshold, keep, add"),
        ({"options": {"threshold": 0.5, "keep": 0.1}}, "segmentation must hold options"),
        ({"options": {**asdict(CHOICE), "keep": -1}}, "segmentation: keep must be at least 0"),
        ({"options": {**asdict(CHOICE), "threshold": "x"}}, "segmentation: threshold must be a nu"),
        (7, "segmentation must hold options"),
    ],
    ids=str,
)
def test_a_damaged_choice_is_named(
    plain: Path, tmp_path: Path, choice: object, message: str
) -> None:
    path = tmp_path / "damaged.ckpt"
    save_checkpoint(path, {**load_checkpoint(plain), "segmentation": choice})
    with pytest.raises(ValueError, match=f"damaged.ckpt is damaged: {message}"):
        load_model(path, "cpu")


@pytest.fixture(scope="module")
def model(chosen: Path) -> TrainedModel:
    return load_model(chosen, "cpu")


def test_a_model_segments_by_the_checkpoints_choice(plain: Path, model: TrainedModel) -> None:
    image = grey(3).astype(np.float32)
    assert (model.segmentation, model.threshold, model.chosen) == (CHOICE, 0.45, True)
    found, likelihood = model.segment(image), model.likelihood(image)
    expected = segment(likelihood, **asdict(CHOICE))
    for part in ("mask", "likelihood", "cells"):
        np.testing.assert_array_equal(getattr(found, part), getattr(expected, part))
    assert found.decisions.action.tolist() == expected.decisions.action.tolist()
    cut = load_model(plain, "cpu")
    assert (cut.segmentation, cut.chosen) == (SegmentationOptions.cut(0.5), False)
    np.testing.assert_array_equal(cut.segment(image).mask, likelihood >= 0.5)


@pytest.mark.parametrize("numbers", [{"threshold": 0.6}, {"keep": 0}, {"add": None}], ids=str)
def test_a_model_segments_by_other_numbers(model: TrainedModel, numbers: dict[str, Any]) -> None:
    image = grey(3).astype(np.float32)
    found = model.segment(image, **numbers).mask
    expected = segment(model.likelihood(image), **{**asdict(CHOICE), **numbers}).mask
    np.testing.assert_array_equal(found, expected)
    assert (found != model.segment(image).mask).any()
