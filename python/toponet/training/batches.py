"""The batches of a run: each epoch's follow from its number and the seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from lightning_fabric import Fabric

from toponet.data import PatchSampler
from toponet.data.patches import Batch
from toponet.training.config import TrainConfig


class Batches:
    """Draws this rank's patches.

    Args:
        config: Of the run.
        fabric: The device, or this rank.
        sampler: Of the training images.
    """

    def __init__(self, config: TrainConfig, fabric: Fabric, sampler: PatchSampler) -> None:
        """Draws nothing yet."""
        self.config = config
        self.fabric = fabric
        self.sampler = sampler

    def of_epoch(self, epoch: int, begin: int, end: int) -> Iterator[Batch]:
        """This rank's part of the batches of the steps from ``begin`` to before ``end``."""
        seed = (self.config.seed, epoch)
        pin = self.fabric.device.type == "cuda"
        for batch in prefetched(self.sampler, seed, range(begin, end), self.config.batch_size, pin):
            yield every(batch, self.fabric.global_rank, self.fabric.world_size)

    def parts(self, batch: Batch) -> list[Batch]:
        """The parts of this rank's batch that are computed one after the other."""
        count = self.config.accumulate
        return [every(batch, k, count) for k in range(count)]


def every(batch: Batch, first: int, step: int) -> Batch:
    """Every step-th patch from the first one on."""
    return Batch(*(None if part is None else part[first::step] for part in batch))  # type: ignore[arg-type]


def prefetched(
    sampler: PatchSampler, seed: Sequence[int], steps: range, size: int, pin_memory: bool
) -> Iterator[Batch]:
    """The batches of some steps of an epoch, in order; a thread makes each one step ahead.

    Args:
        sampler: Used by the other thread until the iterator is closed.
        seed: Of the epoch: all its batches follow from it.
        steps: Which of them. Earlier batches are drawn as well and thrown away, so that the
            generator gives the later ones the same patches as in an uninterrupted epoch.
        size: Patches in each.
        pin_memory: Whether the batches go to a CUDA device.
    """

    def start() -> None:
        sampler.reseed(seed)
        for _ in range(steps.start):
            sampler.batch(size)

    def draw() -> Batch:
        images, truths, valid = sampler.batch(size)
        if not pin_memory:
            return Batch(images, truths, valid)
        pinned = None if valid is None else valid.pin_memory()
        return Batch(images.pin_memory(), truths.pin_memory(), pinned)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(start).result()
        coming = thread.submit(draw) if steps else None
        for step in steps:
            assert coming is not None
            batch = coming.result()
            coming = thread.submit(draw) if step + 1 < steps.stop else None
            yield batch
