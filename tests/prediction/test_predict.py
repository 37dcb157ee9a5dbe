"""toponet-predict: what is written is what the network says; nothing half, nothing twice."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
import torch
from numpy.typing import NDArray
from PIL import Image

import data_layouts
from data_layouts import membrane_folder, save, save_hdf5
from toponet._ground.validation import thread_count
from toponet.cli import evaluate as cli_evaluate
from toponet.cli import predict as cli
from toponet.cli import train as cli_train
from toponet.cli._arguments import as_options
from toponet.data import Normalisation
from toponet.data.files import read_image
from toponet.data.series import Pages
from toponet.data.training_scale import TrainingScale
from toponet.models import DIVE
from toponet.prediction import PredictConfig, TrainedModel, load_model
from toponet.prediction.checkpoint import load_checkpoint, save_checkpoint
from toponet.prediction.conventions import Conventions
from toponet.prediction.outputs import open_outputs
from toponet.prediction.segmentation import Segmentation
from toponet.topology.cleaning import clean_mask
from toponet.topology.labelling import label_cells

pytestmark = pytest.mark.usefixtures("no_pictures")

CPU = torch.device("cpu")
SHAPE = (24, 31)
ALL = ("_cells.tif", "_likelihood.tif", "_mask.png", "_overlay.png")


def checkpoint(
    path: Path, channels: int = 1, threshold: float = 0.5, deviation: float = 50.0
) -> Path:
    """Of a network that nobody has trained, made to be of two minds about grey noise."""
    torch.manual_seed(0)
    network = DIVE(channels)
    with torch.no_grad():
        *_, weight, bias = network.parameters()
        weight.mul_(300)
        bias.sub_(network(torch.randn(1, channels, 90, 90)).median())
    content = {
        "epoch": 1, "model": network.state_dict(), "optimiser": {}, "state": {}, "metrics": {},
        "normalisation": asdict(Normalisation((100.0,) * channels, (deviation,) * channels)),
        "training_scale": asdict(
            TrainingScale(("uint8",), (0, 200), ((95, 105),) * channels, ((54, 62),) * channels)
        ),
        "threshold": threshold, "config": {"network": "dive", "connectivity": 8},
    }  # fmt: skip
    save_checkpoint(path, content)
    return path


def grey(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 201, shape).astype(np.uint8)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("weights") / "grey.ckpt")


@pytest.fixture(scope="module")
def model(weights: Path) -> TrainedModel:
    return load_model(weights, CPU)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two grey images."""
    for k, name in enumerate(("a", "b")):
        save(tmp_path / "images" / f"{name}.png", grey(k))
    return tmp_path / "images"


