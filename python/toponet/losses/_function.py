"""The topological loss as a node of torch's graph: the one ``torch.autograd.Function``."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toponet._ground.boxes import Boxes
from toponet._ground.valid import patch_weights, taken_for_structure
from toponet.losses._inputs import check_class_indices, within_unit_interval
from toponet.losses.binary_loss import LossOptions, Patches, binary_topological_loss
from toponet.losses.diagram_loss import diagram_topological_loss
from toponet.topology.diagrams import PersistenceDiagrams

# The types of masks that the kernel reads. Masks of other types are converted to float32.
_MASK_DTYPES = (torch.bool, torch.uint8, torch.int32, torch.int64, torch.float32, torch.float64)


class Truth(NamedTuple):
    """What a batch of likelihood maps (B, C, H, W) is compared with, and where.

    Volumes have one axis more, here and below.

    Attributes:
        target: (B, C, H, W) of 0 and 1; or (B, 1, H, W) of class indices, if C > 1; or None, if
            there are diagrams.
        diagrams: One for each patch, image after image, channel after channel; None if there is a
            target.
        valid: (B, 1 or C, H, W), bool: pixels that count; None = all.
        first_class: Class index of the first channel.
        boxes: (B, P, 4) patches of each image, (B, P, 6) of each volume; the same in all channels.
        overlap: Whether patches of one image may share pixels. If not, they cover the image.
    """

    target: Tensor | None
    diagrams: PersistenceDiagrams | None
    valid: Tensor | None
    first_class: int
    boxes: Boxes
    overlap: bool


class TopologicalLossFunction(torch.autograd.Function):
    """(B, C) losses of (B, C, H, W) likelihoods, float32 or float64.

    The gradient is computed in the forward pass, where the matching is known.
    """

    @staticmethod
    def forward(
        ctx: Any, likelihood: Tensor, truth: Truth, options: LossOptions, rounding: float
    ) -> Tensor:
        device = likelihood.device
        f, masks, patches, valid = prepare(likelihood, truth, rounding)
        gradient = _host_buffer(f.shape, torch.from_numpy(f).dtype, device)
        if truth.diagrams is None:
            losses, _ = binary_topological_loss(
                f, masks, patches, options, gradient=gradient.numpy()
            )
        else:
            losses, _ = diagram_topological_loss(
                f, truth.diagrams, patches, options, gradient=gradient.numpy()
            )
        if valid is not None:
            gradient.numpy()[~valid] = 0
        ctx.save_for_backward(gradient.view(likelihood.shape).to(device, non_blocking=True))
        return torch.from_numpy(losses).view(likelihood.shape[:2]).to(device, gradient.dtype)

    @staticmethod
    def backward(ctx: Any, losses_gradient: Tensor) -> tuple[Tensor | None, ...]:
        # torch's once_differentiable isn't strict enough: with it, a gradient penalty would take
        # the gradient for a constant without a word.
        if torch.is_grad_enabled():
            raise RuntimeError(
                "the topological loss has a first derivative only; it can't be differentiated "
                "with create_graph=True"
            )
        (gradient,) = ctx.saved_tensors
        factors = losses_gradient.view(*losses_gradient.shape, *(1,) * (gradient.ndim - 2))
        return factors * gradient, None, None, None


def prepare(
    likelihood: Tensor, truth: Truth, rounding: float
) -> tuple[NDArray[Any], NDArray[Any] | None, Patches, NDArray[np.bool_] | None]:
    """On the CPU: likelihoods (N, H, W), masks (N, H, W), patches and valid pixels (N, H, W).

    N = B * C. Pixels that aren't valid are 1 in likelihoods and masks, as a frame is. Likelihoods
    that lie outside [0, 1] by at most ``rounding`` become 0 or 1.
    """
    batch, channels, *sides = likelihood.shape
    shape = (batch * channels, *sides)
    target = truth.target
    if target is not None and target.dtype not in _MASK_DTYPES:
        target = target.float()
    # The one copy from the device, and the one wait for it.
    f, g, v = _to_host(likelihood, target, truth.valid)
    assert f is not None
    f = within_unit_interval(f.reshape(shape), rounding)
    masks = None
    if g is not None:
        if g.shape[1] != channels:
            g = _one_against_the_rest(g, truth.first_class, channels, v)
        masks = np.ascontiguousarray(g).reshape(shape)
    if v is None:
        count = shape[0] * truth.boxes.shape[1]
        weights = np.full(count, 1 / truth.boxes.shape[1])
        return f, masks, Patches(_boxes_of_channels(truth.boxes, channels), weights,
                                 truth.overlap), None  # fmt: skip
    valid = np.broadcast_to(v != 0, likelihood.shape).reshape(shape)
    f = taken_for_structure(f, valid)
    if masks is not None:
        masks = taken_for_structure(masks, valid)
    boxes = _boxes_of_channels(truth.boxes, channels)
    return f, masks, Patches(boxes, patch_weights(valid, boxes), truth.overlap), valid


def _one_against_the_rest(
    indices: NDArray[Any], first_class: int, channels: int, valid: NDArray[Any] | None
) -> NDArray[np.bool_]:
    """(B, C, H, W) masks of class indices (B, 1, H, W), one for each channel."""
    classes = first_class + channels
    check_class_indices(
        torch.from_numpy(indices), classes, None if valid is None else torch.from_numpy(valid)
    )
    masks: NDArray[np.bool_] = indices == np.arange(first_class, classes).reshape(
        -1, *(1,) * (indices.ndim - 2)
    )
    return masks


def _boxes_of_channels(boxes: Boxes, channels: int) -> Boxes:
    each = np.repeat(boxes, channels, axis=0) if channels > 1 else boxes
    return each.reshape(-1, boxes.shape[-1])


def _to_host(*tensors: Tensor | None) -> list[NDArray[Any] | None]:
    """Contiguous arrays on the CPU. A CUDA device is waited for once, for all tensors together."""
    copies: list[Tensor | None] = []
    waited_for: torch.device | None = None
    for tensor in tensors:
        if tensor is None or tensor.device.type == "cpu":
            copies.append(None if tensor is None else tensor.detach().resolve_neg().contiguous())
        elif tensor.is_cuda:
            pinned = _host_buffer(tensor.shape, tensor.dtype, tensor.device)
            copies.append(pinned.copy_(tensor.detach(), non_blocking=True))
            waited_for = tensor.device
        else:
            copies.append(tensor.detach().cpu().contiguous())
    if waited_for is not None:
        torch.cuda.current_stream(waited_for).synchronize()
    return [None if copy is None else copy.numpy() for copy in copies]


def _host_buffer(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Memory on the CPU; pinned for a CUDA device, so that copies don't hold up the caller."""
    # "cpu" is named, because torch.set_default_device could ask for another device.
    return torch.empty(shape, dtype=dtype, device="cpu", pin_memory=device.type == "cuda")
