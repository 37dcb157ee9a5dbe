"""The topological loss as a module, in the manner of torch.nn."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import torch
from torch import Tensor
from torch._compile import _disable_dynamo
from torch.nn.modules.loss import _Loss

from toponet._ground.probabilities import rounding_tolerance
from toponet._ground.spaces import Space, space_of
from toponet._ground.validation import (
    check_choice,
    check_flag,
    check_weights,
    chosen_connectivity,
)
from toponet.losses._function import TopologicalLossFunction, Truth, prepare
from toponet.losses._inputs import (
    as_computed,
    check_dense,
    check_likelihood,
    check_target,
    check_valid,
    without_invalid,
)
from toponet.losses._patching import PatchRule
from toponet.losses.betti_loss import explain_betti_patches
from toponet.losses.binary_loss import LossOptions
from toponet.losses.diagram_loss import explain_patches, patch_diagrams
from toponet.losses.in_place_loss import explain_in_place_patches
from toponet.topology.diagrams import PersistenceDiagrams
from toponet.topology.explanation import Explanation
from toponet.topology.in_place import IN_PLACE
from toponet.topology.induced_matching import BETTI

REDUCTIONS = ("mean", "sum", "none")


class TopologicalLoss(_Loss):
    r"""Distance between the topology of a likelihood map and the truth's (paper, eq. 2.2).

    .. math::
        L(f, g) = \min_\gamma \sum_{p \in Dgm(f)}
            [birth(p) - birth(\gamma(p))]^2 + [death(p) - death(\gamma(p))]^2

    for each image and channel, summed over dimensions 0 (components) and 1 (holes); of volumes over
    0, 1 (tunnels) and 2 (cavities). Each dimension is matched separately. A dot without a partner
    is noise to be removed: it is matched to its projection on the diagonal.

    The gradient (eq. 2.3) is :math:`2 (f(c) - target)` at the critical pixels c of each dot and 0
    elsewhere. It is exact if all pixels differ. If some pixels are equal, the function has no
    gradient, and ties are broken by pixel index. There is a first derivative only: a second one
    raises ``RuntimeError``.

    Args:
        dims: Dimensions that count, such as (0,), (1,) or (0, 1); None = all: (0, 1), of volumes
            (0, 1, 2).
        connectivity: Of the foreground; None = 8, of volumes 26. 8 (background 4) or 4 (background
            8); of volumes 26 (background 6) or 6 (background 26).
        frame: Surround each patch of likelihood and target by a virtual frame of foreground
            (relative homology, section 2.3), so that structures cut by the border close loops with
            the frame.
        matching: "complete", "wasserstein" or "persistence"; see :func:`toponet.match`. Or "betti":
            partners are the features of likelihood and target that are the same place; see
            :func:`toponet.betti_matching`. Or "in_place", which matches nothing: each critical
            value is pulled to the truth of its own pixel (see below). Volumes have the first three.
        min_persistence: Unmatched dots of at most this persistence are left alone; of "in_place",
            dots that should not be there.
        reduction: "mean" or "sum" over images and channels, or "none".
        num_threads: Threads of the kernel; 1 = the caller's thread only. None = the cores of this
            process, divided by the ranks of its machine (``LOCAL_WORLD_SIZE``); 1 in a data-loader
            worker.
        dim_weights: A factor of at least 0 for each dimension, 0 first; None = 1.
        sigmoid: The input holds logits: apply a sigmoid to each channel.
        softmax: The input holds logits: apply a softmax over the channels.
        include_background: Whether channel 0 counts; needs more than one channel.
        class_weights: A factor for each channel that counts; None = 1.
        unmatched_weight: Of "betti": factor of the cost of dots without partner, on both sides.
        patch_size: Side of the patches in pixels; each patch is compared on its own. None = whole
            images, where a dot may be matched with one far away. The paper takes 65.
        patches: "grid" or "random". "grid" divides each side of the image into the fewest nearly
            equal parts of at most ``patch_size``, and leaves no pixel out. "random" draws new
            patches in each call.
        patches_per_image: Number of random patches in each image, at the same places in all its
            channels; None = 1.
        generator: Generator (on the CPU) of the positions of random patches; None = torch's own,
            which ``torch.manual_seed`` seeds. Activation checkpointing
            (``torch.utils.checkpoint``) resets torch's own generator only: with another generator
            the loss raises ``RuntimeError`` there.
        in_place_weight: Of "in_place": the weight of each pull, "persistence" or "one"; None =
            "persistence".
        in_place_extremes: Of "in_place": also pull the strongest value of each true piece to 1 and
            the weakest value of each true cell to 0.
        spatial_dims: 2 = images, 3 = volumes, whose shapes have (D, H, W) where (H, W) stands
            below. Patches are then cuboids.

    In place: the critical values are those of min(f, g), where the likelihood shows only within
    the structure, and of max(f, g), where it shows only outside. Within the structure, walls of
    true cells (births), pinholes and breaks (deaths) are pulled to 1. Outside, specks (births and
    deaths), walls within true cells (births) and bridges between true pieces (deaths) are pulled to
    0. The gradient of a value at distance r from its goal is 2 w r. With ``in_place_weight="one"``,
    w is 1, the loss is the sum of r^2, and the gradient is that of the loss. With "persistence", w
    is the persistence of the value's dot: what is nearly right is pulled most, and a dot comes and
    goes without a jump. The loss is then the sum of the integrals of 2 w r over the pulled values,
    with the other value of each dot held constant. So the gradient is that of the loss for walls of
    true cells and bridges between true pieces, whose other value is the truth's. It leaves the
    other value of a pinhole, break or false wall alone, which has no reason to move; and it pulls
    the death of a speck at no cost. A true feature that isn't there at all costs as much as an
    infinitely weak wall (1, or 1/3 with "persistence"), without gradient. A loss of 0 means, with
    ``in_place_extremes``, that at every threshold in (0, 1) each true piece and cell is there in
    its place; but a speck that touches the structure's rim isn't noticed.

    Shape:
        - likelihood: (B, C, H, W) or (B, H, W), any floating point dtype, any device. It holds
          probabilities in [0, 1], or logits if ``sigmoid`` or ``softmax`` is set. Each channel is
          compared with the mask of its class. Rounding may leave probabilities a little outside
          [0, 1]. A value that lies outside by at most four machine epsilons of the dtype (4.8e-7 in
          float32, 0.0039 in float16, 0.031 in bfloat16 and in dtypes of eight bits) counts as 0 or
          1, and gets the gradient that 0 or 1 would get.
        - target: the same shape, 0 or 1 in any dtype. With C > 1 it may hold class indices in a
          whole dtype, as (B, 1, H, W) or (B, H, W).
        - valid: (B, H, W), (B, 1, H, W) or the likelihood's shape; 1 where a pixel counts, 0
          elsewhere. A pixel that doesn't count is taken for foreground of value 1 in likelihood and
          target, as the frame is. Its values don't matter, and it gets no gradient. (With
          ``softmax`` this holds for a pixel that counts in no channel.)
        - target_diagrams: given in place of the target. One diagram for each patch, image after
          image, channel after channel (only channels that count), as :meth:`target_diagrams` makes
          them. Soft and multi-level targets are possible in this form only. "betti" and "in_place"
          take no diagrams.
        - output: a scalar. With reduction="none" it is (B, C) for four axes and (B,) for three; C
          leaves out the background if it doesn't count. The loss of an image is the mean over its
          patches that have a valid pixel. The dtype is float64 for float64 input, and float32
          otherwise, under autocast as well.

    Raises:
        TypeError: If likelihood isn't a floating point tensor; if an option has the wrong type.
        ValueError: From the constructor: if an option is unknown or contradicts another one. From
            a call: if shapes don't fit or are empty; if likelihood holds NaN or values outside
            [0, 1] (logits); if target holds other values than 0 and 1; if there isn't one diagram
            for each patch, or its values lie outside [0, 1]. Diagrams that were made with another
            ``frame`` are refused if dimension 0 counts. Diagrams that were made with other ``dims``
            or another connectivity can't be recognised.

    Cost: O(n + c log c) on the CPU for n pixels of which c are critical; one copy from the device,
    into pinned memory, and one copy back. Under ``torch.compile`` the loss is one graph break. It
    has no ``torch.func`` transforms and no forward-mode derivatives.

    Differences from the authors' code: their diagrams come from sigmoid(x), but their differences
    from x; their force on noise overshoots the diagonal; they skip patches without structure.

    Source: Hu, Li, Samaras, Chen, "Topology-Preserving Deep Image Segmentation", NeurIPS 2019.

    Example:
        >>> import torch, toponet
        >>> logits = torch.randn(2, 1, 65, 65, requires_grad=True)
        >>> target = (torch.rand(2, 1, 65, 65) > 0.5).float()
        >>> toponet.TopologicalLoss()(logits.sigmoid(), target).backward()
    """

    def __init__(
        self,
        dims: Sequence[int] | None = None,
        connectivity: int | None = None,
        frame: bool = True,
        matching: str = "complete",
        min_persistence: float = 0.0,
        reduction: str = "mean",
        num_threads: int | None = None,
        *,
        dim_weights: Sequence[float] | None = None,
        sigmoid: bool = False,
        softmax: bool = False,
        include_background: bool = True,
        class_weights: Sequence[float] | None = None,
        unmatched_weight: float = 1.0,
        patch_size: int | None = None,
        patches: str = "grid",
        patches_per_image: int | None = None,
        generator: torch.Generator | None = None,
        in_place_weight: str | None = None,
        in_place_extremes: bool = False,
        spatial_dims: int = 2,
    ) -> None:
        """Checks the options."""
        super().__init__(reduction=reduction)
        check_choice("reduction", reduction, REDUCTIONS)
        space = space_of(spatial_dims)
        self.options = LossOptions(
            dims=space.dims if dims is None else dims,
            connectivity=chosen_connectivity(connectivity, space),
            frame=frame,
            matching=matching,
            min_persistence=min_persistence,
            dim_weights=(1.0,) * len(space.dims) if dim_weights is None else dim_weights,
            num_threads=num_threads,
            unmatched_weight=unmatched_weight,
            in_place_weight=in_place_weight,
            in_place_extremes=in_place_extremes,
            spatial_dims=spatial_dims,
        )
        flags = {"sigmoid": sigmoid, "softmax": softmax, "include_background": include_background}
        for name, flag in flags.items():
            check_flag(name, flag)
        if sigmoid and softmax:
            raise ValueError("sigmoid and softmax exclude each other, got both")
        self.sigmoid = bool(sigmoid)
        self.softmax = bool(softmax)
        self.include_background = bool(include_background)
        self.class_weights = (
            None if class_weights is None else check_weights("class_weights", class_weights)
        )
        PatchRule(patch_size, patches, patches_per_image, generator)  # Checks them.
        self.patch_size = None if patch_size is None else int(patch_size)
        self.patches = patches
        self.patches_per_image = None if patches_per_image is None else int(patches_per_image)
        self.generator = generator

    # One graph break under torch.compile, which can't trace the numpy calls inside. (The public
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
        if self.reduction == "none" and likelihood.ndim == self.options.spatial_dims + 1:
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
        """What the loss does: which dots are matched, at what cost, and which pixels it moves.

        Random patches are drawn anew, as at each call of the loss.

        Args:
            likelihood: The same as in a call of the loss.
            target: The same as in a call of the loss.
            valid: The same as in a call of the loss.
            target_diagrams: The same as in a call of the loss.

        Returns:
            One explanation for each patch that has a valid pixel, image after image, channel after
            channel. Without ``patch_size`` each image is one patch. Explanations don't include
            reduction and ``class_weights``.

        Raises:
            TypeError, ValueError: For the reasons of the loss.

        With "in_place", a row is a true feature ("matched": the birth is its wall's or peak's, the
        death that of a bridge from it or of its floor), a true feature that isn't there at all
        ("missing"), or a dot that should not be there ("removed" or "ignored").

        Cost: more than the loss, because each patch is matched in Python.

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
        # A call of the loss raises the errors that the loss would raise.
        TopologicalLossFunction.apply(  # type: ignore[no-untyped-call]
            f, truth, self.options, rounding
        )
        if self.options.matching == BETTI:
            assert masks is not None
            return list(explain_betti_patches(images, masks, patches, self.options))
        if self.options.matching == IN_PLACE:
            assert masks is not None
            return list(explain_in_place_patches(images, masks, patches, self.options))
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
        """Diagrams of targets, which can be kept and given to the loss in place of the targets.

        They are needed for soft and multi-level targets, and useful to look at or to save. For
        binary targets they save little time, because the loss never computes their diagrams.

        Args:
            target: (B, C, H, W) or (B, H, W), values in [0, 1] in any real dtype.
            valid: The same as in a call of the loss.

        Returns:
            One diagram for each patch, image after image, channel after channel. If the diagrams of
            the images were made one by one, ``PersistenceDiagrams.concatenate`` makes a batch.

        Raises:
            TypeError: If target isn't a tensor.
            ValueError: If the shape doesn't fit; if patches are random, since they change at each
                call; if ``matching`` is "betti" or "in_place", which need the target itself.

        Example:
            >>> import torch, toponet
            >>> loss = toponet.TopologicalLoss()
            >>> soft = torch.rand(1, 1, 9, 9)
            >>> kept = loss.target_diagrams(soft)
            >>> loss(soft, target_diagrams=kept).item()
            0.0
        """
        self._check_takes_diagrams()
        check_dense("target", target)
        levels = check_likelihood("target", as_computed(target), self._space)
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
        """The options that decide the result: five of them always, others if not the default."""
        shown = {**vars(self.options), **vars(self)}
        parameters = inspect.signature(TopologicalLoss).parameters
        usual = {name: parameter.default for name, parameter in parameters.items()}
        usual["dim_weights"] = (1.0,) * self.options.spatial_dims
        return ", ".join(
            f"{name}={shown[name]!r}"
            for name in parameters
            if name in ("dims", "connectivity", "frame", "matching", "reduction")
            or shown[name] != usual[name]
        )

    def _inputs(
        self,
        likelihood: Tensor,
        target: Tensor | None,
        valid: Tensor | None,
        diagrams: PersistenceDiagrams | None,
    ) -> tuple[Tensor, Truth]:
        """Probabilities of the channels that count, and what they are compared with."""
        f = check_likelihood("likelihood", likelihood, self._space)
        if (target is None) == (diagrams is None):
            raise ValueError("expected either target or target_diagrams, got "
                             + ("none" if target is None else "both"))  # fmt: skip
        if diagrams is not None:
            if not isinstance(diagrams, PersistenceDiagrams):
                raise TypeError("target_diagrams must be toponet.PersistenceDiagrams, got "
                                + type(diagrams).__name__)  # fmt: skip
            self._check_takes_diagrams()
        v = check_valid(valid, f)
        f = without_invalid(as_computed(f), v, each_channel=not self.softmax)
        if self.softmax and f.shape[1] == 1:
            raise ValueError("softmax needs more than one channel, got 1")
        if self.sigmoid or self.softmax:
            f = f.sigmoid() if self.sigmoid else f.softmax(dim=1)
        first = self._first_class(f)
        g = None if target is None else check_target(target, likelihood, self._space)
        if first:  # Class indices, and one mask for all channels, have one channel: it stays.
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
        batch, _, *sides = f.shape
        rule = self._patch_rule
        boxes = rule.boxes(batch, sides)
        return Truth(target, diagrams, valid, first_class, boxes, rule.overlap)

    def _check_takes_diagrams(self) -> None:
        """Raises ValueError if targets can't be diagrams."""
        if self.options.matching == BETTI:
            raise ValueError(
                f"matching {BETTI!r} finds partners by their place in both images, which diagrams "
                "of the target can't tell; give target instead of target_diagrams"
            )
        if self.options.matching == IN_PLACE:
            raise ValueError(
                "matching 'in_place' compares pixel by pixel, and diagrams have lost the pixels of "
                "the target; give target instead of target_diagrams"
            )
        self._patch_rule.check_repeatable()

    @property
    def _space(self) -> Space:
        return space_of(self.options.spatial_dims)

    @property
    def _patch_rule(self) -> PatchRule:
        return PatchRule(self.patch_size, self.patches, self.patches_per_image, self.generator)

    def _first_class(self, f: Tensor) -> int:
        """The index of the first channel that counts: 1 if the background doesn't count, else 0."""
        if self.include_background:
            return 0
        if f.shape[1] == 1:
            raise ValueError("include_background=False needs more than one channel, got 1")
        return 1


def reduce(losses: Tensor, reduction: str) -> Tensor:
    """The losses of a batch under one of torch's words: "mean", "sum" or "none"."""
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()
