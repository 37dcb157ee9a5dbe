"""The GPU's command, tried on the CPU with a tiny budget."""

from __future__ import annotations

import json
from pathlib import Path

import on_gpu
import pytest
import tables
import torch
from training_step import NETWORKS


@pytest.mark.slow
def test_a_row_for_each_network_precision_and_batch_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(NETWORKS, "DIVE")  # A step of it takes seconds on a CPU.
    options = ["--device", "cpu", "--stages", "throughput", "--batch-sizes", "1", "--rounds",
               "1", "--warm-up", "0", "--out", str(tmp_path)]  # fmt: skip
    assert on_gpu.main(options) == 0
    page = json.loads((tmp_path / "throughput.json").read_text())
    found = {(row["network"], row["precision"], row["batch_size"]) for row in page["rows"]}
    assert found == {("U-Net", precision, 1) for precision in on_gpu.PRECISIONS}
    for row in page["rows"]:
        assert row["patches_per_second"] == pytest.approx(1e3 * row["batch_size"] / row["with_ms"])
        assert row["busy_with"] is None
    assert (tmp_path / "throughput.png").stat().st_size > 0


def test_the_trainings_are_those_of_the_tables() -> None:
    given = ["--data", "synthetic_membranes", "--folds", "1", "--seeds", "0", "2", "--variants",
             "unet", "unet_toponet", "--processes", "3"]  # fmt: skip
    chains = tables.make_chains(tables.parse(on_gpu.for_tables(on_gpu.parse(given))))
    assert [[run.variant.name for run in chain] for chain in chains] == 2 * [
        ["unet", "unet_toponet"]
    ]
    assert {run.config.device for chain in chains for run in chain} == {"cuda"}
    assert {run.budget for chain in chains for run in chain} == {"hours"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="runs without a CUDA device")
def test_without_a_gpu_one_line_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert on_gpu.main(["--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
