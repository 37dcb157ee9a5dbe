"""Critical pixels of an explanation, in groups that are marked in the same way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_number
from toponet.plots.style import FATE_STYLES
from toponet.topology.explanation import Explanation

_ENDS = (("birth", "^"), ("death", "v"))
_SMALLEST_AREA = 14.0  # Points squared: below it, a triangle is a speck.


@dataclass(frozen=True, eq=False)
class CriticalMarks:
    """Marks of one kind.

    Attributes:
        label: Label for a legend, with the number of marks.
        style: Keywords for ``scatter`` (2-D or 3-D).
        rows, columns: (n,) Places of the pixels.
        heights: (n,) Likelihoods of the pixels.
        goals: (n,) The likelihoods that the loss wants them to have.
    """

    label: str
    style: dict[str, Any]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    heights: NDArray[np.float64]
    goals: NDArray[np.float64]


def critical_marks(
    explanation: Explanation, shape: tuple[int, int], min_force: float, mark_area: float
) -> list[CriticalMarks]:
    """Up to four groups: births and deaths, each to fix or to remove. Empty groups are left out.

    Raises:
        TypeError: If the explanation isn't one, or an option isn't a number.
        ValueError: If the explanation is of an image of another shape, or an option is negative.
    """
    if not isinstance(explanation, Explanation):
        raise TypeError(f"explanation must be an Explanation, got {type(explanation).__name__}")
    if explanation.shape != shape:
        raise ValueError(
            f"likelihood has shape {shape}, but the explanation is of an image of shape "
            f"{explanation.shape}"
        )
    check_number("min_force", min_force, least=0)
    check_number("mark_area", mark_area, least=0)
    groups = (
        _marks(explanation, fate, end, min_force, mark_area)
        for fate in FATE_STYLES
        for end in range(len(_ENDS))
    )
    return [marks for marks in groups if len(marks.rows)]


def _marks(
    explanation: Explanation, fate: str, end: int, min_force: float, mark_area: float
) -> CriticalMarks:
    """The birth pixels (end 0) or death pixels (end 1) of the dots of one fate."""
    colour, purpose = FATE_STYLES[fate]
    name, marker = _ENDS[end]
    pixels, strengths = explanation.pixels[:, end], np.abs(explanation.forces[:, end])
    chosen = np.flatnonzero((explanation.fates == fate) & (pixels >= 0) & (strengths > min_force))
    rows, columns = np.divmod(pixels[chosen].astype(np.int64), explanation.shape[1])
    style = {
        "s": np.maximum(mark_area * strengths[chosen], _SMALLEST_AREA),
        "marker": marker,
        "color": colour,
        "edgecolors": "white",
        "linewidths": 0.6,
    }
    return CriticalMarks(
        label=f"{name} {purpose}: {len(chosen)}",
        style=style,
        rows=rows,
        columns=columns,
        heights=explanation.dots[chosen, end],
        goals=explanation.goals[chosen, end],
    )
