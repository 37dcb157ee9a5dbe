"""The trainer on tiny budgets: what must hold however well the network has learnt."""

from __future__ import annotations

import csv
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from rich.console import Console

from data_layouts import membrane_folder
from short_runs import pixels_for_pictures
from toponet.cli import train as cli
from toponet.models import DIVE
from toponet.prediction import predict_likelihood
from toponet.prediction.checkpoint import load_checkpoint, save_checkpoint
from toponet.training import TrainConfig, Trainer
from toponet.training.evaluation import MEASURED, evaluate
from toponet.training.state import COLUMNS

TINY: dict[str, Any] = {
    "epochs": 2,
    "iterations_per_epoch": 2,
    "batch_size": 2,
    "patch_size": 17,
    "metric_patch_size": 17,
    "topo_start_epoch": 2,
    "device": "cpu",
    "num_threads": 1,
    "segmentation_metric": "none",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small images on disk."""
    return membrane_folder(tmp_path_factory.mktemp("membranes"), (48, 40))


def tiny(folder: Path, out: Path | None, **options: Any) -> TrainConfig:
    place = None if out is None else str(out)
    return TrainConfig(**{**TINY, "data": str(folder), "out": place, **options})


def train(folder: Path, out: Path | None, **options: Any) -> dict[str, Any]:
    """Trains without pictures, at which only a test of the shared run looks."""
    with pixels_for_pictures():
        return Trainer(tiny(folder, out, **options), Console(quiet=True)).train()


def rows_of(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One finished run with its pictures, looked at by several tests."""
    out = tmp_path_factory.mktemp("runs") / "run"
    Trainer(tiny(folder, out), Console(quiet=True)).train()
    return out


def test_a_run_folder_holds_everything(run: Path, folder: Path) -> None:
    rows = rows_of(run)
    assert tuple(rows[0]) == COLUMNS
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(math.isfinite(float(value)) for row in rows for value in row.values())
    assert {p.name for p in (run / "checkpoints").iterdir()} == {
        "last.ckpt",
        "best.ckpt",
        "cross_entropy.ckpt",
    }
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert TrainConfig(**{**config, "dims": tuple(config["dims"])}).data == str(folder)
    report = json.loads((run / "report.json").read_text())
    assert report["config"] == config
    for phase, row in (("cross_entropy_phase", rows[0]), ("final", rows[1])):
        assert list(report[phase]) == list(MEASURED)
        for name in MEASURED:
            assert report[phase][name] == float(row[name])
    assert "17 x 17" in report["conventions"]["betti_error_1"]
    page = (run / "report.md").read_text()
    for picture in ("losses.png", "segmentation.png", "topology.png", "metrics.png", "epochs.png",
                    "comparison.png"):  # fmt: skip
        assert f"]({picture})" in page
        with Image.open(run / picture) as image:
            assert min(image.size) > 300
            assert len(set(image.convert("L").tobytes())) > 20


def test_the_total_is_what_the_phase_minimises(run: Path) -> None:
    """Eq. 2.1 from the start epoch on, cross-entropy alone before."""
    first, second = ({k: float(v) for k, v in row.items()} for row in rows_of(run))
    assert first["total"] == first["bce"]
    assert second["total"] == pytest.approx(second["bce"] + 0.05 * second["topo"], rel=1e-5)


def test_the_checkpoint_predicts_what_the_trainer_measured(run: Path) -> None:
    """From the file alone: network, normalisation and conventions give the final metrics."""
    checkpoint = load_checkpoint(run / "checkpoints" / "last.ckpt")
    config = TrainConfig(**{**checkpoint["config"], "dims": (0, 1), "out": None})
    from toponet.data import Normalisation, fold_split, load_folder

    data = load_folder(config.data)
    data = data.subset(fold_split(len(data), config.folds, config.fold)[1])
    model = DIVE(data.channels)
    model.load_state_dict(checkpoint["model"])
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    normalisation = Normalisation(**checkpoint["normalisation"])
    likelihoods = [
        predict_likelihood(model, normalisation.apply(image), torch.device("cpu"))
        for image in data.images
    ]
    measured = evaluate(likelihoods, data.masks, config.protocol)
    assert measured == pytest.approx(checkpoint["metrics"], abs=1e-3)


def test_strips_of_rows_give_the_same_likelihood(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    model = DIVE().eval()
    image = np.random.default_rng(0).normal(size=(1, 50, 23)).astype(np.float32)
    whole = predict_likelihood(model, image, torch.device("cpu"))
    monkeypatch.setattr("toponet.prediction.likelihood.ROWS", 16)
    strips = predict_likelihood(model, image, torch.device("cpu"))
    assert whole.shape == (50, 23)
    np.testing.assert_allclose(strips, whole, atol=1e-5)


def test_the_cross_entropy_phase_is_the_same_whatever_the_weight(
    folder: Path, run: Path, tmp_path: Path
) -> None:
    train(folder, tmp_path / "run", topo_weight=5.0)
    ours, other = rows_of(tmp_path / "run"), rows_of(run)
    timings = ("seconds", "topo_seconds", "topo_share")
    for row in (*ours, *other):
        for name in timings:
            row.pop(name)
    assert ours[0] == other[0]
    assert ours[1]["total"] != other[1]["total"]
    weights = [
        load_checkpoint(path / "checkpoints" / "last.ckpt")["model"]
        for path in (run, tmp_path / "run")
    ]
    assert any((weights[0][name] != weights[1][name]).any() for name in weights[0])


def test_going_on_from_a_checkpoint_is_the_same_as_never_stopping(
    folder: Path, run: Path, tmp_path: Path
) -> None:
    start = str(run / "checkpoints" / "cross_entropy.ckpt")
    report = train(folder, tmp_path / "run", start_from=start)
    whole = json.loads((run / "report.json").read_text())
    assert report["final"] == whole["final"]
    assert report["cross_entropy_phase"] == whole["cross_entropy_phase"]
    assert [row["epoch"] for row in rows_of(tmp_path / "run")] == ["2"]


@pytest.mark.parametrize(
    "options",
    [
        {"iterations_per_epoch": 3},
        {"batch_size": 3},
        {"patch_size": 33},
        {"normalisation": "image"},
        {"brightness": 0.3},
        {"contrast": 0.3},
        {"augmentation": "intensity"},
        {"augmentation": "all"},
        {"topo_start_epoch": 1},
        {"connectivity": 4},
        {"dims": (1,)},
        {"matching": "wasserstein"},
        {"folds": 2},
        {"fold": 1},
        {"lr": 1e-2},
        {"lr_schedule": "constant"},
        {"topo_ramp_epochs": 1},
        {"topo_weight": "auto"},
        {"topo_weight": "auto", "topo_ratio": 3.0},
        {"clip_norm": 1e-3},
        {"precision": "bf16-mixed"},
        {"seed": 1},
    ],
    ids=str,
)
def test_every_option_changes_the_run(
    folder: Path, run: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    train(folder, tmp_path / "run", **options)
    numbers = [
        [[float(row[k]) for k in ("bce", "topo", "total", "accuracy")] for row in rows_of(path)]
        for path in (run, tmp_path / "run")
    ]
    assert numbers[0] != numbers[1]


def test_the_grey_values_of_the_training_images_go_with_the_checkpoint(
    folder: Path, run: Path, tmp_path: Path
) -> None:
    """Of the images for training alone; predictions of images like them get no warning."""
    content = load_checkpoint(run / "checkpoints" / "last.ckpt")
    images = [np.asarray(Image.open(path)) for path in sorted((folder / "images").iterdir())][1:]
    scale = content["training_scale"]
    assert scale["dtypes"] == ("uint8",)
    assert scale["values"] == (min(i.min() for i in images), max(i.max() for i in images))
    for name, values in (
        ("means", [image.mean() for image in images]),
        ("deviations", [image.std() for image in images]),
    ):
        assert scale[name] == (pytest.approx((min(values), max(values)), rel=1e-6),)
    assert content["normalisation"]["per_image"] is False
    train(folder, tmp_path / "each", normalisation="image", epochs=1)
    last = load_checkpoint(tmp_path / "each" / "checkpoints" / "last.ckpt")
    assert last["normalisation"]["per_image"] is True


def test_going_on_takes_the_normalisation_of_before(folder: Path, run: Path) -> None:
    start = str(run / "checkpoints" / "cross_entropy.ckpt")
    with pytest.raises(ValueError, match="needs --normalisation training, which it was trained"):
        train(folder, folder / "never", start_from=start, normalisation="image")
    assert not (folder / "never").exists()


def test_going_on_with_images_of_another_grey_scale_warns_in_one_line(
    folder: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder, tmp_path / "data")
    for path in (tmp_path / "data" / "images").iterdir():
        Image.fromarray((0.5 * np.asarray(Image.open(path))).astype(np.uint8)).save(path)
    start = str(run / "checkpoints" / "cross_entropy.ckpt")
    for data, count in ((tmp_path / "data", 1), (folder, 0)):
        Trainer(tiny(data, tmp_path / f"run{count}", start_from=start), Console(width=500))
        shown = capsys.readouterr().out
        assert shown.count("warning: 2 of 2 training images have other grey values") == count
        assert shown.count("warning") == count


def test_the_automatic_weight_meets_the_ratio(folder: Path, tmp_path: Path) -> None:
    """From the batches that the start epoch will see; its own mean ratio is close to that."""
    for ratio in (0.5, 2.0):
        out = tmp_path / str(ratio)
        report = train(
            folder, out, topo_weight="auto", topo_ratio=ratio, lr=1e-6, iterations_per_epoch=3
        )
        last = rows_of(out)[-1]
        assert float(last["topo_weight"]) == report["topo_weight"]
        reached = float(last["gradient_ratio"]) * report["topo_weight"]
        assert reached == pytest.approx(ratio, rel=0.2)


def test_the_weight_grows_along_the_ramp(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(folder, out, epochs=5, topo_weight=0.3, topo_ramp_epochs=2)
    weights = [float(row["topo_weight"]) for row in rows_of(out)]
    assert weights == pytest.approx([0, 0.1, 0.2, 0.3, 0.3])


def test_checkpoints_are_kept_as_asked(folder: Path, tmp_path: Path) -> None:
    train(folder, tmp_path / "run", epochs=4, save_every=2, best_metric="accuracy")
    kept = {p.stem: load_checkpoint(p) for p in (tmp_path / "run" / "checkpoints").iterdir()}
    assert kept.keys() == {"last", "best", "cross_entropy", "epoch_0002", "epoch_0004"}
    accuracies = [float(row["accuracy"]) for row in rows_of(tmp_path / "run")]
    assert kept["best"]["metrics"]["accuracy"] == max(accuracies)
    assert kept["best"]["epoch"] == 1 + accuracies.index(max(accuracies))


def test_the_network_is_compiled_when_asked(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[Any] = []

    def note(model: Any) -> Any:
        compiled.append(model)
        return model

    monkeypatch.setattr(torch, "compile", note)
    train(folder, tmp_path / "run", epochs=1, compile=True)
    assert len(compiled) == 1


def test_without_a_cross_entropy_phase_the_report_says_so(folder: Path, tmp_path: Path) -> None:
    report = train(folder, tmp_path / "run", topo_start_epoch=1)
    assert report["cross_entropy_phase"] is None


def test_synthetic_training_lowers_the_cross_entropy(tmp_path: Path) -> None:
    """Five short epochs are enough to beat the constant answer at the start (log 2)."""
    data = Path("synthetic:membranes,count=3,size=64")
    train(data, tmp_path / "run", epochs=5, iterations_per_epoch=6, batch_size=4)
    losses = [float(row["bce"]) for row in rows_of(tmp_path / "run")]
    assert losses[-1] < losses[0] < math.log(2) + 0.1


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="runs where PyTorch sees a CUDA device")
@pytest.mark.parametrize("precision", ["32-true", "16-mixed"])
def test_training_on_cuda(folder: Path, tmp_path: Path, precision: str) -> None:
    report = train(folder, tmp_path / "run", device="cuda", precision=precision)
    assert 0 <= report["final"]["accuracy"] <= 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"epochs": 0}, "--epochs must be at least 1, got 0"),
        ({"lr": -1.0}, "--lr must be above 0"),
        ({"seed": -1}, "--seed must be at least 0"),
        ({"device": "tpu"}, "--device must be one of 'auto', 'cpu', 'cuda', 'mps', got 'tpu'"),
        ({"precision": "8"}, "--precision must be one of"),
        ({"connectivity": 6}, "--connectivity must be one of 4, 8"),
        ({"dims": (2,)}, "--dims must be"),
        ({"matching": "x"}, "--matching must be one of"),
        ({"topo_weight": -1.0}, "--topo-weight must be at least 0"),
        ({"num_threads": 0}, "--num-threads must be at least 1"),
        ({"fold": 7}, "folds - 1 = 2, got 7"),
        ({"folds": 4}, "has 3 image(s), fewer than --folds 4"),
        ({"patch_size": 45}, "smaller than a patch of 45 x 45"),
        ({"precision": "16-mixed"}, "'16-mixed' needs a CUDA device"),
        ({"data": "nowhere"}, "nowhere/images is not a folder"),
        ({"start_from": "nowhere.ckpt"}, "nowhere.ckpt does not exist"),
        ({"batch_size": 10**20}, "--batch-size must be at most 1048576"),
        ({"seed": 2**64}, "--seed must be at most"),
        ({"clip_norm": 0.0}, "--clip-norm must be above 0"),
        ({"topo_ratio": -1.0}, "--topo-ratio must be above 0"),
        ({"topo_ramp_epochs": -1}, "--topo-ramp-epochs must be at least 0"),
        ({"lr_schedule": "steps"}, "--lr-schedule must be one of 'cosine', 'constant'"),
        ({"best_metric": "dice"}, "--best-metric must be one of"),
        ({"save_every": 0}, "--save-every must be at least 1"),
        ({"accumulate": 3}, "--batch-size must be a multiple of accumulate x ranks = 3 x 1, got 2"),
    ],
    ids=str,
)
def test_mistakes_get_one_line_and_exit_code_2(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: dict[str, Any],
    sentence: str,
) -> None:
    out = tmp_path / "run"
    arguments = []
    for name, value in {**TINY, "data": str(folder), "out": str(out), **options}.items():
        shown = list(value) if isinstance(value, tuple) else value
        arguments.append(f"--{name.replace('_', '-')}={shown}")
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert sentence in error
    assert not out.exists()


