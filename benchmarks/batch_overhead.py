"""What torch and Python add to the kernel: a batch of several classes, cut into patches.

    python benchmarks/batch_overhead.py [--quick]

16 images with 3 channels of 256 x 256, patches of 65. Time per image and channel of the loss,
forward and backward, beside the kernel's own for the same patches.
"""

from __future__ import annotations

import argparse

import maps
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from timing import interleaved, machine

import toponet
from toponet._ground.boxes import grid_boxes
from toponet.losses.binary_loss import LossOptions, Patches, binary_topological_loss

IMAGES, CHANNELS, SIZE, PATCH = 16, 3, 256, 65


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 5 if parser.parse_args().quick else 31
    console = Console()
    console.print(machine(), highlight=False)
    likelihood, truth = maps.network_like(IMAGES * CHANNELS, SIZE)
    shape = (IMAGES, CHANNELS, SIZE, SIZE)
    f = torch.from_numpy(likelihood).view(shape).requires_grad_()
    g = torch.from_numpy(truth).view(shape).bool()
    boxes = grid_boxes((SIZE, SIZE), PATCH)
    patches = Patches(
        np.tile(boxes, (len(likelihood), 1)),
        np.full(len(boxes) * len(likelihood), 1 / len(boxes)),
        overlap=False,
    )
    masks = truth.astype(bool)
    gradient = np.empty_like(likelihood)
    table = Table(title=f"{shape}, patches of {PATCH}: µs an image and channel")
    for column in ("threads", "kernel", "loss, forward + backward", "ratio"):
        table.add_column(column, justify="right")
    for num_threads in (1, None):
        options = LossOptions(num_threads=num_threads)
        loss = toponet.TopologicalLoss(patch_size=PATCH, reduction="sum", num_threads=num_threads)
        each, _ = binary_topological_loss(likelihood, masks, patches, options, gradient=gradient)
        if not np.isclose(loss(f, g).item(), each.sum(), rtol=1e-4):
            raise AssertionError("the loss differs from the kernel's")

        def step(loss: toponet.TopologicalLoss = loss) -> None:
            f.grad = None
            loss(f, g).backward()

        def kernel(options: LossOptions = options) -> None:
            binary_topological_loss(likelihood, masks, patches, options, gradient=gradient)

        times = interleaved({"kernel": kernel, "loss": step}, rounds)
        own, whole = (1e6 * times[name].median / len(likelihood) for name in ("kernel", "loss"))
        table.add_row(
            "all" if num_threads is None else str(num_threads),
            f"{own:.0f}",
            f"{whole:.0f}",
            f"{whole / own:.2f}",
        )
    console.print(table)


if __name__ == "__main__":
    main()
