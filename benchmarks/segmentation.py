"""Segmentation by persistence: its time and memory, beside persistence and a marker watershed.

    python benchmarks/segmentation.py [--quick] [--only-large]
    python benchmarks/segmentation.py --largest

One thread but for the table of large images. The watershed is scikit-image's h_minima for markers
and its watershed from there, which gives cells of the same persistence, and no pieces. --largest
measures time and memory of one image of 16384 x 16384 pixels (minutes, and some 16 GB of memory).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import maps
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from skimage.morphology import h_minima
from skimage.segmentation import watershed
from timing import interleaved, machine

import toponet
from toponet._ground.validation import thread_count

KEEP, ADD = 0.5, 0.3
Image = NDArray[np.float32]


def candidates(image: Image) -> dict[str, Callable[[], object]]:
    return {
        "persistence": lambda: toponet.persistence(image, frame=True, num_threads=1),
        "segment": lambda: toponet.segment(image, keep=KEEP, add=ADD, num_threads=1),
        "segment, holes only": lambda: toponet.segment(
            image, keep=KEEP, add=ADD, dims=(1,), num_threads=1
        ),
        "segment, plain cut": lambda: toponet.segment(image, keep=0, add=None, num_threads=1),
    }


def by_watershed(image: Image) -> NDArray[np.int32]:
    markers = np.cumsum(h_minima(image, KEEP).ravel()).reshape(image.shape)
    cells: NDArray[np.int32] = watershed(image, markers, watershed_line=True)
    return cells


def single_images(console: Console, rounds: int) -> None:
    table = Table(title="ms an image, one thread; ratio to persistence")
    for column in ("map", "size", "what", "ms", "ratio"):
        table.add_column(column, justify="left" if column in ("map", "what") else "right")
    for kind, make in maps.KINDS.items():
        for size in (65, 512):
            image = make(1, size)[0][0]
            times = interleaved(candidates(image), rounds, in_a_row=3)
            if size == 512 and kind == "network-like":
                slow = interleaved({"watershed": lambda: by_watershed(image)}, 3)  # noqa: B023
                times |= {"h_minima + watershed": slow["watershed"]}
            base = times["persistence"].median
            for name, timing in times.items():
                table.add_row(kind, str(size), name, f"{1e3 * timing.median:.2f}",
                              f"{timing.median / base:.2f}")  # fmt: skip
    console.print(table)


def large_images(console: Console, sizes: list[int], rounds: int) -> None:
    """Time and memory of one image, by size and threads; all sizes in turn."""
    threads = sorted({1, min(2, thread_count(None)), thread_count(None)})
    images = {size: maps.large(size) for size in sizes}
    calls: dict[str, Callable[[], object]] = {}
    for size, image in images.items():
        for n in threads:
            calls[f"persistence {size} {n}"] = partial(
                toponet.persistence, image, frame=True, num_threads=n
            )
            calls[f"segment {size} {n}"] = partial(toponet.segment, image, num_threads=n)
    times = interleaved(calls, rounds)
    table = Table(
        title="one large image, network-like: ns a pixel; bytes a pixel beyond input and output"
    )
    for column in ("what", "size", *(f"threads: {n}" for n in threads), "speed-up", "bytes"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for what in ("persistence", "segment"):
        for size in sizes:
            seconds = [times[f"{what} {size} {n}"].median for n in threads]
            cost = [f"{1e9 * spent / size**2:.1f}" for spent in seconds]
            memory = f"{bytes_a_pixel(what, size):.0f}"
            table.add_row(what, str(size), *cost, f"{seconds[0] / min(seconds):.2f}", memory)
    console.print(table)


def bytes_a_pixel(what: str, size: int) -> float:
    """Largest memory of a process of its own, less input and output. Linux only."""
    measured = subprocess.run(
        [sys.executable, __file__, "--measure", what, str(size)], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return float(measured.stdout)


def measure_memory(what: str, size: int) -> None:
    image = maps.large(size)
    toponet.segment(image[:16, :16])  # Loads what it needs.
    Path("/proc/self/clear_refs").write_text("5")  # The peak from here on.
    before = kilobytes("VmRSS")
    if what == "segment":
        result = toponet.segment(image)
        output = sum(a.nbytes for a in (result.mask, result.likelihood, result.cells))
    else:
        diagrams = toponet.persistence(image, frame=True)
        output = sum(a.nbytes for a in (diagrams.values, diagrams.pixels, diagrams.dimensions))
    print((1024 * (kilobytes("VmHWM") - before) - output) / size**2)


def kilobytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--only-large", action="store_true", help="the table of large images")
    parser.add_argument("--largest", action="store_true", help="one image of 16384 x 16384")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure_memory(options.measure[0], int(options.measure[1]))
        return
    console = Console()
    console.print(machine(), highlight=False)
    if options.largest:
        large_images(console, [16384], 1)
        return
    if not options.only_large:
        single_images(console, 5 if options.quick else 21)
    large_images(console, [512, 2048, 4096], 3 if options.quick else 7)


if __name__ == "__main__":
    main()
