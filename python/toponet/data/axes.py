"""Arrays with named axes, as pages: which axis is a slice, a row, a column, a channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import looks_like_channels_last

LETTERS = "tzyxc"
MEANING = "t time, z slices, y rows, x columns, c channels"

Index = tuple[int | slice, ...]


@dataclass(frozen=True)
class AxisArray:
    """An array in a file, of which only parts are read.

    Attributes:
        origin: The file, and the array in it, as errors name it.
        shape: Of the array.
        dtype: Of its values.
        read: Gives the part of an index; raises ValueError if it can't be read.
        axes: A letter of :data:`LETTERS` for each axis; None = the file doesn't say.
        colours: Whether its channels are those of a picture, which may all be the same grey.
    """

    origin: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[Index], NDArray[Any]]
    axes: str | None = None
    colours: bool = False


@dataclass(frozen=True)
class Channels:
    """The pages of an array, (H, W) of one channel or (H, W, C) of all.

    Attributes:
        array: What they are read from.
        axes: A letter for each of its axes.
        channel: The one that is read; None = all.
    """

    array: AxisArray
    axes: str
    channel: int | None

    @property
    def _leading(self) -> str:
        """The axes that pages follow each other on, the slowest first."""
        return "".join(letter for letter in "tz" if letter in self.axes)

    @property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(self.array.shape[self.axes.index(letter)] for letter in self._leading)

    @property
    def count(self) -> int:
        """Number of pages: slices, times, or one."""
        return int(np.prod(self._lengths, dtype=np.int64))

    def page(self, i: int) -> NDArray[Any]:
        """Page ``i`` in the file's own values."""
        places: dict[str, int | slice] = dict.fromkeys(self.axes, slice(None))
        numbers = np.unravel_index(i, self._lengths) if self._leading else ()
        places |= {letter: int(k) for letter, k in zip(self._leading, numbers, strict=True)}
        if "c" in self.axes and self.channel is not None:
            places["c"] = self.channel
        pixels = self.array.read(tuple(places[letter] for letter in self.axes))
        left = [letter for letter in self.axes if isinstance(places[letter], slice)]
        return pixels.transpose([left.index(letter) for letter in "yxc" if letter in left])


def named_axes(array: AxisArray, axes: str | None, channel: int | None) -> str:
    """A letter for each axis: those that are asked for, those of the file, or the usual ones.

    Where nobody names them, (H, W) are rows and columns, and (N, H, W) slices of one channel; if a
    channel is asked for, the first axis is that of the channels.

    Raises:
        ValueError: If their number or a letter is wrong, or they can't be told.
    """
    letters = axes or array.axes or _usual_axes(array, channel)
    known = set(letters) <= set(LETTERS) and len(set(letters)) == len(letters)
    if not known or not {"y", "x"} <= set(letters):
        raise ValueError(
            f"{array.origin} has the axes {letters!r}; expected y and x, and of t, z and c each at "
            f"most once ({MEANING}): name them in their order with --axes"
        )
    if len(letters) != len(array.shape):
        raise ValueError(
            f"{array.origin} has shape {array.shape}, but {letters!r} names {len(letters)} axes; "
            "name each with --axes"
        )
    return letters


def check_channel(array: AxisArray, axes: str, channel: int | None) -> int | None:
    """The channel to read; None = there are none.

    Raises:
        ValueError: If one has to be named and isn't, or one is named that isn't there.
    """
    if "c" not in axes:
        if channel is not None:
            raise ValueError(
                f"{array.origin} has no axis of channels (shape {array.shape}, axes {axes}); leave "
                "--channel out, or name the axes with --axes"
            )
        return None
    count = array.shape[axes.index("c")]
    if channel is None and count > 1:
        raise ValueError(
            f"{array.origin} holds {count} channels; choose that of the structure with --channel, "
            f"0 to {count - 1}"
        )
    if channel is not None and channel >= count:
        raise ValueError(
            f"{array.origin} holds {count} channel(s), numbered from 0; --channel {channel} isn't "
            "among them"
        )
    return channel or 0


def _usual_axes(array: AxisArray, channel: int | None) -> str:
    ndim = len(array.shape)
    if ndim == 2:
        return "yx"
    if channel is not None and ndim in (3, 4):
        return "cyx" if ndim == 3 else "czyx"
    if ndim == 3 and not looks_like_channels_last(array.shape) and not _adds_up(array):
        return "zyx"
    raise ValueError(
        f"{array.origin} has shape {array.shape}, and nothing says which axis is which; name them "
        f"in their order with --axes, such as czyx ({MEANING}), or the channel of channels first "
        "with --channel"
    )


def _adds_up(array: AxisArray) -> bool:
    """Whether the first axis is that of a softmax: its values add up to one, or to 255.

    One row of pixels is looked at. In slices that are 0 or 1 everywhere it may add up by chance,
    which asks for a word more than is needed.
    """
    if array.shape[0] < 2:
        return False
    sums = array.read((slice(None), array.shape[1] // 2)).astype(np.float64).sum(axis=0)
    # Each channel may have been rounded, in 8 bit by up to half a step.
    return any(bool((np.abs(sums - whole) <= 0.01 * whole).all()) for whole in (1, 255, 65535))
