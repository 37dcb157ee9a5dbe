"""What ranks agree on, seen by each of them: the other's answers are given beforehand."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
import torch.distributed
from lightning_fabric import Fabric
from torch import Tensor, nn

from toponet.training.ranks import any_rank, average_sums, collected, share_buffers, shared_out
from toponet.training.state import EpochSums


class OneOfTwo:
    """A rank of two; ``other`` is what the other one has wherever they add up."""

    world_size = 2
    device = torch.device("cpu")

    def __init__(self, rank: int, other: float | list[float] = 0.0) -> None:
        self.global_rank = rank
        self.other = torch.tensor(other)

    def all_reduce(self, tensor: Tensor, reduce_op: str) -> Tensor:
        return (tensor + self.other) / {"sum": 1, "mean": 2}[reduce_op]


def as_fabric(rank: OneOfTwo) -> Fabric:
    return cast("Fabric", rank)


@pytest.mark.parametrize(("mine", "other"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_flag_of_either_rank_is_heard_by_both(mine: int, other: int) -> None:
    assert any_rank(as_fabric(OneOfTwo(0, float(other))), bool(mine)) == bool(mine or other)


def test_losses_and_norms_are_means_over_the_ranks() -> None:
    sums = EpochSums(steps=3, looks=2, bce=1, topo=2, norms=[3, 4])
    other = [10.0, 20.0, 3.0, 6.0, 9.0, 12.0]
    average_sums(as_fabric(OneOfTwo(0, other)), torch.tensor([2.0, 4.0]), sums)
    assert sums == EpochSums(3, 2, [6, 12], 2, 4, [6, 8])


@pytest.mark.parametrize("count", [1, 4, 5])
def test_what_was_shared_out_comes_back_in_its_order(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = list(range(count))
    parts = [list(shared_out(as_fabric(OneOfTwo(rank)), items)) for rank in (0, 1)]
    assert sorted(parts[0] + parts[1]) == items
    assert len(parts[0]) - len(parts[1]) in (0, 1)

    def gather(gathered: list[Any], mine: object) -> None:
        gathered[:] = parts

    monkeypatch.setattr(torch.distributed, "all_gather_object", gather)
    for rank in (0, 1):
        assert collected(as_fabric(OneOfTwo(rank)), parts[rank]) == items


def test_every_rank_gets_the_buffers_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """These are saved, and the others' would give other metrics."""
    network = nn.BatchNorm2d(3)
    shared: list[int] = []

    def broadcast(buffer: Tensor, source: int) -> None:
        assert source == 0
        shared.append(id(buffer))

    monkeypatch.setattr(torch.distributed, "broadcast", broadcast)
    share_buffers(as_fabric(OneOfTwo(1)), network)
    assert shared == [id(buffer) for buffer in network.buffers()]
