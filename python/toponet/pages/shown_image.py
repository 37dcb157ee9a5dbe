"""What a page shows of one image, packed so that hundreds of them fit into one file.

Image and likelihood are WebP pictures. Truth, masks and changes are the bits of one byte a pixel,
compressed by zlib: the page draws its overlays from them. Dots of the diagram are rows of numbers.
"""

from __future__ import annotations

import base64
import io
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.valid import taken_for_structure
from toponet.plots.canvas import stretched
from toponet.plots.style import ACTION_STYLES
from toponet.topology.fates import DotFates, dot_fates
from toponet.topology.mistakes import find_mistakes
from toponet.topology.segmentation import Decisions, SegmentationOptions, segment_images
from toponet.topology.superlevel import persistence

# Of all pictures of a page together: 300 images of 512 x 512. They make a file of some 50 MB.
PIXELS_OF_A_PAGE = 80_000_000
# Browsers refuse WebP pictures with a longer side.
LONGEST_SIDE = 8192
# More images than this have their row in the table, and no picture.
MOST_PICTURES = 500
# Weaker dots crowd at the diagonal by the thousand, and nobody could point at one.
LEAST_PERSISTENCE = 0.02
MOST_DOTS = 1000
QUALITY = 80

# The bits of a pixel. Each mask has one from MASKS on; changes have three from CHANGE on.
TRUTH, COUNTS, MASKS, CHANGE = 0, 1, 2, 4
MOST_MASKS = CHANGE - MASKS
# What was done to a changed pixel, by colour.
CHANGE_COLOURS = tuple(dict.fromkeys(colour for colour, _ in ACTION_STYLES.values()))


@dataclass(frozen=True, eq=False, kw_only=True)
class ShownImage:
    """The arrays of one image, (H, W) where nothing else is said.

    Attributes:
        likelihood: In [0, 1]. If it holds 0 and 1 alone it is a mask: it has no panel, and no
            diagram.
        masks: One or two masks that were made of it, by title; the last one is the one that counts.
        options: Threshold, keep and add that made the last mask.
        image: (C, H, W), one or three channels of any range.
        truth: 1 = structure.
        valid: 1 = the pixel counts; elsewhere both masks are taken for structure.
        decisions: What persistence changed.
        dims: Dimensions that it decided on.
        connectivity: Of the structure.
        frame: Whether the image had a frame of structure then.
        all_decide: Whether persistence decided on pixels that don't count, too; else they were
            taken for structure then.
    """

    likelihood: NDArray[np.floating[Any]]
    masks: Mapping[str, NDArray[Any]]
    options: SegmentationOptions = field(default_factory=SegmentationOptions.cut)
    image: NDArray[np.floating[Any]] | None = None
    truth: NDArray[Any] | None = None
    valid: NDArray[Any] | None = None
    decisions: Decisions | None = None
    dims: tuple[int, ...] = (0, 1)
    connectivity: int = 8
    frame: bool = True
    all_decide: bool = False

    def __post_init__(self) -> None:
        """Refuses what the bits of a pixel have no room for."""
        if not 1 <= len(self.masks) <= MOST_MASKS:
            raise ValueError(f"expected 1 to {MOST_MASKS} masks, got {len(self.masks)}")

    @classmethod
    def segmented(
        cls,
        likelihood: NDArray[np.floating[Any]],
        options: SegmentationOptions,
        *,
        cut: float,
        connectivity: int,
        image: NDArray[np.floating[Any]] | None = None,
        truth: NDArray[Any] | None = None,
        valid: NDArray[Any] | None = None,
    ) -> ShownImage:
        """With the masks that a likelihood makes: the plain cut, and what persistence decides on.

        Args:
            likelihood: (H, W) in [0, 1].
            options: Threshold, keep and add; of a plain cut there is that mask alone.
            cut: Threshold of the plain cut.
            connectivity: Of the structure.
            image: As in the class, like what follows.
            truth: Likewise.
            valid: Likewise.
        """
        masks = {f"cut at {cut:g}": likelihood >= cut}
        decisions = None
        if not options.is_cut:
            counted = taken_for_structure(likelihood, valid)
            settled = segment_images(counted, options, connectivity=connectivity)
            masks["by persistence"], decisions = settled.mask, settled.decisions
        return cls(
            likelihood=likelihood, masks=masks, options=options, image=image, truth=truth,
            valid=valid, decisions=decisions, connectivity=connectivity,
        )  # fmt: skip

    def packed(self, most_pixels: int) -> dict[str, Any]:
        """For JSON, shrunk by a whole number to at most so many pixels.

        Places are (row, column) of the image itself, whatever was shrunk.

        Cost: 0.1 s for an image of 512 x 512.
        """
        shape = self.likelihood.shape
        shrink = shrink_factor(shape, most_pixels)
        bare = is_mask(self.likelihood)
        return {
            "height": shape[0],
            "width": shape[1],
            "shrink": shrink,
            "image": None if self.image is None else _image_url(self.image, shrink),
            # Dark where it is high, as all maps of structure are.
            "likelihood": None if bare else _url(1 - 0.85 * self.likelihood, shrink),
            "masks": list(self.masks),
            "has_truth": self.truth is not None,
            "has_changes": self.decisions is not None,
            "bits": _compressed(self._bits()[::shrink, ::shrink]),
            "mistakes": self._mistakes(),
            "rule": {"threshold": self.options.threshold, "keep": self.options.keep,
                     "add": self.options.add},
            **({"dots": [], "dots_in_all": 0} if bare else self._dots()),
        }  # fmt: skip

    def _bits(self) -> NDArray[np.uint8]:
        bits = np.zeros(self.likelihood.shape, dtype=np.uint8)
        if self.truth is not None:
            bits |= (self.truth != 0).astype(np.uint8) << TRUTH
        counted = np.ones(bits.shape, bool) if self.valid is None else self.valid != 0
        bits |= counted.astype(np.uint8) << COUNTS
        for k, mask in enumerate(self.masks.values()):
            bits |= (mask != 0).astype(np.uint8) << (MASKS + k)
        if self.decisions is not None:
            changes = np.zeros(bits.size, dtype=np.uint8)
            for row, action in enumerate(self.decisions.action):
                colour = CHANGE_COLOURS.index(ACTION_STYLES[action][0])
                changes[self.decisions.changed(row)] = 1 + colour
            bits |= changes.reshape(bits.shape) << CHANGE
        return bits

    def _mistakes(self) -> dict[str, dict[str, list[list[float]]]]:
        """Centres of what is wrong, by mask and by kind."""
        if self.truth is None:
            return {}
        found = {}
        for title, mask in self.masks.items():
            predicted, true = (
                taken_for_structure(np.asarray(each) != 0, self.valid)
                for each in (mask, self.truth)
            )
            mistakes = find_mistakes(predicted, true, self.connectivity)
            found[title] = {
                kind: centres.round(1).tolist() for kind, centres in mistakes._asdict().items()
            }
        return found

    def _dots(self) -> dict[str, Any]:
        """The dots that can be pointed at, the most persistent first."""
        valid = None if self.all_decide else self.valid
        values = taken_for_structure(self.likelihood, valid)
        diagrams = persistence(
            np.clip(values, 0, 1), dims=self.dims, connectivity=self.connectivity, frame=self.frame
        )
        dots = dot_fates(diagrams, self.options, self.decisions)
        order = np.argsort(-dots.persistence, kind="stable")
        order = order[dots.persistence[order] >= LEAST_PERSISTENCE][:MOST_DOTS]
        return {"dots": _rows(dots.where(order)), "dots_in_all": len(dots)}


