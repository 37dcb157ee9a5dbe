"""The network on the images that metrics are counted on, shared out among the ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toponet._ground.reporting import progress_bar
from toponet.training.evaluation import predict_all
from toponet.training.objective import TrainingDivergedError
from toponet.training.ranks import collected, share_buffers, shared_out
from toponet.training.run import Run


def predict_validation(run: Run, epoch: int) -> list[NDArray[np.float32]]:
    """The likelihoods of all these images, on every rank.

    Raises:
        TrainingDivergedError: If one isn't finite.
    """
    fabric = run.fabric
    with progress_bar(run.console) as progress:
        share_buffers(fabric, run.network)
        mine = shared_out(fabric, range(len(run.validation)))
        task = progress.add_task(f"epoch {epoch}: validation", total=len(mine))
        likelihoods = predict_all(
            run.network,
            run.validation.subset(mine),
            run.normalisation,
            fabric.device,
            lambda done, _: progress.update(task, completed=done),
        )
    likelihoods = collected(fabric, likelihoods)
    if not all(np.isfinite(likelihood).all() for likelihood in likelihoods):
        raise TrainingDivergedError(
            f"the likelihood of a {run.config.measured} image isn't finite; try a smaller "
            "learning rate or topological weight"
        )
    return likelihoods
