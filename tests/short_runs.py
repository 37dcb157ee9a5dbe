"""Runs of a few steps for tests that need one, not its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from matplotlib.figure import Figure
from PIL import Image

from data_layouts import membrane_folder
from toponet.cli import train

TWO_STEPS = [
    "--epochs=2", "--iterations-per-epoch=1", "--batch-size=1", "--patch-size=17", "--device=cpu",
    "--topo-start-epoch=2", "--metric-patches=2", "--num-threads=1",
    "--segmentation-metric=none",
]  # fmt: skip


def train_two_steps(parent: Path, *more: str) -> Path:
    """The folder of a run, with more options; its data lie beside it."""
    data = membrane_folder(parent / "data", (40, 36))
    assert train.main(["--data", str(data), f"--out={parent / 'run'}", *TWO_STEPS, *more]) == 0
    return parent / "run"


@contextmanager
def pixels_for_pictures() -> Iterator[None]:
    """Saves one pixel in place of each picture."""

    def save(figure: Figure, file: str | Path | IO[bytes], **options: Any) -> None:
        Image.new("RGB", (1, 1)).save(file, format="png")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", save)
        yield
