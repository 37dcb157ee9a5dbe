"""Real images: tests of what made ones can't show. They aren't part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE_THE_CLONE = Path(__file__).resolve().parents[2] / "shared" / "data"
FOLDER = Path(os.environ.get("TOPONET_REAL_IMAGES", _BESIDE_THE_CLONE))


def needs(name: str) -> pytest.MarkDecorator:
    """Skips where the data set isn't, and says how to have it."""
    return pytest.mark.skipif(
        not (FOLDER / name).is_dir(),
        reason=f"real images ({name}) aren't part of the repository; to run this test, make them "
        "as docs/contributing.md says and name their folder in TOPONET_REAL_IMAGES",
    )
