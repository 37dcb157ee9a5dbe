"""What the numbers of a likelihood file mean: probabilities, 8 or 16 bit, logits, classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.probabilities import rounding_tolerance, without_rounding

SIGMOID, SOFTMAX = "sigmoid", "softmax"
LOGITS = (SIGMOID, SOFTMAX)

# What somebody may have meant by numbers above 1: percent, 8 bit, 16 bit.
SCALES = (100, 255, 65535)


@dataclass
class ValueSurvey:
    """What is known of all values of a file, page by page.

    Attributes:
        least: The smallest.
        most: The largest.
        finite: Whether all are.
        few: The values, if they are at most four; else five or more of them.
        pairs: Neighbouring pixels of which one lies between the ends of its type.
        flat: Those of them that are equal.
    """

    least: float = np.inf
    most: float = -np.inf
    finite: bool = True
    few: set[float] = field(default_factory=set)
    pairs: int = 0
    flat: int = 0

    def add(self, pixels: NDArray[Any]) -> None:
        """Looks at one page (H, W) or (H, W, C)."""
        if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
            self.finite = False
            return
        self.least = min(self.least, float(pixels.min()))
        self.most = max(self.most, float(pixels.max()))
        if len(self.few) <= 4:
            self.few |= _some_values(pixels)
        if pixels.dtype.kind in "ui":
            self._compare_neighbours(pixels)

    def _compare_neighbours(self, pixels: NDArray[Any]) -> None:
        full = int(np.iinfo(pixels.dtype).max)
        between = (pixels > 0.1 * full) & (pixels < 0.9 * full)
        for here, there in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
            counted = between[here]
            self.pairs += int(counted.sum())
            self.flat += int((counted & (pixels[here] == pixels[there])).sum())

    @property
    def is_mask(self) -> bool:
        """Whether there are two values only, 0 and one that stands for structure."""
        return any(self.few == {0, high} for high in (1, 255, 65535))

    def why_no_likelihood(self, full: int) -> str | None:
        """What speaks against integers being a likelihood; None = nothing does.

        Classes and few numbered regions are small numbers. Where the numbers are large, regions
        show by their flatness: a likelihood between its ends changes from pixel to pixel.

        Args:
            full: What would stand for 1.
        """
        if self.most > 0 and 2 * self.most < full:
            values = sorted(self.few)
            shown = ", ".join(f"{v:g}" for v in values[:4]) + (", ..." if len(values) > 4 else "")
            return f"{shown} stay below half of {full}"
        if 2 * self.flat > self.pairs:
            return "most neighbouring pixels between its ends are equal, as in numbered regions"
        return None


def _some_values(pixels: NDArray[Any]) -> set[float]:
    """All values if they are at most four, else five or six of them."""
    # To sort a large image takes as long as to segment it, and a sample mostly holds enough.
    sample = np.unique(pixels.reshape(-1)[:: max(1, pixels.size // 4096)])
    values = sample if len(sample) > 4 else np.unique(pixels)
    return set(values[:6].tolist())


@dataclass(frozen=True)
class Conversion:
    """How the values of a file become probabilities.

    Attributes:
        words: What a reader should know of it; None = they are probabilities already.
        scale: What stands for 1.
        logits: "sigmoid" or "softmax" (over the last axis) of logits; None = they are none.
        channel: Of softmax, the one that is kept.
    """

    words: str | None = None
    scale: float = 1.0
    logits: str | None = None
    channel: int = 0

    def apply(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """(H, W) float32 in [0, 1] of (H, W), or for softmax (H, W, C)."""
        values: NDArray[Any] = pixels
        if self.logits is not None or self.scale != 1:
            values = pixels.astype(np.float64)
        if self.logits == SIGMOID:
            values = _sigmoid(values)
        elif self.logits == SOFTMAX:
            values = _softmax(values, self.channel)
        elif self.scale != 1:
            values = values / self.scale
        # What rounding left outside is put at the end.
        likelihood: NDArray[np.float32] = np.clip(values, 0, 1).astype(np.float32)
        return likelihood


def conversion_of(
    pages: Iterable[NDArray[Any]], dtype: np.dtype[Any], origin: str, scale: float | None,
    logits: str | None, channel: int | None,
) -> Conversion:  # fmt: skip
    """Looks at all pages of a file and decides what their values mean.

    Args:
        pages: (H, W), or for softmax (H, W, C).
        dtype: Of the values in the file.
        origin: Names the file in errors.
        scale: What stands for 1, as somebody says; None = nobody does.
        logits: "sigmoid" or "softmax" if the values are logits; None = they aren't.
        channel: The channel that is kept; None = there are none.

    Raises:
        ValueError: If a value isn't finite, or the values aren't what is said or, where nothing is
            said, can't be taken for probabilities.
    """
    survey = ValueSurvey()
    for page in pages:
        survey.add(page)
    if not survey.finite:
        raise ValueError(f"{origin} holds NaN or infinite values")
    if logits is not None:
        return _of_logits(survey, dtype, origin, logits, channel)
    if scale is not None:
        _check_range(survey, dtype, origin, scale)
        return Conversion(f"divided by {scale:g}, as told", scale)
    if dtype.kind == "b" or survey.is_mask:
        raise ValueError(
            f"{origin} is a mask and no likelihood: it holds two values only, so that nothing is "
            "left to decide; name the file of the probabilities"
        )
    if dtype.kind == "f":
        _check_range(survey, dtype, origin, 1.0)
        return Conversion()
    if dtype.name not in ("uint8", "uint16"):
        raise ValueError(
            f"{origin} must be 8 bit, 16 bit or floating point, got {dtype}; --scale says what "
            "stands for 1"
        )
    full = int(np.iinfo(dtype).max)
    if reason := survey.why_no_likelihood(full):
        raise ValueError(
            f"{origin} is hardly a likelihood: {reason}; if it is one, --scale {full} takes {full} "
            "for 1"
        )
    return Conversion(f"{np.iinfo(dtype).bits} bit: divided by {full}", float(full))


def _of_logits(
    survey: ValueSurvey, dtype: np.dtype[Any], origin: str, logits: str, channel: int | None
) -> Conversion:
    if dtype.kind != "f":
        raise ValueError(f"{origin} must be floating point to hold logits, got {dtype}")
    if survey.least >= 0 and survey.most <= 1:
        raise ValueError(
            f"{origin} lies in [0, 1], so that it holds probabilities and no logits; leave "
            "--logits out"
        )
    words = f"logits: {logits}" + (f", channel {channel}" if logits == SOFTMAX else "")
    return Conversion(words, logits=logits, channel=channel or 0)


def _check_range(survey: ValueSurvey, dtype: np.dtype[Any], origin: str, scale: float) -> None:
    tolerance = max(map(rounding_tolerance, (dtype, "float32")))
    ends = np.array([survey.least, survey.most]) / scale
    if without_rounding(ends, tolerance)[1]:
        return
    found = f"{origin} holds values from {survey.least:.6g} to {survey.most:.6g}"
    if scale != 1:
        raise ValueError(f"{found}; divided by {scale:g} (--scale) they don't lie in [0, 1]")
    raise ValueError(f"{found}, no probabilities in [0, 1]: {_cure(survey)}")


def _cure(survey: ValueSurvey) -> str:
    """What values outside [0, 1] may be, and what to do then."""
    if len(survey.few) <= 4 and all(value == round(value) for value in survey.few):
        return "they look like classes; name the file of the probabilities"
    if survey.least >= -0.2 and survey.most <= 1.2:
        return "if resampling left some of them outside, clip them to [0, 1] first"
    if survey.least < 0:
        return "if they are logits, --logits sigmoid or --logits softmax converts them"
    most = next((scale for scale in SCALES if survey.most <= scale), survey.most)
    return f"--scale says what stands for 1, perhaps {most:.6g}"


def _sigmoid(logits: NDArray[Any]) -> NDArray[Any]:
    """Without overflow: 1 / (1 + exp(-x)) is (1 + tanh(x / 2)) / 2."""
    return (1 + np.tanh(logits / 2)) / 2


def _softmax(logits: NDArray[Any], channel: int) -> NDArray[Any]:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    share: NDArray[Any] = powers[..., channel] / powers.sum(axis=-1)
    return share
