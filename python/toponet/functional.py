"""The topological loss as a function: torch in, torch out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toponet._validation import (
    MATCHINGS,
    binary_masks,
    check_choice,
    check_connectivity,
    check_dims,
    check_flag,
    check_min_persistence,
    thread_count,
)
from toponet.binary_loss import binary_topological_loss, binary_truth

REDUCTIONS = ("mean", "sum", "none")


def topological_loss(
    likelihood: Tensor,
    target: Tensor,
    *,
    dims: Sequence[int] = (0, 1),
    connectivity: int = 8,
    frame: bool = True,
    matching: str = "complete",
    min_persistence: float = 0.0,
    reduction: str = "mean",
    num_threads: int | None = None,
) -> Tensor:
    """Functional form of :class:`toponet.TopologicalLoss`; arguments and errors are described there.

    Example:
        >>> import torch
        >>> from toponet.functional import topological_loss
        >>> likelihood = torch.full((1, 1, 5, 5), 0.5, requires_grad=True)
        >>> topological_loss(likelihood, torch.zeros(1, 1, 5, 5)).item()
        0.25
    """  # noqa: E501
    check_options(dims, connectivity, frame, matching, min_persistence, reduction, num_threads)
    _check_tensors(likelihood, target)
    shape = likelihood.shape
    losses: Tensor = _TopologicalLossFunction.apply(  # type: ignore[no-untyped-call]
        likelihood.reshape(-1, *shape[-2:]),
        target.reshape(-1, *shape[-2:]),
        {
            "dims": dims,
            "connectivity": connectivity,
            "frame": bool(frame),
            "matching": matching,
            "min_persistence": float(min_persistence),
            "num_threads": num_threads,
        },
    )
    return reduce(losses.reshape(shape[:-2]), reduction)


def reduce(losses: Tensor, reduction: str) -> Tensor:
    """Torch's "mean", "sum" or "none" over all entries."""
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()


def check_options(
    dims: Sequence[int],
    connectivity: int,
    frame: bool,
    matching: str,
    min_persistence: float,
    reduction: str,
    num_threads: int | None,
) -> None:
    """Raises ValueError or TypeError at the first option that isn't one."""
    check_dims(dims)
    check_connectivity(connectivity)
    check_flag("frame", frame)
    check_choice("matching", matching, MATCHINGS)
    check_min_persistence(min_persistence)
    check_choice("reduction", reduction, REDUCTIONS)
    thread_count(num_threads)


def check_floating_point(name: str, tensor: Tensor) -> None:
    """Raises TypeError unless a dense floating point tensor."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor, got {type(tensor).__name__}")
    if not tensor.is_floating_point() or tensor.layout != torch.strided:
        raise TypeError(f"{name} must be dense and floating point, got {tensor.dtype}, "
                        f"{tensor.layout}")  # fmt: skip


def _check_tensors(likelihood: Tensor, target: Tensor) -> None:
    check_floating_point("likelihood", likelihood)
    if not isinstance(target, Tensor):
        raise TypeError(f"target must be a torch.Tensor, got {type(target).__name__}")
    if target.is_complex():
        raise TypeError(f"target must hold only 0 and 1, got {target.dtype}")
    if likelihood.ndim not in (3, 4):
        raise ValueError(
            "likelihood must have shape (B, C, H, W) or (B, H, W), got " + _shape(likelihood)
        )
    if likelihood.shape != target.shape:
        raise ValueError(
            "likelihood and target must have the same shape, got "
            f"{_shape(likelihood)} and {_shape(target)}"
        )
    if likelihood.numel() == 0:
        raise ValueError(
            f"likelihood must hold at least one image of at least one pixel, got shape "
            f"{_shape(likelihood)}"
        )


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))


def _to_numpy(target: Tensor) -> NDArray[Any]:
    target = target.detach().cpu()
    if target.dtype == torch.bfloat16:  # numpy has no such type.
        target = target.float()
    array: NDArray[Any] = target.numpy()
    return array


def _check_range(likelihood: NDArray[Any]) -> None:
    """After the copy to the CPU, so that a CUDA device is waited for once only."""
    low, high = likelihood.min(), likelihood.max()
    if np.isnan(low) or np.isnan(high):
        raise ValueError("likelihood must hold probabilities in [0, 1], got NaN")
    if low < 0 or high > 1:
        value = low if low < 0 else high
        raise ValueError(
            f"likelihood must hold probabilities in [0, 1], got {value:.6g}; "
            "apply sigmoid or softmax to logits first"
        )


class _TopologicalLossFunction(torch.autograd.Function):
    """Per-image loss of (N, H, W); its gradient is known as soon as the matching is."""

    @staticmethod
    def forward(
        ctx: Any,
        likelihood: Tensor,
        target: Tensor,
        options: dict[str, Any],
    ) -> Tensor:
        dtype = torch.float64 if likelihood.dtype == torch.float64 else torch.float32
        # The one synchronisation with the device.
        f = likelihood.detach().to(device="cpu", dtype=dtype).contiguous().numpy()
        g = binary_masks("target", _to_numpy(target))
        _check_range(f)
        truth = binary_truth(g, options["connectivity"], options["frame"], options["num_threads"])
        losses, gradient = binary_topological_loss(f, truth, **options)
        ctx.save_for_backward(torch.from_numpy(gradient).to(likelihood.device, non_blocking=True))
        ctx.likelihood_dtype = likelihood.dtype
        return torch.from_numpy(losses).to(device=likelihood.device, dtype=dtype)

    @staticmethod
    def backward(ctx: Any, losses_gradient: Tensor) -> tuple[Tensor | None, ...]:
        # Stricter than once_differentiable, under which a gradient penalty would silently take the
        # gradient for a constant.
        if torch.is_grad_enabled():
            raise RuntimeError(
                "the topological loss has a first derivative only; it can't be differentiated "
                "with create_graph=True"
            )
        (gradient,) = ctx.saved_tensors
        scaled = losses_gradient[:, None, None] * gradient
        return scaled.to(ctx.likelihood_dtype), None, None
