"""Checks of what callers pass in: one clear sentence for each mistake. No torch here."""

from __future__ import annotations

import math
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet._ground.spaces import IMAGES, Space

FloatArray = NDArray[np.float32] | NDArray[np.float64]

ALGORITHMS = ("union_find", "reduction")

# The threads that ``num_threads=None`` means in this process; None = its fair share of the cores.
_default_threads: int | None = None


def check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """Raises ValueError unless ``value`` is one of ``choices``."""
    # An array is compared element by element, which gives no single answer.
    if isinstance(value, np.ndarray) or value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {listed}, got {value!r}")


def check_whole(name: str, value: object, least: int, most: int = 2**31 - 1) -> int:
    """The value as Python's int, which can't overflow.

    Raises:
        TypeError: If it isn't a whole number.
        ValueError: If it lies outside the bounds.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    if value > most:
        raise ValueError(f"{name} must be at most {most}, got {value}")
    return int(value)


def check_number(name: str, value: object, least: float = -np.inf) -> float:
    """The value as a float.

    Raises:
        TypeError: If it isn't a real number.
        ValueError: If it isn't finite, or is less than ``least``.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = np.inf
    if not (np.isfinite(number) and number >= least):
        bound = "" if least == -np.inf else f"at least {least:g} and "
        raise ValueError(f"{name} must be {bound}finite, got {value!r}")
    return number


