"""The grey values of the training images, and whether another image's lie far from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toponet.data.image_set import ImageSet

# The means of images may leave those of the training images by this part of their deviation, and
# their deviations by this factor. Trained on two thirds of ISBI 2012, this tells each slice times
# 0.6 from the training images, and of the 20 others as they are it takes one, the darkest, for
# strange; of TopoMortar two of 32, of the synthetic families none.
FARTHEST_MEAN = 0.25
FARTHEST_DEVIATION = 1.25

Range = tuple[float, float]


@dataclass(frozen=True)
class TrainingScale:
    """Grey values as they stand in the training images' files.

    Attributes:
        dtypes: Types of the files, such as "uint8".
        values: Smallest and largest grey value of all.
        means: For each channel the smallest and the largest mean of an image.
        deviations: For each channel the smallest and the largest standard deviation of an image.
    """

    dtypes: tuple[str, ...]
    values: Range
    means: tuple[Range, ...]
    deviations: tuple[Range, ...]

    def __post_init__(self) -> None:
        """Refuses what isn't such ranges, as a damaged checkpoint may hold it."""
        try:
            ranges = np.array([self.values, *self.means, *self.deviations], dtype=np.float64)
            good = (
                all(isinstance(dtype, str) for dtype in self.dtypes)
                and len(self.means) == len(self.deviations)
                and ranges.shape == (1 + 2 * len(self.means), 2)
                and bool(np.isfinite(ranges).all() and (ranges[:, 0] <= ranges[:, 1]).all())
            )
        except (TypeError, ValueError, OverflowError):
            good = False
        if not good:
            raise ValueError(
                "training_scale must hold types, and ranges of values, means and deviations"
            )

    @classmethod
    def of(cls, data: ImageSet) -> TrainingScale:
        """Of all images of a set, pixels that don't count among them."""
        means, deviations = (
            tuple(
                _range([measure(image)[c] for image in data.images]) for c in range(data.channels)
            )
            for measure in (_means, _deviations)
        )
        values = [float(extreme(image)) for image in data.images for extreme in (np.min, np.max)]
        return cls(tuple(sorted(set(data.dtypes))), _range(values), means, deviations)

    def strangeness(self, image: NDArray[np.float32], dtype: str) -> str | None:
        """What of an image (C, H, W) lies far from the training images; None = nothing does.

        Args:
            image: In its file's own grey values, with as many channels.
            dtype: Of its file.
        """
        words = []
        for kind, found, ranges, is_far in (
            ("mean", _means(image), self.means, self._far_mean),
            ("deviation", _deviations(image), self.deviations, self._far_deviation),
        ):
            for c, (value, known) in enumerate(zip(found, ranges, strict=True)):
                if is_far(value, c):
                    words.append(f"{kind} {value:.3g}, not {known[0]:.3g} to {known[1]:.3g}")
                    break
        if dtype not in self.dtypes:
            words.append(f"type {dtype}, not {' or '.join(self.dtypes)}")
        return "; ".join(words) or None

    def strange_images(self, data: ImageSet) -> list[str]:
        """Name and :meth:`strangeness` of each image that has any."""
        found = [
            (name, self.strangeness(image, dtype))
            for name, image, dtype in zip(data.names, data.images, data.dtypes, strict=True)
        ]
        return [f"{name} ({words})" for name, words in found if words]

    def _far_mean(self, value: float, channel: int) -> bool:
        low, high = self.means[channel]
        room = FARTHEST_MEAN * self.deviations[channel][1]
        return not low - room <= value <= high + room

    def _far_deviation(self, value: float, channel: int) -> bool:
        low, high = self.deviations[channel]
        return not low / FARTHEST_DEVIATION <= value <= high * FARTHEST_DEVIATION


def _range(values: Sequence[float]) -> Range:
    return min(values), max(values)


def _means(image: NDArray[np.float32]) -> list[float]:
    return [float(channel.mean(dtype=np.float64)) for channel in image]


def _deviations(image: NDArray[np.float32]) -> list[float]:
    return [float(channel.std(dtype=np.float64)) for channel in image]
