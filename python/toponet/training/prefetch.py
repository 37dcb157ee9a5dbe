"""Batches made by a thread of their own, one ahead of their use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from toponet.data import PatchSampler
from toponet.data.patches import Batch


def prefetched(
    sampler: PatchSampler, seed: Sequence[int], steps: range, size: int, pin_memory: bool
) -> Iterator[Batch]:
    """The batches of some steps of an epoch, in order.

    Args:
        sampler: Used by the other thread until the iterator is closed.
        seed: Of the epoch: all its batches follow from it.
        steps: Which of them. Those before are drawn as well and thrown away: the generator has to
            come past them.
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
