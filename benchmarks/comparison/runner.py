"""Makes the runs, each by the command line in a process of its own; finished ones are kept."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
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
    """All runs of the chains, one at a time on each device; what went wrong.

    A run begins as soon as its twin has ended and a device is free. If its twin failed, it doesn't
    begin; no other failure stops it. Any other error, and an interruption, stops everything: what
    goes on saves its state first.

    Args:
        chains: Runs, each with its twin in the same chain.
        devices: "cpu", or numbers of CUDA devices.
        finished: Called after each run, from several threads, with whether it was made just now.
    """
    free: Queue[str] = Queue()
    for device in devices:
        free.put(device)
    trainings = Trainings()

    def work(run: Run) -> str | None:
        with _taken(free) as device:
            environment = dict(os.environ)
            if device != "cpu":
                environment["CUDA_VISIBLE_DEVICES"] = device
            return _problem_of(run, environment, trainings, finished)

    with ThreadPoolExecutor(len(devices)) as pool:
        going_on = {
            pool.submit(work, run): _twins_of(run, chain)
            for chain in chains
            for run in chain
            if run.variant.twin is None
        }
        problems: list[str] = []
        try:
            while going_on:
                done, _ = wait(going_on, return_when=FIRST_COMPLETED)
                for job in done:
                    twins = going_on.pop(job)
                    if problem := job.result():
                        problems.append(problem)
                    else:
                        going_on.update({pool.submit(work, twin): [] for twin in twins})
        except BaseException:
            trainings.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return problems


def _twins_of(run: Run, chain: Sequence[Run]) -> list[Run]:
    """Those that start within the run."""
    return [other for other in chain if other.variant.twin == run.variant.name]


def _problem_of(
    run: Run,
    environment: dict[str, str],
    trainings: Trainings,
    finished: Callable[[Run, bool], None],
) -> str | None:
    if trainings.stopped:
        return None
    try:
        finished(run, finish(run, environment, trainings))
    except (RunFailedError, ValueError, OSError) as error:
        return str(error)
    except BaseException:
        trainings.stop()
        raise
    return None


@contextmanager
def _taken(free: Queue[str]) -> Iterator[str]:
    """A device that no other chain has."""
    device = free.get()
    try:
        yield device
    finally:
        free.put(device)
