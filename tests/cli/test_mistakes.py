"""The same mistake gets the same line and exit code from every command."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from data_layouts import membrane_folder
from toponet.cli import evaluate, inspect, predict, segment, train

# For each command: its main, and a command line that has no mistake before its work begins.
COMMANDS: dict[str, tuple[Callable[[list[str]], int], list[str]]] = {
    "toponet-train": (train.main, ["--data=nowhere"]),
    "toponet-predict": (predict.main, ["a.ckpt", "image.png", "--out=p"]),
    "toponet-segment": (segment.main, ["likelihood.tif", "--out=p"]),
    "toponet-evaluate": (evaluate.main, ["a", "b"]),
    "toponet-inspect": (inspect.main, ["a"]),
}
# Where each does its work.
WORK = {
    "toponet-train": "toponet.training.trainer.Trainer.__init__",
    "toponet-predict": "toponet.prediction.run.run_prediction",
    "toponet-segment": "toponet.prediction.segment_run.run_segmentation",
    "toponet-evaluate": "toponet.evaluation.run.run_evaluation",
    "toponet-inspect": "toponet.inspection.run.run_inspection",
}
every_command = pytest.mark.parametrize("program", COMMANDS)


def outcome(program: str, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    """The exit code, and the line on stderr without the name of the program."""
    main, arguments = COMMANDS[program]
    code = main([*arguments, *more])
    shown = capsys.readouterr()
    assert shown.out == ""
    if not shown.err:
        return code, ""
    assert shown.err.startswith(f"{program}: ")
    assert shown.err.count("\n") == 1
    return code, shown.err.removeprefix(f"{program}: ").rstrip("\n")


@every_command
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--bogus_zzz=1"], "unknown option --bogus-zzz; --help lists all options"),
        (["--confg=x"], "unknown option --confg; did you mean --config?"),
        (["--connectivity=many"], "--connectivity must be a whole number, got many"),
        (["--config"], "argument --config: expected one argument"),
        (["--config=absent.yaml"], "can't read absent.yaml: No such file or directory"),
        (["--config=folder.yaml"], "folder.yaml is a folder; expected a file"),
        (["--config=bytes.yaml"], "bytes.yaml isn't text"),
        (["--config=list.yaml"], "list.yaml must hold options, one 'name: value' a line"),
        (["--config=twice.yaml"], "twice.yaml has the option 'device' twice"),
        (["--config=itself.yaml"], "itself.yaml: out must be one value or a list of values"),
        (["--config=deep.yaml"], "deep.yaml is nested too deeply; expected 'name: value' lines"),
        (["--config=odd.yaml"], "odd.yaml has the unknown option 'zzz'; --help lists all options"),
    ],
    ids=str,
)  # fmt: skip
def test_a_mistaken_command_line_gets_the_same_line_everywhere(
    program: str, arguments: list[str], sentence: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    repeated = "device" if program in ("toponet-train", "toponet-predict") else "connectivity"
    for name, content in (
        ("bytes", b"\xff\xfe\x00"),
        ("list", b"- 1"),
        ("twice", f"{repeated}: 1\n{repeated}: 2".encode()),
        ("itself", b"out: &a [*a]"),
        ("deep", b"[" * 5000),
        ("odd", b"zzz: 1"),
    ):
        (tmp_path / f"{name}.yaml").write_bytes(content)
    (tmp_path / "folder.yaml").mkdir()
    if program == "toponet-predict" and arguments[0].startswith("--connectivity"):
        arguments = ["--min_size=many"]  # Its connectivity is the checkpoint's.
        sentence = "--min-size must be a whole number, got many"
    expected = sentence.replace("'device'", f"'{repeated}'")
    assert outcome(program, capsys, *arguments) == (2, expected)


def torchs_error() -> Exception:
    """As torch raises it for a device that fails, with advice below the first line."""
    kind = type("AcceleratorError", (RuntimeError,), {"__module__": "torch"})
    error: Exception = kind("CUDA error: device-side assert\nCompile with TORCH_USE_CUDA_DSA\n")
    return error


def unnamed() -> OSError:
    return OSError(errno.EIO, os.strerror(errno.EIO))


@every_command
@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (ValueError("x.png is broken\nand long"), 2, "x.png is broken and long"),
        (TypeError("data must be text, got 1"), 2, None),
        (FileNotFoundError(2, "No such file or directory", "x.png"), 2,
         "can't use x.png: No such file or directory"),
        (OSError(errno.ENOSPC, "No space left on device", "p/x.png"), 2,
         "can't write p/x.png: No space left on device"),
        (unnamed(), 2, "can't use a file: Input/output error"),
        (OSError("truncated HDF5"), 2, "truncated HDF5"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), 2,
         "what is asked for is too large for the memory"),
        (MemoryError(), 2, "what is asked for is too large for the memory"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), 2,
         "what is asked for is too large for the memory"),
        (torchs_error(), 2, "torch: CUDA error: device-side assert"),
        (RecursionError("maximum recursion depth exceeded"), 2,
         "what is asked for is nested too deeply"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (KeyboardInterrupt("everything is in p"), 130, "interrupted; everything is in p"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
    ],
    ids=repr,
)  # fmt: skip
def test_an_error_of_the_work_gets_the_same_line_everywhere(
    program: str, error: BaseException, code: int, sentence: str | None,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(WORK[program], fail)
    if sentence is None:  # The name of an option gets dashes where it is one.
        has_data = program in ("toponet-train", "toponet-inspect")
        sentence = ("--" if has_data else "") + str(error)
    assert outcome(program, capsys) == (code, sentence)


@every_command
def test_a_bug_keeps_its_traceback(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyError("not a caller's mistake")

    monkeypatch.setattr(WORK[program], fail)
    with pytest.raises(KeyError, match="not a caller's mistake"):
        COMMANDS[program][0](COMMANDS[program][1])


def run_into_a_closed_pipe(module: str, *arguments: str) -> tuple[int, str]:
    """The exit code and stderr of a command whose reader is gone before it writes."""
    code = f"import sys; from toponet.cli.{module} import main; sys.exit(main())"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], stdout=writer, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    return done.returncode, done.stderr


def test_a_reader_that_leaves_ends_a_command_without_a_word(tmp_path: Path) -> None:
    """As in ``toponet-inspect DATA | head -1``: exit code 128 + SIGPIPE, and nothing on stderr."""
    data = membrane_folder(tmp_path / "data", (40, 36))
    assert run_into_a_closed_pipe("inspect", str(data)) == (141, "")
    for option in ("--help", "--version"):
        code, error = run_into_a_closed_pipe("inspect", option)
        assert code in (0, 141)  # Some versions of argparse leave the error out.
        assert error == ""
