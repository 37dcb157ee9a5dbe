"""What a Betti error counts, and on which parts of the images."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import numpy as np

from toponet._ground.spaces import IMAGES, Space, space_of
from toponet._ground.validation import check_choice, check_dims, check_whole, chosen_connectivity

if TYPE_CHECKING:
    from typing_extensions import Unpack

Function = TypeVar("Function", bound=Callable[..., Any])


class BettiOptions(TypedDict, total=False):
    """The options of a Betti error; :func:`toponet.metrics.betti_error` describes them.

    The list is written here only. An option that is left out, or None, has its default.
    """

    convention: str | None
    spatial_dims: int | None
    patch_size: int | None
    patches: int | str | None
    seed: int | None
    connectivity: int | None
    frame: bool | str | None
    dims: Sequence[int] | None


DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "spatial_dims": 2,
        "patch_size": 65,
        "patches": 100,
        "seed": 0,
        "connectivity": None,  # The first one of the space.
        "frame": True,
        "dims": None,  # All of the space.
    }
)

# By the name of a convention: the options that it fixes. The other options stay free.
CONVENTIONS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "toponet": {"connectivity": 8, "frame": True, "dims": (0, 1)},
        "toponet-authors": {"connectivity": 8, "frame": "rim", "dims": (1,)},
        "whole-image": {"patches": "whole", "connectivity": 8, "frame": True, "dims": (0, 1)},
        "topomortar": {"patches": "whole", "connectivity": 8, "frame": False, "dims": (0, 1)},
        "betti-matching": {"patches": "whole", "connectivity": 4, "frame": False, "dims": (0, 1)},
    }
)

# The same, of volumes.
VOLUME_CONVENTIONS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "toponet": {"connectivity": 26, "frame": True, "dims": (0, 1, 2)},
        "whole-image": {
            "patches": "whole",
            "connectivity": 26,
            "frame": True,
            "dims": (0, 1, 2),
        },
    }
)

FRAMES = {True: "with frame", False: "without frame", "rim": "rim overwritten with structure"}


@dataclass(frozen=True)
class BettiConvention:
    """All options that a Betti error was measured by; ``str`` puts them in one line.

    Attributes:
        patches: The number of random patches an image or volume, "grid" or "whole".
        patch_size: Side of the patches in pixels or voxels; None for whole images.
        seed: Seed of the positions; None if they aren't random.
        connectivity: Connectivity of the structure; the background has the other one.
        frame: True, False or "rim".
        dims: The dimensions that are counted.
        name: The named convention, or None.
        spatial_dims: 2 = images, 3 = volumes.
    """

    patches: int | str
    patch_size: int | None
    seed: int | None
    connectivity: int
    frame: bool | str
    dims: tuple[int, ...]
    name: str | None
    spatial_dims: int = 2

    @property
    def space(self) -> Space:
        """Images or volumes."""
        return space_of(self.spatial_dims)

    def __str__(self) -> str:
        """What the numbers mean."""
        return f"mean |difference of Betti numbers| {self.counted}"

    @property
    def counted(self) -> str:
        """Over what the mean goes, and what counts there, in words."""
        noun, article = self.space.noun, self.space.article
        size = " x ".join([str(self.patch_size)] * self.spatial_dims)
        where = {
            "whole": f"whole {noun}s",
            "grid": f"a grid of patches of at most {size}",
        }.get(
            str(self.patches),
            f"{self.patches} random patches {article} {noun} of {size}, seed {self.seed}",
        )
        only = f", dimension {self.dims[0]} only" if len(self.dims) == 1 else ""
        name = f" ({self.name})" if self.name is not None else ""
        return f"over {where}, connectivity {self.connectivity}, {FRAMES[self.frame]}{only}{name}"


def spelled_out(function: Function) -> Function:
    """Lists the options of a Betti error one by one in a signature, for ``help()`` and editors.

    They replace ``**options``; ``**kwargs``, which takes further options, stays behind them.
    """
    signature = inspect.signature(function)
    own = list(signature.parameters.values())
    last = own.pop()
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            # An annotation of a TypedDict is a string in a wrapper.
            annotation=getattr(annotation, "__forward_arg__", annotation),
        )
        for name, annotation in BettiOptions.__annotations__.items()
    ]
    rest = [last] if last.name == "kwargs" else []
    shown = signature.replace(parameters=[*own, *options, *rest])
    function.__signature__ = shown  # type: ignore[attr-defined]
    return function


@spelled_out
def betti_convention(**options: Unpack[BettiOptions]) -> BettiConvention:
    """Checks the options: those given, those that ``convention`` fixes, and the defaults.

    Raises:
        TypeError: If an option is unknown, or of the wrong type.
        ValueError: If an option is out of range, is fixed by the convention, or has no meaning.
    """
    unknown = sorted(set(options) - set(BettiOptions.__annotations__))
    if unknown:
        raise TypeError(f"a Betti error has no option {unknown[0]!r}")
    given: dict[str, Any] = {
        option: value for option, value in options.items() if value is not None
    }
    convention = given.pop("convention", None)
    space = space_of(given.get("spatial_dims", IMAGES.spatial_dims))
    chosen = {**DEFAULTS, **_fixed_options(convention, space, given), **given}
    connectivity = chosen_connectivity(chosen["connectivity"], space)
    _check_patches(chosen["patches"])
    asked = check_dims(space.dims if chosen["dims"] is None else chosen["dims"], space)
    dimensions = tuple(d for d, counted in enumerate(asked) if counted)
    frame = _checked_frame(chosen["frame"])
    size, seed = _size_and_seed(chosen, given)
    return BettiConvention(
        patches=chosen["patches"],
        patch_size=size,
        seed=seed,
        connectivity=connectivity,
        frame=frame,
        dims=dimensions,
        name=convention,
        spatial_dims=space.spatial_dims,
    )


def _fixed_options(convention: Any, space: Space, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options that a named convention fixes; none if there is no name.

    Raises:
        ValueError: If there is no such convention of the space, or one of its options is given.
    """
    if convention is None:
        return {}
    check_choice("convention", convention, tuple(CONVENTIONS))
    conventions = CONVENTIONS if space is IMAGES else VOLUME_CONVENTIONS
    if convention not in conventions:
        listed = " or ".join(repr(name) for name in conventions)
        raise ValueError(
            f"convention={convention!r} is one of images: for {space.noun}s take {listed}, or give "
            "the options one by one"
        )
    for option, value in conventions[convention].items():
        if option in given:
            raise ValueError(
                f"convention={convention!r} fixes {option}={value!r}: leave {option} out"
            )
    return conventions[convention]


