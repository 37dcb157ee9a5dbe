"""Networks and topological losses that the trainer offers beside the paper's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import Tensor

from data_layouts import membrane_folder
from toponet import TopologicalLoss
from toponet.cli.train import main
from toponet.models import UNet
from toponet.prediction.checkpoint import load_checkpoint
from toponet.training import TrainConfig, Trainer
from toponet.training.topology_terms.cldice import ClDiceLoss
from toponet.training.topology_terms.term import TopologyLoss
from toponet.training.topology_terms.vgg_features import COMPARED, FILE_NAME, LAYERS, VGGFeatureLoss

pytestmark = pytest.mark.usefixtures("no_pictures")

CPU = torch.device("cpu")


def vgg_state(seed: int = 0) -> dict[str, Tensor]:
    """Generated weights in torchvision's layout, with a layer and a classifier beyond our use."""
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {"classifier.0.weight": torch.zeros(2, 2)}
    place, channels = 0, 3
    for layer in (*LAYERS, "pool", 8):
        if isinstance(layer, str):
            place += 1
            continue
        weight = torch.randn(layer, channels, 3, 3, generator=generator)
        state[f"features.{place}.weight"] = weight * (2 / (9 * channels)) ** 0.5
        state[f"features.{place}.bias"] = 0.1 * torch.randn(layer, generator=generator)
        place, channels = place + 2, layer
    return state


@pytest.fixture(scope="module")
def vgg_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small enough for a test: 9 MB."""
    path = tmp_path_factory.mktemp("weights") / "vgg19.pth"
    # As the published file is: older than torch's zip format.
    torch.save(vgg_state(), path, _use_new_zipfile_serialization=False)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small images on disk."""
    return membrane_folder(tmp_path_factory.mktemp("membranes"), (48, 40))


def train(folder: Path, out: Path, **options: Any) -> dict[str, Any]:
    tiny = {
        "epochs": 2, "iterations_per_epoch": 2, "batch_size": 2, "patch_size": 17,
        "topo_start_epoch": 2, "device": "cpu", "network": "unet", "num_threads": 1,
        "segmentation_metric": "none",
    }  # fmt: skip
    config = TrainConfig(**{**tiny, "data": str(folder), "out": str(out), **options})
    return Trainer(config, Console(quiet=True)).train()


def weights_of(run: Path) -> Tensor:
    state = load_checkpoint(run / "checkpoints" / "last.ckpt")["model"]
    return torch.cat([tensor.flatten().float() for tensor in state.values()])


def own_options(name: str, vgg_file: Path) -> dict[str, Any]:
    """What a loss needs to be made here."""
    return {"vgg_weights": str(vgg_file)} if name == "vgg" else {}


def masks(seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    truth = (torch.rand(2, 1, 33, 37, generator=generator) > 0.6).float()
    return torch.rand(2, 1, 33, 37, generator=generator), truth


def test_vgg_compares_the_activations_that_the_paper_names(vgg_file: Path) -> None:
    """Oracle: each layer written out, named as in the paper of Mosinska et al."""
    f, g = masks()
    state = {k.removeprefix("features."): v for k, v in vgg_state().items()}
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)

    def activations(mask: Tensor) -> list[Tensor]:
        x, found = (mask.repeat(1, 3, 1, 1) - mean) / std, []
        for block in ((0, 2), (5, 7), (10, 12, 14, 16)):
            for place in block:
                x = torch.nn.functional.conv2d(
                    x, state[f"{place}.weight"], state[f"{place}.bias"], padding=1
                ).relu()
            found.append(x)
            x = torch.nn.functional.max_pool2d(x, 2)
        return found

    expected = sum(
        ((a - b) ** 2).mean() for a, b in zip(activations(f), activations(g), strict=True)
    )
    loss = VGGFeatureLoss(vgg_file)
    torch.testing.assert_close(loss(f, g), expected)
    assert [type(loss.features[k]).__name__ for k in COMPARED] == ["ReLU"] * 3
    assert loss(g, g) == 0
    assert not any(p.requires_grad for p in loss.parameters())


