"""How the loss cuts images into patches, and the draw of random ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from toponet._ground.boxes import Boxes, free_corners, grid_boxes, random_boxes, whole_box
from toponet._ground.validation import check_choice, check_whole

PATCHES = ("grid", "random")

# The states of generators before the latest draws. A loss is computed again long before its state
# leaves the list.
_drawn_from: deque[int] = deque(maxlen=4096)


@dataclass(frozen=True)
class PatchRule:
    """The options of :class:`toponet.TopologicalLoss` that say which patches are compared.

    Raises:
        TypeError: If an option has the wrong type.
        ValueError: If an option is unknown, out of range, or contradicts another one.
    """

    patch_size: int | None
    patches: str
    patches_per_image: int | None
    generator: torch.Generator | None

    def __post_init__(self) -> None:
        """Checks the options."""
        if self.patch_size is not None:
            check_whole("patch_size", self.patch_size, least=1)
        check_choice("patches", self.patches, PATCHES)
        if self.patches_per_image is not None:
            check_whole("patches_per_image", self.patches_per_image, least=1)
        if self.generator is not None:
            _check_generator(self.generator)
        random = self.patch_size is not None and self.overlap
        for name in ("patches_per_image", "generator"):
            if getattr(self, name) is not None and not random:
                raise ValueError(f"{name} needs patch_size and patches='random'")
        if self.overlap and self.patch_size is None:
            raise ValueError("patches='random' needs a patch_size")

    @property
    def overlap(self) -> bool:
        """Whether patches of one image may share pixels."""
        return self.patches == "random"

    def check_repeatable(self) -> None:
        """Raises ValueError if the patches are others at each call."""
        if self.overlap:
            raise ValueError("random patches have no diagrams to keep; use patches='grid'")

    def boxes(self, batch: int, sides: Sequence[int]) -> Boxes:
        """(B, P, 4) patches of each image, (B, P, 6) of each volume; random ones are drawn."""
        if self.patch_size is None or self.patches == "grid":
            return _same_boxes(batch, tuple(sides), self.patch_size)
        return self._draw(self.patch_size, batch, sides)

    def _draw(self, patch_size: int, batch: int, sides: Sequence[int]) -> Boxes:
        """Patches at random places."""
        count = self.patches_per_image or 1
        _check_same_draw(self.generator)
        corners = torch.stack(
            [
                torch.randint(free, (batch * count,), generator=self.generator, device="cpu")
                for free in free_corners(sides, patch_size)
            ],
            dim=1,
        )
        boxes = random_boxes(corners.numpy(), sides, patch_size)
        return boxes.reshape(batch, count, 2 * len(sides))


# A training asks for the same ones at each step. Making them takes as long as a small patch.
@lru_cache(maxsize=64)
def _same_boxes(batch: int, sides: tuple[int, ...], patch_size: int | None) -> Boxes:
    """The same patches for each image; read-only."""
    boxes = whole_box(sides) if patch_size is None else grid_boxes(sides, patch_size)
    repeated = np.repeat(boxes[None], batch, axis=0)
    repeated.flags.writeable = False
    return repeated


def _check_generator(generator: object) -> None:
    if not isinstance(generator, torch.Generator):
        raise TypeError(f"generator must be a torch.Generator, got {type(generator).__name__}")
    if generator.device.type != "cpu":
        raise ValueError(f"generator must be on the CPU, got {generator.device}")


def _check_same_draw(generator: torch.Generator | None) -> None:
    """Checks, before a draw, that a loss which is computed again draws the same patches again.

    Activation checkpointing (``torch.utils.checkpoint``) throws the forward pass away and does it
    again within the backward pass. The value of the loss then comes from the first pass, and its
    gradient from the second. They belong together only if both passes draw from the same state of
    the generator.

    Args:
        generator: What positions will be drawn from; None = torch's own.

    Raises:
        RuntimeError: If the second pass would draw other patches than the first.
    """
    state = torch.get_rng_state() if generator is None else generator.get_state()
    mark = hash(state.numpy().tobytes())
    if torch._C._current_graph_task_id() == -1:  # Outside of any backward pass.
        _drawn_from.append(mark)
    elif mark not in tuple(_drawn_from):
        raise RuntimeError(
            "activation checkpointing computes the loss again on other random patches than in the "
            "forward pass, so that its gradient wouldn't be that of its value; leave "
            "preserve_rng_state=True and generator=None, or keep the loss out of the checkpoint"
        )
