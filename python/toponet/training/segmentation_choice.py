"""At the end of a run: threshold, keep and add of its masks, chosen on training images."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet.data import ImageSet
from toponet.segmentation import SegmentationChoice, choose_segmentation
from toponet.training.pictures import spread
from toponet.training.progress import tell
from toponet.training.run import Run
from toponet.training.validation import predict_images

# More change the numbers little, and each image is segmented a hundred times and more.
MOST_IMAGES = 20


def settle_choice(run: Run) -> None:
    """Chooses the numbers with the network of the last epoch, and keeps them in the checkpoints.

    All ranks get those of the first. A run that was stopped after its choice, before its report,
    keeps the choice that it made.

    Raises:
        TrainingDivergedError: If the likelihood of a training image isn't finite.
        OSError: If a checkpoint can't be written.
    """
    if run.config.segmentation_metric == "none":
        return
    if run.choice is None:
        images = run.training.subset(spread(range(len(run.training)), MOST_IMAGES))
        likelihoods = predict_images(run, images, "training images", "training")
        first = run.fabric.is_global_zero
        plain = _choose(run, images, likelihoods).to_plain() if first else {}
        run.keep_choice(SegmentationChoice.from_plain(run.fabric.broadcast(plain)))
    assert run.choice is not None
    tell(run.console, f"by persistence: {run.choice.describe('training images')}")


def _choose(
    run: Run, images: ImageSet, likelihoods: list[NDArray[np.float32]]
) -> SegmentationChoice:
    """On one rank; what the choice warns of is said."""
    config = run.config
    patches: dict[str, Any] = {
        "patch_size": config.metric_patch_size,
        "patches": config.metric_patches,
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        choice = choose_segmentation(
            likelihoods,
            images.masks,
            metric=config.segmentation_metric,
            valid=images.valid,
            connectivity=config.connectivity,
            progress=run.console,
            **(patches if config.segmentation_metric == "betti" else {}),
        )
    for warning in caught:
        tell(run.console, f"note: {warning.message}")
    return choice
