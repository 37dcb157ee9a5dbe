"""What metrics are counted on: a fold, images of their own, or the training images themselves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from data_layouts import membrane_folder
from toponet.cli import predict as predict_cli
from toponet.cli import train as cli
from toponet.training import TrainConfig, Trainer

pytestmark = pytest.mark.usefixtures("no_pictures")

TINY = [
    "--epochs=1", "--iterations-per-epoch=1", "--batch-size=1", "--patch-size=17", "--device=cpu",
    "--topo-start-epoch=1", "--metric-patches=2", "--num-threads=1",
    "--segmentation-metric=none",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three small images on disk."""
    return membrane_folder(tmp_path / "data", (40, 36))


def keep_one(folder: Path) -> None:
    for kind in ("images", "labels"):
        for file in sorted((folder / kind).iterdir())[1:]:
            file.unlink()


def complaint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def trainer(folder: Path, out: Path, *options: str) -> Trainer:
    arguments = [f"--data={folder}", f"--out={out}", *TINY, *options]
    return Trainer(cli.parse(arguments), Console(quiet=True))


@pytest.mark.parametrize("count", [1, 3])
def test_one_fold_trains_on_all_images_and_says_that_none_was_held_out(
    count: int, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if count == 1:
        keep_one(folder)
    out = tmp_path / "run"
    assert cli.main([f"--data={folder}", f"--out={out}", *TINY, "--folds=1"]) == 0
    shown = capsys.readouterr().out
    assert "Training images (" in shown
    assert "No image was held out" in " ".join(shown.split())
    report = json.loads((out / "report.json").read_text())
    assert report["held_out"] == []
    page = (out / "report.md").read_text()
    assert "No image was held out" in page
    assert "Held-out" not in page
    assert "held-out" not in page
    assert predict_cli.main([str(out), "--held-out", f"--out={tmp_path / 'p'}"]) == 2
    assert "the run held no image out" in capsys.readouterr().err


def test_images_of_their_own_are_for_validation_and_all_others_for_training(
    folder: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(folder, own)
    keep_one(own)
    out = tmp_path / "run"
    trained = trainer(folder, out, f"--validation={own}")
    assert len(trained.run.batches.sampler.images) == 3
    assert len(trained.validation) == 1
    report = trained.train()
    assert report["held_out"] == list(trained.validation.names)
    assert not any("No image was held out" in note for note in report["notes"])
    predictions = tmp_path / "p"
    assert predict_cli.main([str(out), "--held-out", f"--out={predictions}", "--outputs=mask"]) == 0
    assert [p.name for p in predictions.glob("*.png")] == [
        f"{name}_mask.png" for name in trained.validation.names
    ]


def test_with_folds_the_parts_are_those_of_before(folder: Path, tmp_path: Path) -> None:
    trained = trainer(folder, tmp_path / "run")
    assert (len(trained.run.batches.sampler.images), len(trained.validation)) == (2, 1)
    assert TrainConfig(folds=2).split(4) == ([2, 3], [0, 1])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--folds=4"], "has 3 image(s), fewer than --folds 4: use fewer, --folds 1 to train on"),
        (["--folds=0"], "folds must be at least 1"),
        (["--folds=1", "--fold=1"], "with --folds 1 the images aren't divided"),
        (["--folds=1", "--inner-fold=0"], "with --folds 1 the images aren't divided"),
        (["--validation=SAME"], "validation names the same images as data"),
        (["--validation=nowhere"], "nowhere/images is not a folder"),
        (["--validation=synthetic:membranes,count=2,size=40", "--fold=1"],
         "with --validation the images aren't divided"),
        (["--validation=synthetic:roads,count=2,size=40"],
         "have 3 channel(s), those of "),
    ],
    ids=str,
)  # fmt: skip
def test_divisions_that_mean_nothing_get_one_line(
    options: list[str],
    sentence: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [option.replace("SAME", str(folder)) for option in options]
    out = tmp_path / "run"
    assert sentence in complaint([f"--data={folder}", f"--out={out}", *TINY, *given], capsys)
    assert not out.exists()
