"""A trained network on images: likelihoods of any size in bounded memory, and files of them."""

from toponet.prediction.likelihood import predict_likelihood
from toponet.prediction.model import TrainedModel, load_model

__all__ = ["TrainedModel", "load_model", "predict_likelihood"]
