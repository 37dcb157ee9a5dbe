"""One way to train."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """One way to train.

    Attributes:
        name: Of its runs.
        label: In tables.
        network: "dive" or "unet".
        options: Of toponet-train, beside data, length, fold and seed.
        twin: The variant that it shares the cross-entropy phase with and is compared with; None =
            cross-entropy alone.
        start: Part of the epochs before its topological loss.
        length: Part of the epochs that it trains.
    """

    name: str
    label: str
    network: str
    options: tuple[str, ...]
    twin: str | None = None
    start: float = 0.5
    length: float = 1.0
