"""Segmentation by persistence: a mask with the features that a likelihood says most about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet import _core
from toponet._ground.probabilities import rounding_tolerance, without_rounding
from toponet._ground.validation import (
    check_connectivity,
    check_dims,
    check_flag,
    check_number,
    float_images,
    thread_count,
)

# What can be done for a feature, by the numbers that the kernel gives: first for pieces of the
# structure, then for holes.
ACTIONS = ("removed", "joined", "separated", "added", "filled", "opened", "closed", "hollowed")


@dataclass(frozen=True)
class SegmentationOptions:
    """The three numbers that decide which features a mask shows.

    Attributes:
        threshold: A feature is shown if birth >= threshold > death, and hidden otherwise. Between 0
            and 1, both excluded.
        keep: A shown feature stays if its persistence is larger than this; 0 = all stay.
        add: A hidden feature is brought out if its persistence is larger than this; None = none.

    Raises:
        TypeError: If one of them is no number.
        ValueError: If one of them is out of range.
    """

    threshold: float = 0.5
    keep: float = 0.5
    add: float | None = 0.3

    def __post_init__(self) -> None:
        """Checks them."""
        # In single precision, which likelihoods mostly have: 1e-50 is 0 there.
        if not 0 < np.float32(check_number("threshold", self.threshold)) < 1:
            raise ValueError(
                f"threshold must lie between 0 and 1, both excluded, got {self.threshold!r}"
            )
        check_number("keep", self.keep, least=0)
        if self.add is not None:
            check_number("add", self.add, least=0)

    @classmethod
    def cut(cls, threshold: float = 0.5) -> SegmentationOptions:
        """The plain cut at a threshold: likelihood >= threshold."""
        return cls(threshold, 0.0, None)

    @property
    def is_cut(self) -> bool:
        """Whether the mask is just likelihood >= threshold."""
        return self.keep == 0 and self.add is None


@dataclass(frozen=True, eq=False)
class Decisions:
    """What a segmentation by persistence changed: a row for each changed feature.

    Rows are sorted by image, dimension, death pixel and birth pixel. Pixels are flat indices into
    the image; -1 is the frame or, for a death, never.

    Attributes:
        image: (k,) number of the image in the batch.
        dimension: (k,) 0 for pieces of the structure, 1 for holes.
        birth: (k,) value at which the feature is born. With ``dims=(0, 1)`` pieces are those of the
            likelihood after its holes were settled.
        death: (k,) value at which it dies; 0 if it never does.
        birth_pixel: (k,) where it is born.
        death_pixel: (k,) where it dies.
        action: (k,) what was done. Holes: "filled" or "opened" into a neighbour (not wanted),
            "closed" by walls below the threshold or "hollowed" out above it (brought out). Pieces:
            "removed" or "joined" to a neighbour (not wanted), "separated" by a gap above the
            threshold or "added" below it (brought out).
        cost: (k,) largest change of a pixel; 0 if another feature's change did it as well.
        pixels: Changed pixels of all rows, one row after the other.
        splits: (k + 1,) row i has pixels[splits[i]:splits[i + 1]].
    """

    image: NDArray[np.int64]
    dimension: NDArray[np.int8]
    birth: NDArray[np.float64]
    death: NDArray[np.float64]
    birth_pixel: NDArray[np.int32]
    death_pixel: NDArray[np.int32]
    action: NDArray[np.str_]
    cost: NDArray[np.float64]
    pixels: NDArray[np.int32]
    splits: NDArray[np.int64]

    def __len__(self) -> int:
        """How many features were changed."""
        return len(self.image)

    @property
    def persistence(self) -> NDArray[np.float64]:
        """(k,) birth - death."""
        return self.birth - self.death

    def changed(self, row: int) -> NDArray[np.int32]:
        """Flat indices of the pixels that were changed for one row."""
        return self.pixels[self.splits[row] : self.splits[row + 1]]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A mask with wanted features only, and how it came about.

    Arrays are tensors if the likelihood was one, on its device. Those of a single image (H, W) have
    no batch axis, but for the two counts.

    Attributes:
        mask: (H, W) or (B, H, W) bool; True = structure.
        likelihood: The same shape: the likelihood with as little changed as the mask needs. The
            mask is likelihood >= threshold.
        cells: The same shape, int32: components of the background, numbered from 1 on in the order
            of their first pixels; structure is 0. The background has the dual connectivity.
        decisions: What was changed.
        kept_pieces: (B,) pieces without a wanted feature that stay, because they enclose a hole.
            They are 0 unless ``dims`` is (0, 1).
        undivided_pieces: (B,) wanted pieces that stay a part of another one, because to part them
            would change the holes. They are 0 unless ``dims`` is (0, 1).
    """

    mask: Any
    likelihood: Any
    cells: Any
    decisions: Decisions
    kept_pieces: NDArray[np.int64]
    undivided_pieces: NDArray[np.int64]


def segment_images(
    likelihood: NDArray[Any],
    options: SegmentationOptions,
    *,
    dims: Sequence[int] = (0, 1),
    connectivity: int = 8,
    frame: bool = True,
    num_threads: int | None = None,
) -> Segmentation:
    """Segmentation by persistence of numpy arrays; see :func:`toponet.segment`."""
    dimension_0, dimension_1 = check_dims(dims)
    check_connectivity(connectivity)
    check_flag("frame", frame)
    images = _probabilities(float_images("likelihood", likelihood))
    single = np.ndim(likelihood) == 2
    # A plain cut wants all that it shows, so that there is nothing to settle.
    settles = not options.is_cut
    (settled, cells, ends, pixels, dimensions, actions, costs, changed, changed_splits, splits,
     counts) = _core.segment(
        images,
        threshold=float(options.threshold),
        keep=float(options.keep),
        add=np.inf if options.add is None else float(options.add),
        dimension_0=dimension_0 and settles,
        dimension_1=dimension_1 and settles,
        connectivity=connectivity,
        frame=bool(frame),
        num_threads=thread_count(num_threads),
    )  # fmt: skip
    decisions = Decisions(
        np.repeat(np.arange(len(images)), np.diff(splits)), dimensions, ends[:, 0], ends[:, 1],
        pixels[:, 0], pixels[:, 1], np.array(ACTIONS)[actions], costs, changed, changed_splits,
    )  # fmt: skip
    mask = settled >= settled.dtype.type(options.threshold)
    if single:
        mask, settled, cells = mask[0], settled[0], cells[0]
    return Segmentation(mask, settled, cells, decisions, counts[:, 0], counts[:, 1])


def _probabilities(images: NDArray[Any]) -> NDArray[Any]:
    images, inside = without_rounding(images, rounding_tolerance(images.dtype))
    if inside:
        return images
    # NaN isn't inside either.
    for k, image in enumerate(images):
        if not np.isfinite(image).all():
            raise ValueError(f"likelihood must be finite, got NaN or infinity in image {k}")
    wrong = images[(images < 0) | (images > 1)][0]
    raise ValueError(
        f"likelihood must hold probabilities in [0, 1], got {wrong} as well: apply the sigmoid to "
        "logits, divide a scale of 0 to 255 by 255"
    )
