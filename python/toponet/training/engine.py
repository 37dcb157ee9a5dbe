"""The device, or the ranks, that a run computes on."""

from __future__ import annotations

import os

import torch
from lightning_fabric import Fabric

from toponet.training.config import TrainConfig


def make_fabric(config: TrainConfig) -> Fabric:
    """Fabric for one device, or for this rank of those that ``torchrun`` started.

    Raises:
        ValueError: If there is no such device, it doesn't know the precision, or the ranks can't
            share out a batch evenly.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available.get(config.device, True):
        raise ValueError(
            f"device {config.device!r} was asked for, but torch finds no "
            f"{config.device.upper()} device"
        )
    cuda = config.device in ("auto", "cuda") and available["cuda"]
    if config.precision == "16-mixed" and not cuda:
        raise ValueError("precision '16-mixed' needs a CUDA device; use 'bf16-mixed' on the CPU")
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    here = int(os.environ.get("LOCAL_WORLD_SIZE", ranks))
    if config.batch_size % (ranks * config.accumulate):
        raise ValueError(
            f"batch_size must be a multiple of accumulate x ranks = {config.accumulate} x {ranks}, "
            f"got {config.batch_size}"
        )
    fabric = Fabric(
        accelerator=config.device,
        devices=here if ranks > 1 else 1,
        num_nodes=ranks // here,
        strategy="ddp" if ranks > 1 else "auto",
        precision=config.precision,  # type: ignore[arg-type]
    )
    if ranks > 1:
        fabric.launch()
    return fabric
