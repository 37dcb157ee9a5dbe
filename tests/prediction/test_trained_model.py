"""From array to likelihood in Python: what is taken, and what is refused."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from toponet.data import synthetic_membranes
from toponet.prediction import StrangeImageWarning, TrainedModel, load_model, predict_likelihood
from toponet.training import TrainConfig, Trainer

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    config = TrainConfig(
        data="synthetic:membranes,count=3,size=40", out=str(out), device="cpu", epochs=1,
        iterations_per_epoch=1, batch_size=1, patch_size=17, metric_patches=2, num_threads=1,
        segmentation_metric="none",
    )  # fmt: skip
    Trainer(config, Console(quiet=True)).train()
    return out


@pytest.fixture(scope="module")
def model(run: Path) -> TrainedModel:
    return load_model(run, "cpu")


# In the grey scale of the synthetic images.
IMAGE = synthetic_membranes(1, (21, 34), seed=3).images[0]


def test_a_run_folder_is_its_last_checkpoint_and_the_device_has_a_default(
    run: Path, model: TrainedModel, tmp_path: Path
) -> None:
    copy = tmp_path / "some.ckpt"
    shutil.copy(run / "checkpoints" / "last.ckpt", copy)
    for place in (str(run), copy, str(copy)):
        found = load_model(place, torch.device("cpu")).likelihood(IMAGE)
        assert np.array_equal(found, model.likelihood(IMAGE))
    assert load_model(run).device.type in ("cpu", "cuda", "mps")
    with pytest.raises(ValueError, match="device must be one of 'auto', 'cpu', 'cuda', 'mps'"):
        load_model(run, "gpu")


def test_a_likelihood_is_the_networks_answer_whatever_form_the_image_has(
    model: TrainedModel,
) -> None:
    expected = predict_likelihood(model.network, model.normalisation.apply(IMAGE), model.device)
    assert expected.shape == (21, 34)
    for image in (IMAGE, IMAGE[0], IMAGE.astype(np.float64), IMAGE[:, ::-1][:, ::-1]):
        assert np.array_equal(model.likelihood(image), expected)
    counts = (255 * IMAGE).astype(np.uint8)
    with pytest.warns(StrangeImageWarning):
        assert np.array_equal(model.likelihood(counts), model.likelihood(counts.astype(np.float32)))


def test_a_strange_grey_scale_warns_once_a_place_and_can_be_silenced(model: TrainedModel) -> None:
    """The warning changes nothing; an image like those of training gives none (they are errors)."""
    model.likelihood(IMAGE)
    strange = [IMAGE * 255, IMAGE * 100, IMAGE + 3]
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default")
        found = [model.likelihood(image) for image in strange]
    assert [warning.category for warning in shown] == [StrangeImageWarning]
    assert "other grey values than the training images" in str(shown[0].message)
    assert shown[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StrangeImageWarning)
        again = [model.likelihood(image) for image in strange]
    np.testing.assert_array_equal(found, again)


def test_a_loaded_network_is_in_evaluation_mode(model: TrainedModel) -> None:
    """Else batch normalisation would take its means from the image, and learn from it."""
    assert not model.network.training


@pytest.mark.parametrize(
    ("image", "error", "sentence"),
    [
        (
            np.zeros((21, 34, 1)),
            ValueError,
            r"shape \(1, H, W\), channels first, got \(21, 34, 1",
        ),
        (
            np.zeros((3, 21, 34)),
            ValueError,
            r"shape \(1, H, W\), channels first, got \(3, 21, 34",
        ),
        (np.zeros(5), ValueError, "shape"),
        (np.zeros((0, 5)), ValueError, "shape"),
        (np.full((21, 34), np.nan), ValueError, "must be finite"),
        (np.full((21, 34), "x"), TypeError, "must hold real numbers"),
        (np.zeros((21, 34), complex), TypeError, "must hold real numbers"),
    ],
    ids=str,
)
def test_what_is_no_image_of_the_networks_is_refused(
    image: Any, error: type[Exception], sentence: str, model: TrainedModel
) -> None:
    with pytest.raises(error, match=sentence):
        model.likelihood(image)
