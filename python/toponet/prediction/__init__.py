"""A trained network on images: likelihoods of any size in bounded memory, and files of them."""

from toponet.prediction.config import PredictConfig
from toponet.prediction.likelihood import predict_likelihood
from toponet.prediction.model import StrangeImageWarning, TrainedModel, load_model
from toponet.prediction.run import Outcome, run_prediction

__all__ = [
    "Outcome",
    "PredictConfig",
    "StrangeImageWarning",
    "TrainedModel",
    "load_model",
    "predict_likelihood",
    "run_prediction",
]
