"""Fixtures that several folders of tests share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# No test may fail because a machine has other work.
hypothesis.settings.register_profile("any speed", deadline=None)
hypothesis.settings.load_profile("any speed")

# Imported in the fixtures: most tests need none of what a run loads.


@pytest.fixture(scope="module")
def no_pictures() -> Iterator[None]:
    """For modules that look at no picture: drawing takes four fifths of the time of a short run."""
    from short_runs import pixels_for_pictures

    with pixels_for_pictures():
        yield


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two epochs that nothing went wrong in, for reading only; its data lie beside it."""
    from short_runs import pixels_for_pictures, train_two_steps

    with pixels_for_pictures():
        return train_two_steps(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def stopped_run(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of that run, stopped before its second epoch."""
    out = tmp_path / "run"
    shutil.copytree(finished_run, out)
    shutil.copy(out / "checkpoints" / "cross_entropy.ckpt", out / "checkpoints" / "last.ckpt")
    return out
