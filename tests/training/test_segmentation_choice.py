"""Threshold, keep and add at the end of a run: chosen once, on training images, and kept."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from data_layouts import membrane_folder
from toponet import choose_segmentation
from toponet.cli import evaluate as cli_evaluate
from toponet.cli import predict as cli_predict
from toponet.data import ImageSet, load_data
from toponet.evaluation.protocol import with_arrow
from toponet.prediction import load_model
from toponet.prediction.checkpoint import load_checkpoint, save_checkpoint
from toponet.segmentation import SegmentationChoice, SegmentationOptions
from toponet.segmentation.scores import METRICS
from toponet.training import TrainConfig, Trainer, segmentation_choice
from toponet.training.config import SEGMENTATION_METRICS
from toponet.training.evaluation import MEASURED, TRAINING_METRICS, evaluate
from toponet.training.objective import TrainingDivergedError
from toponet.training.pictures import both_masks
from toponet.training.report import result_table
from toponet.training.run import Run
from toponet.training.run_folder import read_config
from toponet.training.segmentation_choice import settle_choice

TINY: dict[str, Any] = {
    "epochs": 2, "iterations_per_epoch": 2, "batch_size": 1, "patch_size": 9, "lr": 0.03,
    "topo_start_epoch": 2, "metric_patch_size": 11, "metric_patches": 3, "device": "cpu",
    "num_threads": 1,
}  # fmt: skip
QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small images on disk, of which fold 0 trains on the last two."""
    return membrane_folder(tmp_path_factory.mktemp("membranes"), (22, 19))


def config(folder: Path, out: Path, **options: Any) -> TrainConfig:
    return TrainConfig(**{**TINY, "data": str(folder), "out": str(out), **options})


def guesses(data: ImageSet) -> list[NDArray[np.float32]]:
    """Likelihoods with weak walls and specks."""
    random = np.random.default_rng(1)
    return [
        np.clip(0.2 + 0.6 * mask + random.normal(0, 0.22, mask.shape), 0, 1).astype(np.float32)
        for mask in data.masks
    ]


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> list[ImageSet]:
    """What is predicted at the end of runs, whose network has learnt nothing yet."""
    asked: list[ImageSet] = []

    def predict(run: Run, images: ImageSet, title: str, kind: str) -> list[NDArray[np.float32]]:
        asked.append(images)
        return guesses(images)

    monkeypatch.setattr(segmentation_choice, "predict_images", predict)
    return asked


def run_at_its_end(folder: Path, out: Path, **options: Any) -> Run:
    """A run that could settle its choice now."""
    return Trainer(config(folder, out, **options), QUIET).run


