"""The table of what a segmentation by persistence changed, as it is written to files."""

from __future__ import annotations

from toponet.topology.segmentation import Decisions

COLUMNS = (
    "dimension", "action", "birth", "death", "persistence", "cost", "pixels",
    "birth_row", "birth_column", "death_row", "death_column",
)  # fmt: skip


def decision_rows(decisions: Decisions, width: int) -> list[list[str]]:
    """A row for each changed feature, with a cell for each of ``COLUMNS``.

    Args:
        decisions: Of one image.
        width: Of the image.
    """
    counts = (decisions.splits[1:] - decisions.splits[:-1]).tolist()
    values = zip(
        decisions.birth.tolist(), decisions.death.tolist(), decisions.persistence.tolist(),
        decisions.cost.tolist(), strict=True,
    )  # fmt: skip
    return [
        [str(dimension), action, *map(_number, numbers), str(count),
         *_place(birth, width), *_place(death, width)]
        for dimension, action, numbers, count, birth, death in zip(
            decisions.dimension.tolist(), decisions.action.tolist(), values, counts,
            decisions.birth_pixel.tolist(), decisions.death_pixel.tolist(), strict=True,
        )
    ]  # fmt: skip


def _number(value: float) -> str:
    """Nine digits tell all values of float32 apart."""
    return f"{value:.9g}"


def _place(pixel: int, width: int) -> list[str]:
    """Row and column; both empty for the frame, and for a death that never comes."""
    return ["", ""] if pixel < 0 else list(map(str, divmod(pixel, width)))
