"""One training in a run folder at a time: tested with two real processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest
import tables
import yaml
from comparison.plan import BUDGETS

from data_layouts import membrane_folder
from toponet.cli import train as cli
from toponet.training.run_lock import FILE_NAME, RunLock

TRAIN = [sys.executable, "-c", "import sys; from toponet.cli.train import main; sys.exit(main())"]
# An epoch that doesn't end while a test looks on.
LONG = [
    "--epochs=2", "--iterations-per-epoch=100000", "--batch-size=1", "--patch-size=17",
    "--device=cpu", "--metric-patches=2", "--num-threads=1",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three small images on disk."""
    return membrane_folder(tmp_path / "data", (40, 36))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed in its first epoch, for copies; its data lie beside it."""
    parent = tmp_path_factory.mktemp("killed")
    data, out = membrane_folder(parent / "data", (40, 36)), parent / "run"
    with training([f"--data={data}", f"--out={out}", *LONG], out):
        pass
    return out


@contextmanager
def training(arguments: list[str], out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is in its first epoch."""
    before = began(out)
    process = subprocess.Popen([*TRAIN, *arguments], stdout=subprocess.DEVNULL)
    try:
        wait_until_begun(out, before, process)
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


def began(out: Path) -> int | None:
    """Changes when a process has the folder and begins to train in it."""
    metrics = out / "metrics.csv"
    return metrics.stat().st_mtime_ns if metrics.exists() else None


def wait_until_begun(out: Path, before: int | None, process: subprocess.Popen[bytes]) -> None:
    """Without a try at the lock, which would be in the process's way."""
    end = time.monotonic() + 120
    while began(out) == before or not (out / "checkpoints" / "last.ckpt").exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)


def locked(out: Path) -> bool:
    try:
        RunLock(out).release()
    except ValueError:
        return True
    return False


def complaint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.slow
def test_a_run_that_is_being_trained_is_nobody_elses(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not for --resume, not for a new training, until its process is dead; then at once."""
    out = tmp_path / "run"
    begin = [f"--data={folder}", f"--out={out}", *LONG]
    resume = ["--resume", str(out)]
    with training(begin, out) as first:
        before = contents(out)
        assert f"{out} is being trained by another process" in complaint(resume, capsys)
        assert f"{out} exists already" in complaint(begin, capsys)
        assert contents(out) == before
        first.kill()  # Without a chance to tidy up.
        first.wait()
        assert (out / FILE_NAME).exists()
    with training(resume, out):
        assert "is being trained by another process" in complaint(resume, capsys)
    assert not locked(out)


@pytest.mark.slow
def test_of_two_that_go_on_at_once_one_does(killed: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(killed, tmp_path / "run"))
    two = [
        subprocess.Popen(
            [*TRAIN, "--resume", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    try:
        end = time.monotonic() + 120
        while all(process.poll() is None for process in two):
            assert time.monotonic() < end
            time.sleep(0.02)
        (refused,) = (process for process in two if process.poll() is not None)
        assert refused.returncode == 2
        assert refused.stderr is not None
        assert b"is being trained by another process" in refused.stderr.read()
    finally:
        for process in two:
            process.kill()
            process.communicate()


def test_a_lock_ends_with_its_owner_and_can_be_taken_again(tmp_path: Path) -> None:
    first = RunLock(tmp_path)
    with pytest.raises(ValueError, match="is being trained by another process"):
        RunLock(tmp_path)
    first.release()
    first.release()
    RunLock(tmp_path).release()


def test_a_lock_may_be_given_back_by_another_thread(tmp_path: Path) -> None:
    """A trainer may be made in one thread and used in another."""
    lock = RunLock(tmp_path)
    other = Thread(target=lock.release)
    other.start()
    other.join()
    RunLock(tmp_path).release()


@pytest.mark.slow
def test_a_training_that_could_not_go_on_locks_nobody_out(
    killed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(shutil.copytree(killed, tmp_path / "run"))
    data = killed.with_name("data")
    moved = data.rename(tmp_path / "elsewhere")
    assert "is not a folder" in complaint(["--resume", str(out)], capsys)
    assert not locked(out)
    moved.rename(data)


@pytest.mark.slow
def test_the_comparison_leaves_a_run_alone_that_is_being_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = tables_arguments(tmp_path)
    monkeypatch.setitem(BUDGETS, "minutes", {"unet": (2, 100_000)})
    (chain,) = tables.make_chains(tables.parse(arguments))
    run = chain[0]
    options = tmp_path / "config.yaml"
    options.write_text(yaml.safe_dump(run.config.to_plain()))
    with training([f"--config={options}"], run.folder):
        before = contents(run.folder)
        assert tables.main(arguments) == 2  # No run is kept, so there is no table either.
        assert f"{run.folder} is being trained by another process" in capsys.readouterr().err
        assert contents(run.folder) == before


def tables_arguments(tmp_path: Path) -> list[str]:
    return ["--variants", "unet", "--folds", "0", "--seeds", "0",
            "--out", str(tmp_path / "runs"), "--results", str(tmp_path / "kept")]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_comparison_that_is_killed_takes_its_trainings_with_it(
    number: signal.Signals, tmp_path: Path
) -> None:
    """Its training ends as by SIGTERM, so that its state is saved."""
    code = (
        # Shells let what runs in the background ignore the signal.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "import sys; import tables; from comparison.plan import BUDGETS; "
        "BUDGETS['minutes'] = {'unet': (2, 100_000)}; sys.exit(tables.main(sys.argv[1:]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(tables.__file__).parent)}
    arguments = tables_arguments(tmp_path)
    (chain,) = tables.make_chains(tables.parse(arguments))
    out = chain[0].folder
    parent = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until_begun(out, None, parent)
        parent.send_signal(number)
        parent.wait(60)
        end = time.monotonic() + 60
        while locked(out):
            assert time.monotonic() < end
            time.sleep(0.02)
    finally:
        parent.kill()
        parent.wait()
