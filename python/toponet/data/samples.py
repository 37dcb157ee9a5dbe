"""One image with its truth, read when asked; many of them make an image set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet.data.image_set import ImageSet


class Sample(NamedTuple):
    """One image with its truth.

    Attributes:
        image: (C, H, W) float32, in the file's own grey values.
        mask: (H, W) uint8, 1 = structure.
        valid: (H, W) uint8, 1 = the pixel counts; None = all do.
        dtype: Of the grey values in the file, such as "uint16".
    """

    image: NDArray[np.float32]
    mask: NDArray[np.uint8]
    valid: NDArray[np.uint8] | None = None
    dtype: str = "float32"


@dataclass(frozen=True)
class Case:
    """A sample that isn't read yet, so that one bad file needn't hide the next.

    Attributes:
        name: Of the image, without suffix.
        origin: File, page or slice of the image, as errors name it.
        read: Reads the sample; raises ValueError if it can't be used.
    """

    name: str
    origin: str
    read: Callable[[], Sample]


def collect(cases: Sequence[Case], progress: Callable[[int, int], None] | None = None) -> ImageSet:
    """Reads all cases; ``progress`` is called with (images read, images in all) after each.

    Raises:
        ValueError: If a case can't be read or its channels are other than the first one's.
    """
    samples: list[Sample] = []
    for count, case in enumerate(cases, start=1):
        sample = case.read()
        if samples and len(sample.image) != len(samples[0].image):
            raise ValueError(
                f"{case.origin} has {len(sample.image)} channel(s), {cases[0].origin} has "
                f"{len(samples[0].image)}"
            )
        samples.append(sample)
        if progress is not None:
            progress(count, len(cases))
    return ImageSet(
        tuple(case.name for case in cases),
        tuple(sample.image for sample in samples),
        tuple(sample.mask for sample in samples),
        tuple(sample.valid for sample in samples),
        tuple(sample.dtype for sample in samples),
    )


def same_size(
    mask: NDArray[np.uint8], image: NDArray[np.float32], origin: str
) -> NDArray[np.uint8]:
    """``mask``, of the file ``origin``.

    Raises:
        ValueError: If it isn't as large as its image.
    """
    if image.shape[1:] != mask.shape:
        raise ValueError(
            f"{origin} has {mask.shape[0]} x {mask.shape[1]} pixels, its image "
            f"{image.shape[1]} x {image.shape[2]}"
        )
    return mask
