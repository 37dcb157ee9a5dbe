"""Threads are as many as were asked for, in every part of a command."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from data_layouts import membrane_folder
from toponet import _core
from toponet._ground.validation import limited_threads, thread_count
from toponet.cli import train as cli

pytestmark = pytest.mark.usefixtures("no_pictures")

KERNEL = ("betti_numbers", "binary_topological_loss", "persistence")


def test_a_limit_holds_within_its_context_and_an_own_number_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(12), raising=False)
    with limited_threads(2):
        assert (thread_count(None), thread_count(5)) == (2, 5)
        with pytest.raises(RuntimeError), limited_threads(3):
            raise RuntimeError
        assert thread_count(None) == 2
    assert thread_count(None) == 12


@pytest.mark.parametrize("asked", [1, 2])
def test_training_validation_and_report_use_the_threads_that_were_asked_for(
    asked: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine of seven cores, to which each call of the kernel might fall back."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(7), raising=False)
    counts: dict[str, set[tuple[int, int]]] = {name: set() for name in KERNEL}

    def watched(name: str) -> Any:
        original = getattr(_core, name)

        def call(*arguments: Any, **options: Any) -> Any:
            counts[name].add((options["num_threads"], torch.get_num_threads()))
            return original(*arguments, **options)

        return call

    for name in KERNEL:
        monkeypatch.setattr(_core, name, watched(name))
    data = membrane_folder(tmp_path / "data", (40, 36))
    before = torch.get_num_threads()
    assert cli.main([
        f"--data={data}", f"--out={tmp_path / 'run'}", "--epochs=1", "--iterations-per-epoch=1",
        "--batch-size=1", "--patch-size=17", "--topo-start-epoch=1", "--metric-patches=2",
        "--device=cpu", f"--num-threads={asked}", "--segmentation-metric=none",
    ]) == 0  # fmt: skip
    assert counts == {name: {(asked, asked)} for name in KERNEL}
    assert torch.get_num_threads() == before
