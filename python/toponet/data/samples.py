"""One image with its truth, read part by part when asked; many of them make an image set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toponet.data.files import as_image, as_instances, as_mask, read_pixels
from toponet.data.image_set import ImageSet
from toponet.data.instances import instance_borders

# (H, W) pixels of a label and how errors name it -> mask.
Truth = Callable[[NDArray[Any], str], NDArray[np.uint8]]


class Sample(NamedTuple):
    """One image with its truth, as it was read.

    Attributes:
        image: (C, H, W) float32, in the file's own grey values.
        mask: (H, W) uint8, 1 = structure.
        valid: (H, W) uint8, 1 = the pixel counts; None = all do.
        dtype: Of the grey values in the file, such as "uint16".
        name: Of the image, without suffix.
        origin: File, page or slice of the image, as errors name it.
    """

    image: NDArray[np.float32]
    mask: NDArray[np.uint8]
    valid: NDArray[np.uint8] | None = None
    dtype: str = "float32"
    name: str = ""
    origin: str = ""


class Part(NamedTuple):
    """An image, a label or a valid mask that isn't read yet.

    Attributes:
        origin: File, page or slice, as errors name it.
        read: Gives the pixels as they are stored; raises ValueError if they can't be read.
        file: The file, if the part is all of it.
    """

    origin: str
    read: Callable[[], NDArray[Any]]
    file: Path | None = None

    @classmethod
    def of_file(cls, path: Path) -> Part:
        """The one image of a file."""
        return cls(str(path), partial(read_pixels, path), path)


def instance_truth(pixels: NDArray[Any], origin: str) -> NDArray[np.uint8]:
    """The borders of the instances."""
    return instance_borders(as_instances(pixels, origin))


@dataclass(frozen=True)
class Case:
    """A sample that isn't read yet, so that one bad file needn't hide the next.

    Each part is read for itself: a prediction needs no truth, an evaluation no image.

    Attributes:
        name: Of the image, without suffix.
        image: None = the truth is there without its image.
        label: What the truth is made from; None = the image is there without its truth.
        valid: A mask of the pixels that count; None = all do.
        truth: Makes the mask from the label.
    """

    name: str
    image: Part | None
    label: Part | None
    valid: Part | None = None
    truth: Truth = as_mask

    @property
    def origin(self) -> str:
        """File, page or slice of the image, or of the label where there is no image."""
        part = self.image or self.label
        return self.name if part is None else part.origin

    def read_image(self) -> tuple[NDArray[np.float32], str]:
        """The image (C, H, W) in its file's own grey values, and their type in the file.

        Raises:
            ValueError: If there is no image, or it can't be used.
        """
        part = _there(self.image, f"{self.origin} has no image")
        pixels = part.read()
        return as_image(pixels, part.origin), pixels.dtype.name

    def read_truth(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """The mask (H, W), 1 = structure, and the mask of the pixels that count; None = all do.

        Raises:
            ValueError: If there is no label, one of the two can't be used, or no pixel counts.
        """
        label = _there(self.label, f"{self.origin} has no label")
        mask = self.truth(label.read(), label.origin)
        if self.valid is None:
            return mask, None
        valid = as_mask(self.valid.read(), self.valid.origin)
        if not valid.any():
            raise ValueError(f"{self.valid.origin} marks no pixel that counts")
        # One of another size is left for whoever compares it.
        return mask, None if valid.shape == mask.shape and valid.all() else valid

    def read_instances(self) -> NDArray[Any] | None:
        """(H, W) numbers of the instances; None where the label doesn't tell them apart.

        Raises:
            ValueError: If the label can't be used.
        """
        if self.label is None or self.truth is not instance_truth:
            return None
        return as_instances(self.label.read(), self.label.origin)

    def read(self) -> Sample:
        """All parts.

        Raises:
            ValueError: If one is missing or can't be used, or their sizes differ.
        """
        image, dtype = self.read_image()
        mask, valid = self.read_truth()
        for part, pixels in ((self.label, mask), (self.valid, valid)):
            if part is not None and pixels is not None:
                _check_same_size(pixels, image, part.origin)
        return Sample(image, mask, valid, dtype, self.name, self.origin)


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
        tuple(sample.name for sample in samples),
        tuple(sample.image for sample in samples),
        tuple(sample.mask for sample in samples),
        tuple(sample.valid for sample in samples),
        tuple(sample.dtype for sample in samples),
    )


def _there(part: Part | None, otherwise: str) -> Part:
    if part is None:
        raise ValueError(otherwise)
    return part


def _check_same_size(mask: NDArray[np.uint8], image: NDArray[np.float32], origin: str) -> None:
    """Raises ValueError if the mask of the file ``origin`` isn't as large as its image."""
    if image.shape[1:] != mask.shape:
        raise ValueError(
            f"{origin} has {mask.shape[0]} x {mask.shape[1]} pixels, its image "
            f"{image.shape[1]} x {image.shape[2]}"
        )
