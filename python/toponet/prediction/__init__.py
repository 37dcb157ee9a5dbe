"""A trained network on images: likelihoods of any size in bounded memory, and files of them."""

from typing import TYPE_CHECKING

from toponet._ground.on_demand import on_demand

if TYPE_CHECKING:
    from toponet.prediction.config import PredictConfig
    from toponet.prediction.likelihood import predict_likelihood
    from toponet.prediction.model import StrangeImageWarning, TrainedModel, load_model
    from toponet.prediction.run import Outcome, run_prediction
    from toponet.prediction.segment_config import SegmentConfig
    from toponet.prediction.segment_run import run_segmentation

__getattr__ = on_demand(
    __name__,
    {
        "Outcome": "toponet.prediction.run",
        "PredictConfig": "toponet.prediction.config",
        "SegmentConfig": "toponet.prediction.segment_config",
        "StrangeImageWarning": "toponet.prediction.model",
        "TrainedModel": "toponet.prediction.model",
        "load_model": "toponet.prediction.model",
        "predict_likelihood": "toponet.prediction.likelihood",
        "run_prediction": "toponet.prediction.run",
        "run_segmentation": "toponet.prediction.segment_run",
    },
)

__all__ = [
    "Outcome",
    "PredictConfig",
    "SegmentConfig",
    "StrangeImageWarning",
    "TrainedModel",
    "load_model",
    "predict_likelihood",
    "run_prediction",
    "run_segmentation",
]
