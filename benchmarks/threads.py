"""How much faster several threads are: batches of 65 x 65 patches, and single large images.

    python benchmarks/threads.py [--quick]

Ratios of one thread's time to n threads' time in the same run, five calls in a row each, so that
the other cores aren't asleep. One core for each thread at most.
"""

from __future__ import annotations

import argparse

import maps
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from timing import Timing, interleaved, machine

import toponet
from toponet._ground.validation import thread_count

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


def measure(images: NDArray[np.float32], threads: list[int], rounds: int) -> dict[str, Timing]:
    """Times of the persistence of a batch, by number of threads."""
    return interleaved(
        {str(n): lambda n=n: toponet.persistence(images, num_threads=n) for n in threads},  # type: ignore[misc]
        rounds,
        in_a_row=5,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 5 if parser.parse_args().quick else 31
    console = Console()
    console.print(machine(), highlight=False)
    cores = thread_count(None)
    threads = [n for n in (1, 2, 4, 8, 16, 32, 64) if n < cores] + [cores]
    table = Table(title="persistence of network-like maps, speed-up over one thread")
    for column in ("images", "one thread", *(f"{n} threads" for n in threads if n > 1)):
        table.add_column(column, justify="right")
    work = [(count, 65) for count in BATCHES] + [(1, 512), (1, 2048), (1, 4096), (2, 1024)]
    largest = maps.network_like(BATCHES[-1], 65)[0]
    for count, size in track(work, console=console):
        images = largest[:count] if size == 65 else np.array([maps.large(size)] * count)
        times = measure(images, threads, rounds if size == 65 else min(rounds, 15))
        alone = times["1"].median
        table.add_row(
            f"{count} of {size} x {size}",
            f"{1e6 * alone:.0f} µs",
            *(f"{alone / times[str(n)].median:.2f}" for n in threads if n > 1),
        )
    console.print(table)


if __name__ == "__main__":
    main()
