"""Trains a small 3-D U-Net of MONAI on tubes and shells, with and without the topological loss.

    python docs/train_on_volumes.py [--steps 600] [--seed 0] [--out tunnels.png]

The volumes are made on the fly. Both trainings share their first half, cross-entropy alone, and
see the same volumes. A table and a picture show the errors in the numbers of pieces, tunnels and
cavities of volumes that weren't trained on.
"""

from __future__ import annotations

import argparse
import copy
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from monai.networks.nets.unet import UNet
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

import toponet
from toponet.metrics import pixel_accuracy
from toponet.plots.canvas import show_structure

SIDE = 32
HELD_OUT = 12
MEASURED = 10  # Times in the second half.
FEATURES = ("pieces", "tunnels", "cavities")
Course = list[tuple[int, NDArray[np.float64]]]


def tubes_and_shells(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """(count, 1, SIDE, SIDE, SIDE) noisy images and their truths."""
    rng = np.random.default_rng(seed)
    images, truths = [], []
    for _ in range(count):
        first, second = (gaussian_filter(rng.normal(size=(SIDE,) * 3), 4) for _ in range(2))
        first, second = first / first.std(), second / second.std()
        shells = (np.abs(first) < 0.25) & (second > 0)
        tubes = (np.abs(first) < 0.5) & (np.abs(second) < 0.5)
        truth = (shells | tubes).astype(np.float32)
        noise = rng.normal(scale=0.35, size=truth.shape)
        images.append((gaussian_filter(truth, 0.7) + noise).astype(np.float32))
        truths.append(truth)
    return torch.from_numpy(np.stack(images))[:, None], torch.from_numpy(np.stack(truths))[:, None]


def small_network(seed: int) -> nn.Module:
    """Some 30,000 weights."""
    torch.manual_seed(seed)
    network: nn.Module = UNet(3, 1, 1, channels=(8, 16, 32), strides=(2, 2))
    return network


def steps_of(
    network: nn.Module, optimiser: torch.optim.Optimizer, steps: range, topo_weight: float
) -> None:
    """Some training steps; the number of a step decides its volumes."""
    criterion = toponet.TopoNetLoss(topo_weight=topo_weight, matching="wasserstein", spatial_dims=3)
    for step in steps:
        images, truths = tubes_and_shells(2, seed=1_000_000 + step)
        loss = criterion(network(images), truths)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def mask_of(network: nn.Module, images: Tensor) -> NDArray[np.bool_]:
    """(B, SIDE, SIDE, SIDE): where the likelihood is at least 0.5."""
    with torch.no_grad():
        mask: NDArray[np.bool_] = (network(images)[:, 0] >= 0).numpy()
    return mask


def errors(mask: NDArray[np.bool_], truths: Tensor) -> NDArray[np.float64]:
    """(3,) Mean error in the number of pieces, tunnels and cavities of a volume with a frame."""
    numbers = [
        toponet.betti_numbers(volumes, spatial_dims=3, frame=True)
        for volumes in (mask, truths[:, 0].numpy())
    ]
    mean: NDArray[np.float64] = np.abs(numbers[0] - numbers[1]).mean(axis=0)
    return mean


def draw(courses: dict[str, Course], masks: dict[str, NDArray[np.bool_]], path: Path) -> None:
    """A slice of each mask, and the courses of the errors."""
    figure = Figure(figsize=(11, 6.4), layout="constrained")
    above, below = figure.subfigures(2, 1)
    for ax, (name, mask) in zip(above.subplots(1, len(masks)), masks.items(), strict=True):
        show_structure(ax, mask[0, SIDE // 2].astype(float))
        ax.set_title(name)
    for dimension, (ax, feature) in enumerate(zip(below.subplots(1, 3), FEATURES, strict=True)):
        for name, course in courses.items():
            ax.plot([step for step, _ in course], [e[dimension] for _, e in course], label=name)
        ax.set(title=f"error in the number of {feature}", xlabel="step")
        ax.set_ylim(0, 1.05 * ax.get_ylim()[1])
    ax.legend()
    figure.savefig(path, dpi=100, metadata={"Software": None})


def main() -> None:
    """Trains twice, prints the table and draws the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--topo-weight", type=float, default=0.003)
    parser.add_argument("--out", type=Path, default=Path("tunnels.png"))
    arguments = parser.parse_args()
    half = arguments.steps // 2
    images, truths = tubes_and_shells(HELD_OUT, seed=0)

    shared = small_network(arguments.seed)
    optimiser = torch.optim.Adam(shared.parameters(), lr=3e-3)
    parts = np.linspace(half, arguments.steps, MEASURED + 1).astype(int)
    for step in track(range(half), description="cross-entropy, shared"):
        steps_of(shared, optimiser, range(step, step + 1), 0.0)
    begun = errors(mask_of(shared, images), truths)

    table = Table("trained with", "accuracy", *(f"error in {feature}" for feature in FEATURES))
    courses: dict[str, Course] = {}
    masks = {"truth, a slice": truths[:, 0].numpy() > 0}
    for name, weight in (("cross-entropy", 0.0), ("with topology", arguments.topo_weight)):
        network = copy.deepcopy(shared)
        own = torch.optim.Adam(network.parameters(), lr=3e-3)
        own.load_state_dict(copy.deepcopy(optimiser.state_dict()))
        courses[name] = [(half, begun)]
        for first, end in track(list(pairwise(parts)), description=name):
            steps_of(network, own, range(first, end), weight)
            courses[name].append((int(end), errors(mask_of(network, images), truths)))
        masks[name] = mask_of(network, images)
        accuracy = pixel_accuracy(masks[name], masks["truth, a slice"], spatial_dims=3)
        found = courses[name][-1][1]
        table.add_row(name, f"{accuracy:.4f}", *(f"{error:.2f}" for error in found))
    Console().print(table)
    draw(courses, masks, arguments.out)
    Console().print(f"picture: {arguments.out}")


if __name__ == "__main__":
    main()
