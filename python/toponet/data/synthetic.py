"""Synthetic images whose structure breaks in the image but not in the truth: no file needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from toponet._ground.reading import check_size
from toponet._ground.validation import check_choice, check_whole
from toponet.data.generators._fields import Size
from toponet.data.generators.cracks import cracks
from toponet.data.generators.membranes import membranes
from toponet.data.generators.roads import roads
from toponet.data.generators.vessels import vessels
from toponet.data.image_set import ImageSet
from toponet.data.samples import Case, Part, Sample, collect

FAMILIES: Mapping[str, Callable[[np.random.Generator, Size], Sample]] = MappingProxyType(
    {"membranes": membranes, "vessels": vessels, "roads": roads, "cracks": cracks}
)

DEFAULT_FAMILY = "membranes"

# Far more than anybody trains on; a slip of the finger would otherwise be made for days.
MOST_IMAGES = 100_000
MOST_SIDE = 32_768
BYTES_A_PIXEL = 64  # About eight arrays of double precision while an image is made.


def synthetic_cases(
    family: str = DEFAULT_FAMILY, count: int = 12, size: Size = (256, 256), seed: int = 0
) -> list[Case]:
    """Images that are made when they are read.

    Args:
        family: One of :data:`FAMILIES`; membranes if empty.
        count: Number of images, from 1 to 100,000.
        size: Height and width in pixels, from 1 to 32,768 each.
        seed: The same seed gives the same images; image i doesn't depend on ``count``.

    Raises:
        ValueError: If there is no such family, or ``count`` or a side is out of range.
    """
    family = family or DEFAULT_FAMILY
    check_choice("the synthetic family", family, tuple(FAMILIES))
    check_whole("count", count, least=1, most=MOST_IMAGES)
    for side in size:
        check_whole("each side of size", side, least=1, most=MOST_SIDE)

    of = f"{size[0]} x {size[1]}, seed {seed}"
    check_size(f"a synthetic image of {of}", size[0] * size[1], BYTES_A_PIXEL)

    @lru_cache(maxsize=1)  # The parts of one image are asked for one after the other.
    def make(i: int) -> Sample:
        return FAMILIES[family](np.random.default_rng([seed, i]), size)

    def case(i: int) -> Case:
        origin = f"synthetic {family} {i} ({of})"
        return Case(
            f"{family}_{i:03d}",
            Part(origin, lambda: np.moveaxis(make(i).image, 0, -1)),
            Part(origin, lambda: make(i).mask),
            Part(origin, lambda: _everywhere(make(i))),
        )

    return [case(i) for i in range(count)]


def synthetic_membranes(
    count: int = 12,
    size: Size = (256, 256),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> ImageSet:
    """Membranes between cells, as :func:`synthetic_cases` makes them.

    Args:
        count: Number of images, at least 1.
        size: Height and width in pixels.
        seed: The same seed gives the same images; image i doesn't depend on ``count``.
        progress: Called with (images made, ``count``) after each image.

    Raises:
        ValueError: If ``count`` or a side is smaller than 1.
    """
    return collect(synthetic_cases("membranes", count, size, seed), progress)


def _everywhere(sample: Sample) -> NDArray[np.uint8]:
    """Its valid mask; 1 everywhere if all pixels count."""
    return np.ones_like(sample.mask) if sample.valid is None else sample.valid
