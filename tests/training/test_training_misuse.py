"""Bad input of toponet-train: one clear line, exit code 2, and nothing lost or overwritten."""

from __future__ import annotations

import errno
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from rich.console import Console

from data_layouts import membrane_folder, save, truncate
from short_runs import TWO_STEPS
from toponet.cli import train as cli
from toponet.prediction.checkpoint import load_checkpoint
from toponet.training import Trainer
from toponet.training.run_folder import RunFolder

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three small images on disk."""
    return membrane_folder(tmp_path / "data", (40, 36))


def complaint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("toponet-train: ")
    return error


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def names(folder: Path, kind: str) -> list[Path]:
    return sorted((folder / kind).iterdir())


def rgb(folder: Path) -> None:
    path = names(folder, "images")[1]
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    save(path, pixels)


def paint(folder: Path, numbers: tuple[int, ...], value: int) -> None:
    for number in numbers:
        save(names(folder, "labels")[number], np.full((40, 36), value, np.uint8))


def empty(folder: Path) -> None:
    for image in names(folder, "images"):
        image.unlink()


def hide_structure(folder: Path) -> None:
    for label in names(folder, "labels"):
        with Image.open(label) as image:
            save(folder / "valid" / label.name, 255 - np.asarray(image))


@pytest.mark.parametrize(
    ("spoil", "options", "sentence"),
    [
        (lambda f: truncate(names(f, "images")[1]), [], "001.png can't be read as an image: "),
        (lambda f: names(f, "images")[1].write_text("hello"), [], "can't be read as an image: "),
        (lambda f: names(f, "images")[1].write_bytes(b""), [], "can't be read as an image: "),
        (lambda f: save(names(f, "labels")[1], np.zeros((40, 35), np.uint8)), [],
         "001.png has 40 x 35 pixels, its image 40 x 36"),
        (rgb, [], "001.png has 3 channel(s), "),
        (lambda f: save(names(f, "labels")[1], np.eye(40, 36, dtype=np.uint8) * 127), [],
         "001.png must hold 0 and one of 1, 255, 65535, got 0, 127"),
        (empty, [],
         "images holds no PNG, TIFF, JPEG, GIF or BMP file"),
        (lambda f: shutil.rmtree(f / "labels"), [], "labels is not a folder"),
        (lambda f: names(f, "labels")[1].unlink(), [], "001.png has no partner of that name"),
        (lambda f: None, ["--patch-size=37"], "smaller than a patch of 37 x 37"),
        (lambda f: None, ["--channels=3"],
         "data has images of 1 channel(s); --channels expects 3"),
        (lambda f: None, ["--channels=2"], "channels must be one of 1, 3, got 2"),
        (lambda f: paint(f, (1, 2), 0), [],
         "no structure in the labels of the 2 training image(s) of fold 0: there is nothing to "
         "learn"),
        (lambda f: paint(f, (0,), 0), [],
         "no structure in the labels of the 1 held-out image(s) of fold 0: no metric means "
         "anything there"),
        (lambda f: paint(f, (2,), 0), ["--fold=2"], "held-out image(s) of fold 2"),
        (lambda f: paint(f, (0, 1), 255), ["--fold=2"],
         "no background in the labels of the 2 training image(s) of fold 2"),
        (hide_structure, [], "no structure in the labels of the 2 training image(s)"),
    ],
)  # fmt: skip
def test_data_that_no_run_can_use(
    spoil: Callable[[Path], object],
    options: list[str],
    sentence: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(folder)
    before = contents(folder)
    out = tmp_path / "run"
    error = complaint([f"--data={folder}", f"--out={out}", *TWO_STEPS, *options], capsys)
    assert sentence in error
    assert not out.exists()
    assert contents(folder) == before


def test_the_right_number_of_channels_is_no_mistake(folder: Path, tmp_path: Path) -> None:
    paint(folder, (1,), 0)  # One training image without structure isn't one, either.
    arguments = [f"--data={folder}", f"--out={tmp_path / 'run'}", *TWO_STEPS, "--channels=1"]
    assert Trainer(cli.parse(arguments), Console(quiet=True)).validation.channels == 1


@pytest.mark.parametrize("place", ["below a file", "in no file system of ours"])
def test_a_run_folder_that_cannot_be_made(
    place: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither is allowed to root."""
    file = tmp_path / "file"
    file.write_text("mine")
    parent = file if place == "below a file" else Path("/proc/self")
    out = parent / "new" / "run"
    arguments = [f"--data={folder}", f"--out={out}", *TWO_STEPS]
    assert f"can't use {parent}" in complaint(arguments, capsys)
    assert file.read_text() == "mine"


