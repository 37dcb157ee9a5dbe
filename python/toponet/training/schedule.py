"""How learning rate and topological weight go over the epochs."""

from __future__ import annotations

import math

LR_SCHEDULES = ("cosine", "constant")


def lr_factor(schedule: str, epoch: int, epochs: int) -> float:
    """Factor of the learning rate: 1, or half a cosine from 1 in the first epoch to near 0."""
    if schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (epoch - 1) / epochs))


def topo_factor(epoch: int, start_epoch: int, ramp_epochs: int) -> float:
    """Factor of the topological weight: 0 before its start, then a line that reaches 1.

    With ``ramp_epochs`` = r the r epochs from the start on have 1 / (r + 1), 2 / (r + 1), ...
    """
    if epoch < start_epoch:
        return 0.0
    return min(1.0, (epoch - start_epoch + 1) / (ramp_epochs + 1))
