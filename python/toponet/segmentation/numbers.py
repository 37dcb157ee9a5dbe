"""The three numbers of a segmentation by persistence, as options that commands share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toponet.topology.segmentation import SegmentationOptions


@dataclass(frozen=True, kw_only=True)
class SegmentationNumbers:
    """Which pieces and holes masks show. The configuration of a command inherits these options.

    Attributes:
        threshold: A likelihood of at least this is structure, unless persistence says otherwise.
            Between 0 and 1, both excluded; empty = as described above.
        keep: A piece or hole that the threshold shows stays if its persistence, birth - death, is
            larger than this. 0 = all stay; empty = as described above.
        add: A piece or hole that the threshold hides is brought out if its persistence is larger
            than this. null or none = none is; "default" = as described above. With --keep 0 --add
            null masks are likelihood >= threshold.
    """

    threshold: float | None = None
    keep: float | None = None
    add: float | Literal["default"] | None = "default"

    def or_default(self, default: SegmentationOptions) -> SegmentationOptions:
        """The numbers that are given, and those of ``default`` where none is.

        Raises:
            TypeError: If one of them is no number.
            ValueError: If one of them is out of range.
        """
        return SegmentationOptions(
            default.threshold if self.threshold is None else self.threshold,
            default.keep if self.keep is None else self.keep,
            default.add if self.add == "default" else self.add,
        )

    @property
    def numbers_given(self) -> tuple[str, ...]:
        """The names of the options that aren't left to the default."""
        given = {
            "threshold": self.threshold is not None,
            "keep": self.keep is not None,
            "add": self.add != "default",
        }
        return tuple(name for name, told in given.items() if told)
