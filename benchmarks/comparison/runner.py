"""Makes the runs, each by the command line in a process of its own; finished ones are kept."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
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

    A run may begin once its twin has ended. Of the runs that may begin, a free device takes the
    first in the order of the chains. If its twin failed, a run never begins; no other failure stops
    it. Any other error, and an interruption, stops everything: what goes on saves its state first.

    Args:
        chains: Runs, each with its twin in the same chain.
        devices: "cpu", or numbers of CUDA devices.
        finished: Called after each run, from several threads, with whether it was made just now.
    """
    free: Queue[str] = Queue()
    for device in devices:
        free.put(device)
    trainings = Trainings()

    def problem_of(run: Run) -> str | None:
        with _taken(free) as device:
            environment = dict(os.environ)
            if device != "cpu":
                environment["CUDA_VISIBLE_DEVICES"] = device
            try:
                finished(run, finish(run, environment, trainings))
            except (RunFailedError, ValueError, OSError) as error:
                return str(error)
            return None

    waiting = {(k, run.variant.name): run for k, chain in enumerate(chains) for run in chain}
    ended: set[tuple[int, str]] = set()
    going_on: dict[Future[str | None], tuple[int, str]] = {}
    problems: list[str] = []
    with ThreadPoolExecutor(len(devices)) as pool:
        try:
            while True:
                ready = [
                    (k, name)
                    for (k, name), run in waiting.items()
                    if run.variant.twin is None or (k, run.variant.twin) in ended
                ]
                for key in ready[: len(devices) - len(going_on)]:
                    going_on[pool.submit(problem_of, waiting.pop(key))] = key
                if not going_on:
                    return problems
                done, _ = wait(going_on, return_when=FIRST_COMPLETED)
                for job in done:
                    key, problem = going_on.pop(job), job.result()
                    if problem is None:
                        ended.add(key)
                    else:
                        problems.append(problem)
        except BaseException:
            trainings.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


@contextmanager
def _taken(free: Queue[str]) -> Iterator[str]:
    """A device that no other run has."""
    device = free.get()
    try:
        yield device
    finally:
        free.put(device)
