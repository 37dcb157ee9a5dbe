"""Makes the runs, each by the command line in a process of its own; finished ones are kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Queue

import yaml

from comparison.plan import Run
from comparison.results import check_folder


class RunFailedError(RuntimeError):
    """A training ended with an error."""


def finish(run: Run, environment: dict[str, str]) -> bool:
    """Begins the run, or goes on with it; whether there was something to do.

    Raises:
        RunFailedError: With the last line that the command said.
        ValueError: If the folder holds another run.
    """
    if run.folder.exists():
        check_folder(run)
    if (run.folder / "report.json").exists():
        return False
    command = [
        sys.executable,
        "-c",
        "import sys; from toponet.cli.train import main; sys.exit(main())",
    ]
    if (run.folder / "checkpoints" / "last.ckpt").exists():
        command += ["--resume", str(run.folder)]
    else:
        options = run.folder.with_suffix(".yaml")
        options.parent.mkdir(parents=True, exist_ok=True)
        options.write_text(yaml.safe_dump(run.config.to_plain(), sort_keys=False))
        command += ["--config", str(options)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise RunFailedError(f"{run.folder}: {last}")
    return True


def run_chains(
    chains: Sequence[Sequence[Run]], devices: Sequence[str], finished: Callable[[Run, bool], None]
) -> list[str]:
    """All chains, one at a time on each device; what went wrong.

    A run that fails doesn't stop the others of its chain, but for those that start within it.

    Args:
        chains: Runs that need those before them.
        devices: "cpu", or numbers of CUDA devices.
        finished: Called after each run, from several threads, with whether it was made just now.
    """
    free: Queue[str] = Queue()
    for device in devices:
        free.put(device)

    def work(chain: Sequence[Run]) -> list[str]:
        device = free.get()
        environment = dict(os.environ)
        if device != "cpu":
            environment["CUDA_VISIBLE_DEVICES"] = device
        problems, failed = [], set()
        for run in chain:
            if run.variant.twin in failed:
                continue
            try:
                finished(run, finish(run, environment))
            except (RunFailedError, ValueError, OSError) as error:
                problems.append(str(error))
                failed.add(run.variant.name)
        free.put(device)
        return problems

    with ThreadPoolExecutor(len(devices)) as pool:
        return [problem for problems in pool.map(work, chains) for problem in problems]