@pytest.fixture(scope="module")
def finished(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A whole run, and what it printed."""
    out, shown = tmp_path_factory.mktemp("runs") / "run", io.StringIO()
    Trainer(config(folder, out), Console(file=shown, width=500)).train()
    return out, shown.getvalue()


def test_the_choice_is_that_of_the_final_network_on_the_training_images(
    folder: Path, finished: tuple[Path, str]
) -> None:
    """Kept in the checkpoints for prediction and in the report, and printed in one line."""
    run, shown = finished
    model, training = load_model(run, "cpu"), load_data(str(folder)).subset([1, 2])
    likelihoods = [model.likelihood(image) for image in training.images]
    expected = choose_segmentation(likelihoods, training.masks, metric="voi")
    report = json.loads((run / "report.json").read_text())
    for kept in (
        load_checkpoint(run / "checkpoints" / "last.ckpt")["segmentation"],
        load_checkpoint(run / "checkpoints" / "best.ckpt")["segmentation"],
        report["segmentation"],
    ):
        assert SegmentationChoice.from_plain(kept) == expected
    assert (model.segmentation, model.chosen) == (expected.options, True)
    words = " ".join(shown.split())
    assert words.count(f"by persistence: {expected.describe('training images')}") == 1
    assert load_checkpoint(run / "checkpoints" / "cross_entropy.ckpt")["segmentation"] is None


def test_the_report_has_both_columns_and_both_masks(finished: tuple[Path, str]) -> None:
    run, shown = finished
    report = json.loads((run / "report.json").read_text())
    page = (run / "report.md").read_text()
    assert " | end (epoch 2), cut at 0.5 | end, by persistence | best voi (epoch " in page
    assert "by persistence" in shown
    for name in MEASURED:
        values = (f"{report[column][name]:.4f}" for column in ("final", "final_by_persistence"))
        assert " | ".join(values) in page
    words = report["conventions"]["by persistence"]
    assert words.startswith("masks by persistence: threshold ") or "is structure" in words
    assert "on 2 training images" in words
    assert f"- **by persistence**: {words}" in page
    assert "persistence.png" in report["pictures"]
    assert (run / "persistence.png").exists()


def test_the_table_with_both_columns_fits_a_terminal_of_80_characters(
    finished: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    report = json.loads((finished[0] / "report.json").read_text())
    Console(width=80).print(result_table(report).rich())
    shown = capsys.readouterr().out
    for whole in (*map(with_arrow, TRAINING_METRICS), "cut at 0.5", "by persistence", "(epoch "):
        assert whole in shown
    for column in ("final", "final_by_persistence", "best"):
        assert f"{report[column]['voi']:.4f}" in shown


def test_evaluation_of_the_held_out_images_gives_the_numbers_of_the_report(
    folder: Path, finished: tuple[Path, str], tmp_path: Path
) -> None:
    """To the last digit, from likelihoods as from the masks that toponet-predict makes."""
    run, _ = finished
    report = json.loads((run / "report.json").read_text())
    numbers = report["segmentation"]["options"]
    options = [f"--{name}={'null' if n is None else n}" for name, n in numbers.items()]
    metric = ["--missing=skip", "--patch-size=11", "--patches=3"]
    out = tmp_path / "held out"
    predict = [str(run), "--held-out", f"--out={out}", "--num-threads=1"]
    assert cli_predict.main(predict) == 0
    for given in (options, ["--predictions-are=mask"]):
        scores = tmp_path / given[0]
        arguments = [str(out), str(folder), *metric, *given, f"--out={scores}"]
        assert cli_evaluate.main(arguments) == 0
        total = json.loads((scores / "report.json").read_text())["total"]
        assert {name: total[name] for name in MEASURED} == report["final_by_persistence"]


def test_the_second_column_is_of_the_masks_that_persistence_decides_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "toponet.training.validation.predict_all", lambda _, images, *rest: guesses(images)
    )
    made = config(folder, tmp_path / "run", epochs=1)
    report = Trainer(made, QUIET).train()
    held_out = load_data(str(folder)).subset([0])
    protocol = replace(made.protocol, **report["segmentation"]["options"])
    expected = evaluate(guesses(held_out), held_out.masks, protocol)
    assert report["final_by_persistence"] == expected
    assert report["final"] == evaluate(guesses(held_out), held_out.masks, made.protocol) != expected


def test_every_metric_chooses_by_itself(
    folder: Path, tmp_path: Path, made_up: list[ImageSet]
) -> None:
    chosen = {}
    for metric in METRICS:
        run = run_at_its_end(folder, tmp_path / metric, segmentation_metric=metric)
        settle_choice(run)
        patches = {"patch_size": 11, "patches": 3} if metric == "betti" else {}
        (images,) = made_up
        expected = choose_segmentation(
            guesses(images),
            images.masks,
            metric=metric,
            **patches,  # type: ignore[arg-type]
        )
        assert run.choice == expected
        chosen[metric] = expected.options
        made_up.clear()
    assert len(set(chosen.values())) > 1
    assert not any(options.is_cut for name, options in chosen.items() if name != "accuracy")


def test_none_chooses_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (*METRICS, "none") == SEGMENTATION_METRICS
    with pytest.raises(ValueError, match="segmentation_metric must be one of 'voi', 'ari', 'betti"):
        TrainConfig(segmentation_metric="dice")
    out = tmp_path / "run"
    report = Trainer(config(folder, out, segmentation_metric="none", epochs=1), Console()).train()
    assert "persistence" not in capsys.readouterr().out
    assert (report["segmentation"], report["final_by_persistence"]) == (None, None)
    assert not (out / "persistence.png").exists()
    assert "persistence" not in (out / "report.md").read_text()
    assert load_model(out, "cpu").segmentation == SegmentationOptions.cut(0.5)


def test_the_structures_connectivity_counts(
    folder: Path, tmp_path: Path, made_up: list[ImageSet]
) -> None:
    run = run_at_its_end(folder, tmp_path / "run", connectivity=4)
    settle_choice(run)
    (images,) = made_up
    expected = choose_segmentation(guesses(images), images.masks, connectivity=4)
    assert run.choice == expected
    assert expected.score != choose_segmentation(guesses(images), images.masks).score


def test_pixels_that_do_not_count_have_no_say(
    folder: Path, tmp_path: Path, made_up: list[ImageSet]
) -> None:
    """Where only some images say which pixels count, all pixels of the others do."""
    run = run_at_its_end(folder, tmp_path / "run")
    everywhere = np.ones((22, 19), np.uint8)
    half = everywhere.copy()
    half[:, 9:] = 0
    run.training = replace(run.training, valid=(None, half))
    settle_choice(run)
    likelihoods, masks = guesses(made_up[0]), run.training.masks
    assert run.choice == choose_segmentation(likelihoods, masks, valid=[everywhere, half])
    assert run.choice != choose_segmentation(likelihoods, masks)


def test_of_many_images_some_are_taken_from_first_to_last(
    folder: Path, tmp_path: Path, made_up: list[ImageSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segmentation_choice, "MOST_IMAGES", 3)
    run = run_at_its_end(folder, tmp_path / "run", data="synthetic:membranes,count=7,size=12",
                         folds=1)  # fmt: skip
    settle_choice(run)
    names = run.training.names
    assert made_up[0].names == (names[0], names[3], names[6])


def test_a_choice_on_one_image_is_said_to_be_one(
    folder: Path, tmp_path: Path, made_up: list[ImageSet], capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_at_its_end(folder, tmp_path / "run", folds=2, fold=0)
    assert len(run.training) == 1
    run.console = Console(width=500)
    settle_choice(run)
    shown = " ".join(capsys.readouterr().out.split())
    assert "note: threshold, keep and add are chosen on a single image" in shown


def test_a_training_image_whose_likelihood_is_nan_stops_with_advice(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_at_its_end(folder, tmp_path / "run")
    monkeypatch.setattr(
        "toponet.training.validation.predict_all",
        lambda *_: [np.full((22, 19), np.nan, np.float32)],
    )
    with pytest.raises(TrainingDivergedError, match="likelihood of a training image isn't finite"):
        settle_choice(run)


def without_report(finished: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of the run as it is when it dies while it writes its report."""
    shutil.copytree(finished[0], tmp_path / "run")
    (tmp_path / "run" / "report.json").unlink()
    return tmp_path / "run"


def test_a_choice_is_made_once(
    finished: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = without_report(finished, tmp_path)
    monkeypatch.delattr(segmentation_choice, "choose_segmentation")
    Trainer(read_config(out), QUIET, resume=out).train()
    assert (out / "report.json").read_text() == (finished[0] / "report.json").read_text()


def test_a_run_that_died_before_its_choice_makes_it(
    finished: tuple[Path, str], tmp_path: Path
) -> None:
    out = without_report(finished, tmp_path)
    for name in ("last", "best"):
        path = out / "checkpoints" / f"{name}.ckpt"
        save_checkpoint(path, {**load_checkpoint(path), "segmentation": None})
    Trainer(read_config(out), QUIET, resume=out).train()
    assert (out / "report.json").read_text() == (finished[0] / "report.json").read_text()
    for name in ("last", "best"):
        kept = (load_checkpoint(p / "checkpoints" / f"{name}.ckpt")["segmentation"]
                for p in (out, finished[0]))  # fmt: skip
        assert next(kept) == next(kept)


def test_a_run_that_begins_at_a_checkpoint_chooses_anew(
    folder: Path, finished: tuple[Path, str], tmp_path: Path
) -> None:
    start = str(finished[0] / "checkpoints" / "last.ckpt")
    run = run_at_its_end(folder, tmp_path / "run", start_from=start, epochs=3)
    assert run.choice is None


@pytest.mark.parametrize("part", ["metric", "options", "tried"])
def test_a_damaged_choice_is_named_when_a_run_goes_on(
    finished: tuple[Path, str], tmp_path: Path, part: str
) -> None:
    out = without_report(finished, tmp_path)
    path = out / "checkpoints" / "last.ckpt"
    content = load_checkpoint(path)
    save_checkpoint(path, {**content, "segmentation": {**content["segmentation"], part: [7]}})
    with pytest.raises(ValueError, match=r"last\.ckpt is damaged: "):
        Trainer(read_config(out), QUIET, resume=out)


def test_the_picture_has_both_masks_with_their_mistakes() -> None:
    """A weak wall is closed, and a weak speck removed."""
    truth = np.zeros((15, 21), np.uint8)
    truth[:, 10] = 1
    likelihood = np.where(truth, 0.9, 0.1).astype(np.float32)
    likelihood[7, 10], likelihood[3, 3] = 0.4, 0.6
    data = ImageSet(("a",), (likelihood[None],), (truth,))
    figure = both_masks(TrainConfig(), data, likelihood, SegmentationOptions(0.5, 0.6, 0.2))
    assert [axes.get_title() for axes in figure.axes] == [
        "image", "truth", "cut at 0.5: 3 mistakes", "by persistence: 0 mistakes",
    ]  # fmt: skip