def predict(weights: Path, *arguments: str | Path, code: int = 0) -> Path:
    """The folder of the predictions; the command ends with this code.

    It has the threads of the test, because the number of threads decides the last digit.
    """
    threads = f"--num-threads={torch.get_num_threads()}"
    out = Path(next((str(a)[6:] for a in arguments if str(a).startswith("--out=")), ""))
    assert cli.main([threads, str(weights), *map(str, arguments), "--device", "cpu"]) == code
    assert not list(out.glob("*.partial"))
    return out


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line on stderr; the command fails with exit code 2."""
    capsys.readouterr()
    assert cli.main([str(a) for a in arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("toponet-predict: ")
    assert error.count("\n") == 1
    return error


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"predict.json"}


def test_the_files_are_what_the_network_says(
    weights: Path, model: TrainedModel, images: Path, tmp_path: Path
) -> None:
    out = predict(weights, images, f"--out={tmp_path / 'out'}")
    assert names(out) == {name + ending for name in ("a", "b") for ending in ALL}
    for name in ("a", "b"):
        likelihood = tifffile.imread(out / f"{name}_likelihood.tif")
        assert likelihood.dtype == np.float32
        expected = model.likelihood(read_image(images / f"{name}.png"))
        np.testing.assert_array_equal(likelihood, expected)
        structure = likelihood >= 0.5
        assert 0.1 < structure.mean() < 0.9
        mask = np.asarray(Image.open(out / f"{name}_mask.png"))
        np.testing.assert_array_equal(mask, structure * np.uint8(255))
        cells = tifffile.imread(out / f"{name}_cells.tif")
        assert cells.dtype == np.uint16
        np.testing.assert_array_equal(cells, label_cells(structure, 8))
        with Image.open(out / f"{name}_overlay.png") as overlay:
            assert (overlay.mode, overlay.size) == ("RGB", SHAPE[::-1])
            colours = np.asarray(overlay).astype(int)
        # The structure is red; no cell is.
        reddish = colours[..., 0] - colours[..., 2]
        assert reddish[structure].min() > max(0, int(np.median(reddish[~structure])))


@pytest.mark.parametrize(
    ("network", "inner", "name"),
    [("dive", [], "membranes_002"), ("unet", ["--inner-fold=0"], "membranes_000")],
)
def test_held_out_predictions_have_the_numbers_of_the_trainers_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], network: str, inner: list[str], name: str
) -> None:
    """To the last digit: the same images, network, normalisation, metrics."""
    data = membrane_folder(tmp_path / "data", (48, 40))
    run = tmp_path / "run"
    options = {
        "data": data, "out": run, "network": network, "epochs": 2, "iterations-per-epoch": 2,
        "batch-size": 2, "patch-size": 17, "topo-start-epoch": 2, "device": "cpu", "fold": 1,
        "folds": 2, "num-threads": 1, "segmentation-metric": "none",
    }  # fmt: skip
    assert cli_train.main([*(f"--{key}={value}" for key, value in options.items()), *inner]) == 0
    out = predict(run, "--held-out", f"--out={tmp_path / 'out'}", "--outputs", "likelihood")
    assert names(out) == {f"{name}_likelihood.tif"}
    scores = tmp_path / "scores"
    assert cli_evaluate.main([str(out), str(data), "--missing=skip", f"--out={scores}"]) == 0
    total = json.loads((scores / "report.json").read_text())["total"]
    final = json.loads((run / "report.json").read_text())["final"]
    assert {key: total[key] for key in final} == pytest.approx(final, rel=0, abs=1e-12)
    # Data that have moved are named.
    moved = data.rename(tmp_path / "moved")
    again = predict(run, moved, "--held-out", f"--out={tmp_path / 'again'}")
    written, expected = (tifffile.imread(f / f"{name}_likelihood.tif") for f in (again, out))
    np.testing.assert_array_equal(written, expected)
    assert cli.main([str(run), "--held-out", f"--out={tmp_path / 'none'}"]) == 2
    assert "if the run's data have moved, name them" in capsys.readouterr().err


def test_a_run_folder_means_its_last_checkpoint(
    weights: Path, images: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "checkpoints" / "last.ckpt").write_bytes(weights.read_bytes())
    out = predict(run, images, f"--out={tmp_path / 'out'}")
    record = json.loads((out / "predict.json").read_text())
    assert record["checkpoint"] == str(run / "checkpoints" / "last.ckpt")


@pytest.mark.parametrize("kind", ["tif", "h5", "colours"])
def test_stacks_come_back_as_stacks(
    weights: Path, model: TrainedModel, tmp_path: Path, kind: str
) -> None:
    """Page by page what the single images give; whoever opened the input can open the output."""
    shape = (3, *SHAPE, 3) if kind == "colours" else (3, *SHAPE)
    volume = grey(shape=shape)
    if kind == "colours":
        weights = checkpoint(tmp_path / "rgb.ckpt", 3)
        model = load_model(weights, CPU)
    if kind == "h5":
        save_hdf5(tmp_path / "stack.h5", volumes__raw=volume)
        place = f"{tmp_path / 'stack.h5'}:volumes/raw"
    else:
        save(tmp_path / "stack.tif", volume)
        place = str(tmp_path / "stack.tif")
    out = predict(weights, place, f"--out={tmp_path / 'out'}")
    assert names(out) == {
        f"stack_{kind}.tif" for kind in ("likelihood", "mask", "cells", "overlay")
    }
    likelihoods, masks, cells, overlays = (
        tifffile.imread(out / f"stack_{kind}.tif")
        for kind in ("likelihood", "mask", "cells", "overlay")
    )
    assert overlays.shape == (3, *SHAPE, 3)
    assert masks.dtype == np.uint8
    assert cells.dtype == np.uint32
    for page, likelihood, mask, labels in zip(volume, likelihoods, masks, cells, strict=True):
        image = (page if page.ndim == 3 else page[..., None]).transpose(2, 0, 1)
        np.testing.assert_array_equal(likelihood, model.likelihood(image.astype(np.float32)))
        np.testing.assert_array_equal(mask, (likelihood >= 0.5) * np.uint8(255))
        np.testing.assert_array_equal(labels, label_cells(likelihood >= 0.5, 8))
    before = (out / "stack_likelihood.tif").stat().st_mtime_ns
    predict(weights, place, f"--out={out}")
    assert (out / "stack_likelihood.tif").stat().st_mtime_ns == before


def test_likelihoods_as_hdf5(weights: Path, images: Path, tmp_path: Path) -> None:
    save(tmp_path / "stack.tif", grey(shape=(2, *SHAPE)))
    places = (images, tmp_path / "stack.tif")
    tif = predict(weights, *places, f"--out={tmp_path / 'tif'}")
    out = predict(weights, *places, f"--out={tmp_path / 'h5'}", "--likelihood-format", "h5")
    for name in ("a", "b", "stack"):
        assert not (out / f"{name}_likelihood.tif").exists()
        with h5py.File(out / f"{name}_likelihood.h5") as file:
            expected = tifffile.imread(tif / f"{name}_likelihood.tif")
            np.testing.assert_array_equal(file["likelihood"][()], expected)


def test_many_pages_become_big_tiff(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "stack.tif", grey(shape=(2, *SHAPE)))
    for most, big in ((2 * 4 * 24 * 31, False), (2 * 4 * 24 * 31 - 1, True)):
        monkeypatch.setattr("toponet.prediction.outputs.MOST_BYTES", most)
        out = predict(weights, tmp_path / "stack.tif", f"--out={tmp_path / str(big)}")
        with tifffile.TiffFile(out / "stack_likelihood.tif") as file:
            assert file.is_bigtiff == big


def test_many_cells_keep_their_numbers(tmp_path: Path) -> None:
    """More than 16 bits number are written in 32; fewer in 16, which more programs read."""
    few, many = np.ones((2, 521, 521), dtype=np.float32)
    few[1:9:2, 1:9:2] = 0
    many[1::2, 1::2] = 0
    for likelihood, dtype in ((few, np.uint16), (many, np.uint32)):
        shown = Segmentation(likelihood[None], likelihood, Conventions(0.5, 8, 1))
        pages = Pages(lambda _: few[None])
        with open_outputs(tmp_path, dtype.__name__, ["cells"], "tif", pages) as add:
            add(shown)
        written = tifffile.imread(tmp_path / f"{dtype.__name__}_cells.tif")
        assert written.dtype == dtype
        np.testing.assert_array_equal(written, shown.cells)


def test_whatever_the_reader_reads(weights: Path, model: TrainedModel, tmp_path: Path) -> None:
    """Names after the checkpoint, before and after options; grey values as they are."""
    for name in ("png.png", "jpeg.jpg", "bmp.bmp", "eight.tif"):
        save(tmp_path / name, grey())
    for dtype in (np.uint16, np.float32):
        tifffile.imwrite(tmp_path / f"{np.dtype(dtype).name}.tif", grey().astype(dtype))
    # A thumbnail beside the image.
    with tifffile.TiffWriter(tmp_path / "thumbnail.tif") as writer:
        writer.write(grey())
        writer.write(grey()[:5, :5])
    files = sorted(path for path in tmp_path.iterdir() if path.is_file())
    out = predict(weights, *files[:3], f"--out={tmp_path / 'out'}", "--outputs=mask", *files[3:])
    assert names(out) == {f"{path.stem}_mask.png" for path in files}
    expected = (model.likelihood(grey()[None].astype(np.float32)) >= 0.5) * np.uint8(255)
    for path in files:
        if path.stem != "jpeg":
            mask = np.asarray(Image.open(out / f"{path.stem}_mask.png"))
            np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (40, 1)])
def test_images_smaller_than_the_margin(
    weights: Path, tmp_path: Path, shape: tuple[int, int]
) -> None:
    save(tmp_path / "x.png", grey(shape=shape))
    out = predict(weights, tmp_path / "x.png", f"--out={tmp_path / 'out'}", "--flips")
    assert tifffile.imread(out / "x_likelihood.tif").shape == shape


def test_a_data_set_by_name_has_the_names_of_its_labels(weights: Path, tmp_path: Path) -> None:
    spec = data_layouts.isbi12(tmp_path / "isbi12")
    out = predict(weights, spec, f"--out={tmp_path / 'out'}")
    assert {name for name in names(out) if "mask" in name} == {
        f"train-volume_00{i}_mask.png" for i in range(3)
    }
    assert cli_evaluate.main([str(out), spec]) == 0


def test_predictions_are_compared_with_the_truths_of_their_own_seed_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every seed gives its images the same names; the default seed isn't the run's."""
    run = tmp_path / "run"
    data = "synthetic:membranes,size=40x36,count=3"
    options = {
        "data": data, "seed": 1, "out": run, "epochs": 1,
        "iterations-per-epoch": 1, "batch-size": 1, "patch-size": 17, "device": "cpu",
        "topo-start-epoch": 2, "num-threads": 1, "segmentation-metric": "none",
    }  # fmt: skip
    assert cli_train.main([f"--{key}={value}" for key, value in options.items()]) == 0
    out = predict(run, "--held-out", f"--out={tmp_path / 'out'}")
    capsys.readouterr()
    assert cli_evaluate.main([str(out), data]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    cure = f"evaluate it against {data},seed=1\n"
    assert "membranes_000_likelihood.tif was predicted of synthetic" in error
    assert error.endswith(cure)
    assert cli_evaluate.main([str(out), f"{data},seed=1", "--missing=skip"]) == 0
    # The same images by another description, and a single file of them.
    again = f"{data.replace('=3', '=7')},seed=1"
    for place in (out, out / "membranes_000_likelihood.tif"):
        assert cli_evaluate.main([str(place), again, "--missing=skip"]) == 0
    capsys.readouterr()
    assert cli_evaluate.main([str(out / "membranes_000_mask.png"), data]) == 2
    assert capsys.readouterr().err.endswith(cure)


def test_predictions_of_one_volume_arent_compared_with_the_truth_of_another(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their pages have the same names; a volume that only moved is the same."""
    volume, labels = grey(shape=(2, *SHAPE)), np.zeros((2, *SHAPE), np.uint8)
    for name, pixels in (("one", volume), ("other", volume + np.uint8(1))):
        save(tmp_path / name / "train-volume.tif", pixels)
        save(tmp_path / name / "train-labels.tif", labels)
    out = predict(weights, f"isbi12:{tmp_path / 'one'}", f"--out={tmp_path / 'out'}")
    assert cli_evaluate.main([str(out), f"isbi12:{tmp_path / 'other'}"]) == 2
    cure = f"evaluate it against isbi12:{tmp_path / 'one'}\n"
    assert capsys.readouterr().err.endswith(cure)
    moved = (tmp_path / "one").rename(tmp_path / "moved")
    assert cli_evaluate.main([str(out), f"isbi12:{moved}"]) == 0
    (out / "predict.json").write_text("[]")
    assert cli_evaluate.main([str(out), f"isbi12:{moved}"]) == 2
    assert "predict.json isn't what toponet-predict writes" in capsys.readouterr().err


def test_made_up_images_are_the_same_wherever_the_command_runs(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    arguments = ("synthetic:membranes,count=2,size=24x31", f"--out={tmp_path / 'out'}")
    predict(weights, *arguments)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    capsys.readouterr()
    predict(weights, *arguments)
    assert "0 predicted, 2 done before" in capsys.readouterr().out


SCALES: dict[str, Callable[[NDArray[np.uint8]], NDArray[Any]]] = {
    "mean 0.": lambda image: (image / 255).astype(np.float32),
    "mean 2.": lambda image: image.astype(np.uint16) * np.uint16(257),
    "mean -": lambda image: image.astype(np.int16) - np.int16(128),
    "mean ": lambda image: (0.6 * image).astype(np.uint8),
    "deviation 2": lambda image: (0.4 * image + 60).astype(np.uint8),
    "type uint16": lambda image: image.astype(np.uint16),
}


@pytest.mark.parametrize("words", SCALES)
def test_images_of_another_grey_scale_are_predicted_with_one_line_of_warning(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    for k in range(3):
        pixels = grey(k, (48, 57))
        save(tmp_path / "images" / f"{k}.tif", SCALES[words](pixels) if k else pixels)
    predict(weights, tmp_path / "images", f"--out={tmp_path / 'out'}", "--outputs=mask")
    lines = [line for line in capsys.readouterr().out.splitlines() if "warning" in line]
    assert len(lines) == 1
    assert lines[0].startswith(
        "warning: 2 of 3 have other grey values than the training images, the first is "
        f"{tmp_path}/images/1.tif ({words}"
    )
    assert "or train with --normalisation image" in lines[0]


def test_a_page_of_another_grey_scale_warns_and_what_is_like_training_doesnt(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = grey(shape=(3, 48, 57))
    save(tmp_path / "like.tif", pages)
    pages[2] //= 2
    save(tmp_path / "stack.tif", pages)
    save_hdf5(tmp_path / "volume.h5", raw=pages)
    predict(weights, tmp_path / "like.tif", f"--out={tmp_path / 'like'}")
    assert "warning" not in capsys.readouterr().out
    for place in (tmp_path / "stack.tif", f"{tmp_path / 'volume.h5'}:raw"):
        predict(weights, place, f"--out={tmp_path / Path(str(place)).stem}")
        assert "warning: 1 of 1 have other grey values" in capsys.readouterr().out


def test_images_normalised_each_by_itself_may_have_any_grey_scale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = checkpoint(tmp_path / "x.ckpt")
    content = load_checkpoint(weights)
    content["normalisation"]["per_image"] = True
    save_checkpoint(weights, {name: part for name, part in content.items() if name != "format"})
    image = grey(shape=(48, 57))
    save(tmp_path / "images" / "eight.png", image)
    tifffile.imwrite(tmp_path / "images" / "float.tif", (image / 510 - 3).astype(np.float32))
    out = predict(weights, tmp_path / "images", f"--out={tmp_path / 'out'}")
    assert "warning" not in capsys.readouterr().out
    eight, real = (tifffile.imread(out / f"{name}_likelihood.tif") for name in ("eight", "float"))
    np.testing.assert_allclose(eight, real, atol=1e-3)
    plain = load_model(checkpoint(tmp_path / "y.ckpt"), CPU).likelihood(
        image[None].astype(np.float32)
    )
    assert np.abs(eight - plain).max() > 0.01


def test_threshold_and_smallest_size_change_all_but_the_likelihood(
    weights: Path, images: Path, tmp_path: Path
) -> None:
    plain = predict(weights, images, f"--out={tmp_path / 'plain'}")
    likelihood = tifffile.imread(plain / "a_likelihood.tif")
    for option, structure in (
        ("--threshold=0.7", likelihood >= np.float32(0.7)),
        ("--min-size=9", clean_mask(likelihood >= 0.5, 8, 9) != 0),
    ):
        out = predict(weights, images, f"--out={tmp_path / option}", option)
        np.testing.assert_array_equal(tifffile.imread(out / "a_likelihood.tif"), likelihood)
        mask = np.asarray(Image.open(out / "a_mask.png")) != 0
        np.testing.assert_array_equal(mask, structure)
        assert (mask != (likelihood >= 0.5)).any()
        cells = tifffile.imread(out / "a_cells.tif")
        np.testing.assert_array_equal(cells, label_cells(structure, 8))
        for ending in ("_cells.tif", "_overlay.png"):
            assert (out / f"a{ending}").read_bytes() != (plain / f"a{ending}").read_bytes()


def test_a_likelihood_of_exactly_the_threshold_is_structure() -> None:
    likelihood = np.array([[0.25, 0.5, np.nextafter(np.float32(0.5), np.float32(0))]], np.float32)
    for threshold, mask in ((0.5, [0, 255, 0]), (0.25, [255, 255, 255]), (0.75, [0, 0, 0])):
        segmentation = Segmentation(likelihood[None], likelihood, Conventions(threshold, 8, 1))
        assert segmentation.mask.tolist() == [mask]
        assert (segmentation.cells != 0).tolist() == [[value == 0 for value in mask]]


def test_the_checkpoint_has_threshold_and_connectivity(images: Path, tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "x.ckpt", threshold=0.7)
    content = load_checkpoint(path)
    content["config"]["connectivity"] = 4
    save_checkpoint(path, {name: value for name, value in content.items() if name != "format"})
    out = predict(path, images, f"--out={tmp_path / 'out'}")
    structure = tifffile.imread(out / "a_likelihood.tif") >= np.float32(0.7)
    cells = tifffile.imread(out / "a_cells.tif")
    np.testing.assert_array_equal(cells, label_cells(structure, 4))
    assert (cells != label_cells(structure, 8)).any()


def test_with_flips_it_doesnt_matter_how_the_image_lies(weights: Path, tmp_path: Path) -> None:
    """Oracle: other positions of the image give the same positions of one likelihood."""
    image = grey(shape=(6, 11))
    for k in (0, 1, 6):
        turned = np.rot90(image[:, ::-1] if k > 3 else image, k)
        save(tmp_path / "turned" / f"{k}.png", np.ascontiguousarray(turned))
    plain = predict(weights, tmp_path / "turned" / "0.png", f"--out={tmp_path / 'plain'}")
    out = predict(weights, tmp_path / "turned", f"--out={tmp_path / 'out'}", "--flips")
    first = tifffile.imread(out / "0_likelihood.tif")
    assert np.abs(first - tifffile.imread(plain / "0_likelihood.tif")).max() > 0.01
    for k in (0, 1, 6):
        back = np.rot90(tifffile.imread(out / f"{k}_likelihood.tif"), -k)
        np.testing.assert_allclose(back[:, ::-1] if k > 3 else back, first, atol=1e-6)


def test_only_the_outputs_that_are_asked_for(weights: Path, images: Path, tmp_path: Path) -> None:
    out = predict(weights, images, f"--out={tmp_path / 'out'}", "--outputs", "mask,cells,mask")
    assert names(out) == {"a_mask.png", "a_cells.tif", "b_mask.png", "b_cells.tif"}
    predict(weights, images, f"--out={out}", '--outputs=["likelihood", "mask"]')
    assert len(names(out)) == 6


def test_everything_of_a_prediction_has_the_threads_that_were_asked_for(
    weights: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network, and what would ask for the kernel's default; other code gets its own back."""
    asked: set[tuple[int, int]] = set()

    def watched(*arguments: Any) -> NDArray[np.int64]:
        asked.add((torch.get_num_threads(), thread_count(None)))
        return label_cells(*arguments)

    monkeypatch.setattr("toponet.prediction.segmentation.label_cells", watched)
    before = torch.get_num_threads(), thread_count(None)
    for count in (1, 3):
        asked.clear()
        predict(weights, images, f"--out={tmp_path / str(count)}", f"--num-threads={count}")
        assert asked == {(count, count)}
        assert (torch.get_num_threads(), thread_count(None)) == before


def test_what_is_done_is_left_out(
    weights: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (images, f"--out={tmp_path / 'out'}")
    out = predict(weights, *arguments)
    assert "2 predicted, 0 done before, 0 left out" in capsys.readouterr().out
    (out / "b_mask.png").unlink()
    times = {path: path.stat().st_mtime_ns for path in out.glob("[ab]_*")}
    save(images / "c.png", grey(2))
    predict(weights, *arguments)
    assert "2 predicted, 1 done before, 0 left out" in capsys.readouterr().out
    assert len(names(out)) == 12
    assert {path: path.stat().st_mtime_ns for path in times} == times
    predict(weights, *arguments, "--overwrite")
    assert "3 predicted, 0 done before, 0 left out" in capsys.readouterr().out
    assert all(path.stat().st_mtime_ns > time for path, time in times.items())


def test_overwriting_leaves_nothing_of_another_checkpoint(
    weights: Path, images: Path, tmp_path: Path
) -> None:
    """Else its likelihood would pass for the new one's, and be evaluated before the new mask."""
    out = predict(weights, images, f"--out={tmp_path / 'out'}")
    other = checkpoint(tmp_path / "other.ckpt", threshold=0.6)
    predict(other, images, f"--out={out}", "--outputs", "mask", "--overwrite")
    assert names(out) == {"a_mask.png", "b_mask.png"}


def test_other_predictions_are_not_taken_for_done(
    weights: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of another checkpoint, by other settings, of another image of that name, of anybody."""
    out = predict(weights, images, f"--out={tmp_path / 'out'}")
    other = checkpoint(tmp_path / "other.ckpt", threshold=0.6)
    save(tmp_path / "elsewhere" / "a.png", grey(5))
    files = {path: path.read_bytes() for path in out.iterdir()}
    for arguments, sentence in (
        ((other, images), f"predictions of another checkpoint, {weights}; choose another --out"),
        ((weights, images, "--threshold=0.6"), "with threshold 0.5, not 0.6; choose another"),
        ((weights, images, "--min-size=3"), "with min_size 1, not 3"),
        ((weights, images, "--flips"), "with flips False, not True"),
        (
            (weights, tmp_path / "elsewhere"),
            f"a_likelihood.tif exists already and is of {images}/a.png, not of {tmp_path}/else",
        ),
    ):
        assert sentence in complaint(capsys, *arguments, "--out", out)
    assert {path: path.read_bytes() for path in out.iterdir()} == files
    predict(weights, tmp_path / "elsewhere", f"--out={out}", "--overwrite")
    assert (out / "a_likelihood.tif").read_bytes() != files[out / "a_likelihood.tif"]
    (out / "predict.json").write_text("[]")
    assert "predict.json isn't what toponet-predict writes" in complaint(
        capsys, weights, images, "--out", out
    )
    (out / "predict.json").unlink()
    assert "predict.json doesn't say what of" in complaint(capsys, weights, images, "--out", out)


def test_a_relative_path_is_another_file_elsewhere(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "out"
    for k, place in enumerate(("here", "there")):
        save(tmp_path / place / "a.png", grey(k))
    monkeypatch.chdir(tmp_path / "here")
    predict(weights, "a.png", f"--out={out}")
    monkeypatch.chdir(tmp_path / "there")
    error = complaint(capsys, weights, "a.png", "--out", out)
    assert f"is of {tmp_path}/here/a.png, not of {tmp_path}/there/a.png" in error


def test_one_image_anew_leaves_the_others_done(
    weights: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = predict(weights, images, f"--out={tmp_path / 'out'}")
    predict(weights, images / "a.png", f"--out={out}", "--overwrite")
    capsys.readouterr()
    predict(weights, images, f"--out={out}")
    assert "0 predicted, 2 done before, 0 left out" in capsys.readouterr().out


def test_predictions_by_other_settings_dont_get_mixed(
    weights: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One image anew would leave the other one beside it, by the old settings."""
    out = predict(weights, images, f"--out={tmp_path / 'out'}")
    files = {path: path.read_bytes() for path in out.iterdir()}
    error = complaint(
        capsys, weights, images / "a.png", "--out", out, "--overwrite", "--threshold=0.6"
    )
    assert "with threshold 0.5, not 0.6, of b as well; choose another --out, or name" in error
    assert {path: path.read_bytes() for path in out.iterdir()} == files
    predict(weights, images, f"--out={out}", "--overwrite", "--threshold=0.6")
    assert json.loads((out / "predict.json").read_text())["settings"]["threshold"] == 0.6


def test_a_prediction_that_nobody_noted_is_called_so(
    weights: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = predict(weights, images / "a.png", f"--out={tmp_path / 'out'}")
    (out / "b_mask.png").write_bytes((out / "a_mask.png").read_bytes())
    error = complaint(capsys, weights, images, "--out", out)
    assert "b_mask.png exists already, and predict.json doesn't say what of; choose" in error


def bad_files(folder: Path) -> dict[str, str]:
    """A sentence for each file that can't be used."""
    save(folder / "colours.png", grey(shape=(9, 9, 3)))
    save(folder / "broken.png", grey())
    data_layouts.truncate(folder / "broken.png")
    save(folder / "infinite.tif", np.full(SHAPE, np.inf, np.float32))
    volume = np.zeros((3, *SHAPE), np.float32)
    volume[2, 4, 4] = np.nan
    save(folder / "page.tif", volume)
    data_layouts.unlike_pages(folder / "unlike.tif")
    (folder / "text.bmp").write_text("not an image")
    return {
        "broken": "broken.png can't be read as an image",
        "colours": "colours.png has 3 channel(s), the network was trained on 1",
        "infinite": "infinite.tif holds NaN or infinite values",
        "page": "page.tif, page 3 holds NaN or infinite values",
        "text": "text.bmp can't be read as an image",
    }


def test_bad_files_are_listed_and_the_others_predicted(
    weights: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentences = bad_files(images)
    save_hdf5(tmp_path / "v.h5", flat=grey(), text=np.full((2, 2, 2), b"x"))
    places = [f"{tmp_path / 'nowhere.h5'}:raw"]
    for k, name in enumerate(("text", "flat", "absent")):
        link = tmp_path / f"v{k}.h5"
        link.symlink_to(tmp_path / "v.h5")
        places.append(f"{link}:{name}")
    out = predict(weights, images, *places, f"--out={tmp_path / 'out'}", code=1)
    shown = capsys.readouterr().out
    problems = [line for line in shown.splitlines() if line.startswith("problem: ")]
    expected = [
        *sentences.values(),
        "text must hold real numbers, got",
        "flat must be slices, rows and columns",
        "has no data set 'absent'; it holds flat",
        "nowhere.h5 can't be read as HDF5",
    ]
    for sentence in expected:
        assert sum(sentence in problem for problem in problems) == 1, sentence
    assert f"{len(expected)} left out" in shown
    assert {name.partition("_")[0] for name in names(out)} == {"a", "b", "unlike"}
    # Mended, it is predicted; the others aren't, again.
    save(images / "broken.png", grey())
    predict(weights, images, f"--out={out}", code=1)
    assert f"1 predicted, 3 done before, {len(sentences) - 1} left out" in capsys.readouterr().out


def test_what_is_not_predicted_is_counted_and_named(
    weights: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a folder of images, and of a data set with images/ in it."""
    for name in ("c.png", "d.tif", "e.png"):
        save(images / "night" / name, grey())
    (images / "notes.txt").touch()
    line = f"not read in {images} (2): night/ (3 image files), notes.txt"
    predict(weights, images, f"--out={tmp_path / 'out'}")
    assert line in capsys.readouterr().out
    save(tmp_path / "set" / "labels" / "a.png", grey())
    images.rename(tmp_path / "set" / "images")
    predict(weights, tmp_path / "set", f"--out={tmp_path / 'out2'}")
    shown = capsys.readouterr().out
    assert f"not read in {tmp_path / 'set'} (1): labels/ (1 image file)" in shown
    assert "set/images (2): night/ (3 image files), notes.txt" in shown
    predict(weights, tmp_path / "set" / "images" / "a.png", f"--out={tmp_path / 'out3'}")
    assert "not read" not in capsys.readouterr().out


def test_ome_tiff_has_the_name_of_its_label(weights: Path, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.ome.tif", grey())
    out = predict(weights, tmp_path / "x.ome.tif", f"--out={tmp_path / 'out'}", "--outputs=mask")
    assert names(out) == {"x_mask.png"}


def test_an_answer_that_is_nan_is_listed(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of grey values that training was far from, or of weights that diverged."""
    path = checkpoint(tmp_path / "x.ckpt", deviation=1e-3)
    save(images / "huge.tif", np.full(SHAPE, 3e38, np.float32))
    out = predict(path, images, f"--out={tmp_path / 'out'}", code=1)
    assert (
        f"problem: the network's answer to {images}/huge.tif holds NaN" in capsys.readouterr().out
    )
    assert len(names(out)) == 8


def test_an_image_too_large_for_the_memory_is_listed(
    weights: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def fail(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("toponet.prediction.likelihood.pad_reflected", fail)
    assert names(predict(weights, images, f"--out={tmp_path / 'out'}", code=1)) == set()
    assert "problem: " + str(images / "a.png") + " is too large" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a.png"], "--out must name the folder"),
        (["--out=p"], "expected images after the checkpoint, or --held-out"),
        (["a.png", "b.png", "--held-out", "--out=p"], "takes at most one input"),
        (["--held-out", "--out=p"], "doesn't say which 'data' its run had"),
        (["a.png", "--out=p", "--outputs=edges"], "--outputs must be some of 'likelihood'"),
        (["a.png", "--out=p", "--outputs=[]"], "--outputs must be some of likelihood"),
        (["a.png", "--out=p", "--likelihood-format=png"], "--likelihood-format must be one of"),
        (
            ["a.png", "--out=p", "--threshold=0"],
            "--threshold must lie between 0 and 1, both excluded",
        ),
        (["a.png", "--out=p", "--threshold", "1.5"], "--threshold must lie between 0 and 1"),
        (["a.png", "--out=p", "--min-size=0"], "--min-size must be at least 1"),
        (["a.png", "--out=p", "--num-threads=0"], "--num-threads must be at least 1"),
        (["a.png", "--out=p", "--device=tpu"], "--device must be one of"),
        (["a.png", "--out=p", "--device=mps"], "torch finds no MPS device"),
        (["a.png", "--out=p", "--flips=perhaps"], "flips"),
        (["a.png", "--out"], "out"),
        (["a.png", "--out=p", "--bogus=1"], "bogus"),
        (["nowhere.png", "--out=p"], "nowhere.png does not exist"),
        (["nowhere:there", "--out=p"], "has no known name"),
        (["isbi12:there", "--out=p"], "train-volume.tif is missing"),
        (["v.h5", "--out=p"], "v.h5 needs the name of its data set: v.h5:DATASET"),
        (["empty", "--out=p"], "empty holds no PNG, TIFF, JPEG, GIF or BMP file"),
        ([".", "--out=."], ". holds the images themselves"),
        (["a.png", "deeper/a.png", "--out=p"], "have the same name"),
        (["a.png", "--out=a.png"], "a.png"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_get_one_line_and_exit_code_2(
    weights: Path, images: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(images)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    (images / "empty").mkdir()
    (images / "deeper").mkdir()
    (images / "deeper" / "a.png").write_bytes((images / "a.png").read_bytes())
    (images / "v.h5").touch()
    assert sentence in complaint(capsys, weights, *arguments)
    assert not (images / "p").exists()


def test_what_is_no_checkpoint_is_a_mistake(
    weights: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = load_checkpoint(weights)
    content.pop("format")
    config = content["config"]
    for name, changed in (
        ("other", {"model": {}}),
        ("unknown", {"config": {**config, "network": "resnet"}}),
        ("unet", {"config": {**config, "network": "dive"}, "normalisation": {"mean": 1}}),
        ("scale", {"training_scale": {**content["training_scale"], "means": ((1, 2), (1, 2))}}),
    ):
        save_checkpoint(tmp_path / f"{name}.ckpt", {**content, **changed})
    (tmp_path / "text.ckpt").write_text("text")
    for name, sentence in (
        ("other", "holds the weights of another network"),
        ("unknown", "lacks what belongs to a network of this version"),
        ("unet", "is damaged: normalisation: "),
        ("scale", "training_scale must hold types, and ranges"),
        ("text", "is not a checkpoint of toponet-train"),
        ("absent", "does not exist; expected a checkpoint"),
    ):
        path = tmp_path / f"{name}.ckpt"
        error = complaint(capsys, path, images, "--out", tmp_path / "out")
        assert sentence in error
        assert str(path) in error
    assert "last.ckpt does not exist" in complaint(capsys, images, images, "--out", "p")
    assert not (tmp_path / "out").exists()


def test_an_interrupted_stack_leaves_no_half_file_and_is_done_later(
    weights: Path, model: TrainedModel, images: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    save(images / "stack.tif", grey(shape=(3, *SHAPE)))
    calls = iter(range(9))

    def interrupted(_: object, image: NDArray[np.float32], *__: object) -> NDArray[np.float32]:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return model.likelihood(image)

    arguments = (images, f"--out={tmp_path / 'out'}")
    with monkeypatch.context() as patch:
        patch.setattr("toponet.prediction.run.Predictor._likelihood", interrupted)
        out = predict(weights, *arguments, code=130)
    assert "interrupted; the same command goes on\n" in capsys.readouterr().err
    assert {name.partition("_")[0] for name in names(out)} == {"a", "b"}
    predict(weights, *arguments)
    assert "1 predicted, 2 done before, 0 left out" in capsys.readouterr().out
    assert len(tifffile.imread(out / "stack_likelihood.tif")) == 3


def test_interrupted_overwriting_goes_on_without_it(
    weights: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """With --overwrite again it would begin anew."""
    out = predict(weights, images, f"--out={tmp_path / 'out'}")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("toponet.prediction.run.Predictor._likelihood", interrupted)
        predict(weights, images, f"--out={out}", "--overwrite", code=130)
    error = capsys.readouterr().err
    assert "interrupted; the same command without --overwrite goes on" in error
    predict(weights, images, f"--out={out}")
    assert len(names(out)) == 8


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file grows beyond 60 kB, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "options", [["likelihood"], ["likelihood", "--likelihood-format=h5"], ["overlay"]], ids=str
)
@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_stops_with_one_line(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    save(tmp_path / "large.png", grey(shape=(150, 190)))
    out = tmp_path / "out"
    error = complaint(capsys, weights, tmp_path / "large.png", "--out", out, "--outputs", *options)
    assert f"large_{options[0]}" in error
    assert "None" not in error
    assert names(out) == set()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["c", "a", "b"], ["c", '--inputs=["a", "b"]']),
        (["c", "--flips", "a"], ["c", "--flips=true", '--inputs=["a"]']),
        (["c", "--flips", "false", "a"], ["c", "--flips=false", '--inputs=["a"]']),
        (["c", "--held-out", "--out", "p"], ["c", "--held_out=true", "--out=p"]),
        (["c", "a", "--overwrite"], ["c", "--overwrite=true", '--inputs=["a"]']),
        (["--outputs", "mask,cells", "c"], ["c", '--outputs=["mask", "cells"]']),
        (["c", "a=b", "--out=x=y"], ["c", "--out=x=y", '--inputs=["a=b"]']),
        (["--help"], ["--help"]),
        (["-h", "c"], ["c", "-h"]),
    ],
)
def test_arguments_in_any_order(given: list[str], expected: list[str]) -> None:
    assert as_options(given, PredictConfig, more="inputs") == expected


def test_options_from_a_yaml_file(weights: Path, images: Path, tmp_path: Path) -> None:
    path = tmp_path / "options.yaml"
    path.write_text(f"inputs: ['{images}']\nthreshold: 0.7\noutputs: [mask]\nout: {tmp_path}/p\n")
    predict(weights, "--config", path)
    assert names(tmp_path / "p") == {"a_mask.png", "b_mask.png"}
