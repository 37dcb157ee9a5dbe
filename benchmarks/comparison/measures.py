"""Everything that masks are measured by, whatever made them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

import toponet
from toponet.evaluation import Protocol
from toponet.metrics import betti_matching_error, betti_matching_score, betti_number_error
from toponet.segmentation import SegmentationOptions
from toponet.training.evaluation import evaluate

Mask = NDArray[np.bool_]


def make_masks(
    likelihoods: Sequence[NDArray[np.float32]], options: SegmentationOptions, connectivity: int
) -> list[Mask]:
    """Segments likelihoods (H, W) each."""
    return [
        np.asarray(toponet.segment(f, **asdict(options), connectivity=connectivity).mask)
        for f in likelihoods
    ]


def measure(masks: Sequence[Mask], truths: Sequence[Mask], protocol: Protocol) -> dict[str, float]:
    """Returns means over the images: the trainer's metrics, and those of whole images.

    Beside the trainer's: by dimension, "whole": the Betti error of whole images; "whole_matching":
    their Betti matching error; "f1": the harmonic mean of precision and recall of their features.
    """
    by_patches = evaluate(
        [mask.astype(np.float32) for mask in masks],
        [truth.astype(np.uint8) for truth in truths],
        protocol,
    )
    whole = [_whole(*pair, protocol.betti.connectivity) for pair in zip(masks, truths, strict=True)]
    return {
        **by_patches,
        **{name: float(np.mean([each[name] for each in whole])) for name in whole[0]},
    }


def _whole(mask: Mask, truth: Mask, connectivity: int) -> dict[str, float]:
    """Of one image, with a frame."""
    error = betti_number_error(mask, truth, connectivity=connectivity, frame=True)
    matching = betti_matching_error(
        mask, truth, patches="whole", connectivity=connectivity, frame=True
    )
    score = betti_matching_score(
        mask, truth, patches="whole", connectivity=connectivity, frame=True
    )
    return {
        **{f"whole_{d}": float(error[d]) for d in (0, 1)},
        **{f"whole_matching_{d}": float(matching[d]) for d in (0, 1)},
        **{f"f1_{d}": score.f1[d] for d in (0, 1)},
    }
