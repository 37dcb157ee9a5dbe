"""Share of a training step that the topological loss takes: DIVE, and MONAI's U-Net if installed.

    python benchmarks/training_overhead.py [--device cuda] [--batch-size 16]

A step is: draw patches, forward, losses, backward, optimiser; its twin has cross-entropy alone, and
the two are interleaved. The share is the time of the topological loss itself (forward and backward,
on the network's own answer) over that of the whole step. The network is trained for some steps
first: the answer of one that has learnt nothing has another topology.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from collections.abc import Callable

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from timing import interleaved, machine
from torch import nn
from torch.nn import functional as F

import toponet
from toponet.data import Normalisation, PatchSampler, synthetic_membranes
from toponet.models import DIVE


def networks() -> dict[str, tuple[nn.Module, int]]:
    """Each with the margin that it needs around a patch."""
    found: dict[str, tuple[nn.Module, int]] = {"DIVE": (DIVE(), DIVE.margin)}
    if importlib.util.find_spec("monai") is not None:
        unet = importlib.import_module("monai.networks.nets").UNet
        network = unet(
            spatial_dims=2, in_channels=1, out_channels=1, channels=(16, 32, 64, 128),
            strides=(2, 2, 2), num_res_units=2,
        )  # fmt: skip
        found["U-Net"] = (network, 0)
    return found


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
    data = synthetic_membranes(4)
    normalisation = Normalisation.of(data.images)
    for name, (network, margin) in networks().items():
        size = 65 if margin else 64  # MONAI's U-Net halves three times.
        network = network.to(options.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
        sampler = PatchSampler(data, normalisation, size, margin)
        criterion = toponet.TopologicalLoss()

        def step(topology: bool) -> Callable[[], None]:
            def call() -> None:
                batch = sampler.batch(options.batch_size)  # noqa: B023
                images, truths = batch.images.to(options.device), batch.truths.to(options.device)
                logits = network(images)  # noqa: B023
                loss = F.binary_cross_entropy_with_logits(logits, truths)
                if topology:
                    loss = loss + 0.05 * criterion(logits.sigmoid(), truths)  # noqa: B023
                optimiser.zero_grad()  # noqa: B023
                loss.backward()
                optimiser.step()  # noqa: B023
                if options.device == "cuda":
                    torch.cuda.synchronize()

            return call

        for _ in track(range(options.warm_up), f"{name}: training", console=console):
            step(False)()
        batch = sampler.batch(options.batch_size)
        images, truths = batch.images.to(options.device), batch.truths.to(options.device)
        likelihood = network(images).sigmoid().detach().requires_grad_()
        times = interleaved(
            {
                "without": step(False),
                "with": step(True),
                "loss": lambda f=likelihood, g=truths: criterion(f, g).backward(),  # type: ignore[misc] # noqa: B023
            },
            options.rounds,
        )
        table.add_row(
            name,
            f"{size} x {size}",
            f"{1e3 * times['without'].median:.1f} ms",
            f"{1e3 * times['with'].median:.1f} ms",
            f"{1e3 * times['loss'].median:.2f} ms",
            f"{100 * times['loss'].median / times['with'].median:.2f} %",
        )
    console.print(table)


if __name__ == "__main__":
    main()
