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
    strengths = np.abs(explanation.forces)
    groups = []
    for fate, (colour, purpose) in FATE_STYLES.items():
        for end, (end_name, marker) in enumerate(_ENDS):
            chosen = np.flatnonzero(
                (explanation.fates == fate)
                & (explanation.pixels[:, end] >= 0)
                & (strengths[:, end] > min_force)
            )
            if len(chosen) == 0:
                continue
            rows, columns = np.divmod(explanation.pixels[chosen, end].astype(np.int64), shape[1])
            style = {
                "s": np.maximum(mark_area * strengths[chosen, end], _SMALLEST_AREA),
                "marker": marker,
                "color": colour,
                "edgecolors": "white",
                "linewidths": 0.6,
            }
            groups.append(
                CriticalMarks(
                    label=f"{end_name} {purpose}: {len(chosen)}",
                    style=style,
                    rows=rows,
                    columns=columns,
                    heights=explanation.dots[chosen, end],
                    goals=explanation.goals[chosen, end],
                )
            )
    return groups
