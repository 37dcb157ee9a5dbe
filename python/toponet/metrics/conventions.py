"""What a Betti error counts, and on which parts of the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from toponet._ground.validation import check_choice, check_connectivity, check_dims, check_whole

DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {"connectivity": 8, "frame": True, "dims": (0, 1), "patches": 100}
)

# By name, the options that each one fixes; the others stay free.
CONVENTIONS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "toponet": {"connectivity": 8, "frame": True, "dims": (0, 1)},
        "toponet-authors": {"connectivity": 8, "frame": "rim", "dims": (1,)},
        "whole-image": {"patches": "whole", "connectivity": 8, "frame": True, "dims": (0, 1)},
        "topomortar": {"patches": "whole", "connectivity": 8, "frame": False, "dims": (0, 1)},
    }
)

FRAMES = {True: "with frame", False: "without frame", "rim": "rim overwritten with structure"}


@dataclass(frozen=True)
class BettiConvention:
    """All options that a Betti error was measured by; ``str`` puts them in one line.

    Attributes:
        patches: Random patches an image, "grid" or "whole".
        patch_size: Side of the patches in pixels; None for whole images.
        seed: Of the positions; None unless they are random.
        connectivity: Of the structure; the background has the other one.
        frame: True, False or "rim".
        dims: The dimensions that are counted.
        name: The named convention, or None.
    """

    patches: int | str
    patch_size: int | None
    seed: int | None
    connectivity: int
    frame: bool | str
    dims: tuple[int, ...]
    name: str | None

    def __str__(self) -> str:
        """What the numbers mean."""
        where = {
            "whole": "whole images",
            "grid": f"a grid of patches of at most {self.patch_size} x {self.patch_size}",
        }.get(
            str(self.patches),
            f"{self.patches} random patches an image of {self.patch_size} x {self.patch_size}, "
            f"seed {self.seed}",
        )
        only = f", dimension {self.dims[0]} only" if len(self.dims) == 1 else ""
        name = f" ({self.name})" if self.name is not None else ""
        return (
            f"mean |difference of Betti numbers| over {where}, connectivity {self.connectivity}, "
            f"{FRAMES[self.frame]}{only}{name}"
        )


def betti_convention(
    convention: str | None = None,
    *,
    patch_size: int | None = None,
    patches: int | str | None = None,
    seed: int | None = None,
    connectivity: int | None = None,
    frame: bool | str | None = None,
    dims: Sequence[int] | None = None,
) -> BettiConvention:
    """The options as given, else as ``convention`` fixes them, else the defaults; all checked."""
    given = {"patches": patches, "connectivity": connectivity, "frame": frame, "dims": dims}
    given = {option: value for option, value in given.items() if value is not None}
    fixed: Mapping[str, Any] = {}
    if convention is not None:
        check_choice("convention", convention, tuple(CONVENTIONS))
        fixed = CONVENTIONS[convention]
        for option, value in fixed.items():
            if option in given:
                raise ValueError(
                    f"convention={convention!r} fixes {option}={value!r}: leave {option} out"
                )
    options = {**DEFAULTS, **fixed, **given}
    check_connectivity(options["connectivity"])
    _check_patches(options["patches"])
    dimensions = tuple(d for d, counted in enumerate(check_dims(options["dims"])) if counted)
    size, positions = _size_and_seed(options["patches"], patch_size, seed)
    return BettiConvention(
        patches=options["patches"],
        patch_size=size,
        seed=positions,
        connectivity=options["connectivity"],
        frame=_checked_frame(options["frame"]),
        dims=dimensions,
        name=convention,
    )


def _size_and_seed(
    patches: int | str, patch_size: int | None, seed: int | None
) -> tuple[int | None, int | None]:
    """With their defaults where they have a meaning; a ValueError where they have none."""
    if patches == "whole" and patch_size is not None:
        raise ValueError("patch_size has no meaning for whole images: leave it out")
    if isinstance(patches, str) and seed is not None:
        raise ValueError(f"seed has no meaning for patches={patches!r}: leave it out")
    size = 65 if patch_size is None else patch_size
    positions = 0 if seed is None else seed
    size = check_whole("patch_size", size, least=1)
    check_whole("seed", positions, least=0)
    return (
        None if patches == "whole" else size,
        None if isinstance(patches, str) else positions,
    )


def _check_patches(patches: object) -> None:
    if not isinstance(patches, str):
        check_whole("patches", patches, least=1)
    elif patches not in ("grid", "whole"):
        raise ValueError(f"patches must be a number, 'grid' or 'whole', got {patches!r}")


def _checked_frame(frame: object) -> bool | str:
    # By type first: 1 == True, and an array has no truth value.
    if isinstance(frame, (bool, np.bool_)):
        return bool(frame)
    if isinstance(frame, str) and frame == "rim":
        return frame
    raise TypeError(f"frame must be True, False or 'rim', got {frame!r}")
