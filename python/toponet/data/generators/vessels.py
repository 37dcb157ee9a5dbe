"""Blood vessels of the retina, as fundus cameras show them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toponet.data.generators._curves import LEAST_HALF_WIDTH, Curve, depth_inside, wander
from toponet.data.generators._fields import Size, blur, painted, smooth_field, spots, unit_field
from toponet.data.samples import Sample

TISSUE = (0.80, 0.40, 0.20)
DISC = (1.0, 0.85, 0.55)
ABSORPTION = (0.5, 1.5, 1.0)  # By a wide vessel; red light passes best.


def vessels(rng: np.random.Generator, size: Size) -> Sample:
    """Trees that grow from the optic disc and are one piece; only the round field of view is valid.

    In the image, thin branches fade, reflexes split wide ones, and haemorrhages, exudates and the
    blurred vessels of the choroid aren't vessels of the truth. RGB around 0 to 1, vessels are dark.
    """
    height, width = size
    rows, columns = np.indices(size, dtype=np.float64)
    radius = 0.48 * min(size)
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    side = 1 if rng.random() < 0.5 else -1
    disc = centre + radius * np.array([rng.uniform(-0.1, 0.1), side * rng.uniform(0.45, 0.6)])
    from_centre = np.hypot(rows - centre[0], columns - centre[1])
    from_disc = np.hypot(rows - disc[0], columns - disc[1])
    valid = from_centre <= radius

    curves = _trees(rng, disc, -side, centre, radius)
    depth = depth_inside(curves, size)
    mask = (depth > 0) & valid

    colour = np.array(TISSUE)[:, None, None] * (
        1 + 0.05 * smooth_field(rng, size, 3) + 0.10 * smooth_field(rng, size, 25)
    )
    choroid = np.exp(-((smooth_field(rng, size, 7) / 0.25) ** 2))
    colour = painted(colour, 0.25 * choroid, (0.72, 0.28, 0.16))
    colour = painted(colour, np.exp(-((from_disc / (0.16 * radius)) ** 4)), DISC)
    macula = centre - 0.15 * side * radius * np.array([0, 1])
    from_macula = np.hypot(rows - macula[0], columns - macula[1])
    colour *= 1 - 0.35 * np.exp(-((from_macula / (0.22 * radius)) ** 2))
    colour = painted(colour, 0.7 * spots(rng, size, 1.8, 1 / 2500), (0.45, 0.10, 0.08))
    colour = painted(colour, 0.7 * spots(rng, size, 1.5, 1 / 5000), (0.98, 0.85, 0.45))

    stain = np.clip((depth + 0.7) / 1.8, 0, 1) * (0.25 + 0.65 * unit_field(rng, size, 10))
    stain *= 1 - 0.9 * spots(rng, size, radius=2.5, density=1 / 900)  # Gaps.
    stain *= 1 - 0.5 * np.clip(depth - 1.3, 0, 1)  # The reflex in the middle of wide vessels.
    colour *= np.exp(-np.array(ABSORPTION)[:, None, None] * 0.6 * stain)
    colour *= 1.05 - 0.45 * (from_centre / radius) ** 2  # The lamp lights the middle best.
    colour = np.stack([blur(channel, 0.6) for channel in colour]) * valid
    image = colour + rng.normal(0, 0.02, colour.shape)
    return Sample(image.astype(np.float32), mask.astype(np.uint8), valid.astype(np.uint8))


def _trees(
    rng: np.random.Generator,
    disc: NDArray[np.float64],
    side: int,
    centre: NDArray[np.float64],
    radius: float,
) -> list[Curve]:
    """Two wide arcades above and two below, thin vessels to all sides, and all their branches."""
    towards = 0.0 if side > 0 else np.pi
    curves: list[Curve] = []
    angles = [-1.2, -0.75, 0.75, 1.2, *rng.uniform(-0.4, 0.4, 2), *rng.uniform(2.2, 4.1, 3)]
    widths = [2.2, 1.7, 1.7, 2.2, 1.0, 1.0, 1.3, 1.0, 1.0]
    growing = [
        (disc, towards + angle + rng.normal(0, 0.1), half_width)
        for angle, half_width in zip(angles, widths, strict=True)
    ]
    while growing:
        start, heading, half_width = growing.pop()
        length = radius * rng.uniform(0.16, 0.32) + 4
        curve = wander(rng, start, heading, length, half_width, {4: 0.12, 15: 0.22})
        outside = np.flatnonzero(np.linalg.norm(curve.points - centre, axis=1) > radius)
        if len(outside):
            curves.append(curve.until(int(outside[0]) + 1))
            continue
        curves.append(curve)
        # Murray's law: the cubes of the two branches' widths add up to the stem's.
        share = rng.uniform(0.15, 0.5)
        turn = rng.choice([-1, 1])
        for part, angle in ((share, 0.75 - 0.6 * share), (1 - share, 0.6 * share - 0.55)):
            branch = _rounded(half_width * part ** (1 / 3))
            if branch >= LEAST_HALF_WIDTH:
                end = float(curve.headings[-1]) + turn * angle + rng.normal(0, 0.1)
                growing.append((curve.points[-1], end, branch))
    return curves


def _rounded(half_width: float) -> float:
    """Few different half widths, since each is measured on its own."""
    return round(half_width / 0.15) * 0.15
