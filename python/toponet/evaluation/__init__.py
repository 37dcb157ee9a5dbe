"""Predictions against their truths: one definition of the numbers, for trainer and command."""

from toponet.evaluation.config import EvaluateConfig
from toponet.evaluation.protocol import METRICS, Protocol
from toponet.evaluation.run import run_evaluation
from toponet.evaluation.scores import ImageScores, mean_metrics, score_image

__all__ = [
    "METRICS",
    "EvaluateConfig",
    "ImageScores",
    "Protocol",
    "mean_metrics",
    "run_evaluation",
    "score_image",
]