def test_vgg_weights_come_from_the_file_or_the_cache(
    vgg_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(ValueError, match=rf"{FILE_NAME} does not exist.*--vgg-weights, or fetch"):
        VGGFeatureLoss()
    (tmp_path / "checkpoints").mkdir()
    torch.save(vgg_state(seed=1), tmp_path / "checkpoints" / FILE_NAME)
    f, g = masks()
    assert VGGFeatureLoss()(f, g) != VGGFeatureLoss(vgg_file)(f, g)


@pytest.mark.parametrize("content", ["text", "other layout", "other shapes"])
def test_other_files_than_vgg_weights_are_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "weights.pth"
    if content == "text":
        path.write_text("no weights")
    elif content == "other layout":
        torch.save({"conv1.weight": torch.zeros(3)}, path)
    else:
        torch.save({name: torch.zeros(1) for name in vgg_state()}, path)
    with pytest.raises(ValueError, match=r"weights\.pth does not hold VGG19's weights"):
        VGGFeatureLoss(path)


def made(config: TrainConfig) -> TopologyLoss:
    return config.term.make(config.term_options, config.connectivity, 1, CPU)


@pytest.mark.parametrize("name", ["cldice", "vgg", "persistence"])
def test_pixels_that_do_not_count_change_nothing(name: str, vgg_file: Path) -> None:
    loss = made(TrainConfig(topo_loss=name, **own_options(name, vgg_file)))
    f, g = masks()
    valid = torch.ones_like(g, dtype=torch.bool)
    valid[..., 10:20, 5:30] = False
    other = torch.where(valid, f, 1 - f)
    assert loss(f, g, valid=valid) == loss(other, g, valid=valid)
    assert loss(f, g, valid=None) != loss(other, g, valid=None)


def test_cldice_is_zero_for_the_truth_and_finds_a_gap() -> None:
    loss = ClDiceLoss()
    truth = torch.zeros(1, 1, 33, 37)
    truth[..., 15:19, :] = 1
    gap = truth.clone()
    gap[..., 10:14] = 0
    assert loss(truth, truth) == pytest.approx(0, abs=1e-3)
    gapped = gap.requires_grad_()
    value = loss(gapped, truth)
    value.backward()
    assert value > 0.02
    assert gapped.grad is not None
    assert (gapped.grad[..., 15:19, 10:14] < 0).any()


def test_topo_patch_size_cuts_the_patch() -> None:
    f, g = masks()
    cut = made(TrainConfig(topo_patch_size=17))(f, g)
    assert cut == TopologicalLoss(patch_size=17)(f, g)
    assert cut != made(TrainConfig())(f, g)


def test_each_topological_loss_trains_the_network_elsewhere(
    folder: Path, vgg_file: Path, tmp_path: Path
) -> None:
    """From the same cross-entropy phase, on the same patches, with every loss's own gradient."""
    train(folder, tmp_path / "alone", topo_weight=0.0)
    ends = [weights_of(tmp_path / "alone")]
    for name in ("persistence", "cldice", "vgg"):
        out = tmp_path / name
        report = train(folder, out, topo_loss=name, **own_options(name, vgg_file))
        assert report["config"]["topo_loss"] == name
        ends.append(weights_of(out))
    assert all(torch.isfinite(end).all() for end in ends)
    for k, end in enumerate(ends):
        assert all(not torch.equal(end, other) for other in ends[:k])


def test_networks_learn_under_their_own_names(folder: Path, tmp_path: Path) -> None:
    train(folder, tmp_path / "unet")
    train(folder, tmp_path / "dive", network="dive")
    assert weights_of(tmp_path / "unet").shape != weights_of(tmp_path / "dive").shape


def test_missing_vgg_weights_are_one_line_and_leave_no_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    options = ["--topo-loss", "vgg", "--vgg-weights", str(tmp_path / "none.pth")]
    assert main(["--data", str(folder), "--out", str(out), "--patch-size", "17", *options]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "none.pth does not exist; expected VGG19's ImageNet weights" in error
    assert not out.exists()


def test_unet_gives_each_pixel_the_logit_of_its_place() -> None:
    """Odd sizes are padded inside; a shift by its stride shifts the answer."""
    torch.manual_seed(0)
    network = UNet(2).eval()
    image = torch.randn(1, 2, 93, 70)
    with torch.no_grad():
        assert network(image).shape == (1, 1, 61, 38)
        dense = network.dense(network.pad(image))[..., :93, :70]
        torch.testing.assert_close(network(image), dense[..., 16:-16, 16:-16])
    with pytest.raises(ValueError, match="at least 33 x 33 pixels"):
        network(torch.zeros(1, 2, 32, 40))


@pytest.mark.parametrize(
    "option", [{"frame": False}, {"matching": "persistence"}, {"topo_patch_size": 8}]
)
def test_options_of_the_persistence_loss_reach_the_weights(
    option: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    train(folder, tmp_path / "plain")
    train(folder, tmp_path / "other", **option)
    assert not torch.equal(weights_of(tmp_path / "plain"), weights_of(tmp_path / "other"))


def test_metric_options_change_betti_errors_alone(folder: Path, tmp_path: Path) -> None:
    reports = [
        train(folder, tmp_path / str(k), **options)
        for k, options in enumerate(
            ({"metric_patch_size": 17}, {"metric_patch_size": 25},
             {"metric_patch_size": 17, "metric_patches": 7})
        )
    ]  # fmt: skip
    assert len({r["final"]["voi"] for r in reports}) == 1
    assert len({r["final"]["betti_error_1"] for r in reports}) == 3


def test_choosing_the_weight_leaves_batch_normalisation_alone(folder: Path, tmp_path: Path) -> None:
    """A weight that comes out as 0 trains as cross-entropy alone does."""
    train(folder, tmp_path / "alone", topo_weight=0.0)
    train(folder, tmp_path / "auto", topo_weight="auto", topo_ratio=1e-30)
    torch.testing.assert_close(
        weights_of(tmp_path / "auto"), weights_of(tmp_path / "alone"), rtol=0, atol=1e-6
    )
