"""Cracks in pavement, as inspection cameras show them."""

from __future__ import annotations

import numpy as np

from toponet.data.generators._curves import Curve, border_point, depth_inside, until_outside, wander
from toponet.data.generators._fields import Size, blur, smooth_field, spots, unit_field
from toponet.data.samples import Sample

BENDS = {1.0: 0.55, 4.0: 0.5, 25.0: 0.35}


def cracks(rng: np.random.Generator, size: Size) -> Sample:
    """Ragged cracks from border to border with branches; each piece reaches the border.

    In the image they are filled or too narrow in places; gravel, oil, scratches and a shadow aren't
    cracks of the truth. Grey values around 0 to 1, cracks are dark.
    """
    from scipy.special import expit

    depth = depth_inside(_cracks(rng, size), size)
    mask = depth > 0

    image = 0.55 + 0.05 * smooth_field(rng, size, 60) + 0.03 * smooth_field(rng, size, 8)
    image += 0.06 * smooth_field(rng, size, 0.8) + 0.035 * smooth_field(rng, size, 1.6)  # Gravel.
    image -= 0.20 * spots(rng, size, 1.3, 1 / 350) - 0.15 * spots(rng, size, 1.0, 1 / 500)
    image -= 0.12 * np.clip(smooth_field(rng, size, 18) - 1.2, 0, 1)  # Oil.
    scratch = until_outside(
        wander(rng, *border_point(rng, size), 2.0 * sum(size), 0.8, {9: 0}), size
    )
    image += 0.12 * np.clip(depth_inside([scratch], size) + 0.6, 0, 1)

    dark = np.clip(depth + 0.6, 0, 1.4) / 1.4 * (0.40 + 0.60 * unit_field(rng, size, 10))
    dark *= 1 - 0.95 * spots(rng, size, radius=2.5, density=1 / 900)  # Filled with dust.
    image -= 0.55 * dark * (0.8 + 0.2 * smooth_field(rng, size, 1.2))
    image *= 1 - 0.35 * expit(6 * smooth_field(rng, size, 70) - 4)  # A shadow.
    image = blur(image, 0.5) + rng.normal(0, 0.02, size)
    return Sample(image[None].astype(np.float32), mask.astype(np.uint8))


def _cracks(rng: np.random.Generator, size: Size) -> list[Curve]:
    curves: list[Curve] = []
    for _ in range(1 + round(rng.uniform(0.3, 1) * max(size) / 128)):
        start, heading = border_point(rng, size)
        crack = wander(rng, start, heading, 2.0 * sum(size), rng.choice([1.1, 1.4, 1.8]), BENDS)
        curves.append(until_outside(crack, size))
    for _ in range(round(size[0] * size[1] / 8000)):
        stem = curves[rng.integers(len(curves))]
        at = int(rng.integers(len(stem.points)))
        heading = float(stem.headings[at]) + rng.choice([-1, 1]) * rng.uniform(0.5, 1.4)
        branch = wander(rng, stem.points[at], heading, rng.uniform(15, 120), 0.9, BENDS)
        curves.append(until_outside(branch, size))
    return curves
