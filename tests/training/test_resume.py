"""No work is lost: interruption, resumption, sudden death; and ranks that share a batch."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import Tensor

from data_layouts import membrane_folder
from toponet.cli import train as cli
from toponet.models import DIVE, NETWORKS
from toponet.prediction.checkpoint import load_checkpoint
from toponet.training import TrainConfig, Trainer
from toponet.training.interruption import InterruptedTrainingError, Interruption
from toponet.training.run import Run
from toponet.training.run_folder import read_config

pytestmark = pytest.mark.usefixtures("no_pictures")

TINY: dict[str, Any] = {
    "epochs": 3,
    "iterations_per_epoch": 3,
    "batch_size": 2,
    "patch_size": 17,
    "topo_start_epoch": 2,
    "device": "cpu",
    "num_threads": 1,
    "segmentation_metric": "none",
}
TIMINGS = ("topo_seconds", "topo_share", "seconds")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small images on disk."""
    return membrane_folder(tmp_path_factory.mktemp("membranes"), (40, 36))


def config(folder: Path, out: Path, **options: Any) -> TrainConfig:
    return TrainConfig(**{**TINY, "data": str(folder), "out": str(out), **options})


def arguments(folder: Path, out: Path, **options: Any) -> list[str]:
    chosen = {**TINY, "data": str(folder), "out": str(out), **options}
    return [f"--{name.replace('_', '-')}={value}" for name, value in chosen.items()]


def rows_of(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [{k: v for k, v in row.items() if k not in TIMINGS} for row in rows]


def assert_same_run(run: Path, other: Path) -> None:
    """Logs and weights, bit for bit."""
    assert rows_of(run) == rows_of(other)
    contents = [load_checkpoint(path / "checkpoints" / "last.ckpt") for path in (run, other)]
    for part in ("model", "optimiser"):
        assert_same(*(content[part] for content in contents))
    assert contents[0]["metrics"] == contents[1]["metrics"]


def assert_same(a: Any, b: Any) -> None:
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    else:
        assert a == b


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupted."""
    out = tmp_path_factory.mktemp("runs") / "run"
    Trainer(config(folder, out), Console(quiet=True)).train()
    return out


@contextmanager
def signal_within(step: int, number: signal.Signals) -> Iterator[None]:
    """Sends it to this process when a training within takes its step of this number."""
    steps = 0
    original = Trainer.step

    def step_and_signal(self: Trainer, *args: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == step:
            os.kill(os.getpid(), number)
        return original(self, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "step", step_and_signal)
        yield


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", [1, 3, 5, 7])
def test_a_signal_ends_the_step_and_the_run_goes_on_bit_for_bit(
    step: int,
    number: signal.Signals,
    folder: Path,
    run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "run"
    with signal_within(step, number):
        assert cli.main(arguments(folder, out)) == 128 + number
    error = capsys.readouterr().err
    assert f"go on with: toponet-train --resume {out}" in error
    assert error.count("\n") == 1
    assert f"after step {(step - 1) % 3 + 1};" in error
    torch.rand(7)  # Torch's generator is part of the state.
    assert cli.main(["--resume", str(out)]) == 0
    assert_same_run(out, run)


def assert_goes_on_bit_for_bit(folder: Path, tmp_path: Path, **options: Any) -> None:
    """After a stop in the middle of an epoch; torch's generator is used in between."""
    Trainer(config(folder, tmp_path / "whole", **options), Console(quiet=True)).train()
    out = tmp_path / "run"
    with signal_within(5, signal.SIGTERM), pytest.raises(InterruptedTrainingError):
        Trainer(config(folder, out, **options), Console(quiet=True)).train()
    torch.rand(7)
    Trainer(read_config(out), Console(quiet=True), resume=out).train()
    assert_same_run(out, tmp_path / "whole")


def test_changed_brightness_and_contrast_go_on_bit_for_bit(folder: Path, tmp_path: Path) -> None:
    """What was drawn before the stop is drawn and thrown away."""
    assert_goes_on_bit_for_bit(
        folder, tmp_path, brightness=0.5, contrast=0.25, augmentation="all", normalisation="image"
    )


class Dropping(DIVE):
    """Draws from torch's generator at each step."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.nn.functional.dropout(super().forward(images), 0.5, self.training)


def test_a_network_that_draws_goes_on_bit_for_bit(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NETWORKS, "dive", Dropping)
    assert_goes_on_bit_for_bit(folder, tmp_path)


def test_a_second_signal_is_not_held_back() -> None:
    # Shells let what runs in the background ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with Interruption() as interruption:
            os.kill(os.getpid(), signal.SIGINT)
            assert interruption.signal_number == signal.SIGINT
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_rows_after_the_checkpoint_are_written_again(
    folder: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Death between metrics.csv and last.ckpt: no row twice."""
    out = tmp_path / "run"
    original = Run.save

    def die(self: Run, name: str, measured: Any) -> None:
        if self.state.epoch == 2:
            raise MemoryError
        original(self, name, measured)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "save", die)
        with pytest.raises(MemoryError):
            Trainer(config(folder, out), Console(quiet=True)).train()
    assert len(rows_of(out)) == 2
    Trainer(read_config(out), Console(quiet=True), resume=out).train()
    assert_same_run(out, run)


