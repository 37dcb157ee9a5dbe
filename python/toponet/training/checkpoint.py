"""Checkpoints: written whole or not at all, loaded without running code from them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

FORMAT = 1


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Writes to a file beside ``path`` first, so that ``path`` is always a whole checkpoint."""
    temporary = path.with_suffix(".partial")
    torch.save({"format": FORMAT, **content}, temporary)
    temporary.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Tensors and plain values only (``weights_only=True``), on the CPU.

    Raises:
        ValueError: If the file isn't a checkpoint of this package; it is named.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ValueError(f"{path} does not exist; expected a checkpoint") from None
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path} can't be read as a checkpoint: {reason}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{path} is not a checkpoint of toponet-train (format {FORMAT})")
    return content
