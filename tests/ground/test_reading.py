"""Only regular files are opened, wherever a user names one; what memory can't hold is one line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from toponet import PersistenceDiagrams
from toponet._ground.reading import (
    TooLargeError,
    check_size,
    machine_memory,
    ran_out_of_memory,
    read_text,
    within_memory,
)
from toponet.cli import evaluate, inspect, predict, train
from toponet.data import load_data
from toponet.data.files import read_pages, read_pixels
from toponet.prediction.checkpoint import load_checkpoint
from toponet.prediction.record import Record
from toponet.training.run_folder import read_config
from toponet.training.topology_terms.vgg_features import VGGFeatureLoss


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def link_to_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


UNUSUAL = pytest.mark.parametrize(
    ("make", "words"),
    [(make_pipe, "a pipe"), (link_to_zeros, "a device"), (Path.mkdir, "a folder")],
    ids=["pipe", "zeros", "folder"],
)


def read_record(path: Path) -> object:
    return Record.read(path.parent)


def read_run(path: Path) -> object:
    return read_config(path.parent)


def read_hdf5(path: Path) -> object:
    return load_data(f"hdf5:{path},raw,labels")


def read_stack(path: Path) -> object:
    return load_data(f"stack:{path},{path}")


@UNUSUAL
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("a.png", read_pixels),
        ("a.tif", read_pixels),
        ("a.tif", read_pages),
        ("a.bmp", read_pixels),
        ("a.h5", read_hdf5),
        ("a.tif", read_stack),
        ("a.npz", PersistenceDiagrams.load),
        ("a.ckpt", load_checkpoint),
        ("config.yaml", read_run),
        ("predict.json", read_record),
        ("vgg.pth", VGGFeatureLoss),
    ],
)
def test_readers_open_regular_files_only(
    tmp_path: Path,
    make: Callable[[Path], None],
    words: str,
    name: str,
    read: Callable[[Path], object],
) -> None:
    """Opening a pipe waits for ever, and a device of zeros never ends."""
    make(tmp_path / name)
    with pytest.raises(ValueError, match=rf"{name} is {words}; expected a file"):
        read(tmp_path / name)


@UNUSUAL
@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        (train, ["--config=FILE"]),
        (train, ["--start-from=FILE"]),
        (train, ["--data=DATA"]),
        (inspect, ["DATA"]),
        (evaluate, ["DATA/images", "DATA/labels"]),
        (evaluate, ["FILE", "DATA/labels/a.png"]),
        (predict, ["FILE", "DATA/images", "--out=DATA/out"]),
    ],
    ids=lambda value: value.__name__.rpartition(".")[2] if hasattr(value, "main") else value[0],
)
def test_commands_say_in_one_line_what_is_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None], words: str,
    program: object, arguments: list[str],
) -> None:  # fmt: skip
    for kind in ("images", "labels"):
        (tmp_path / "data" / kind).mkdir(parents=True)
    mask = Image.fromarray(255 * np.eye(9, dtype=np.uint8))
    mask.save(tmp_path / "data" / "labels" / "a.png")
    make(tmp_path / "data" / "images" / "a.png")
    make(tmp_path / "file.png")
    if arguments[0] == "FILE" and program is predict and words == "a folder":
        return  # A run folder is one.
    given = [
        a.replace("DATA", str(tmp_path / "data")).replace("FILE", str(tmp_path / "file.png"))
        for a in arguments
    ]
    assert program.main(given) == 2  # type: ignore[attr-defined]
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    if words != "a folder" or arguments[0].startswith("--config"):
        assert f"is {words}; expected a file" in error


def test_a_volume_that_is_a_pipe_is_no_missing_one(tmp_path: Path) -> None:
    make_pipe(tmp_path / "a.hdf")
    with pytest.raises(ValueError, match=r"a\.hdf is a pipe; expected a file"):
        load_data(f"cremi:{tmp_path / 'a.hdf'}")


def test_what_is_not_there_is_left_to_the_reader(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_text(tmp_path / "x")
    (tmp_path / "x").write_bytes(b"\xff")
    with pytest.raises(ValueError, match="x isn't text"):
        read_text(tmp_path / "x")


def test_each_allocator_is_understood() -> None:
    """Its own error of a request that no machine can grant."""
    for ask in (lambda: np.zeros(2**59, np.uint8), lambda: torch.empty(2**59, dtype=torch.uint8)):
        with (
            pytest.raises(TooLargeError, match=r"^x\.png is too large for the memory$"),
            within_memory("x.png"),
        ):
            ask()
    assert ran_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"))
    assert ran_out_of_memory(OSError(12, "Cannot allocate memory"))
    for other in (ValueError("out of memory"), RuntimeError("shape"), OSError(28, "full")):
        assert not ran_out_of_memory(other)
        with pytest.raises(type(other)), within_memory("x.png"):
            raise other


def test_claims_are_compared_with_the_file_and_with_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert machine_memory() > 2**26
    monkeypatch.setattr("toponet._ground.reading.machine_memory", lambda: 2.0**30)
    check_size("x", 2**26, 1, 1)  # Too little to matter.
    check_size("x", 2**27, 1, 2**27)
    check_size("x", 2**27, 1, None)
    with pytest.raises(ValueError, match="x claims 134217728 pixels but has 9 bytes: it is dam"):
        check_size("x", 2**27, 1, 9)
    with pytest.raises(TooLargeError, match="x is too large for the memory"):
        check_size("x", 2**28, 1, 2**28)


@pytest.mark.parametrize(
    ("program", "arguments", "place"),
    [
        (inspect, ["synthetic:,count=1,size=9"], "toponet.inspection.run.open_data"),
        (evaluate, ["a", "b"], "toponet.evaluation.run.find_pairs"),
        (predict, ["a", "b", "--out=c"], "toponet.prediction.run.load_model"),
        (train, ["--epochs=1"], "toponet.training.image_parts.load_data"),
    ],
    ids=["inspect", "evaluate", "predict", "train"],
)
@pytest.mark.parametrize(
    "error", [MemoryError("Unable to allocate"), RuntimeError("alloc_cpu: can't allocate memory")]
)
def test_commands_say_in_one_line_that_memory_ran_out(
    program: object, arguments: list[str], place: str, error: Exception,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(place, fail)
    assert program.main(arguments) == 2  # type: ignore[attr-defined]
    assert capsys.readouterr().err.endswith(": what is asked for is too large for the memory\n")
