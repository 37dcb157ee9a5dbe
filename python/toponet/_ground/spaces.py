"""What images and volumes call their parts, and which options they have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Space:
    """Images or volumes.

    Attributes:
        spatial_dims: 2 or 3.
        noun: "image" or "volume".
        element: "pixel" or "voxel".
        axes: Of one of them, as in "(H, W)".
        connectivities: Of the foreground; the first one is the default.
        features: What the classes of each homology dimension are called.
    """

    spatial_dims: int
    noun: str
    element: str
    axes: str
    connectivities: tuple[int, int]
    features: tuple[str, ...]

    @property
    def dims(self) -> tuple[int, ...]:
        """The homology dimensions."""
        return tuple(range(self.spatial_dims))

    def dual(self, connectivity: int) -> int:
        """The connectivity of the background."""
        return sum(self.connectivities) - connectivity

    @property
    def article(self) -> str:
        """The article of the noun."""
        return "an" if self.noun[0] in "aeiou" else "a"

    @property
    def shapes(self) -> str:
        """The shapes of one, or of a batch."""
        return f"({self.axes}) or (B, {self.axes})"


IMAGES = Space(2, "image", "pixel", "H, W", (8, 4), ("components", "holes"))
VOLUMES = Space(3, "volume", "voxel", "D, H, W", (26, 6), ("components", "tunnels", "cavities"))


def space_of(spatial_dims: int) -> Space:
    """Images for 2, volumes for 3.

    Raises:
        TypeError: If it isn't a whole number.
        ValueError: If it is another one.
    """
    if isinstance(spatial_dims, bool) or not isinstance(spatial_dims, (int, np.integer)):
        raise TypeError(f"spatial_dims must be 2 or 3, got {spatial_dims!r}")
    for space in (IMAGES, VOLUMES):
        if space.spatial_dims == spatial_dims:
            return space
    raise ValueError(f"spatial_dims must be 2 (images) or 3 (volumes), got {spatial_dims}")
