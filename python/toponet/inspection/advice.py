"""Recommends a connectivity for a data set, and says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from toponet.inspection.statistics import ImageStatistics


@dataclass(frozen=True)
class Advice:
    """A connectivity and the reason for it.

    Attributes:
        connectivity: 8 or 4.
        reason: One or two sentences.
    """

    connectivity: int
    reason: str


def advise(images: Sequence[ImageStatistics]) -> Advice:
    """Recommends 8 where the structure is the thin side, and 4 where the background is.

    A thin line drawn on pixels turns by corners. The thin side has to hold together over corners:
    otherwise its lines fall to pieces, and the regions between them grow together. The other side
    then has connectivity 4. It is thick and loses little.
    """
    corners = sum(image.corners for image in images)
    if corners == 0:
        return Advice(8, "no pixels of structure touch by a corner only: 8, the default, and 4 "
                         "count the same.")  # fmt: skip
    structure, background = (_mean_depth(images, side) for side in (0, 1))
    thin, thick = ("structure", "background")[:: 1 if structure <= background else -1]
    connectivity = 8 if thin == "structure" else 4
    components, holes = (
        sum(image.betti[4][d] - image.betti[8][d] for image in images) for d in (0, 1)
    )
    return Advice(
        connectivity,
        f"the {thin} is the thin side (a pixel lies {min(structure, background):.1f} from its edge "
        f"in the mean, of the {thick} {max(structure, background):.1f}), and a thin side should "
        f"hold together over corners. The two differ at {corners} corners: 4 counts "
        f"{_more(components, 'component')} and {_more(holes, 'hole')} than 8.",
    )


def doubts_about_sides(images: Sequence[ImageStatistics]) -> list[str]:
    """Returns a sentence if the labels look inverted: structure is the larger and thicker side."""
    share = float(np.mean([image.share for image in images]))
    if share <= 0.5 or all(image.share in (0, 1) for image in images):
        return []
    structure, background = (_mean_depth(images, side) for side in (0, 1))
    if structure <= background:
        return []
    return [
        f"the structure is the thick side: {100 * share:.1f} % of the pixels, which lie "
        f"{structure:.1f} from its edge in the mean, those of the background {background:.1f}; if "
        "the thin side is meant, the labels are inverted"
    ]


def _mean_depth(images: Sequence[ImageStatistics], side: int) -> float:
    """Averages over the images that have both sides."""
    return float(np.mean([image.depths[side] for image in images if 0 < image.share < 1]))


def _more(difference: int, what: str) -> str:
    word = "more" if difference >= 0 else "fewer"
    return f"{abs(difference)} {word} {what}" + "s" * (abs(difference) != 1)
