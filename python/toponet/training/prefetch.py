"""Batches made by a thread of their own, one ahead of their use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from toponet.data import PatchSampler
from toponet.data.patches import Batch


def prefetched(
    sampler: PatchSampler, seeds: Sequence[Sequence[int]], size: int, pin_memory: bool
) -> Iterator[Batch]:
    """One batch for each seed, in their order; each follows from its seed alone.

    Args:
        sampler: Used by the other thread until the iterator is closed.
        seeds: Of the batches.
        size: Patches in each.
        pin_memory: Whether the batches go to a CUDA device.
    """

    def make(seed: Sequence[int]) -> Batch:
        sampler.reseed(seed)
        batch = sampler.batch(size)
        if not pin_memory:
            return batch
        images, truths, valid = batch
        pinned = None if valid is None else valid.pin_memory()
        return Batch(images.pin_memory(), truths.pin_memory(), pinned)

    with ThreadPoolExecutor(1) as thread:
        coming = None
        for seed in seeds:
            made, coming = coming, thread.submit(make, seed)
            if made is not None:
                yield made.result()
        if coming is not None:
            yield coming.result()
