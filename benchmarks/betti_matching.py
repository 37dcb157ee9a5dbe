"""Betti matching beside topolosses': the loss of a batch of patches, and the error of two masks.

    python benchmarks/betti_matching.py [--rounds 30]

One thread. What the two compute is compared before it is timed; they take turns. topolosses has
other partners where the image of a feature lives for no time, so values of grey images differ a
little; errors of smooth masks are equal.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import maps
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.ndimage import gaussian_filter
from timing import interleaved, machine

import toponet
from toponet._ground.validation import limited_threads
from toponet.metrics import betti_matching_error

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from betti_matching_peer import betti_matching_loss

Calls = Mapping[str, Callable[[], Any]]
OURS, THEIRS = "ours", "topolosses"


def loss_calls(peer: Any, patches: int, size: int) -> Calls:
    """Forward and backward of a batch of network-like patches, 4-connected and without a frame."""
    likelihood, truth = (torch.from_numpy(x)[:, None] for x in maps.network_like(patches, size))
    ours = toponet.TopologicalLoss(matching="betti", connectivity=4, frame=False, num_threads=1)
    framed = toponet.TopologicalLoss(matching="betti", num_threads=1)
    theirs = peer.BettiMatchingLoss(use_base_loss=False, alpha=1.0, include_background=True)

    def call(loss: Callable[..., Any]) -> Callable[[], float]:
        def forward_and_backward() -> float:
            f = likelihood.clone().requires_grad_()
            value = loss(f, truth)
            value.backward()
            return float(value.detach())

        return forward_and_backward

    calls = {OURS: call(ours), "ours, defaults": call(framed), THEIRS: call(theirs)}
    # Ours counts what never dies, and theirs has more partners.
    ratio = calls[THEIRS]() / calls[OURS]()
    if not 1.7 < ratio < 2.1:
        raise RuntimeError(f"the losses must have a ratio of about 2, got {ratio:.3f}")
    return calls


def error_calls(peer: Any, size: int) -> Calls:
    """The error of two smooth masks that have much in common."""
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(2, size, size)), (0, 3, 3))
    noise[1] = 0.8 * noise[0] + 0.6 * noise[1]
    f, g = noise > 0
    compute = peer.betti_matching.compute_matching

    def ours() -> list[float]:
        return list(betti_matching_error(f, g, convention="betti-matching"))

    def theirs() -> list[float]:
        arrays: list[NDArray[np.float64]] = [1.0 - f, 1.0 - g]
        (result,) = compute(arrays[:1], arrays[1:], include_input2_unmatched_pairs=True)
        errors: list[float] = np.add(
            result.num_unmatched_input1, result.num_unmatched_input2
        ).tolist()
        return errors

    if ours() != theirs():
        raise RuntimeError(f"the errors must be equal, got {ours()} and {theirs()}")
    return {OURS: ours, THEIRS: theirs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    rounds: int = parser.parse_args().rounds
    torch.set_num_threads(1)
    peer = betti_matching_loss()
    console = Console()
    table = Table("work", "candidate", "median", "least", "to topolosses", title=machine())
    for work, calls, unit, scale in (
        ("loss of 16 patches of 65 x 65, a patch", loss_calls(peer, 16, 65), "µs", 1e6 / 16),
        ("error of two masks of 512 x 512", error_calls(peer, 512), "ms", 1e3),
    ):
        times = interleaved(calls, rounds, in_a_row=3)
        for name, timing in times.items():
            ratio = times[THEIRS].least / timing.least
            table.add_row(work, name, f"{timing.median * scale:.4g} {unit}",
                          f"{timing.least * scale:.4g} {unit}", f"1/{ratio:.0f}")  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    with limited_threads(1):
        main()