def test_a_run_that_died_before_its_report_gets_it(folder: Path, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(run, out)
    for file in ("report.json", "report.md", "losses.png"):
        (out / file).unlink()
    Trainer(read_config(out), Console(quiet=True), resume=out).train()
    assert (out / "report.json").read_text() == (run / "report.json").read_text()
    assert (out / "losses.png").exists()


@pytest.mark.slow
def test_sudden_death_leaves_a_loadable_checkpoint(folder: Path, run: Path, tmp_path: Path) -> None:
    """SIGKILL at random moments; each time the run goes on from its last checkpoint."""
    script = str(Path(sys.executable).with_name("toponet-train"))
    out = tmp_path / "run"
    command = [script, *arguments(folder, out)]
    for delay in np.random.default_rng(0).uniform(0.0, 0.5, 2):
        begun = began(out)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while began(out) == begun and process.poll() is None:
            time.sleep(0.005)
        time.sleep(delay)
        process.kill()
        process.wait()
        checkpoint = load_checkpoint(out / "checkpoints" / "last.ckpt")
        if checkpoint["epoch"] == TINY["epochs"]:
            break
        command = [script, "--resume", str(out)]
    else:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert_same_run(out, run)


def began(out: Path) -> int | None:
    """Changes when a process has loaded everything and begins to train."""
    metrics = out / "metrics.csv"
    return metrics.stat().st_mtime_ns if metrics.exists() else None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--resume", "nowhere"], "nowhere is no run folder of toponet-train"),
        (
            ["--resume", "RUN"],
            "is finished: it has all of its 3 epochs, and its report. To train on",
        ),
        (["--resume", "RUN", "--epochs", "5"], "--resume takes no other option"),
        (["--resume"], "--resume expects the folder of a run"),
    ],
)
def test_what_cannot_be_resumed_gets_one_line(
    arguments: list[str], sentence: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([str(run) if a == "RUN" else a for a in arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


@pytest.mark.slow
def test_two_ranks_are_one_process_with_the_same_batch(folder: Path, tmp_path: Path) -> None:
    options = {"batch_size": 4, "epochs": 2, "clip_norm": 0.5, "segmentation_metric": "voi"}
    Trainer(config(folder, tmp_path / "one", **options), Console(quiet=True)).train()
    script = str(Path(sys.executable).with_name("toponet-train"))
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2",
                "--standalone", "--no-python"]  # fmt: skip
    command = [*launcher, script, *arguments(folder, tmp_path / "two", **options)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    one, two = (rows_of(tmp_path / name) for name in ("one", "two"))
    assert len(one) == len(two) == 2
    for ours, theirs in zip(one, two, strict=True):
        for name in ("bce", "topo", "total"):
            assert float(theirs[name]) == pytest.approx(float(ours[name]), abs=1e-5)
    reports = (json.loads((tmp_path / name / "report.json").read_text()) for name in ("one", "two"))
    chosen = [report["segmentation"]["options"] for report in reports]
    assert chosen[0] == chosen[1]
    kept = load_checkpoint(tmp_path / "two" / "checkpoints" / "last.ckpt")["segmentation"]
    assert kept["options"] == chosen[1]


@pytest.mark.slow
def test_a_batch_in_parts_is_the_same_step(folder: Path, tmp_path: Path) -> None:
    numbers = []
    for accumulate in (1, 2):
        out = tmp_path / str(accumulate)
        options = {"batch_size": 4, "accumulate": accumulate}
        Trainer(config(folder, out, **options), Console(quiet=True)).train()
        numbers.append([[float(row[k]) for k in ("bce", "topo")] for row in rows_of(out)])
    np.testing.assert_allclose(numbers[1], numbers[0], rtol=1e-4)


def test_batches_must_be_divisible(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="batch_size must be a multiple of accumulate x ranks"):
        Trainer(config(folder, tmp_path / "run", accumulate=3), Console(quiet=True))


def test_an_interrupted_error_knows_the_shells_exit_code() -> None:
    assert InterruptedTrainingError("x", signal.SIGTERM).exit_code == 143
