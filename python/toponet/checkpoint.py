"""Checkpoints: written whole or not at all, loaded without running code from them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from toponet.reading import check_regular
from toponet.writing import written_whole

FORMAT = 1
REQUIRED = {"epoch", "model", "optimiser", "state", "normalisation", "metrics", "config"}


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """``path`` is always a whole checkpoint: this one, or the one before.

    Raises:
        OSError: If it can't be written; the file is named.
    """
    # Of a full disk torch makes a RuntimeError about its own source, so it writes to memory.
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **content}, buffer)
    with written_whole(path) as file:
        file.write(buffer.getbuffer())


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Tensors and plain values only (``weights_only=True``), on the CPU.

    Raises:
        ValueError: If the file isn't a checkpoint of this package; it is named.
    """
    if not path.exists():
        raise ValueError(f"{path} does not exist; expected a checkpoint")
    check_regular(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # Whatever a file that isn't one makes of torch's reader.
        content = None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{path} is not a checkpoint of toponet-train (format {FORMAT})")
    missing = sorted(REQUIRED - set(content))
    if missing:
        raise ValueError(f"{path} is not a whole checkpoint: it lacks {', '.join(missing)}")
    if not isinstance(content["epoch"], int) or content["epoch"] < 0:
        raise ValueError(f"{path} has epoch {content['epoch']!r}; expected at least 0")
    return content


def restore_network(path: Path, content: dict[str, Any], network: nn.Module) -> None:
    """Loads the weights.

    Raises:
        ValueError: If they belong to another network; the file is named.
    """
    _load(path, content["model"], network)


def restore_optimiser(path: Path, content: dict[str, Any], optimiser: Optimizer) -> None:
    """Loads the optimiser's state.

    Raises:
        ValueError: If it belongs to another network; the file is named.
    """
    _load(path, content["optimiser"], optimiser)


def _load(path: Path, state: dict[str, Any], into: nn.Module | Optimizer) -> None:
    try:
        into.load_state_dict(state)
    except (RuntimeError, KeyError, ValueError, TypeError, AttributeError):
        raise ValueError(f"{path} holds the weights of another network") from None
