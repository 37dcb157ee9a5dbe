"""Predictions against their truths: one definition of the numbers, for trainer and command."""

from typing import TYPE_CHECKING

from toponet._ground.on_demand import on_demand

if TYPE_CHECKING:
    from toponet.evaluation.config import EvaluateConfig
    from toponet.evaluation.protocol import METRICS, Protocol
    from toponet.evaluation.run import run_evaluation
    from toponet.evaluation.scores import ImageScores, mean_metrics, score_image

__getattr__ = on_demand(
    __name__,
    {
        "EvaluateConfig": "toponet.evaluation.config",
        "ImageScores": "toponet.evaluation.scores",
        "METRICS": "toponet.evaluation.protocol",
        "Protocol": "toponet.evaluation.protocol",
        "mean_metrics": "toponet.evaluation.scores",
        "run_evaluation": "toponet.evaluation.run",
        "score_image": "toponet.evaluation.scores",
    },
)

__all__ = [
    "METRICS",
    "EvaluateConfig",
    "ImageScores",
    "Protocol",
    "mean_metrics",
    "run_evaluation",
    "score_image",
]