def check_flag(name: str, value: object) -> None:
    """Raises TypeError unless the value is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}")


def check_frame_value(frame_value: float, dtype: np.dtype[Any]) -> float:
    """The frame's value as a float.

    Raises:
        TypeError: If it isn't a real number.
        ValueError: If it isn't finite in the images' dtype.
    """
    number = check_number("frame_value", frame_value)
    if abs(number) > float(np.finfo(dtype).max):
        raise ValueError(f"frame_value must be finite in {dtype}, got {frame_value!r}")
    return number


def check_connectivity(connectivity: int, space: Space = IMAGES) -> None:
    """Refuses what isn't a connectivity of the foreground.

    Raises:
        TypeError: If it isn't a whole number.
        ValueError: If it isn't one of the two that the space has.
    """
    low, high = sorted(space.connectivities)
    if isinstance(connectivity, bool) or not isinstance(connectivity, (int, np.integer)):
        raise TypeError(
            f"connectivity must be the whole number {low} or {high}, got {connectivity!r}"
        )
    if connectivity not in (low, high):
        of = "" if space is IMAGES else f" for {space.noun}s"
        raise ValueError(f"connectivity must be one of {low}, {high}{of}, got {connectivity!r}")


def chosen_connectivity(connectivity: int | None, space: Space) -> int:
    """The connectivity of the foreground; None = the first one that the space has.

    Raises:
        TypeError: If it isn't a whole number.
        ValueError: If it isn't one of the two that the space has.
    """
    if connectivity is None:
        return space.connectivities[0]
    check_connectivity(connectivity, space)
    return int(connectivity)


def check_dims(dims: Sequence[int], space: Space = IMAGES) -> tuple[bool, ...]:
    """Whether each homology dimension is asked for.

    Raises:
        TypeError: If the dimensions aren't a sequence.
        ValueError: If they aren't some of those that the space has, each once.
    """
    # An iterator could be read only once.
    if not isinstance(dims, (Sequence, np.ndarray)):
        raise TypeError(f"dims must be a sequence such as (0, 1) or (1,), got {dims!r}")
    chosen = tuple(dims)
    whole = all(isinstance(d, (int, np.integer)) and not isinstance(d, bool) for d in chosen)
    known = set(space.dims)
    if not chosen or not whole or not set(chosen) <= known or len(set(chosen)) < len(chosen):
        allowed = "(0,), (1,) or (0, 1)" if space is IMAGES else "some of 0, 1 and 2, each once"
        raise ValueError(f"dims must be {allowed}, got {tuple(chosen)!r}")
    return tuple(d in chosen for d in space.dims)


def check_min_persistence(min_persistence: float) -> None:
    """Raises TypeError or ValueError unless it is a finite number of at least 0."""
    check_number("min_persistence", min_persistence, least=0)


def check_weights(name: str, weights: Sequence[float], count: int | None = None) -> list[float]:
    """The weights as floats of at least 0. If ``count`` is given, there must be so many."""
    if not isinstance(weights, (Sequence, np.ndarray)):
        raise TypeError(f"{name} must be a sequence of numbers, got {weights!r}")
    chosen = list(weights)
    if not chosen or (count is not None and len(chosen) != count):
        expected = "at least one number" if count is None else f"{count} numbers"
        raise ValueError(f"{name} must hold {expected}, got {len(chosen)}")
    return [check_number(f"each of {name}", weight, least=0) for weight in chosen]


def thread_count(num_threads: int | None) -> int:
    """The number of threads. ``None`` means the limit of this process, or else its share of cores.

    A data-loader worker gets one thread, because there are many workers; it is known by being
    daemonic. Ranks that ``torchrun`` starts on one machine share its cores; ``torchrun`` tells them
    how many ranks there are.
    """
    if num_threads is None:
        if multiprocessing.current_process().daemon:
            return 1
        if _default_threads is not None:
            return _default_threads
        if hasattr(os, "sched_getaffinity"):
            cores = len(os.sched_getaffinity(0))
        else:
            cores = os.cpu_count() or 1
        ranks = os.environ.get("LOCAL_WORLD_SIZE", "")
        return max(1, cores // int(ranks)) if ranks.isdigit() and int(ranks) > 0 else cores
    check_whole("num_threads", num_threads, least=1)
    return min(int(num_threads), 1024)


@contextmanager
def limited_threads(count: int) -> Iterator[None]:
    """``num_threads=None`` means ``count`` within this context, in all threads of the process.

    So the ``--num-threads`` of a command holds for everything that the command calls, even for
    metrics, which have no such option.
    """
    global _default_threads
    before, _default_threads = _default_threads, thread_count(count)
    try:
        yield
    finally:
        _default_threads = before


def check_not_masked(name: str, values: object) -> None:
    """Raises TypeError for a masked array, or a list of them: numpy would drop the masks."""
    members = values if isinstance(values, (list, tuple)) else (values,)
    if any(isinstance(member, np.ma.MaskedArray) for member in members):
        raise TypeError(
            f"{name} must be a plain array, got a masked one, whose mask would be lost: pass "
            f"np.ma.getdata({name}), and valid=~np.ma.getmaskarray({name}) to what takes valid"
        )


def number_array(name: str, values: ArrayLike) -> NDArray[Any]:
    """A numpy array of real numbers, booleans among them.

    Raises:
        TypeError: If it holds anything else, can't be read by numpy, or is a masked array.
        ValueError: If rows differ in length.
    """
    check_not_masked(name, values)
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must be an array: its rows differ in length") from None
    except (TypeError, RuntimeError):  # Of tensors on a GPU, or with a gradient.
        raise TypeError(
            f"{name} must be an array of numbers, got {type(values).__name__}; of a tensor take "
            "tensor.detach().cpu().numpy()"
        ) from None
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} must hold real numbers, got {array.dtype}")
    return array


def looks_like_channels_last(shape: Sequence[int]) -> bool:
    """Whether a shape is (H, W, C), as images have it that were read from files.

    It would be read as H images of one to four columns. Nobody compares five or more such images.
    """
    return len(shape) == 3 and shape[2] <= 4 < min(shape[:2])


def check_channels_first(name: str, shape: tuple[int, ...]) -> None:
    """Raises ValueError for a shape (H, W, C)."""
    if looks_like_channels_last(shape):
        raise ValueError(
            f"{name} must have shape (H, W) or (B, H, W), got {shape}, which looks like channels "
            f"last: take one channel, {name}[..., 0] (real images of {shape[2]} column(s) can be "
            "passed one by one or transposed)"
        )


def as_batch(name: str, array: NDArray[Any], space: Space = IMAGES) -> NDArray[Any]:
    """Turns one image or volume into a batch: (H, W) or (B, H, W) into (B, H, W).

    Raises:
        ValueError: If the shape is another one, is empty, too large or looks like channels last.
    """
    if array.ndim == space.spatial_dims:
        array = array[None]
    if array.ndim != space.spatial_dims + 1:
        raise ValueError(
            f"{name} must have shape {space.shapes}, got {array.shape}: take the channels one "
            "by one"
        )
    if 0 in array.shape:
        raise ValueError(f"{name} must hold at least one {space.noun} of at least one "
                         f"{space.element}, got shape {array.shape}")  # fmt: skip
    if space is IMAGES:
        check_channels_first(name, array.shape)
    if math.prod(side + 2 for side in array.shape[1:]) >= 2**31:
        raise ValueError(
            f"{name} must have fewer than 2**31 {space.element}s each, got shape {array.shape}"
        )
    return array


def float_images(name: str, images: object, space: Space = IMAGES) -> FloatArray:
    """A contiguous batch, (B, H, W) or (B, D, H, W), of float32 or float64."""
    check_not_masked(name, images)
    array = np.asarray(images)
    if array.dtype not in (np.float32, np.float64):
        raise TypeError(f"{name} must be float32 or float64, got {array.dtype}")
    return np.ascontiguousarray(as_batch(name, array, space))


def binary_masks(name: str, masks: ArrayLike, space: Space = IMAGES) -> NDArray[np.uint8]:
    """A contiguous batch of bytes 0 and 1, from masks of any dtype."""
    array = as_batch(name, number_array(name, masks), space)
    if array.dtype == np.bool_:
        # An array of bytes that is viewed as bool may hold other bytes than 0 and 1.
        clean: NDArray[np.uint8] = (np.ascontiguousarray(array).view(np.uint8) != 0).view(np.uint8)
        return clean
    if array.dtype == np.uint8:
        wrong = array.max() > 1
    else:
        wrong = not bool(((array == 0) | (array == 1)).all())
    if wrong:
        values = np.unique(array[~((array == 0) | (array == 1))])
        raise ValueError(
            f"{name} must hold only 0 and 1, got {values[0]} as well: make it a mask first, "
            f"such as {name} >= 0.5 of a likelihood, {name} == 255 of a label"
        )
    return np.ascontiguousarray(array, dtype=np.uint8)


def binary_mask(name: str, mask: ArrayLike, space: Space = IMAGES) -> NDArray[np.bool_]:
    """One mask (H, W) or (D, H, W) as booleans, from one of any dtype that holds only 0 and 1."""
    array = number_array(name, mask)
    if array.ndim != space.spatial_dims:
        raise ValueError(
            f"{name} must be one mask of shape ({space.axes}), got {array.shape}: pass the "
            f"{space.noun}s of a batch, or the channels, one by one"
        )
    single: NDArray[np.bool_] = binary_masks(name, array, space)[0] != 0
    return single