def test_a_start_past_the_end_is_said(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {**TINY, "data": str(folder), "epochs": 1, "out": str(tmp_path / "run")}
    assert cli.main([f"--{name}={value}" for name, value in options.items()]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "cross-entropy alone: the topological loss would start in epoch 2 of 1" in shown


@pytest.mark.skipif(
    torch.cuda.is_available(), reason="runs without a CUDA device: CUDA_VISIBLE_DEVICES= pytest"
)
def test_a_missing_device_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--data", str(folder), "--device", "cuda"]) == 2
    assert "torch finds no CUDA device" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--bogus", "1"], ["--epochs", "many"], ["stray"]])
def test_unknown_options_and_wrong_types_are_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert arguments[0].lstrip("-") in error


def test_an_existing_run_is_never_overwritten(
    folder: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    assert cli.main(["--data", str(folder), "--out", str(run), "--patch-size", "17"]) == 2
    assert "exists already and is never overwritten" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in run.rglob("*") if p.is_file()} == before


def test_default_runs_get_fresh_folders(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        train(folder, None, epochs=1)
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_a_diverging_training_says_so_in_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {**TINY, "data": str(folder), "out": str(tmp_path / "run"), "lr": 1e30}
    arguments = [f"--{k.replace('_', '-')}={v}" for k, v in options.items()]
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "training diverged in epoch 1: the cross-entropy is " in error
    assert error.endswith("; try a smaller learning rate or topological weight\n")


def test_an_interrupted_training_names_its_folder(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "_train_epoch", interrupt)
    out = tmp_path / "run"
    assert cli.main(["--data", str(folder), "--out", str(out), "--patch-size", "17"]) == 130
    assert f"toponet-train --resume {out}" in capsys.readouterr().err


@pytest.mark.parametrize("spoilt", ["model", "optimiser", "metrics", "epoch"])
def test_checkpoints_of_others_are_refused_before_anything_is_written(
    spoilt: str, folder: Path, run: Path, tmp_path: Path
) -> None:
    content = load_checkpoint(run / "checkpoints" / "cross_entropy.ckpt")
    if spoilt == "metrics":
        del content["metrics"]
    else:
        content[spoilt] = -3 if spoilt == "epoch" else {"weight": torch.zeros(3)}
    path = tmp_path / "other.ckpt"
    torch.save(content, path)
    with pytest.raises(ValueError, match=r"other\.ckpt"):
        Trainer(tiny(folder, tmp_path / "run", start_from=str(path)), Console(quiet=True))
    assert not (tmp_path / "run").exists()


def test_a_finished_checkpoint_is_not_gone_on_from(folder: Path, run: Path) -> None:
    config = tiny(folder, None, start_from=str(run / "checkpoints" / "last.ckpt"))
    with pytest.raises(
        ValueError, match="has 2 epochs already: --epochs, which counts them, must be more"
    ):
        Trainer(config, Console(quiet=True))


class Payload:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("pwned"),))


@pytest.mark.parametrize("content", ["code", "text", "empty", "other"])
def test_hostile_and_broken_checkpoints_are_refused(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.ckpt"
    match content:
        case "code":
            torch.save({"format": 1, "payload": Payload()}, path)
        case "text":
            path.write_text("not a checkpoint")
        case "empty":
            path.touch()
        case "other":
            torch.save({"weights": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match=r"x\.ckpt"):
        load_checkpoint(path)
    assert not (tmp_path / "pwned").exists()


def test_a_failed_save_leaves_the_old_checkpoint(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    content = load_checkpoint(run / "checkpoints" / "last.ckpt")
    del content["format"]
    save_checkpoint(path, {**content, "epoch": 1})
    with pytest.raises(Exception, match="pickle"):
        save_checkpoint(path, {**content, "epoch": 2, "bad": lambda: None})
    assert load_checkpoint(path)["epoch"] == 1


def test_the_console_script_is_installed_and_prints_lines_that_fit_a_terminal(
    folder: Path, tmp_path: Path
) -> None:
    script = Path(sys.executable).with_name("toponet-train")
    options = {**TINY, "data": str(folder), "epochs": 2, "out": str(tmp_path / "run")}
    arguments = [f"--{k.replace('_', '-')}={v}" for k, v in options.items()]
    result = subprocess.run([script, *arguments], capture_output=True, text=True, check=True)
    shown = result.stdout
    # Old versions of rich end a bar that isn't drawn with an empty line.
    assert shown.lstrip("\n").startswith(f"run folder: {tmp_path / 'run'}\ndevice: ")
    for words in ("cross-entropy phase", "epoch 2/2", "betti_error_1", "can't be compared"):
        assert words in shown
    paths = ("run folder: ", "Everything is in ")
    assert max(len(line) for line in shown.splitlines() if not line.startswith(paths)) <= 80


def test_pixels_that_do_not_count_change_losses_and_metrics(folder: Path, tmp_path: Path) -> None:
    """A field of view: the same images with and without the folder valid/."""
    partly = tmp_path / "data"
    shutil.copytree(folder, partly)
    (partly / "valid").mkdir()
    for label in (partly / "labels").iterdir():
        valid = np.full((48, 40), 255, dtype=np.uint8)
        valid[:, :12] = 0
        Image.fromarray(valid).save(partly / "valid" / label.name)
    for data in (folder, partly):
        train(data, tmp_path / f"run-{data.name}")
    ours, other = (rows_of(tmp_path / f"run-{data.name}") for data in (folder, partly))
    for name in ("bce", "topo", "accuracy", "ari"):
        assert ours[-1][name] != other[-1][name]
