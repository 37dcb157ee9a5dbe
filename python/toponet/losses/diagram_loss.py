"""The topological loss of a batch against diagrams that were computed before. No torch here."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from toponet._ground.boxes import cut
from toponet._ground.validation import FloatArray
from toponet.losses._explained import explained
from toponet.losses.binary_loss import LossOptions, Patches, binary_topological_loss
from toponet.topology.diagrams import PersistenceDiagrams
from toponet.topology.explanation import Explanation, explain_matching
from toponet.topology.matching import BY_VALUE
from toponet.topology.superlevel import persistence


def diagram_topological_loss(
    likelihood: FloatArray,
    targets: PersistenceDiagrams,
    patches: Patches,
    options: LossOptions,
    gradient: FloatArray | None = None,
) -> tuple[NDArray[np.float64], FloatArray]:
    """Loss of each image and its gradient, like :func:`binary_topological_loss`.

    Args:
        likelihood: (B, H, W), or (B, D, H, W) if the options say so; C order, values in [0, 1].
        targets: One diagram for each patch, with the frame, connectivity and dims of the options.
        patches: How the B images are cut.
        options: What decides the loss of a patch.
        gradient: Overwritten by the gradient, if given; see :func:`binary_topological_loss`.

    Raises:
        ValueError: If the number of diagrams isn't the number of patches; if a number of classes
            that never die shows that the frame was another one; if a value lies outside [0, 1].

    Cost: if all targets are diagrams of binary masks, that of :func:`binary_topological_loss`.
    Otherwise a transport problem for each patch and dimension, O((n + m)^3) for n and m dots.
    """
    _check_targets(targets, patches, options)
    by_value = options.matching in BY_VALUE
    dots = _binary_dots(targets, options.spatial_dims) if by_value else None
    if dots is not None:
        return binary_topological_loss(
            likelihood, None, patches, options, dots=dots, gradient=gradient
        )
    low, high = likelihood.min(), likelihood.max()
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f"likelihood must hold probabilities in [0, 1], got values from {low:.9g} to "
            f"{high:.9g}; apply sigmoid or softmax to logits first"
        )
    if gradient is None:
        gradient = np.empty_like(likelihood)
    gradient[:] = 0
    losses = np.zeros(len(likelihood))
    per_image = len(patches.boxes) // len(likelihood)
    for patch, explanation in explain_patches(likelihood, targets, patches, options):
        image, weight = patch // per_image, patches.weights[patch]
        losses[image] += weight * explanation.loss
        part = cut(gradient[image], patches.boxes[patch])
        part += (weight * explanation.gradient()).astype(part.dtype)
    return losses, gradient


def explain_patches(
    likelihood: FloatArray, targets: PersistenceDiagrams, patches: Patches, options: LossOptions
) -> Iterator[tuple[int, Explanation]]:
    """Index and matching of each patch whose weight isn't 0."""
    _check_targets(targets, patches, options)

    def explain(patch: int, image: int, box: NDArray[np.int64]) -> Explanation:
        sides = box[len(box) // 2 :].tolist()
        return explain_matching(
            _patch_diagram(likelihood[image], box, options),
            targets[patch],
            tuple(sides),
            dims=options.dims,
            matching=options.matching,
            min_persistence=options.min_persistence,
            dim_weights=options.dim_weights,
        )

    return explained(patches, len(likelihood), explain)


def patch_diagrams(
    images: FloatArray, patches: Patches, options: LossOptions
) -> PersistenceDiagrams:
    """Diagrams of all patches, in the order in which the loss expects them."""
    per_image = len(patches.boxes) // len(images)
    return PersistenceDiagrams.concatenate(
        [
            _patch_diagram(images[patch // per_image], box, options)
            for patch, box in enumerate(patches.boxes)
        ]
    )


def _patch_diagram(
    image: FloatArray, box: NDArray[np.int64], options: LossOptions
) -> PersistenceDiagrams:
    return persistence(
        cut(image, box),
        spatial_dims=options.spatial_dims,
        dims=options.dims,
        connectivity=options.connectivity,
        frame=options.frame,
        num_threads=options.num_threads,
    )


def _check_targets(targets: PersistenceDiagrams, patches: Patches, options: LossOptions) -> None:
    if len(targets) != len(patches.boxes):
        raise ValueError(
            f"target_diagrams must hold one diagram for each of the {len(patches.boxes)} patches "
            f"(image after image, channel after channel), got {len(targets)}"
        )
    try:
        targets.check()
    except ValueError as error:
        raise ValueError(f"target_diagrams can't be used: {error}") from None
    if (targets.dimensions >= options.spatial_dims).any():
        raise ValueError(
            "target_diagrams hold cavities (dimension 2), so they are of volumes; the loss is of "
            "images: pass spatial_dims=3"
        )
    finite = targets.values[np.isfinite(targets.values)]
    if len(finite) and not (finite.min() >= 0 and finite.max() <= 1):
        raise ValueError(
            "target_diagrams must hold values in [0, 1], got values from "
            f"{finite.min():.9g} to {finite.max():.9g}"
        )
    if 0 not in options.dims:  # Only a component can live for ever.
        return
    expected = int(not options.frame)
    essential = _count(targets, np.isneginf(targets.values[:, 1]))
    if (essential != expected).any():
        patch = int(np.argmax(essential != expected))
        raise ValueError(
            f"target_diagrams must be of frame={options.frame} and dims={options.dims} as the "
            f"loss is: expected {expected} class(es) that never die, got {essential[patch]} in "
            f"diagram {patch}"
        )


def _count(targets: PersistenceDiagrams, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(P,): how many of the chosen rows each diagram has."""
    before = np.concatenate([[0], np.cumsum(rows)])
    counts: NDArray[np.int64] = np.diff(before[targets.splits])
    return counts


def _binary_dots(targets: PersistenceDiagrams, dims: int) -> NDArray[np.float64] | None:
    """(P, dims + 1) for :func:`binary_topological_loss`, if all finite dots lie at (1, 0)."""
    finite = np.isfinite(targets.values[:, 1])
    if not (targets.values[finite] == (1, 0)).all():
        return None
    dots = np.zeros((len(targets), dims + 1))
    for dimension in range(dims):
        dots[:, dimension] = _count(targets, finite & (targets.dimensions == dimension))
    images = np.repeat(np.arange(len(targets)), np.diff(targets.splits))
    dots[images[~finite], dims] = targets.values[~finite, 0]
    return dots
