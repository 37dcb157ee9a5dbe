"""Segmentation by persistence: its time and memory, beside persistence and a marker watershed.

    python benchmarks/segmentation.py [--quick] [--large]

One thread but for the last table. The watershed is scikit-image's h_minima for markers and its
watershed from there, which gives cells of the same persistence, and no pieces. --large adds images
of 4096 x 4096 and 16384 x 16384 pixels (minutes, and some 16 GB of memory).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
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


def large_map(size: int) -> Image:
    """Network-like maps of 512 x 512 side by side: made in seconds, whatever the size."""
    tiles = maps.network_like(16, 512)[0]
    order = np.random.default_rng(0).integers(0, 16, (size // 512, size // 512))
    return np.concatenate([np.concatenate(list(tiles[row]), axis=1) for row in order])


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


def large_images(console: Console, sizes: list[int]) -> None:
    threads = sorted({1, min(2, thread_count(None)), thread_count(None)})
    table = Table(
        title="one large image, network-like: ns a pixel, bytes a pixel beyond in and out"
    )
    for column in ("size", *(f"{n} threads" for n in threads), "bytes"):
        table.add_column(column, justify="right")
    for size in sizes:
        image = large_map(size)
        times = interleaved(
            {str(n): lambda n=n: toponet.segment(image, num_threads=n) for n in threads},  # type: ignore[misc] # noqa: B023
            3 if size < 16384 else 1,
        )
        cost = [f"{1e9 * times[str(n)].median / size**2:.1f}" for n in threads]
        table.add_row(str(size), *cost, f"{bytes_a_pixel(size):.0f}")
    console.print(table)


def bytes_a_pixel(size: int) -> float:
    """Largest memory of a process of its own, less input and output. Linux only."""
    measured = subprocess.run(
        [sys.executable, __file__, "--measure", str(size)], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return float(measured.stdout)


def measure_memory(size: int) -> None:
    image = large_map(size)
    toponet.segment(image[:16, :16], num_threads=1)  # Loads what it needs.
    Path("/proc/self/clear_refs").write_text("5")  # The peak from here on.
    before = kilobytes("VmRSS")
    result = toponet.segment(image, num_threads=1)
    output = sum(a.nbytes for a in (result.mask, result.likelihood, result.cells))
    print((1024 * (kilobytes("VmHWM") - before) - output) / size**2)


def kilobytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--large", action="store_true", help="4096 and 16384 pixels a side as well")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure_memory(options.measure)
        return
    console = Console()
    console.print(machine(), highlight=False)
    single_images(console, 5 if options.quick else 21)
    large_images(console, [512, 2048, *((4096, 16384) if options.large else ())])


if __name__ == "__main__":
    main()
