"""The network on whole images, which are shared out among the ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toponet._ground.reporting import progress_bar
from toponet.data import ImageSet
from toponet.training.evaluation import predict_all
from toponet.training.objective import TrainingDivergedError
from toponet.training.ranks import collected, share_buffers, shared_out
from toponet.training.run import Run


def predict_validation(run: Run, epoch: int) -> list[NDArray[np.float32]]:
    """The likelihoods of the images that metrics are counted on, on every rank.

    Raises:
        TrainingDivergedError: If one isn't finite.
    """
    title = f"epoch {epoch}: validation"
    return predict_images(run, run.validation, title, run.config.measured)


def predict_images(run: Run, images: ImageSet, title: str, kind: str) -> list[NDArray[np.float32]]:
    """The likelihoods of all images, on every rank.

    Args:
        run: Its network as it is now.
        images: Those to predict.
        title: Of the progress bar.
        kind: What the images are called in an error.

    Raises:
        TrainingDivergedError: If one isn't finite.
    """
    fabric = run.fabric
    with progress_bar(run.console) as progress:
        share_buffers(fabric, run.network)
        mine = shared_out(fabric, range(len(images)))
        task = progress.add_task(title, total=len(mine))
        likelihoods = predict_all(
            run.network,
            images.subset(mine),
            run.normalisation,
            fabric.device,
            lambda done, _: progress.update(task, completed=done),
        )
    likelihoods = collected(fabric, likelihoods)
    if not all(np.isfinite(likelihood).all() for likelihood in likelihoods):
        raise TrainingDivergedError(
            f"the likelihood of a {kind} image isn't finite; try a smaller learning rate or "
            "topological weight"
        )
    return likelihoods
