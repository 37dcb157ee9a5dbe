"""What a run has to remember to go on as if it had never stopped."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import torch

Row = dict[str, float]


@dataclass
class EpochSums:
    """Sums over the steps of one epoch.

    Attributes:
        steps: Steps done.
        looks: Of these, steps in which the topological loss was computed.
        losses: Sums over all steps: cross-entropy, and what was minimised.
        bce: Cross-entropy over the looks; for the progress bar.
        topo: Topological loss over the looks.
        norms: Norms of the gradients of cross-entropy and topological loss, over the looks.
        topo_seconds: Time that the topological loss took.
        seconds: Time that the steps took.
    """

    steps: int = 0
    looks: int = 0
    losses: list[float] = field(default_factory=lambda: [0.0, 0.0])
    bce: float = 0.0
    topo: float = 0.0
    norms: list[float] = field(default_factory=lambda: [0.0, 0.0])
    topo_seconds: float = 0.0
    seconds: float = 0.0

    def to_row(self) -> Row:
        """Means, by the names of metrics.csv."""
        bce, total = (loss / self.steps for loss in self.losses)
        return {
            "bce": bce,
            "topo": self.topo / self.looks,
            "total": total,
            "gradient_ratio": self.norms[1] / self.norms[0] if self.norms[0] else 0.0,
            "topo_seconds": self.topo_seconds,
            "topo_share": self.topo_seconds / self.seconds if self.seconds else 0.0,
            "seconds": self.seconds,
        }


@dataclass
class TrainingState:
    """Where a run stands; plain values only, so that a checkpoint can hold it.

    Attributes:
        epoch: Whole epochs done.
        sums: Of the epoch that was begun after them.
        rows: One row of metrics for each epoch of this run.
        best: Best value so far of the metric that best.ckpt goes by.
        before: Metrics at the end of the cross-entropy phase.
        topo_weight: The weight in use; None as long as it isn't chosen.
        random_state: Torch's generator on the CPU.
    """

    epoch: int = 0
    sums: EpochSums = field(default_factory=EpochSums)
    rows: list[Row] = field(default_factory=list)
    best: float | None = None
    before: Row | None = None
    topo_weight: float | None = None
    random_state: torch.Tensor | None = None

    def to_plain(self) -> dict[str, Any]:
        """For a checkpoint; torch's generator as it is now."""
        return {**asdict(self), "random_state": torch.get_rng_state()}

    @classmethod
    def from_plain(cls, plain: Any) -> TrainingState:
        """Of a checkpoint.

        Raises:
            ValueError: If it is no such state.
        """
        try:
            return cls(**{**plain, "sums": EpochSums(**plain["sums"])})
        except (TypeError, KeyError):
            raise ValueError("expected the state of a training run") from None