def forbid_writing_below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a user who may only read: modes don't bind root."""
    original = Path.open

    def open_for_reading(self: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        if folder in self.parents and set(mode) & set("wax+"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return original(self, mode, *args, **options)

    monkeypatch.setattr(Path, "open", open_for_reading)


def test_a_run_folder_that_may_only_be_read(
    stopped_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(stopped_run)
    (stopped_run / "report.json").unlink()
    del before[stopped_run / "report.json"]
    forbid_writing_below(stopped_run, monkeypatch)
    error = complaint(["--resume", str(stopped_run)], capsys)
    assert f"can't use {stopped_run / 'metrics.csv'}: Permission denied" in error
    assert contents(stopped_run) == before


def test_a_folder_for_runs_that_may_only_be_read(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "run"
    forbid_writing_below(out, monkeypatch)
    error = complaint([f"--data={folder}", f"--out={out}", *TWO_STEPS], capsys)
    assert f"can't use {out / 'config.yaml'}: Permission denied" in error
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--network=unet", "--patch-size=32"], "last.ckpt holds the weights of another network"),
        (["--data=synthetic:roads,count=3,size=40"], "was trained on 1 channel(s), "),
    ],
)
def test_a_checkpoint_of_another_network_or_other_channels(
    options: list[str],
    sentence: str,
    stopped_run: Path,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "new"
    start = f"--start-from={stopped_run / 'checkpoints' / 'last.ckpt'}"
    error = complaint([f"--data={folder}", f"--out={out}", *TWO_STEPS, start, *options], capsys)
    assert sentence in error
    assert not out.exists()


def replaced(name: str, value: Any) -> Callable[[Path], object]:
    """Spoils one option of config.yaml."""

    def spoil(config: Path) -> None:
        plain = yaml.safe_load(config.read_text())
        config.write_text(yaml.safe_dump({**plain, name: value}))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda c: c.unlink(), "is no run folder of toponet-train: "),
        (lambda c: c.write_bytes(b""), "expected options with their values, got None"),
        (lambda c: c.write_bytes(b"\xff\xfe\x00"), "isn't text"),
        (lambda c: c.write_text("epochs: ["), "while parsing a flow node"),
        (lambda c: c.write_text("epochs: &a [*a]"), "the configuration lacks options: data"),
        (lambda c: c.write_text("\n".join(c.read_text().splitlines()[:8])),
         "the configuration lacks options: "),
        (replaced("epochs", "many"), "epochs must be a whole number, got 'many'"),
        (replaced("epchs", 3), "the configuration has unknown options: epchs"),
        (replaced("dims", 1), "dims must be a list such as [0, 1], got 1"),
        (replaced("network", "unet"), "last.ckpt holds the weights of another network"),
        (replaced("data", "nowhere"), "nowhere/images is not a folder"),
    ],
)  # fmt: skip
def test_a_run_whose_configuration_is_damaged(
    spoil: Callable[[Path], object],
    sentence: str,
    stopped_run: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (stopped_run / "report.json").unlink()
    spoil(stopped_run / "config.yaml")
    before = contents(stopped_run)
    assert sentence in complaint(["--resume", str(stopped_run)], capsys)
    assert contents(stopped_run) == before


@pytest.mark.parametrize("spoil", [truncate, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_run_whose_checkpoint_is_damaged(
    spoil: Callable[[Path], object], stopped_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(stopped_run / "checkpoints" / "last.ckpt")
    before = contents(stopped_run)
    assert "last.ckpt" in complaint(["--resume", str(stopped_run)], capsys)
    assert contents(stopped_run) == before


def same_results(run: Path, other: Path) -> bool:
    """The weights and the report's numbers."""
    ours, theirs = (load_checkpoint(r / "checkpoints" / "last.ckpt") for r in (run, other))
    return bool(
        all(torch.equal(ours["model"][name], theirs["model"][name]) for name in ours["model"])
        and ours["metrics"] == theirs["metrics"]
    )


def goes_on(out: Path, finished: Path) -> None:
    """With room again, the run ends as if the disk had never been full."""
    assert not list(out.rglob("*.partial"))
    assert cli.main(["--resume", str(out)]) == 0
    assert same_results(out, finished)
    assert {p.relative_to(out) for p in out.rglob("*")} == {
        p.relative_to(finished) for p in finished.rglob("*")
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "epoch"),
    [
        ("masks/epoch_0001.png", 0),
        ("metrics.csv", 0),
        ("checkpoints/last.ckpt", 1),
        ("report.json", 2),
        ("losses.png", 2),
    ],
)
def test_a_disk_that_gets_full_costs_no_more_than_an_epoch(
    file: str,
    epoch: int,
    finished_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever file it is that doesn't fit: ``epoch`` is the last that is saved then."""
    out = tmp_path / "run"
    original = open
    target = out / file
    files = (str(target), f"{target}.partial")

    def due() -> bool:
        last = out / "checkpoints" / "last.ckpt"
        return last.exists() and load_checkpoint(last)["epoch"] == epoch

    def open_file(name: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        if str(name) in files and set(mode) & set("wax+") and due():
            # As of write and fsync: without a file name.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(name, mode, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", open_file)
        patch.setattr("io.open", open_file)
        data = finished_run.with_name("data")
        error = complaint([f"--data={data}", f"--out={out}", *TWO_STEPS], capsys)
    assert f"can't write {target}: No space left on device" in error
    assert f"go on with: toponet-train --resume {out}\n" in error
    assert load_checkpoint(out / "checkpoints" / "last.ckpt")["epoch"] == epoch
    goes_on(out, finished_run)


def test_a_real_limit_in_the_middle_of_a_checkpoint(
    finished_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The system's own: half of a checkpoint fits."""
    out = tmp_path / "run"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (finished_run / "checkpoints" / "last.ckpt").stat().st_size
    original = RunFolder.append_metrics

    def append_and_fill(self: RunFolder, row: dict[str, float]) -> None:
        original(self, row)
        if row["epoch"] == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, hard))

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "append_metrics", append_and_fill)
        try:
            data = finished_run.with_name("data")
            error = complaint([f"--data={data}", f"--out={out}", *TWO_STEPS], capsys)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "ckpt: File too large; the checkpoint before is whole" in error
    assert load_checkpoint(out / "checkpoints" / "last.ckpt")["epoch"] == 1
    goes_on(out, finished_run)


def test_a_disk_that_is_full_from_the_start_leaves_no_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The name is free again for another try."""
    out = tmp_path / "run"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        error = complaint([f"--data={folder}", f"--out={out}", *TWO_STEPS], capsys)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert f"can't write {out / 'checkpoints' / 'last.ckpt'}: File too large" in error
    assert not out.exists()
