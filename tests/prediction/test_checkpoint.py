"""A checkpoint with one wrong part: one line says which, whatever reads it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from toponet.cli import predict as predict_cli
from toponet.cli import train as cli
from toponet.prediction.checkpoint import load_checkpoint

WEIGHT = "layers.0.weight"

pytestmark = pytest.mark.usefixtures("no_pictures")


def last(run: Path) -> Path:
    return run / "checkpoints" / "last.ckpt"


def complaint(arguments: list[str], main: Any, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(arguments) == 2
    error: str = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "Traceback" not in error
    return error


def inner(content: Any, path: str) -> tuple[Any, str | int]:
    """What holds the place such as "state/rows/0/voi", and its name there."""
    *parents, name = (int(part) if part.isdigit() else part for part in path.split("/"))
    for parent in parents:
        content = content[parent]
    return content, name


# Where it is wrong, what is there, and the part that the sentence names.
TRAINING = [
    ("epoch", 10**400, "epoch must be at most"),
    ("epoch", -1, "epoch must be at least 0"),
    ("epoch", "1", "epoch must be a whole number"),
    ("epoch", True, "epoch must be a whole number"),
    ("epoch", 0, "state: epoch must be 0, got 1"),
    ("model", [1], "model must hold values by name"),
    ("model", {1: 2}, "model must hold values by name"),
    (f"model/{WEIGHT}", "0", f"model: {WEIGHT} must be a tensor"),
    (f"model/{WEIGHT}", torch.full((30, 1, 10, 10), torch.nan), f"model: {WEIGHT} holds NaN"),
    (f"model/{WEIGHT}", torch.zeros(30, 1, 10, 10, dtype=torch.int64), f"model: {WEIGHT} must be"),
    (f"model/{WEIGHT}", torch.zeros(3), "holds the weights of another network"),
    ("optimiser", None, "optimiser must hold values by name"),
    ("optimiser/param_groups", 3, "optimiser: param_groups must be 1 group"),
    ("optimiser/param_groups", [3], "optimiser: param_groups must hold groups"),
    ("optimiser/param_groups/0/lr", "fast", "optimiser: param_groups: lr must be a number"),
    ("optimiser/param_groups/0/betas", 0.9, "optimiser: param_groups: betas must be"),
    ("optimiser/param_groups/0/params", [0], "optimiser: param_groups: params must be"),
    ("optimiser/param_groups/0/amsgrad", 0, "optimiser: param_groups: amsgrad must be"),
    ("optimiser/state", {0: {}}, "optimiser: state must have an entry for each of"),
    ("optimiser/state/0", {}, "optimiser: state: 0 must hold"),
    ("optimiser/state/0/exp_avg", torch.zeros(7), "optimiser: state: 0: exp_avg must be"),
    ("optimiser/state/0/exp_avg_sq", torch.full((30, 1, 10, 10), -1.0),
     "optimiser: state: 0: exp_avg_sq must be at least 0"),
    ("optimiser/state/0/step", "one", "optimiser: state: 0: step must be a tensor"),
    ("optimiser/state/0/step", torch.tensor(torch.inf), "optimiser: state: 0: step holds NaN"),
    ("state", 3, "state must hold values by name"),
    ("state/epochs", 3, "state must hold "),
    ("state/epoch", 1.0, "state: epoch must be a whole number"),
    ("state/sums", None, "state: sums must hold "),
    ("state/sums/steps", -1, "state: sums: steps must be at least 0"),
    ("state/sums/steps", 99, "99 steps are more than the run's"),
    ("state/sums/looks", 5, "state: sums: looks must be at most 0"),
    ("state/sums/losses", [0.0], "state: sums: losses must hold two numbers"),
    ("state/sums/norms", ["a", "b"], "state: sums: norms must be a number"),
    ("state/sums/bce", "much", "state: sums: bce must be a number"),
    ("state/sums/seconds", -1.0, "state: sums: seconds must be at least 0"),
    ("state/rows", {}, "state: rows must be a list"),
    ("state/rows", ["a row"], "state: rows: 1 must hold numbers by name"),
    ("state/rows/0/bce", "low", "state: rows: 1: bce must be a number"),
    ("state/rows/0/voi", float("nan"), "state: rows: 1: voi must be finite"),
    ("state/rows/0/epoch", 7, "state: rows must be those of epochs up to 1"),
    ("state/rows/0/more", 7, "state: rows: 1 must hold "),
    ("state/best", "best", "state: best must be a number"),
    ("state/best", None, "state: best must be a number"),
    ("state/before", {"voi": 1.0}, "state: before must hold "),
    ("state/topo_weight", -1.0, "state: topo_weight must be at least 0"),
    ("state/random_state", torch.zeros(3, dtype=torch.uint8), "state: random_state must be"),
    ("state/random_state", None, "state: random_state must be"),
    ("state/random_state", torch.full_like(torch.get_rng_state(), 255),
     "state: random_state must be that of torch's generator"),
    ("normalisation", "grey", "normalisation must hold values by name"),
    ("normalisation/mean", ["a"], "normalisation: mean must be a number"),
    ("normalisation/std", (0.0,), "normalisation must have a deviation above 0"),
    ("normalisation/std", (1.0, 1.0), "normalisation must have a deviation above 0"),
    ("normalisation/per_image", 1, "normalisation: per_image must be True or False"),
    ("training_scale", {}, "training_scale must hold dtypes, values, means, deviations"),
    ("training_scale/values", (10**400, 1), "training_scale must hold types, and ranges"),
    ("training_scale/means", ((2.0, 1.0),), "training_scale must hold types, and ranges"),
    ("training_scale/dtypes", 8, "training_scale must hold types, and ranges"),
    ("metrics", {"voi": "low"}, "metrics: voi must be a number"),
    ("metrics", {"voi": 1.0}, "metrics must hold accuracy"),
    ("threshold", 10**400, "threshold must be finite"),
    ("threshold", 0.0, "threshold must be above 0"),
    ("config", None, "config must hold values by name"),
    ("config/connectivity", "8", "config: connectivity must be int"),
    ("format", torch.ones(3), "is not a checkpoint of toponet-train (format 1)"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "sentence"), TRAINING, ids=str)
def test_one_wrong_part_is_named_when_a_run_goes_on(
    path: str,
    value: Any,
    sentence: str,
    stopped_run: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = torch.load(last(stopped_run), weights_only=True)
    assert content["format"] == 1
    holder, name = inner(content, path)
    holder[name] = value
    torch.save(content, last(stopped_run))
    before = {p: p.read_bytes() for p in stopped_run.rglob("*") if p.is_file()}
    error = complaint(["--resume", str(stopped_run)], cli.main, capsys)
    assert f"{last(stopped_run)}" in error
    assert sentence in error
    assert {p: p.read_bytes() for p in stopped_run.rglob("*") if p.is_file()} == before


PARTS = [
    "epoch", "model", "optimiser", "state", "normalisation", "metrics", "config", f"model/{WEIGHT}",
    "optimiser/state", "optimiser/param_groups", "optimiser/state/0/step", "state/sums",
    "state/rows", "state/random_state", "state/sums/losses", "state/rows/0/voi",
    "normalisation/mean",
]  # fmt: skip


@pytest.mark.parametrize("path", PARTS)
def test_a_part_that_is_missing_is_noticed(
    path: str, stopped_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = torch.load(last(stopped_run), weights_only=True)
    holder, name = inner(content, path)
    del holder[name]
    torch.save(content, last(stopped_run))
    assert str(last(stopped_run)) in complaint(["--resume", str(stopped_run)], cli.main, capsys)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [row for row in TRAINING if row[0].split("/")[0] in
     ("model", "normalisation", "threshold", "config", "format")] + [
        ("config/network", "transformer", "lacks what belongs to a network of this version"),
        ("config/connectivity", 6, "lacks what belongs to a network of this version"),
    ],
    ids=str,
)  # fmt: skip
def test_one_wrong_part_is_named_when_it_predicts(
    path: str,
    value: Any,
    sentence: str,
    stopped_run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = torch.load(last(stopped_run), weights_only=True)
    holder, name = inner(content, path)
    holder[name] = value
    torch.save(content, last(stopped_run))
    out = tmp_path / "out"
    arguments = [str(stopped_run), "synthetic:membranes,count=1,size=40", f"--out={out}"]
    assert sentence in complaint(arguments, predict_cli.main, capsys)
    assert not out.exists()


def test_a_flipped_bit_anywhere_is_found_or_means_nothing(
    stopped_run: Path, tmp_path: Path
) -> None:
    """Oracle: the content as it was written. Most bits are those of the weights."""
    path, copy_ = last(stopped_run), tmp_path / "flipped.ckpt"
    whole, content = path.read_bytes(), load_checkpoint(path)
    random = np.random.default_rng(0)
    found = 0
    for position in random.integers(0, len(whole), 60).tolist():
        flipped = bytearray(whole)
        flipped[position] ^= 1 << int(random.integers(8))
        copy_.write_bytes(flipped)
        try:
            assert same(load_checkpoint(copy_), content)
        except ValueError:
            found += 1
    assert found > 50


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    return bool(a == b)


@pytest.mark.parametrize("part", ["model", "optimiser"])
def test_a_flipped_bit_of_a_tensor_names_the_tensor(stopped_run: Path, part: str) -> None:
    path = last(stopped_run)
    content = torch.load(path, weights_only=True)
    index = list(content["model"]).index(WEIGHT)
    tensor, name = {
        "model": (content["model"][WEIGHT], f"model: {WEIGHT}"),
        "optimiser": (
            content["optimiser"]["state"][index]["exp_avg"], f"optimiser: state: {index}: exp_avg"
        ),
    }[part]  # fmt: skip
    whole = bytearray(path.read_bytes())
    whole[bytes(whole).index(tensor.numpy().tobytes()) + 17] ^= 1
    path.write_bytes(whole)
    with pytest.raises(ValueError, match=f"the checksum of its part {name} is wrong"):
        load_checkpoint(path)


def test_what_was_written_is_read_again(stopped_run: Path) -> None:
    """No check may refuse, or change, what the trainer writes."""
    content = load_checkpoint(last(stopped_run))
    kept = copy.deepcopy(content)
    assert cli.main(["--resume", str(stopped_run)]) == 0
    assert same(content, kept)
    assert load_checkpoint(last(stopped_run))["epoch"] == 2
