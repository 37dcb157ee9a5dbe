"""The example of docs/volumes.md that trains a network on volumes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "docs" / "train_on_volumes.py"


@pytest.mark.slow
def test_the_example_trains_twice_and_draws_what_came_of_it(tmp_path: Path) -> None:
    picture = tmp_path / "tunnels.png"
    command = [sys.executable, str(SCRIPT), "--steps", "20", "--topo-weight", "0.1"]
    command += ["--out", str(picture)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("│")[1:-1] for line in result.stdout.splitlines() if line.startswith("│")]
    assert [row[0].strip() for row in rows] == ["cross-entropy", "with topology"]
    assert rows[0][1:] != rows[1][1:]
    assert picture.read_bytes().startswith(b"\x89PNG")
