"""Betti matching: the features of two images that are the same place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet import _core
from toponet._ground.validation import (
    FloatArray,
    check_connectivity,
    check_dims,
    check_flag,
    check_frame_value,
    check_not_masked,
    check_whole,
    float_images,
    thread_count,
)
from toponet.topology.diagrams import PersistenceDiagrams

# The name under which losses offer it. It isn't among the matchings of diagrams: it needs images.
BETTI = "betti"


@dataclass(frozen=True, eq=False, repr=False)
class BettiMatching:
    """The diagrams of two batches of images, and which of their dots are the same place.

    ``matching[i]`` is the matching of image i, and a loop goes over the images.

    Attributes:
        diagrams_f: The diagrams of the first images, as :func:`toponet.persistence` gives them.
        diagrams_g: The diagrams of the second images.
        pairs: (k, 2) int64. Partners: rows of ``diagrams_f[i]`` and of ``diagrams_g[i]``, where i
            is the image of the pair. Those of an image are ordered by the first row.
        splits: (B + 1,) int64. Pairs ``splits[i]:splits[i + 1]`` belong to image i.
    """

    diagrams_f: PersistenceDiagrams
    diagrams_g: PersistenceDiagrams
    pairs: NDArray[np.int64]
    splits: NDArray[np.int64]

    def __len__(self) -> int:
        """The number of images."""
        return len(self.splits) - 1

    def __getitem__(self, index: int) -> BettiMatching:
        """The matching of one image.

        Raises:
            TypeError: If the index isn't a whole number.
            IndexError: If there is no such image.
        """
        image = check_whole("index", index, least=-(2**31))
        if not -len(self) <= image < len(self):
            raise IndexError(f"image {image} of {len(self)}")
        image %= len(self)
        start, end = self.splits[image : image + 2].tolist()
        return BettiMatching(
            self.diagrams_f[image],
            self.diagrams_g[image],
            self.pairs[start:end],
            np.array([0, end - start]),
        )

    def __iter__(self) -> Iterator[BettiMatching]:
        """The matchings of the images, one by one."""
        return (self[image] for image in range(len(self)))

    @property
    def unmatched_f(self) -> NDArray[np.int64]:
        """Rows of ``diagrams_f`` without partner; ValueError unless there is one image."""
        return self._without_partner(self.diagrams_f, 0)

    @property
    def unmatched_g(self) -> NDArray[np.int64]:
        """Rows of ``diagrams_g`` without partner; ValueError unless there is one image."""
        return self._without_partner(self.diagrams_g, 1)

    def _without_partner(self, diagrams: PersistenceDiagrams, side: int) -> NDArray[np.int64]:
        if len(self) != 1:
            raise ValueError(
                f"rows are those of one image, got a matching of {len(self)}: take matching[i]"
            )
        rows: NDArray[np.int64] = np.setdiff1d(np.arange(len(diagrams.values)), self.pairs[:, side])
        return rows

    def __repr__(self) -> str:
        """The numbers of dots and of pairs."""
        f, g = len(self.diagrams_f.values), len(self.diagrams_g.values)
        return f"BettiMatching({len(self)} images, {f} and {g} dots, {len(self.pairs)} pairs)"


def betti_matching(
    f: ArrayLike,
    g: ArrayLike,
    *,
    dims: Sequence[int] = (0, 1),
    connectivity: int = 8,
    frame: bool = False,
    frame_value: float = 1.0,
    num_threads: int | None = None,
) -> BettiMatching:
    """Which components and holes of two images are the same place (Betti matching).

    Both images lie below the comparison image c = max(f, g), so that their superlevel sets lie in
    those of c. Each feature of f has an image in c, and so has each feature of g. Two features are
    partners if their images are the same feature of c. So partners overlap, or are joined by
    structure of either image; features at different places are never partners, however alike their
    values are. A feature whose image lives for no time has no partner. The components that never
    die are partners of each other.

    The matching is symmetric, and it matches each feature of an image with itself if f = g. Ties in
    value are broken by pixel index. A pixel where several clusters meet joins them one after the
    other, in the order of their smallest neighbour index there, the frame or the outside first. So
    the result is a function of the two images.

    Args:
        f: (H, W) or (B, H, W), float32 or float64, finite, or a mask as bool.
        g: The same, of f's shape. If the dtypes differ, the wider one is taken.
        dims: Which dimensions to match: (0,), (1,) or (0, 1).
        connectivity: The same as in :func:`toponet.persistence`.
        frame: Surrounds both images by structure; the same as in :func:`toponet.persistence`.
        frame_value: The same as in :func:`toponet.persistence`.
        num_threads: Threads that share the images; None = all cores, 1 = none started.

    Returns:
        The diagrams of both, and the pairs; see :class:`BettiMatching`.

    Raises:
        TypeError: If the images are neither float32, float64 nor bool.
        ValueError: If shapes differ; and for the reasons of :func:`toponet.persistence`.

    Cost: about that of three calls of :func:`toponet.persistence`. The GIL is released.

    Source: Stucki, Paetzold, Shit, Menze, Bauer, "Topologically Faithful Image Segmentation via
    Induced Matching of Persistence Barcodes", ICML 2023.

    Example:
        >>> import numpy as np, toponet
        >>> f, g = np.zeros((2, 3, 7))
        >>> f[1, [1, 5]] = 0.9  # Two pieces.
        >>> g[1, [1, 3]] = 1.0  # The first is at the same place, the second is elsewhere.
        >>> matching = toponet.betti_matching(f, g, dims=(0,), frame=True)
        >>> matching.pairs
        array([[0, 0]])
        >>> matching.unmatched_f, matching.unmatched_g
        (array([1]), array([1]))
    """
    dimension_0, dimension_1 = check_dims(dims)
    check_connectivity(connectivity)
    check_flag("frame", frame)
    first, second = _images("f", f), _images("g", g)
    if first.shape != second.shape:
        raise ValueError(f"f and g must have the same shape, got {first.shape} and {second.shape}")
    dtype = np.result_type(first, second)
    of_f, of_g, pairs, splits = _core.betti_matching(
        first.astype(dtype, copy=False),
        second.astype(dtype, copy=False),
        dimension_0=dimension_0,
        dimension_1=dimension_1,
        connectivity=connectivity,
        frame=bool(frame),
        frame_value=check_frame_value(frame_value, dtype),
        num_threads=thread_count(num_threads),
    )
    for array in (*of_f, *of_g, pairs, splits):
        array.flags.writeable = False  # Nobody else has these arrays, so no copy is needed.
    return BettiMatching(PersistenceDiagrams(*of_f), PersistenceDiagrams(*of_g), pairs, splits)


def _images(name: str, images: ArrayLike) -> FloatArray:
    """(B, H, W) images; a mask becomes float32."""
    check_not_masked(name, images)
    array = np.asarray(images)
    return float_images(name, array.astype(np.float32) if array.dtype == np.bool_ else array)
