"""Checks of the tensors that losses get: one clear sentence for each mistake."""

from __future__ import annotations

import math
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from toponet._ground.probabilities import without_rounding
from toponet._ground.spaces import IMAGES, VOLUMES, Space
from toponet._ground.validation import looks_like_channels_last

# A value outside [0, 1] by at most this much may be meant as a probability.
NEAR = 0.1


def check_dense(name: str, tensor: object) -> None:
    """Raises TypeError or ValueError unless it is a tensor whose real numbers can be read."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor, got {type(tensor).__name__}")
    if tensor.is_nested or tensor.layout != torch.strided or tensor.is_quantized:
        kind = "a nested" if tensor.is_nested else f"a {tensor.layout} {tensor.dtype}"
        raise TypeError(f"{name} must be a dense tensor, got {kind} one")
    if tensor.is_complex():
        raise TypeError(f"{name} must hold real numbers, got {tensor.dtype}")
    if tensor.is_meta:
        raise ValueError(f"{name} must hold values, got a tensor on the meta device")


def check_floating_point(name: str, tensor: Tensor) -> None:
    """Raises TypeError unless it is a dense floating point tensor."""
    check_dense(name, tensor)
    if not tensor.is_floating_point():
        raise TypeError(f"{name} must be floating point, got {tensor.dtype}")


def check_likelihood(name: str, likelihood: Tensor, space: Space = IMAGES) -> Tensor:
    """The likelihood as (B, C, H, W), or (B, C, D, H, W) of volumes.

    A shape (H, W, C) with at most four channels is refused, as everywhere else: it would be read as
    a batch of H images of one to four columns. Whoever has such a batch adds a channel axis.

    Raises:
        TypeError: If it isn't a dense floating point tensor.
        ValueError: If it is neither (B, C, H, W) nor (B, H, W), is empty or too large.
    """
    check_floating_point(name, likelihood)
    shapes = f"(B, C, {space.axes}) or (B, {space.axes})"
    if likelihood.ndim - space.spatial_dims not in (1, 2):
        volumes = "; for volumes pass spatial_dims=3" if likelihood.ndim == 5 else ""
        raise ValueError(f"{name} must have shape {shapes}, got {_shape(likelihood)}{volumes}")
    if likelihood.numel() == 0:
        raise ValueError(
            f"{name} must hold at least one {space.noun} of at least one {space.element}, got "
            f"shape {_shape(likelihood)}"
        )
    if space is IMAGES and looks_like_channels_last(likelihood.shape):
        raise ValueError(
            f"{name} must have shape (B, C, H, W) or (B, H, W), got {_shape(likelihood)}, which "
            f"looks like channels last: {name}.permute(2, 0, 1)[None] moves them to the front (a "
            f"batch of images of {likelihood.shape[2]} column(s) is {name}[:, None])"
        )
    if math.prod(side + 2 for side in likelihood.shape[-space.spatial_dims :]) >= 2**31:
        raise ValueError(f"{name} must have fewer than 2**31 {space.element}s a {space.noun}, got "
                         f"shape {_shape(likelihood)}")  # fmt: skip
    return likelihood if likelihood.ndim == space.spatial_dims + 2 else likelihood[:, None]


def check_target(target: Tensor, likelihood: Tensor, space: Space = IMAGES) -> Tensor:
    """The target as (B, C, H, W); class indices, possible if C > 1, as (B, 1, H, W).

    Likewise (B, C, D, H, W) of volumes.

    Raises:
        TypeError: If it isn't a dense tensor of real numbers, or class indices aren't whole.
        ValueError: If its shape doesn't fit the likelihood's.
    """
    check_dense("target", target)
    with_channels = space.spatial_dims + 2
    if target.shape == likelihood.shape:
        return target if target.ndim == with_channels else target[:, None]
    batch, sides = likelihood.shape[0], likelihood.shape[-space.spatial_dims :]
    whole = not target.is_floating_point() and target.dtype != torch.bool
    one_channel = target.shape in ((batch, 1, *sides), (batch, *sides))
    if likelihood.ndim == with_channels and one_channel:
        if whole or likelihood.shape[1] == 1:
            return target if target.ndim == with_channels else target[:, None]
        raise TypeError(f"target must hold class indices in a whole dtype, got {target.dtype} of "
                        f"shape {_shape(target)}; or 0 and 1 in the likelihood's shape "
                        f"{_shape(likelihood)}")  # fmt: skip
    raise ValueError(
        "likelihood and target must have the same shape (or the target one channel of class "
        f"indices), got {_shape(likelihood)} and {_shape(target)}"
    )


def check_valid(valid: Tensor | None, likelihood: Tensor) -> Tensor | None:
    """The valid pixels of a likelihood (B, C, H, W) as bool, (B, 1, H, W) or (B, C, H, W).

    Raises:
        TypeError: If they aren't a dense tensor of real numbers.
        ValueError: If their shape doesn't fit, or they hold other values than 0 and 1.
    """
    if valid is None:
        return None
    check_dense("valid", valid)
    mask = valid[:, None] if valid.ndim == likelihood.ndim - 1 else valid
    batch, channels, *sides = likelihood.shape
    if mask.shape not in ((batch, 1, *sides), (batch, channels, *sides)):
        axes = (IMAGES if len(sides) == 2 else VOLUMES).axes
        raise ValueError(
            f"valid must have shape (B, {axes}), (B, 1, {axes}) or that of the likelihood, "
            f"{_shape(likelihood)}; got {_shape(valid)}"
        )
    if mask.dtype == torch.bool:
        return mask
    check_binary("valid", mask)
    return mask == 1


def check_binary(name: str, tensor: Tensor) -> None:
    """Raises ValueError unless all values are 0 or 1. Waits for the device."""
    wrong = (tensor != 0) & (tensor != 1)
    if wrong.any():
        raise ValueError(f"{name} must hold only 0 and 1, got {tensor[wrong][0].item()} as well")


def check_class_indices(indices: Tensor, classes: int, valid: Tensor | None) -> None:
    """Raises ValueError unless class indices are 0 to ``classes - 1``.

    Pixels that count in no channel may have any index.

    Args:
        indices: (B, 1, H, W).
        classes: Number of classes.
        valid: The result of :func:`check_valid`.
    """
    wrong = (indices < 0) | (indices >= classes)
    if valid is not None:
        wrong &= valid.any(dim=1, keepdim=True)
    if wrong.any():
        raise ValueError(
            f"target must hold class indices from 0 to {classes - 1}, got {int(indices[wrong][0])}"
        )


def within_unit_interval(likelihood: NDArray[Any], rounding: float) -> NDArray[Any]:
    """The likelihood, with values that lie outside [0, 1] by at most ``rounding`` set to 0 or 1.

    If there are such values, the result is a copy.

    Raises:
        ValueError: If a value lies further outside, but near enough to be meant as a probability.
            The kernel refuses values that lie further away.
    """
    values, inside = without_rounding(likelihood, rounding)
    if not inside and values.min() >= -NEAR and values.max() <= 1 + NEAR:
        outside = (values < 0) | (values > 1)
        image = int(outside.reshape(len(values), -1).any(axis=1).argmax())
        raise ValueError(
            f"likelihood must hold probabilities in [0, 1], got {values[outside][0]:.9g}; "
            "apply sigmoid or softmax to logits first, clamp(0, 1) to probabilities that an "
            f"interpolation pushed out (image {image} of the batch)"
        )
    return values


def without_invalid(values: Tensor, valid: Tensor | None, each_channel: bool) -> Tensor:
    """The values, with 0 where pixels don't count.

    NaN at such a pixel would otherwise come back in the gradient of a sigmoid or softmax.

    Args:
        values: (B, C, H, W).
        valid: The result of :func:`check_valid`.
        each_channel: Whether each channel stands for itself. A softmax needs all channels of a
            pixel if it counts in one of them.
    """
    if valid is None:
        return values
    return values.masked_fill(~(valid if each_channel else valid.any(dim=1, keepdim=True)), 0)


def one_hot(target: Tensor, channels: int) -> Tensor:
    """Masks (B, C, H, W) of a result of :func:`check_target`."""
    if target.shape[1] == channels:
        return target
    classes = torch.arange(channels, device=target.device)
    return target.long() == classes.view(-1, *(1,) * (target.ndim - 2))


def as_computed(tensor: Tensor) -> Tensor:
    """The tensor in float64 if it is float64, else in float32.

    Types of lower precision have too few values near 0 and 1.
    """
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))
