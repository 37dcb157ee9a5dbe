"""The topological loss as a module, in the manner of torch.nn."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch._compile import _disable_dynamo
from torch.nn.modules.loss import _Loss

from toponet._ground.boxes import Boxes, free_corners, grid_boxes, random_boxes, whole_box
from toponet._ground.validation import (
    check_choice,
    check_connectivity,
    check_dims,
    check_flag,
    check_min_persistence,
    check_weights,
    check_whole,
    thread_count,
)
from toponet.losses._function import TopologicalLossFunction, Truth, prepare
from toponet.losses._inputs import (
    as_computed,
    check_dense,
    check_likelihood,
    check_target,
    check_valid,
    rounding_tolerance,
    without_invalid,
)
from toponet.losses._recomputation import check_same_draw
from toponet.losses._reduction import REDUCTIONS, reduce
from toponet.losses.binary_loss import LossOptions
from toponet.losses.diagram_loss import explain_patches, patch_diagrams
from toponet.topology.diagrams import PersistenceDiagrams
from toponet.topology.explanation import Explanation
from toponet.topology.matching import MATCHINGS

PATCHES = ("grid", "random")


class TopologicalLoss(_Loss):
    r"""Distance between the topology of a likelihood map and the truth's (paper, eq. 2.2).

    .. math::
        L(f, g) = \min_\gamma \sum_{p \in Dgm(f)}
            [birth(p) - birth(\gamma(p))]^2 + [death(p) - death(\gamma(p))]^2

    for each image and channel, summed over dimensions 0 (components) and 1 (holes), which are
    matched apart. A dot without a partner is matched to its projection on the diagonal: noise to be
    removed.

    The gradient (eq. 2.3) is :math:`2 (f(c) - target)` at the critical pixels c of each dot and 0
    elsewhere. It is exact where all pixels differ; where some are equal the function has no
    gradient, and ties are broken by pixel index. First order only: a second derivative raises
    ``RuntimeError``.

    Args:
        dims: Dimensions that count: (0,), (1,) or (0, 1).
        connectivity: Of the foreground, 8 (background 4) or 4 (background 8).
        frame: Surround each patch of likelihood and target by a virtual frame of foreground
            (relative homology, section 2.3), so that structures cut by the border close loops with
            it.
        matching: "complete", "wasserstein" or "persistence"; see :func:`toponet.match`.
        min_persistence: Unmatched dots of at most this persistence are left alone.
        reduction: "mean" or "sum" over images and channels, or "none".
        num_threads: Threads of the kernel; None = the cores of this process, shared with the other
            ranks of its machine (``LOCAL_WORLD_SIZE``), and 1 in a data-loader worker; 1 = none
            started.
        dim_weights: Factors of dimension 0 and 1, at least 0.
        sigmoid: Take logits and apply a sigmoid to each channel.
        softmax: Take logits and apply a softmax over the channels.
        include_background: Whether channel 0 counts; needs more than one channel.
        class_weights: A factor for each channel that counts; None = 1.
        patch_size: Side in pixels of the patches that are compared, each on its own; None = whole
            images. A matching over a whole image isn't local: the paper takes 65.
        patches: "grid" (each side divided into the fewest nearly equal parts of at most
            ``patch_size``: no pixel is left out) or "random" (drawn anew in each call).
        patches_per_image: For "random": how many in each image, the same for all its channels;
            None = 1.
        generator: For "random": of the positions, on the CPU; None = torch's own, as
            ``torch.manual_seed`` sets it. Activation checkpointing (``torch.utils.checkpoint``)
            sets back torch's own only: with another one it raises ``RuntimeError``.

    Shape:
        - likelihood: (B, C, H, W) or (B, H, W), any floating point dtype, any device, in [0, 1], or
          logits if ``sigmoid`` or ``softmax``. Each channel is compared with its class against the
          rest. Rounding may leave probabilities a little outside [0, 1]: what lies at most four
          machine epsilons of the dtype outside (4.8e-7 in float32, 0.0039 in float16, 0.031 in
          bfloat16 and less) counts as 0 or 1, and gets the gradient of the pixel there.
        - target: the same shape, 0 or 1 in any dtype; or, with C > 1, class indices in a whole
          dtype, (B, 1, H, W) or (B, H, W).
        - valid: (B, H, W), (B, 1, H, W) or the likelihood's shape, 0 or 1: pixels that count. The
          others are taken for foreground of value 1, as the frame is, in likelihood and target;
          their values don't matter and they get no gradient (with ``softmax``, if they count in no
          channel).
        - target_diagrams: in place of the target, one diagram for each patch, image after image,
          channel after channel (those that count), as :meth:`target_diagrams` makes them. Soft and
          multi-level targets are possible in this form only.
        - output: scalar, or (B, C) respectively (B,) for reduction="none", C without the background
          if that doesn't count. The loss of an image is the mean over its patches (those with a
          valid pixel). float64 for float64 input, otherwise float32, under autocast as well.

    Raises:
        TypeError: If likelihood isn't a floating point tensor; if an option has the wrong type.
        ValueError: If an option is unknown or contradicts another one (in the constructor), shapes
            don't fit or are empty, likelihood holds NaN or values outside [0, 1] (logits), target
            anything but 0 and 1, or diagrams are of another number or hold other values. Another
            frame is found out where dimension 0 counts; other ``dims`` or another connectivity
            can't be.

    Cost: near-linear in the pixels, on the CPU: one copy from the device, into pinned memory, and
    one back. Under ``torch.compile`` the loss is one graph break; ``torch.func`` transforms and
    forward-mode derivatives aren't there.

    Differences from the authors' code: their diagrams come from sigmoid(x), their differences from
    x; their force on noise overshoots the diagonal; patches without structure are skipped there.

    Source: Hu, Li, Samaras, Chen, "Topology-Preserving Deep Image Segmentation", NeurIPS 2019.

    Example:
        >>> import torch, toponet
        >>> logits = torch.randn(2, 1, 65, 65, requires_grad=True)
        >>> target = (torch.rand(2, 1, 65, 65) > 0.5).float()
        >>> toponet.TopologicalLoss()(logits.sigmoid(), target).backward()
    """

    def __init__(
        self,
        dims: Sequence[int] = (0, 1),
        connectivity: int = 8,
        frame: bool = True,
        matching: str = "complete",
        min_persistence: float = 0.0,
        reduction: str = "mean",
        num_threads: int | None = None,
        *,
        dim_weights: Sequence[float] = (1.0, 1.0),
        sigmoid: bool = False,
        softmax: bool = False,
        include_background: bool = True,
        class_weights: Sequence[float] | None = None,
        patch_size: int | None = None,
        patches: str = "grid",
        patches_per_image: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        """Checks the options."""
        super().__init__(reduction=reduction)
        check_dims(dims)
        check_connectivity(connectivity)
        check_choice("matching", matching, MATCHINGS)
        check_min_persistence(min_persistence)
        check_choice("reduction", reduction, REDUCTIONS)
        thread_count(num_threads)
        flags = {"frame": frame, "sigmoid": sigmoid, "softmax": softmax,
                 "include_background": include_background}  # fmt: skip
        for name, flag in flags.items():
            check_flag(name, flag)
        if sigmoid and softmax:
            raise ValueError("sigmoid and softmax exclude each other, got both")
        weights = check_weights("dim_weights", dim_weights, 2)
        self.options = LossOptions(
            dims=tuple(dims),
            connectivity=int(connectivity),
            frame=bool(frame),
            matching=matching,
            min_persistence=float(min_persistence),
            dim_weights=(weights[0], weights[1]),
            num_threads=num_threads,
        )
        self.sigmoid = bool(sigmoid)
        self.softmax = bool(softmax)
        self.include_background = bool(include_background)
        self.class_weights = (
            None if class_weights is None else check_weights("class_weights", class_weights)
        )
        _check_patches(patch_size, patches, patches_per_image, generator)
        self.patch_size = None if patch_size is None else int(patch_size)
        self.patches = patches
        self.patches_per_image = None if patches_per_image is None else int(patches_per_image)
        self.generator = generator

    # One graph break under torch.compile: numpy inside leaves nothing to trace. (The public
    # torch.compiler.disable loads the compiler at once, which takes longer than all of torch.)
    @_disable_dynamo
    def forward(
        self,
        likelihood: Tensor,
        target: Tensor | None = None,
        *,
        valid: Tensor | None = None,
        target_diagrams: PersistenceDiagrams | None = None,
    ) -> Tensor:
        """Computes the loss; shapes and errors are described at the class."""
        f, truth = self._inputs(likelihood, target, valid, target_diagrams)
        losses: Tensor = TopologicalLossFunction.apply(  # type: ignore[no-untyped-call]
            f, truth, self.options, rounding_tolerance(likelihood.dtype)
        )
        if self.class_weights is not None:
            losses = losses * losses.new_tensor(self.class_weights)
        if self.reduction == "none" and likelihood.ndim == 3:
            losses = losses[:, 0]
        return reduce(losses, self.reduction)

    def explain(
        self,
        likelihood: Tensor,
        target: Tensor | None = None,
        *,
        valid: Tensor | None = None,
        target_diagrams: PersistenceDiagrams | None = None,
    ) -> list[Explanation]:
        """What the loss does: who is matched with whom, at what cost, and which pixels it moves.

        Args:
            likelihood: As of the loss.
            target: As of the loss.
            valid: As of the loss.
            target_diagrams: As of the loss.

        Random patches are drawn anew, as at each call of the loss.

        Returns:
            One explanation for each patch (an image, without ``patch_size``) with a valid pixel:
            image after image, channel after channel. Reduction and ``class_weights`` aren't part
            of them.

        Raises:
            TypeError, ValueError: As the loss.

        Cost: slower than the loss; O(n log n) for n dots of a patch.

        Example:
            >>> import torch, toponet
            >>> truth = torch.zeros(1, 1, 5, 5)
            >>> truth[..., 2, :] = 1
            >>> likelihood = truth * 0.8 + 0.1
            >>> likelihood[..., 2, 2] = 0.3
            >>> toponet.TopologicalLoss().explain(likelihood, truth)[0].count("matched", 1)
            2
        """
        with torch.no_grad():
            f, truth = self._inputs(likelihood, target, valid, target_diagrams)
            rounding = rounding_tolerance(likelihood.dtype)
            images, masks, patches, _ = prepare(f, truth, rounding)
        # The errors of the loss, with its sentences.
        TopologicalLossFunction.apply(  # type: ignore[no-untyped-call]
            f, truth, self.options, rounding
        )
        diagrams = truth.diagrams
        if diagrams is None:
            assert masks is not None
            diagrams = patch_diagrams(masks.astype(images.dtype), patches, self.options)
        return [
            explanation
            for _, explanation in explain_patches(images, diagrams, patches, self.options)
        ]

    def target_diagrams(
        self, target: Tensor, *, valid: Tensor | None = None
    ) -> PersistenceDiagrams:
        """Diagrams of targets, to be kept and passed to the loss in their place.

        For binary targets this saves little (the loss never computes their diagrams); it is for
        soft and multi-level ones, and for those who want to look at them or save them.

        Args:
            target: (B, C, H, W) or (B, H, W), values in [0, 1] in any real dtype.
            valid: As of the loss.

        Returns:
            One for each patch, image after image, channel after channel. Of a data set's images one
            by one: ``PersistenceDiagrams.concatenate`` makes a batch of them.

        Raises:
            TypeError: If target isn't a tensor.
            ValueError: If the shape doesn't fit; for random patches, which change at each call.

        Example:
            >>> import torch, toponet
            >>> loss = toponet.TopologicalLoss()
            >>> soft = torch.rand(1, 1, 9, 9)
            >>> kept = loss.target_diagrams(soft)
            >>> loss(soft, target_diagrams=kept).item()
            0.0
        """
        self._check_no_random_patches()
        check_dense("target", target)
        levels = check_likelihood("target", as_computed(target))
        v = check_valid(valid, levels)
        first = self._first_class(levels)
        if v is not None and v.shape[1] > 1:
            v = v[:, first:]
        levels = without_invalid(levels, v, each_channel=True)[:, first:]
        rounding = rounding_tolerance(target.dtype) if target.is_floating_point() else 0.0
        if not ((levels >= -rounding) & (levels <= 1 + rounding)).all():
            raise ValueError(
                f"target must hold values in [0, 1], got values from {levels.min():.9g} to "
                f"{levels.max():.9g}; class indices have to be made masks first"
            )
        truth = self._truth(levels, None, v, None, first)
        images, _, patches, _ = prepare(levels, truth, rounding)
        return patch_diagrams(images, patches, self.options)

    def extra_repr(self) -> str:
        """Shows the options that decide the result, those off their default only."""
        shown = {**vars(self.options), **vars(self)}
        return ", ".join(
            f"{name}={shown[name]!r}"
            for name, parameter in inspect.signature(TopologicalLoss).parameters.items()
            if name in ("dims", "connectivity", "frame", "matching", "reduction")
            or shown[name] != parameter.default
        )

    def _inputs(
        self,
        likelihood: Tensor,
        target: Tensor | None,
        valid: Tensor | None,
        diagrams: PersistenceDiagrams | None,
    ) -> tuple[Tensor, Truth]:
        """Probabilities of the channels that count, and what they are compared with."""
        f = check_likelihood("likelihood", likelihood)
        if (target is None) == (diagrams is None):
            raise ValueError("expected either target or target_diagrams, got "
                             + ("none" if target is None else "both"))  # fmt: skip
        if diagrams is not None:
            if not isinstance(diagrams, PersistenceDiagrams):
                raise TypeError("target_diagrams must be toponet.PersistenceDiagrams, got "
                                + type(diagrams).__name__)  # fmt: skip
            self._check_no_random_patches()
        v = check_valid(valid, f)
        f = without_invalid(as_computed(f), v, each_channel=not self.softmax)
        if self.softmax and f.shape[1] == 1:
            raise ValueError("softmax needs more than one channel, got 1")
        if self.sigmoid or self.softmax:
            f = f.sigmoid() if self.sigmoid else f.softmax(dim=1)
        first = self._first_class(f)
        g = None if target is None else check_target(target, likelihood)
        if first:  # Of class indices and of one mask for all channels there is only one.
            f = f[:, 1:]
            g = g[:, 1:] if g is not None and g.shape[1] > 1 else g
            v = v[:, 1:] if v is not None and v.shape[1] > 1 else v
        if self.class_weights is not None and len(self.class_weights) != f.shape[1]:
            raise ValueError(
                f"class_weights must have one weight for each of the {f.shape[1]} channels that "
                f"count, got {len(self.class_weights)}"
            )
        return f, self._truth(f, g, v, diagrams, first)

    def _truth(
        self,
        f: Tensor,
        target: Tensor | None,
        valid: Tensor | None,
        diagrams: PersistenceDiagrams | None,
        first_class: int,
    ) -> Truth:
        batch, _, height, width = f.shape
        boxes = self._boxes(batch, height, width)
        overlap = self.patches == "random"
        return Truth(target, diagrams, valid, first_class, boxes, overlap)

    def _check_no_random_patches(self) -> None:
        if self.patches == "random":
            raise ValueError("random patches have no diagrams to keep; use patches='grid'")

    def _first_class(self, f: Tensor) -> int:
        """1 if the background doesn't count."""
        if self.include_background:
            return 0
        if f.shape[1] == 1:
            raise ValueError("include_background=False needs more than one channel, got 1")
        return 1

    def _boxes(self, batch: int, height: int, width: int) -> Boxes:
        """(B, P, 4) patches of each image."""
        if self.patch_size is None:
            boxes = whole_box(height, width)
        elif self.patches == "grid":
            boxes = grid_boxes(height, width, self.patch_size)
        else:
            rows, columns = free_corners(height, width, self.patch_size)
            count = self.patches_per_image or 1
            check_same_draw(self.generator)
            corners = torch.stack(
                [
                    torch.randint(free, (batch * count,), generator=self.generator, device="cpu")
                    for free in (rows, columns)
                ],
                dim=1,
            )
            boxes = random_boxes(corners.numpy(), height, width, self.patch_size)
            return boxes.reshape(batch, count, 4)
        return np.broadcast_to(boxes, (batch, *boxes.shape))


def _check_patches(
    patch_size: int | None,
    patches: str,
    patches_per_image: int | None,
    generator: torch.Generator | None,
) -> None:
    if patch_size is not None:
        check_whole("patch_size", patch_size, least=1)
    check_choice("patches", patches, PATCHES)
    if patches_per_image is not None:
        check_whole("patches_per_image", patches_per_image, least=1)
    if generator is not None:
        if not isinstance(generator, torch.Generator):
            raise TypeError(f"generator must be a torch.Generator, got {type(generator).__name__}")
        if generator.device.type != "cpu":
            raise ValueError(f"generator must be on the CPU, got {generator.device}")
    random = patch_size is not None and patches == "random"
    for name, option in (("patches_per_image", patches_per_image), ("generator", generator)):
        if option is not None and not random:
            raise ValueError(f"{name} needs patch_size and patches='random'")
    if patches == "random" and patch_size is None:
        raise ValueError("patches='random' needs a patch_size")
