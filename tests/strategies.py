"""Images and volumes for hypothesis: small, seldom square, full of ties; one with long paths."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from random_images import random_volume

connectivities = st.sampled_from([4, 8])
frames = st.booleans()
shapes = st.tuples(st.integers(1, 9), st.integers(1, 9))
volume_connectivities = st.sampled_from([6, 26])
volume_shapes = st.tuples(*[st.integers(1, 5)] * 3)


def grey_levels(
    draw: st.DrawFn, shape: tuple[int, ...], dtype: type[np.floating[Any]]
) -> NDArray[Any]:
    """Few grey levels in [0, 1], so that plateaus and ties are the rule."""
    levels = draw(st.sampled_from([2, 3, 4, 6, 40]))
    grey = draw(hnp.arrays(np.int64, shape, elements=st.integers(0, levels - 1)))
    return (grey / (levels - 1)).astype(dtype)


@st.composite
def images(
    draw: st.DrawFn, dtype: type[np.floating[Any]] = np.float64, batch: int | None = None
) -> NDArray[Any]:
    shape = draw(shapes)
    return grey_levels(draw, shape if batch is None else (batch, *shape), dtype)


@st.composite
def volumes(draw: st.DrawFn) -> NDArray[Any]:
    """In float32 or float64; drawn voxel by voxel, or as noise, which has more tunnels."""
    if draw(st.booleans()):
        dtype: type[np.floating[Any]] = np.float32 if draw(st.booleans()) else np.float64
        return grey_levels(draw, draw(volume_shapes), dtype)
    return random_volume(np.random.default_rng(draw(st.integers(0, 2**32 - 1))), largest_side=5)


volume_masks = hnp.arrays(np.bool_, st.tuples(*[st.integers(1, 6)] * 3))
masks = hnp.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def serpentine(rows: int, width: int) -> NDArray[np.float64]:
    """One long ridge from corner to corner that falls all the way, with a bump now and then."""
    image = np.zeros((2 * rows - 1, width))
    height = 1.0
    for r in range(rows):
        columns = range(width) if r % 2 == 0 else range(width - 1, -1, -1)
        for c in columns:
            height -= 1e-4
            image[2 * r, c] = height + (3e-4 if (r * width + c) % 97 == 0 else 0.0)
        if r + 1 < rows:
            height -= 1e-4
            image[2 * r + 1, columns[-1]] = height
    return image
