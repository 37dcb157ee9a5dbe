"""Whether the images of one data set share a grey scale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# 8 and 16 bit lie a factor of 257 apart, 8 and 12 bit 16; exposures of one series hardly this much.
FARTHEST = 8.0


@dataclass(frozen=True)
class GreyScale:
    """Which numbers an image has.

    Attributes:
        name: Of the image.
        dtype: Of its file, such as "uint16".
        low, high: Smallest and largest grey value.
    """

    name: str
    dtype: str
    low: float
    high: float

    @classmethod
    def of(cls, name: str, image: NDArray[np.float32], dtype: str) -> GreyScale:
        """That of an image (C, H, W) in its file's own grey values."""
        return cls(name, dtype, float(image.min()), float(image.max()))


def scale_differences(scales: Sequence[GreyScale]) -> list[str]:
    """A sentence each if the images differ in type, or by far in their largest values.

    One network can't serve both: normalised together, one kind is nearly black, or nearly white.
    """
    found = []
    by_type: dict[str, list[str]] = defaultdict(list)
    for scale in scales:
        by_type[scale.dtype].append(scale.name)
    if len(by_type) > 1:
        kinds = ", ".join(
            f"{dtype} ({len(names)}, such as {names[0]})" for dtype, names in by_type.items()
        )
        found.append(f"the images have grey values of different types: {kinds}; {_CURE}")
    extents = [(max(abs(s.low), abs(s.high)), s) for s in scales]
    bright = [pair for pair in extents if pair[1].low < pair[1].high]  # Others have no scale.
    if bright:
        (least, low), (most, high) = (f(bright, key=lambda pair: pair[0]) for f in (min, max))
        if most > FARTHEST * least:
            found.append(
                f"the images have grey values of different scales: {low.name} from {low.low:g} to "
                f"{low.high:g}, {high.name} from {high.low:g} to {high.high:g}; {_CURE}"
            )
    return found


_CURE = "save all of them on one scale"
