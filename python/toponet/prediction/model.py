"""The network of a checkpoint, with everything that its answers depend on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from toponet._validation import check_connectivity
from toponet.checkpoint import load_checkpoint, restore_network
from toponet.data import Normalisation
from toponet.data.training_scale import TrainingScale
from toponet.models import NETWORKS, SegmentationNetwork
from toponet.prediction.likelihood import predict_likelihood


@dataclass(frozen=True)
class TrainedModel:
    """A network in evaluation mode with the normalisation and conventions of its training.

    Attributes:
        network: On ``device``.
        normalisation: Of its training.
        scale: Grey values of the training images.
        connectivity: Of the structure, 8 or 4.
        threshold: Likelihoods of at least this are structure.
        device: Where the network is.
        config: Of its training run, as plain values.
    """

    network: SegmentationNetwork
    normalisation: Normalisation
    scale: TrainingScale
    connectivity: int
    threshold: float
    device: torch.device
    config: dict[str, Any]

    def likelihood(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """(H, W) of an image (C, H, W) in its file's own grey values; see the function's cost."""
        return predict_likelihood(self.network, self.normalisation.apply(image), self.device)

    def strangeness(self, image: NDArray[np.float32], dtype: str) -> str | None:
        """Which grey values of an image would mislead the network; None = none.

        Args:
            image: (C, H, W), in its file's own grey values.
            dtype: Of its file, such as "uint8".
        """
        if self.normalisation.per_image:  # Then only the differences within an image matter.
            return None
        return self.scale.strangeness(image, dtype)


def load_model(path: Path, device: torch.device) -> TrainedModel:
    """The model of a checkpoint of ``toponet-train``.

    Raises:
        ValueError: If the file isn't one, or its network isn't known; the file is named.
    """
    content = load_checkpoint(path)
    config = content["config"]
    try:
        normalisation = Normalisation(**content["normalisation"])
        scale = TrainingScale(**content["training_scale"])
        connectivity, threshold = int(config["connectivity"]), float(content["threshold"])
        network = NETWORKS[config.get("network", "dive")](len(normalisation.mean))
        check_connectivity(connectivity)
        if not 0 < threshold <= 1:
            raise ValueError("threshold out of range")
    except (TypeError, KeyError, AttributeError, ValueError):
        raise ValueError(
            f"{path} lacks what belongs to a network of this version, or holds values out of range"
        ) from None
    restore_network(path, content, network)
    # As in training: convolutions are faster, and the numbers are the trainer's.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.to(device).eval()
    return TrainedModel(network, normalisation, scale, connectivity, threshold, device, config)
