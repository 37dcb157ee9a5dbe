"""The settings that masks and cells of a likelihood depend on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from toponet.topology.segmentation import SegmentationOptions


@dataclass(frozen=True)
class Conventions:
    """The settings that mask and cells depend on.

    Attributes:
        threshold: A likelihood of at least this is structure, unless persistence says otherwise.
        connectivity: Connectivity of the structure, 8 or 4; cells have the other one.
        min_size: Specks of less than this many pixels are removed, and then cells likewise.
        keep: A piece or hole that is shown stays if its persistence is larger than this.
        add: One that is hidden is brought out if its persistence is larger than this; None = none.
        dims: What persistence decides on: 0 pieces, 1 holes.
        frame: Whether an image has a frame of structure then.
    """

    threshold: float
    connectivity: int
    min_size: int
    keep: float = 0.0
    add: float | None = None
    dims: tuple[int, ...] = (0, 1)
    frame: bool = True

    @property
    def options(self) -> SegmentationOptions:
        """Of the segmentation by persistence; cleaning comes after it."""
        return SegmentationOptions(self.threshold, self.keep, self.add)

    def describe(self) -> str:
        """All of them, in words."""
        by_persistence = not self.options.is_cut
        only = ", holes only" if 1 in self.dims else ", pieces only"
        decided = only if by_persistence and len(self.dims) == 1 else ""
        outside = ", without frame" if by_persistence and not self.frame else ""
        return (
            f"threshold {self.threshold}, keep {self.keep}, "
            f"add {'none' if self.add is None else self.add}{decided}, connectivity "
            f"{self.connectivity}{outside}, smallest part {self.min_size} px"
        )

    def settings(self) -> dict[str, Any]:
        """As JSON gives them back."""
        return {**asdict(self), "dims": list(self.dims)}
