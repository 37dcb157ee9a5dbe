"""Training: configuration, loop, checkpoints, evaluation, report."""

from toponet.training.config import TrainConfig
from toponet.training.trainer import Trainer, TrainingDivergedError

__all__ = ["TrainConfig", "Trainer", "TrainingDivergedError"]
