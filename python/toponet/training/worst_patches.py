"""The patches of held-out images with the largest topological loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from toponet._ground.valid import taken_for_structure
from toponet.data import ImageSet
from toponet.topology.explanation import Explanation
from toponet.training.config import TrainConfig


@dataclass(frozen=True, eq=False)
class WorstPatch:
    """One patch.

    Attributes:
        image: Name of its image.
        truth: (h, w) uint8, 1 = structure.
        likelihood: (h, w) float32.
        valid: (h, w) uint8, 1 = the pixel counts; None = all do.
        explanation: What the loss does there.
    """

    image: str
    truth: NDArray[np.uint8]
    likelihood: NDArray[np.float32]
    valid: NDArray[np.uint8] | None
    explanation: Explanation

    def to_plain(self) -> dict[str, Any]:
        """For JSON: where it is, what it costs, and how many dots have which fate."""
        explanation = self.explanation
        fates, counts = np.unique(explanation.fates, return_counts=True)
        return {
            "image": self.image,
            "row": int(explanation.corner[0]),
            "column": int(explanation.corner[1]),
            "height": explanation.shape[0],
            "width": explanation.shape[1],
            "loss": explanation.loss,
            "components": explanation.share(0) * explanation.loss,
            "holes": explanation.share(1) * explanation.loss,
            "dots": {str(fate): int(count) for fate, count in zip(fates, counts, strict=True)},
        }


def worst_patches(
    config: TrainConfig,
    data: ImageSet,
    likelihoods: Sequence[NDArray[np.float32]],
    count: int,
    progress: Callable[[int], None] | None = None,
) -> list[WorstPatch]:
    """Returns up to ``count`` patches whose loss is above 0.

    The patch with the largest loss comes first; of equal ones, the one that is found first.

    The topological loss of the run tells what it does in its patches. If it has no critical pixels,
    there are no worst patches: what another loss would do is not what the run did.

    Args:
        config: Of the run.
        data: The images that metrics are counted on.
        likelihoods: Of these images or of the first few, (H, W) each.
        count: Most patches returned.
        progress: Called with the number of images done.

    Cost: about 0.1 s for an image of 512 x 512.
    """
    if config.term.what_it_moves is None:
        return []
    explain = config.term.what_it_moves(config.term_options, config.connectivity, config.patch_size)
    worst: list[WorstPatch] = []
    for k, likelihood in enumerate(likelihoods):
        valid = data.valid[k]
        f, g = (taken_for_structure(pixels, valid) for pixels in (likelihood, data.masks[k]))
        patches = explain(
            torch.from_numpy(f)[None],
            torch.from_numpy(g)[None],
            None if valid is None else torch.from_numpy(valid)[None],
        )
        for patch in patches:
            (row, column), (height, width) = patch.corner, patch.shape
            part = np.s_[row : row + height, column : column + width]
            if patch.loss > 0:
                counted = None if valid is None else valid[part]
                worst.append(WorstPatch(data.names[k], g[part], f[part], counted, patch))
        worst = sorted(worst, key=lambda patch: -patch.explanation.loss)[:count]
        if progress is not None:
            progress(k + 1)
    return worst
