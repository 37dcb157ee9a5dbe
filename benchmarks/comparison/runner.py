"""Makes the runs, each by the command line in a process of its own; finished ones are kept."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Queue

import yaml

from comparison.plan import Run
from comparison.results import check_folder
from comparison.training import Training


class RunFailedError(RuntimeError):
    """A training ended with an error."""


class Trainings:
    """The trainings that go on at the moment; once stopped, none begins any more."""

    def __init__(self) -> None:
        """None yet."""
        self._lock = threading.Lock()
        self._going_on: set[Training] = set()
        self.stopped = False

    def run(self, arguments: Sequence[str], environment: dict[str, str]) -> tuple[int, str]:
        """Exit code and stderr of a training.

        Raises:
            RunFailedError: If all were stopped.
        """
        with self._lock:
            if self.stopped:
                raise RunFailedError("stopped before it began")
            training = Training(arguments, environment)
            self._going_on.add(training)
        try:
            return training.wait()
        finally:
            with self._lock:
                self._going_on.discard(training)

    def stop(self) -> None:
        """Asks all to save their state and end."""
        with self._lock:
            self.stopped = True
            for training in self._going_on:
                training.stop()


def finish(run: Run, environment: dict[str, str], trainings: Trainings) -> bool:
    """Begins the run, or goes on with it; whether there was something to do.

    Raises:
        RunFailedError: With the last line that the command said.
        ValueError: If the folder holds another run.
    """
    if run.folder.exists():
        check_folder(run)
    if (run.folder / "report.json").exists():
        return False
    if (run.folder / "checkpoints" / "last.ckpt").exists():
        arguments = ["--resume", str(run.folder)]
    else:
        options = run.folder.with_suffix(".yaml")
        options.parent.mkdir(parents=True, exist_ok=True)
        options.write_text(yaml.safe_dump(run.config.to_plain(), sort_keys=False))
        arguments = ["--config", str(options)]
    code, said = trainings.run(arguments, environment)
    if code:
        last = (said.strip().splitlines() or ["no message"])[-1]
        raise RunFailedError(f"{run.folder}: {last}")
    return True


def run_chains(
    chains: Sequence[Sequence[Run]], devices: Sequence[str], finished: Callable[[Run, bool], None]
) -> list[str]:
    """All chains, one at a time on each device; what went wrong.

    A run that fails doesn't stop the others of its chain, but for those that start within it. Any
    other error, and an interruption, stops everything: what goes on saves its state first.

    Args:
        chains: Runs that need those before them.
        devices: "cpu", or numbers of CUDA devices.
        finished: Called after each run, from several threads, with whether it was made just now.
    """
    free: Queue[str] = Queue()
    for device in devices:
        free.put(device)
    trainings = Trainings()

    def work(chain: Sequence[Run]) -> list[str]:
        with _taken(free) as device:
            environment = dict(os.environ)
            if device != "cpu":
                environment["CUDA_VISIBLE_DEVICES"] = device
            try:
                return _run_chain(chain, environment, trainings, finished)
            except BaseException:
                trainings.stop()
                raise

    with ThreadPoolExecutor(len(devices)) as pool:
        jobs = [pool.submit(work, chain) for chain in chains]
        try:
            return [problem for job in jobs for problem in job.result()]
        except BaseException:
            trainings.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _run_chain(
    chain: Sequence[Run],
    environment: dict[str, str],
    trainings: Trainings,
    finished: Callable[[Run, bool], None],
) -> list[str]:
    problems, failed = [], set()
    for run in chain:
        if trainings.stopped:
            break
        if run.variant.twin in failed:
            continue
        try:
            finished(run, finish(run, environment, trainings))
        except (RunFailedError, ValueError, OSError) as error:
            problems.append(str(error))
            failed.add(run.variant.name)
    return problems


@contextmanager
def _taken(free: Queue[str]) -> Iterator[str]:
    """A device that no other chain has."""
    device = free.get()
    try:
        yield device
    finally:
        free.put(device)