def _size_and_seed(
    chosen: Mapping[str, Any], given: Mapping[str, Any]
) -> tuple[int | None, int | None]:
    """Side and seed of the patches; None where they have no meaning.

    Raises:
        ValueError: If one that has no meaning is given.
    """
    patches = chosen["patches"]
    if patches == "whole" and "patch_size" in given:
        raise ValueError("patch_size has no meaning for whole images: leave it out")
    if isinstance(patches, str) and "seed" in given:
        raise ValueError(f"seed has no meaning for patches={patches!r}: leave it out")
    size = check_whole("patch_size", chosen["patch_size"], least=1)
    check_whole("seed", chosen["seed"], least=0)
    return (
        None if patches == "whole" else size,
        None if isinstance(patches, str) else chosen["seed"],
    )


def _check_patches(patches: object) -> None:
    if not isinstance(patches, str):
        check_whole("patches", patches, least=1)
    elif patches not in ("grid", "whole"):
        raise ValueError(f"patches must be a number, 'grid' or 'whole', got {patches!r}")


def _checked_frame(frame: object) -> bool | str:
    # Checked by type first, because 1 == True and an array has no truth value.
    if isinstance(frame, (bool, np.bool_)):
        return bool(frame)
    if isinstance(frame, str) and frame == "rim":
        return frame
    raise TypeError(f"frame must be True, False or 'rim', got {frame!r}")
