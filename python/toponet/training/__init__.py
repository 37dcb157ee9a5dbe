"""Training: configuration, loop, checkpoints, evaluation, report."""

from typing import TYPE_CHECKING

from toponet._ground.on_demand import on_demand

if TYPE_CHECKING:
    from toponet.training.config import TrainConfig
    from toponet.training.objective import TrainingDivergedError
    from toponet.training.trainer import Trainer

__getattr__ = on_demand(
    __name__,
    {
        "TrainConfig": "toponet.training.config",
        "Trainer": "toponet.training.trainer",
        "TrainingDivergedError": "toponet.training.objective",
    },
)

__all__ = [
    "TrainConfig",
    "Trainer",
    "TrainingDivergedError",
]
