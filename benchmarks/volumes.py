"""Persistence of volumes beside cripser and gudhi, threads, and the loss in a training step.

    python benchmarks/volumes.py [--sides 64 128] [--rounds 3]
    python benchmarks/volumes.py --memory 512 [--kind smooth]

One thread, unless it says otherwise. All candidates take turns, on the same float32 volumes,
without a frame. cripser finds critical voxels as well; gudhi doesn't here. Before anything is
timed, the numbers of dots in each dimension are compared.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import maps
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from timing import Timing, interleaved, machine
from torch.nn import functional as F

import toponet

OURS, THREADS = "ours", "ours, 2 threads"
Volume = NDArray[np.float32]


def candidates(volume: Volume) -> dict[str, Callable[[], NDArray[np.int64]]]:
    """Each counts the dots of a volume in dimensions 0, 1 and 2; connectivity 6 for all."""
    import cripser
    import gudhi

    negated = -volume.astype(np.float64)

    def ours() -> NDArray[np.int64]:
        diagrams = toponet.persistence(volume, spatial_dims=3, connectivity=6, num_threads=1)
        return np.bincount(diagrams.dimensions, minlength=3)

    def by_cripser() -> NDArray[np.int64]:
        dots = cripser.computePH(negated, maxdim=2)
        return np.bincount(dots[:, 0].astype(int), minlength=3)

    def by_gudhi() -> NDArray[np.int64]:
        cells = gudhi.CubicalComplex(vertices=negated)
        cells.compute_persistence(homology_coeff_field=2)
        return np.array([len(cells.persistence_intervals_in_dimension(d)) for d in range(3)])

    return {OURS: ours, "cripser": by_cripser, "gudhi": by_gudhi}


def compare(volume: Volume, rounds: int) -> dict[str, Timing]:
    """Times of one volume. gudhi, which is slowest, is called three times at most."""
    calls = candidates(volume)
    counts = {name: call().tolist() for name, call in calls.items()}
    if len({tuple(count) for count in counts.values()}) > 1:
        raise RuntimeError(f"the candidates must find the same dots, got {counts}")
    return interleaved(calls, rounds, least_seconds=2.0)


def threads(volumes: Volume, rounds: int) -> float:
    """How much faster two threads do a batch than one."""
    times = interleaved(
        {
            name: lambda count=count: toponet.persistence(  # type: ignore[misc]
                volumes, spatial_dims=3, num_threads=count
            )
            for name, count in ((OURS, 1), (THREADS, 2))
        },
        rounds,
    )
    return times[OURS].least / times[THREADS].least


def training_step(side: int, rounds: int) -> tuple[Timing, Timing, Timing]:
    """A step of a small 3-D U-Net on two volumes: without the loss, with it, and the loss alone."""
    from monai.networks.nets.unet import UNet

    torch.manual_seed(0)
    network = UNet(3, 1, 1, (8, 16, 32, 64), (2, 2, 2), num_res_units=1)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    likelihood, truth = (torch.from_numpy(x)[:, None] for x in maps.network_like_volumes(2, side))
    images = torch.logit(likelihood.clamp(0.001, 0.999))
    criterion = toponet.TopologicalLoss(spatial_dims=3, num_threads=1)

    def step(topology: bool) -> None:
        logits = network(images)
        loss = F.binary_cross_entropy_with_logits(logits, truth)
        if topology:
            loss = loss + 0.01 * criterion(logits.sigmoid(), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    def alone() -> None:
        f = likelihood.clone().requires_grad_()
        criterion(f, truth).backward()

    calls = {"without": lambda: step(False), "with": lambda: step(True), "alone": alone}
    times = interleaved(calls, rounds)
    return times["without"], times["with"], times["alone"]


def peak_memory() -> int:
    """The most bytes that the process has held."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def print_memory(kind: str, side: int) -> None:
    """Time and memory of one volume in a process that computes nothing else."""
    volume = maps.VOLUME_KINDS[kind](1, side)[0][0]
    Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak begins anew.
    before = peak_memory()
    began = time.process_time()
    dots = toponet.persistence(volume, spatial_dims=3, num_threads=1).dimensions
    seconds = time.process_time() - began
    bytes_a_voxel = (peak_memory() - before) / side**3
    print(f"{kind}, {side}³: {seconds:.1f} s, {bytes_a_voxel:.1f} bytes a voxel beside "
          f"the volume, {np.bincount(dots, minlength=3).tolist()} dots")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, metavar="SIDE", help="measure this alone")
    parser.add_argument("--kind", choices=tuple(maps.VOLUME_KINDS), default="smooth")
    arguments = parser.parse_args()
    if arguments.memory:
        print_memory(arguments.kind, arguments.memory)
        return
    torch.set_num_threads(1)
    console = Console()
    table = Table("volumes", "side", "candidate", "least", "ns a voxel", "to ours", title=machine())
    for kind, make in maps.VOLUME_KINDS.items():
        for side in arguments.sides:
            times = compare(make(1, side)[0][0], arguments.rounds)
            for name, timing in times.items():
                table.add_row(kind, str(side), name, f"{timing.least * 1e3:.4g} ms",
                              f"{timing.least / side**3 * 1e9:.0f}",
                              f"{timing.least / times[OURS].least:.1f}")  # fmt: skip
    console.print(table)
    batch = maps.network_like_volumes(8, 64)[0]
    console.print(f"8 volumes of 64³, two threads: {threads(batch, arguments.rounds):.2f} times")
    without, both, alone = training_step(64, arguments.rounds)
    console.print(
        f"step of a 3-D U-Net on two volumes of 64³: {without.least * 1e3:.0f} ms without the "
        f"loss, {both.least * 1e3:.0f} ms with it; the loss alone {alone.least * 1e3:.0f} ms "
        f"({alone.least / both.least:.1%})"
    )


if __name__ == "__main__":
    main()
