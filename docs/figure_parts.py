"""What the pictures of the documentation share: synthetic patches, and empty figures."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from toponet.data import synthetic_membranes

Map = NDArray[np.float64]


def cutout(index: int, size: int) -> tuple[Map, Map]:
    """Truth and likelihood of a synthetic patch, as of a network that sees most membranes."""
    data = synthetic_membranes(index + 1, (129, 129), seed=3)
    truth = data.masks[index].astype(np.float64)
    noise = gaussian_filter(np.random.default_rng(index).normal(size=truth.shape), 0.7)
    # Partly the image's darkness: fading membranes break, organelles become specks.
    darkness = 0.42 - gaussian_filter(data.images[index][0], 1.2)
    logits = 4 * (gaussian_filter(truth, 0.8) - 0.5) + 9 * darkness + 0.5 * noise
    part = (slice(size), slice(size))
    return truth[part], (1 / (1 + np.exp(-logits)))[part]


def sheet(width: float, height: float, gap: float = 0.02) -> Figure:
    """An empty figure, in inches, whose titles keep off its rim; the gap between columns."""
    layout = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, wspace=gap)
    return Figure(figsize=(width, height), layout=layout)
