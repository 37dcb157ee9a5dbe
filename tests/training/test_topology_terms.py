"""The registry of topological losses: each has its own options, and says what it moves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from rich.console import Console
from torch import Tensor, nn

from data_layouts import membrane_folder
from toponet import TopologicalLoss
from toponet.cli import train as cli
from toponet.training import TrainConfig, Trainer
from toponet.training.topology_terms import TERMS
from toponet.training.topology_terms.term import Explain, Options, TopologyTerm, option
from toponet.training.worst_patches import worst_patches

VALUES: dict[str, Any] = {
    "topo_patch_size": 17,
    "dims": (0, 1),
    "matching": "complete",
    "frame": True,
    "unmatched_weight": 1.0,
    "in_place_weight": "persistence",
    "in_place_extremes": False,
    "vgg_weights": "vgg19.pth",
}
FOREIGN = [
    (name, loss) for loss, term in TERMS.items() for name in VALUES if name not in term.defaults
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return membrane_folder(tmp_path_factory.mktemp("membranes"), (48, 40))


def config(folder: Path, out: Path, **options: Any) -> TrainConfig:
    tiny = {
        "epochs": 2, "iterations_per_epoch": 2, "batch_size": 2, "patch_size": 17,
        "topo_start_epoch": 2, "device": "cpu", "network": "unet", "num_threads": 1,
        "segmentation_metric": "none",
    }  # fmt: skip
    return TrainConfig(**{**tiny, "data": str(folder), "out": str(out), **options})


@pytest.mark.parametrize(("name", "loss"), FOREIGN)
def test_an_option_of_another_loss_is_refused_even_with_its_default(name: str, loss: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name} must be left out: it belongs to .* is {loss}$"):
        TrainConfig(topo_loss=loss, **{name: VALUES[name]})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--topo-loss", "cldice", "--matching", "complete"],
            "--matching must be left out: it belongs to --topo-loss persistence, and --topo-loss "
            "is cldice",
        ),
        (
            ["--vgg-weights", "x.pth"],
            "--vgg-weights must be left out: it belongs to --topo-loss vgg, and --topo-loss is per",
        ),
        (["--preset", "isbi13", "--topo-loss", "vgg", "--dims", "1"], "--dims must be left out"),
        (["--preset", "unet_cldice", "--frame"], "--frame must be left out"),
    ],
)
def test_the_command_line_refuses_options_of_another_loss(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_a_file_of_options_is_refused_as_the_command_line_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("topo_loss: cldice\nmatching: wasserstein\n")
    assert cli.main(["--config", str(file)]) == 2
    assert f"{file}: --matching must be left out: it belongs to" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--preset", "isbi13", "--topo-loss", "cldice"],
        ["--preset", "isbi13", "--preset", "unet_cldice"],
        ["--preset", "unet_cldice", "--preset", "isbi13"],
    ],
)
def test_a_data_sets_preset_goes_with_every_loss(arguments: list[str]) -> None:
    """Its dims are the paper's loss's; nobody gave them for this run."""
    config = cli.parse(arguments)
    assert (config.topo_loss, config.dims) == ("cldice", None)
    assert config.epochs == cli.parse(["--preset", "isbi13"]).epochs
    assert cli.parse(["--preset", "isbi13"]).dims == (1,)


def test_the_configuration_names_all_options_of_all_losses(tmp_path: Path) -> None:
    """With their defaults for the run's loss, empty for the others."""
    for loss, term in TERMS.items():
        plain = TrainConfig(topo_loss=loss).to_plain()
        assert set(VALUES) < set(plain)
        own = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in term.defaults.items()
        }
        assert {name: plain[name] for name in VALUES} == {**dict.fromkeys(VALUES), **own}
        again = TrainConfig.from_plain(yaml.safe_load(yaml.safe_dump(plain)))
        assert again == TrainConfig(topo_loss=loss)
        file = tmp_path / f"{loss}.yaml"
        file.write_text(yaml.safe_dump(plain))
        assert cli.parse(["--config", str(file)]) == again


def test_the_help_lists_every_loss() -> None:
    words = cli.describe_names()
    for name, term in TERMS.items():
        assert f"  {name}: {term.help}" in words


@dataclass(frozen=True, kw_only=True)
class ToyOptions:
    """Of a loss that only this test knows.

    Attributes:
        matching: The name of an option that another loss has as well.
    """

    matching: str | None = option("toy")


class Toy(nn.Module):
    """Mean of the likelihood: everything is pulled down."""

    def forward(self, likelihood: Tensor, truth: Tensor, valid: Tensor | None = None) -> Tensor:
        return likelihood.mean()


def moved_holes(options: Options, connectivity: int, patch_size: int) -> Explain:
    loss = TopologicalLoss(dims=(1,), patch_size=patch_size, num_threads=1)
    return lambda f, g, valid: loss.explain(f, g, valid=valid)


def toy(what_it_moves: Any = None) -> TopologyTerm:
    return TopologyTerm(
        "a test's", lambda o, c, t, d: Toy(), ToyOptions, what_it_moves=what_it_moves
    )


def test_a_loss_of_ones_own_trains_with_its_own_options_and_shows_what_it_moves(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One entry in the registry is enough for configuration, training, report and pictures."""
    monkeypatch.setitem(TERMS, "toy", toy(moved_holes))
    made = config(folder, tmp_path / "run", topo_loss="toy", topo_weight=1.0)
    assert (made.matching, made.dims) == ("toy", None)
    report = Trainer(made, Console(quiet=True)).train()
    assert {patch["components"] for patch in report["worst_patches"]} == {0.0}
    assert "topology.png" in report["pictures"]
    assert not any("critical pixels" in note for note in report["notes"])


def test_worst_patches_are_those_of_the_runs_own_loss(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toponet.data import load_data

    data = load_data(str(folder), seed=0)
    rng = np.random.default_rng(0)
    likelihoods = [rng.random(mask.shape, dtype=np.float32) for mask in data.masks]
    monkeypatch.setitem(TERMS, "toy", toy(moved_holes))
    own = worst_patches(TrainConfig(topo_loss="toy", patch_size=17), data, likelihoods, 3)
    holes = worst_patches(TrainConfig(dims=(1,), patch_size=17), data, likelihoods, 3)
    both = worst_patches(TrainConfig(patch_size=17), data, likelihoods, 3)
    assert [p.to_plain() for p in own] == [p.to_plain() for p in holes]
    assert [p.to_plain() for p in own] != [p.to_plain() for p in both]
    monkeypatch.setitem(TERMS, "toy", toy())
    none = worst_patches(TrainConfig(topo_loss="toy", patch_size=17), data, likelihoods, 3)
    assert none == []


@pytest.mark.parametrize("connectivity", [8, 4])
def test_connectivity_reaches_what_the_loss_moves(connectivity: int, folder: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    f = torch.rand(1, 20, 23, generator=generator)
    g = (torch.rand(1, 20, 23, generator=generator) > 0.5).float()
    made = TrainConfig(connectivity=connectivity)
    explain = TERMS["persistence"].what_it_moves
    assert explain is not None
    (found,) = explain(made.term_options, connectivity, 65)(f, g, None)
    (expected,) = TopologicalLoss(connectivity=connectivity, patch_size=65).explain(f, g)
    (other,) = TopologicalLoss(connectivity=12 - connectivity, patch_size=65).explain(f, g)
    assert found.loss == expected.loss != other.loss
