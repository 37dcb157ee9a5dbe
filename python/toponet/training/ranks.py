"""What the ranks of a run have to agree on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch
import torch.distributed
from lightning_fabric import Fabric
from torch import Tensor, nn

from toponet.training.state import EpochSums

Item = TypeVar("Item")


def reduced(fabric: Fabric, tensor: Tensor, how: str) -> Tensor:
    """Returns the "sum" or the "mean" of a tensor over the ranks."""
    result = fabric.all_reduce(tensor, reduce_op=how)
    assert isinstance(result, Tensor)
    return result


def any_rank(fabric: Fabric, flag: bool) -> bool:
    """Whether the flag is set on any rank: all have to leave a loop at the same step."""
    if fabric.world_size == 1:
        return flag
    return bool(reduced(fabric, torch.tensor(float(flag), device=fabric.device), "sum") > 0)


def average_sums(fabric: Fabric, losses: Tensor, sums: EpochSums) -> None:
    """Averages all sums over the ranks; those of the losses come from the device."""
    sums.losses = losses.tolist()
    if fabric.world_size == 1:
        return
    looks = torch.tensor([sums.bce, sums.topo, *sums.norms], device=losses.device)
    means = reduced(fabric, torch.cat([losses, looks]), "mean").tolist()
    sums.losses, (sums.bce, sums.topo), sums.norms = means[:2], means[2:4], means[4:]


def share_buffers(fabric: Fabric, network: nn.Module) -> None:
    """Gives all ranks the buffers of rank 0.

    Buffers are what a network keeps beside its weights, for instance the means of batch
    normalisation. Those of rank 0 are saved.
    """
    if fabric.world_size > 1:
        for buffer in network.buffers():
            torch.distributed.broadcast(buffer, 0)


def shared_out(fabric: Fabric, items: Sequence[Item]) -> Sequence[Item]:
    """Returns this rank's part of work that is divided among the ranks."""
    return items[fabric.global_rank :: fabric.world_size]


def collected(fabric: Fabric, mine: list[Item]) -> list[Item]:
    """Returns the results of all ranks, in the order of the items that were shared out.

    Args:
        fabric: This rank.
        mine: This rank's results, one for each item that :func:`shared_out` gave it.
    """
    if fabric.world_size == 1:
        return mine
    parts: list[list[Item]] = [[] for _ in range(fabric.world_size)]
    torch.distributed.all_gather_object(parts, mine)
    whole: list[Item] = []
    for turn in range(len(parts[0])):
        whole += [part[turn] for part in parts if turn < len(part)]
    return whole
