"""What the topological loss is busy with on held-out images: its dots by fate, and their cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

import toponet

PATCH = 65
# By dimension and fate; there is always a target for a dot of holes, since the frame is one.
KINDS = tuple((d, fate) for d in (0, 1) for fate in ("matched", "removed", "missing"))


def kind_name(dimension: int, fate: str) -> str:
    """As records name it: "holes removed"."""
    return f"{('components', 'holes')[dimension]} {fate}"


def mean_fates(
    likelihoods: Sequence[NDArray[np.float32]],
    truths: Sequence[NDArray[np.bool_]],
    connectivity: int,
) -> dict[str, dict[str, float]]:
    """Dots a patch and what they add to its loss, by kind: means over a grid of patches.

    The options are the same whatever a run was trained with, so that runs can be compared: 65 x 65,
    both dimensions, complete matching, with frame.
    """
    loss = toponet.TopologicalLoss(patch_size=PATCH, connectivity=connectivity)
    patches = [
        patch
        for f, g in zip(likelihoods, truths, strict=True)
        for patch in loss.explain(torch.from_numpy(f)[None], torch.from_numpy(g)[None])
    ]
    found = {}
    for dimension, fate in KINDS:
        costs = [p.costs[(p.dimensions == dimension) & (p.fates == fate)].sum() for p in patches]
        found[kind_name(dimension, fate)] = {
            "dots": float(np.mean([p.count(fate, dimension) for p in patches])),
            "cost": float(np.mean(costs)),
        }
    return found
