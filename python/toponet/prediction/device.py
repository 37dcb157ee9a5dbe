"""Devices by name."""

from __future__ import annotations

import torch

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str) -> torch.device:
    """The device of that name, one of ``DEVICES``; "auto" is the fastest there is.

    Raises:
        ValueError: If there is none.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(device for device, there in available.items() if there)
    if not available[name]:
        raise ValueError(f"device {name!r} was asked for, but torch finds no {name.upper()} device")
    return torch.device(name)
