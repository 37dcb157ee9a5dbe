"""Runs of a few steps spend four fifths of their time on the pictures of their report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from matplotlib.figure import Figure
from PIL import Image

# The modules whose tests look at pictures.
LOOKS_AT_PICTURES = ("test_report",)


@pytest.fixture(autouse=True, scope="module")
def pictures_of_one_pixel(request: pytest.FixtureRequest) -> Iterator[None]:
    """Saves a pixel in place of each picture, where no test looks at them."""

    def save(figure: Figure, file: str | Path | IO[bytes], **options: Any) -> None:
        Image.new("RGB", (1, 1)).save(file, format="png")

    with pytest.MonkeyPatch.context() as patch:
        if request.module.__name__ not in LOOKS_AT_PICTURES:
            patch.setattr(Figure, "savefig", save)
        yield
