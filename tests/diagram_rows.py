"""Diagrams as plain lists, which tests compare."""

from __future__ import annotations

import toponet
from reference import Row


def rows_of(diagrams: toponet.PersistenceDiagrams) -> list[Row]:
    """(dimension, birth pixel, death pixel), in their order."""
    return [
        (d, birth, death)
        for d, (birth, death) in zip(
            diagrams.dimensions.tolist(), diagrams.pixels.tolist(), strict=True
        )
    ]


def dots_of(diagrams: toponet.PersistenceDiagrams) -> list[tuple[int, float, float]]:
    """(dimension, birth, death), in their order."""
    return [
        (d, birth, death)
        for d, (birth, death) in zip(
            diagrams.dimensions.tolist(), diagrams.values.tolist(), strict=True
        )
    ]
