"""Devices by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from toponet._ground.validation import check_choice, limited_threads

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str) -> torch.device:
    """Returns the device of that name, one of ``DEVICES``; "auto" is the fastest there is.

    Raises:
        ValueError: If the name is unknown, or torch finds no such device.
    """
    import torch  # Here, because the options of a command need the names alone.

    check_choice("device", name, DEVICES)
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


@contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """Lets torch and the kernel use this many CPU threads within the context."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with limited_threads(count):
            yield
    finally:
        torch.set_num_threads(before)
