"""What a run has to remember to go on as if it had never stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import torch

from toponet._ground.validation import check_number, check_whole
from toponet.evaluation.protocol import FURTHER_METRICS
from toponet.training.evaluation import TRAINING_METRICS

Row = dict[str, float]

# Of metrics.csv, in this order; bce is the base loss, whatever its name.
COLUMNS = (
    "epoch", "bce", "topo", "total", *TRAINING_METRICS,
    "lr", "topo_weight", "gradient_ratio", "topo_share", "topo_seconds", "seconds",
    *FURTHER_METRICS,
)  # fmt: skip


@dataclass
class EpochSums:
    """Sums over the steps of one epoch.

    Attributes:
        steps: Steps done.
        looks: Of these, steps in which the topological loss was computed.
        losses: Sums over all steps: base loss, and what was minimised.
        bce: Base loss over the looks; for the progress bar.
        topo: Topological loss over the looks.
        norms: Norms of the gradients of base loss and topological loss, over the looks.
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

    def add_look(self, values: Sequence[float], seconds: float) -> None:
        """Adds base loss, topological loss and the norms of their gradients, and their time."""
        bce, topo, *norms = values
        self.topo_seconds += seconds
        self.bce += bce
        self.topo += topo
        self.norms = [a + b for a, b in zip(self.norms, norms, strict=True)]

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
        before: Metrics at the end of the phase with the base loss alone.
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
        """Of a checkpoint, whose every part is checked.

        Raises:
            TypeError: If a part is of another kind.
            ValueError: If a part is missing, unknown or out of range; it is named.
        """
        _check_names("state", plain, cls)
        _check_names("state: sums", plain["sums"], EpochSums)
        state = cls(**{**plain, "sums": EpochSums(**plain["sums"])})
        check_whole("state: epoch", state.epoch, least=0)
        _check_sums(state.sums)
        _check_rows(state)
        if state.best is not None:
            check_number("state: best", state.best)
        if state.before is not None:
            check_row("state: before", state.before, TRAINING_METRICS)
        if state.topo_weight is not None:
            check_number("state: topo_weight", state.topo_weight, least=0)
        _check_random_state(state.random_state)
        return state


def check_row(name: str, row: Any, columns: Sequence[str]) -> None:
    """Raises TypeError or ValueError unless a finite number by the name of each column.

    Metrics that runs of older versions lack may be missing, and may be there beside the columns.
    """
    if not isinstance(row, dict):
        raise TypeError(f"{name} must hold numbers by name, got {row!r:.60}")
    if set(row) - set(FURTHER_METRICS) != set(columns) - set(FURTHER_METRICS):
        raise ValueError(f"{name} must hold {', '.join(columns)}, got {', '.join(map(str, row))}")
    for column, value in row.items():
        check_number(f"{name}: {column}", value)


def _check_names(name: str, plain: Any, kind: type[TrainingState] | type[EpochSums]) -> None:
    expected = {part.name for part in fields(kind)}
    if not isinstance(plain, dict) or set(plain) != expected:
        found = ", ".join(map(str, plain)) if isinstance(plain, dict) else f"{plain!r:.60}"
        raise ValueError(f"{name} must hold {', '.join(sorted(expected))}, got {found}")


def _check_sums(sums: EpochSums) -> None:
    for count in ("steps", "looks"):
        check_whole(f"state: sums: {count}", getattr(sums, count), least=0)
    if sums.looks > sums.steps:
        raise ValueError(f"state: sums: looks must be at most {sums.steps}, got {sums.looks}")
    for pair in ("losses", "norms"):
        values = getattr(sums, pair)
        if not isinstance(values, list) or len(values) != 2:
            raise ValueError(f"state: sums: {pair} must hold two numbers, got {values!r:.60}")
        for value in values:
            check_number(f"state: sums: {pair}", value)
    for number in ("bce", "topo"):
        check_number(f"state: sums: {number}", getattr(sums, number))
    for time in ("topo_seconds", "seconds"):
        check_number(f"state: sums: {time}", getattr(sums, time), least=0)


def _check_rows(state: TrainingState) -> None:
    """One for each epoch of this run, the last of which is the state's."""
    if not isinstance(state.rows, list):
        raise TypeError(f"state: rows must be a list, got {state.rows!r:.60}")
    first = state.epoch - len(state.rows) + 1
    for epoch, row in enumerate(state.rows, start=first):
        check_row(f"state: rows: {epoch}", row, COLUMNS)
        if row["epoch"] != epoch or epoch < 1:
            raise ValueError(
                f"state: rows must be those of epochs up to {state.epoch}, got epoch "
                f"{row['epoch']!r} in the place of {epoch}"
            )
    if state.rows and state.best is None:
        raise ValueError("state: best must be a number after the first epoch, got None")


def _check_random_state(random_state: Any) -> None:
    here = torch.get_rng_state()
    if (
        not isinstance(random_state, torch.Tensor)
        or random_state.dtype != here.dtype
        or random_state.shape != here.shape
    ):
        found = (
            f"{random_state.dtype} of shape {tuple(random_state.shape)}"
            if isinstance(random_state, torch.Tensor)
            else f"{random_state!r:.60}"
        )
        raise ValueError(
            f"state: random_state must be {here.dtype} of shape {tuple(here.shape)}, got {found}"
        )
    try:
        torch.Generator().set_state(random_state)
    except RuntimeError:
        raise ValueError("state: random_state must be that of torch's generator") from None