def is_mask(likelihood: NDArray[Any]) -> bool:
    """Whether it holds 0 and 1 alone, so that it has no weak features."""
    return bool(np.isin(likelihood, (0, 1)).all())


def most_pixels(pictures: int) -> int:
    """How many pixels each of so many pictures may have, so that the page stays small."""
    return PIXELS_OF_A_PAGE // max(1, min(pictures, MOST_PICTURES))


def with_pictures(count: int, shares: int = 1) -> frozenset[int]:
    """Which of so many images have a picture: all, or as many as there is room for, evenly spread.

    Args:
        count: Number of images.
        shares: By how many the room is shared.
    """
    chosen = np.linspace(0, count - 1, min(count, MOST_PICTURES // shares)).round().astype(int)
    return frozenset(chosen.tolist())


def shrink_factor(shape: tuple[int, ...], most_pixels: int) -> int:
    """The least whole number that a picture has to be shrunk by."""
    by_area = math.ceil(math.sqrt(shape[0] * shape[1] / most_pixels))
    return max(1, by_area, math.ceil(max(shape) / LONGEST_SIDE))


def _rows(dots: DotFates) -> list[list[Any]]:
    """Dimension, birth, death (None = never), birth pixel, death pixel, fate."""
    deaths, births = dots.places.round(4).T.tolist()
    return [
        [dimension, birth, death if math.isfinite(death) else None, *pixels, fate]
        for dimension, birth, death, pixels, fate in zip(
            dots.dimensions.tolist(), births, deaths, dots.pixels.tolist(), dots.fates.tolist(),
            strict=True,
        )
    ]  # fmt: skip


def _image_url(image: NDArray[np.floating[Any]], shrink: int) -> str:
    """Of one or three channels; of others the mean is shown."""
    shown = stretched(image if len(image) in (1, 3) else image.mean(axis=0, keepdims=True))
    return _url(shown, shrink)


def _url(values: NDArray[Any], shrink: int) -> str:
    """A picture with values in [0, 1], as a data URL."""
    from PIL import Image

    picture = Image.fromarray((255 * np.clip(values, 0, 1)).round().astype(np.uint8))
    file = io.BytesIO()
    (picture.reduce(shrink) if shrink > 1 else picture).save(
        file, "WEBP", quality=QUALITY, method=2
    )
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()


def _compressed(bits: NDArray[np.uint8]) -> str:
    return base64.b64encode(zlib.compress(bits.tobytes(), 6)).decode()
