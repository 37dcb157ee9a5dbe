"""Training: configuration, loop, checkpoints, evaluation, report."""

from toponet.training.config import TrainConfig
from toponet.training.objective import TrainingDivergedError
from toponet.training.trainer import Trainer

__all__ = ["TrainConfig", "Trainer", "TrainingDivergedError"]
