"""Makes mask, cells and a picture of both from a likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from toponet.plots.canvas import stretched
from toponet.prediction.conventions import Conventions
from toponet.prediction.decisions import decision_rows
from toponet.topology.cleaning import clean_mask
from toponet.topology.labelling import label_cells
from toponet.topology.segmentation import Segmentation as SettledLikelihood
from toponet.topology.segmentation import segment_images

# Red, green and blue of the cells, which take turns. None is like the structure's colour.
CELL_COLOURS = (
    (86, 180, 233),
    (240, 228, 66),
    (0, 158, 115),
    (204, 121, 167),
    (0, 114, 178),
    (160, 230, 120),
    (150, 120, 220),
)
STRUCTURE_COLOUR = (213, 94, 0)
OPACITY = 0.55, 0.25  # Of structure and of cells. The image has to shine through both.


@dataclass(frozen=True)
class Segmentation:
    """One image with its likelihood. Everything else is made when it is asked for.

    Attributes:
        image: (C, H, W).
        likelihood: (H, W), 0 to 1.
        conventions: Of mask and cells.
    """

    image: NDArray[np.float32]
    likelihood: NDArray[np.float32]
    conventions: Conventions

    @cached_property
    def settled(self) -> SettledLikelihood:
        """The likelihood after persistence decided."""
        c = self.conventions
        return segment_images(
            self.likelihood, c.options, dims=c.dims, connectivity=c.connectivity, frame=c.frame
        )

    @cached_property
    def structure(self) -> NDArray[np.uint8]:
        """(H, W), 0 or 1."""
        c = self.conventions
        cut = c.options.is_cut  # The same as the settled mask, and sooner done.
        mask = self.likelihood >= c.threshold if cut else self.settled.mask
        structure: NDArray[np.uint8] = mask.astype(np.uint8)
        return clean_mask(structure, c.connectivity, c.min_size) if c.min_size > 1 else structure

    @property
    def decisions(self) -> list[list[str]]:
        """What persistence changed, a row for each feature; cleaning isn't among it."""
        return decision_rows(self.settled.decisions, self.likelihood.shape[1])

    @cached_property
    def mask(self) -> NDArray[np.uint8]:
        """(H, W), 0 or 255."""
        return self.structure * np.uint8(255)

    @cached_property
    def cells(self) -> NDArray[np.uint32]:
        """(H, W) components of the background from 1 on; structure is 0."""
        return label_cells(self.structure, self.conventions.connectivity).astype(np.uint32)

    @cached_property
    def overlay(self) -> NDArray[np.uint8]:
        """(H, W, 3): the image in grey with the structure in red and each cell in a pale tint."""
        grey = stretched(self.image)
        grey = grey if grey.ndim == 2 else grey.mean(axis=2)
        colours = np.array(CELL_COLOURS, dtype=np.float32)[self.cells % len(CELL_COLOURS)]
        colours[self.structure != 0] = STRUCTURE_COLOUR
        opacity = np.where(self.structure, *OPACITY).astype(np.float32)[..., None]
        picture: NDArray[np.float32] = 255 * grey[..., None] * (1 - opacity) + colours * opacity
        return picture.round().astype(np.uint8)
