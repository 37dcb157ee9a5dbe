"""Share of a training step that the topological loss takes: DIVE and the U-Net.

    python benchmarks/training_overhead.py [--device cuda] [--batch-size 16]

A step is: draw patches, forward, losses, backward, optimiser; its twin has cross-entropy alone, and
the two are interleaved. The share is the time of the topological loss itself (forward and backward,
on the network's own answer) over that of the whole step. The network is trained for some steps
first: the answer of one that has learnt nothing has another topology.
"""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.progress import track
from rich.table import Table
from timing import interleaved, machine
from training_step import NETWORKS, TrainingStep


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--warm-up", type=int, default=40, help="training steps before timing")
    options = parser.parse_args()
    console = Console()
    console.print(machine(), highlight=False)
    table = Table(title=f"one training step, {options.batch_size} patches, {options.device}")
    for column in ("network", "patch", "cross-entropy alone", "with topology", "loss itself",
                   "its share"):  # fmt: skip
        table.add_column(column, justify="right")
    for name in NETWORKS:
        step = TrainingStep(name, options.batch_size, options.device)
        for _ in track(range(options.warm_up), f"{name}: training", console=console):
            step.call(topology=False)
        times = interleaved(
            {
                "without": lambda s=step: s.call(topology=False),  # type: ignore[misc]
                "with": lambda s=step: s.call(topology=True),  # type: ignore[misc]
                "loss": step.topological_loss(),
            },
            options.rounds,
        )
        table.add_row(
            name,
            f"{step.patch_size} x {step.patch_size}",
            f"{1e3 * times['without'].median:.1f} ms",
            f"{1e3 * times['with'].median:.1f} ms",
            f"{1e3 * times['loss'].median:.2f} ms",
            f"{100 * times['loss'].median / times['with'].median:.2f} %",
        )
    console.print(table)


if __name__ == "__main__":
    main()
