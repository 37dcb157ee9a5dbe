"""Images for hypothesis: small, seldom square, full of ties."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

connectivities = st.sampled_from([4, 8])
frames = st.booleans()
shapes = st.tuples(st.integers(1, 9), st.integers(1, 9))


@st.composite
def images(
    draw: st.DrawFn, dtype: type[np.floating[Any]] = np.float64, batch: int | None = None
) -> NDArray[Any]:
    """Few grey levels in [0, 1], so that plateaus and ties are the rule."""
    levels = draw(st.sampled_from([2, 3, 4, 6, 40]))
    height, width = draw(shapes)
    shape = (height, width) if batch is None else (batch, height, width)
    grey = draw(hnp.arrays(np.int64, shape, elements=st.integers(0, levels - 1)))
    return (grey / (levels - 1)).astype(dtype)


masks = hnp.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))
