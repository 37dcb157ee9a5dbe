"""The device, or the ranks, that a run computes on."""

from __future__ import annotations

import os

from lightning_fabric import Fabric

from toponet.prediction.device import choose_device
from toponet.training.config import TrainConfig


def make_fabric(config: TrainConfig) -> Fabric:
    """Fabric for one device, or for this rank of those that ``torchrun`` started.

    Raises:
        ValueError: If there is no such device, it doesn't know the precision, or the ranks can't
            share out a batch evenly.
    """
    device = choose_device(config.device)
    if config.precision == "16-mixed" and device.type != "cuda":
        raise ValueError("precision '16-mixed' needs a CUDA device; use 'bf16-mixed' on the CPU")
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    here = int(os.environ.get("LOCAL_WORLD_SIZE", ranks))
    if config.batch_size % (ranks * config.accumulate):
        raise ValueError(
            f"batch_size must be a multiple of accumulate x ranks = {config.accumulate} x {ranks}, "
            f"got {config.batch_size}"
        )
    fabric = Fabric(
        accelerator=device.type,
        devices=here if ranks > 1 else 1,
        num_nodes=ranks // here,
        strategy="ddp" if ranks > 1 else "auto",
        precision=config.precision,  # type: ignore[arg-type]
    )
    if ranks > 1:
        fabric.launch()
    return fabric
