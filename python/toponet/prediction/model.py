"""A trained network, with everything that its likelihoods depend on."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from toponet._ground.validation import check_connectivity
from toponet.data import Normalisation
from toponet.data.training_scale import TrainingScale
from toponet.models import NETWORKS, SegmentationNetwork
from toponet.prediction.checkpoint import chosen_options, load_checkpoint, restore_network
from toponet.prediction.device import choose_device
from toponet.prediction.likelihood import predict_likelihood
from toponet.segmentation import Segmentation, SegmentationNumbers, SegmentationOptions
from toponet.topology.segmentation import segment_images

STRANGE = (
    "the image has other grey values than the training images, so that its likelihood may be "
    "nonsense: bring images to the training images' scale (TrainedModel.strangeness says what "
    "differs), or train with --normalisation image"
)


class StrangeImageWarning(UserWarning):
    """An image has grey values far from those that its network was trained on."""


@dataclass(frozen=True)
class TrainedModel:
    """A network in evaluation mode with the normalisation and conventions of its training.

    Attributes:
        network: On ``device``.
        normalisation: Of its training.
        scale: Grey values of the training images.
        connectivity: Of the structure, 8 or 4.
        segmentation: Threshold, keep and add of its masks: as chosen in training, or else the plain
            cut at the threshold of the training's metrics.
        device: Where the network is.
        config: The configuration of its training run, as plain values.
        chosen: Whether training chose them.
    """

    network: SegmentationNetwork
    normalisation: Normalisation
    scale: TrainingScale
    connectivity: int
    segmentation: SegmentationOptions
    device: torch.device
    config: dict[str, Any]
    chosen: bool = False

    @property
    def threshold(self) -> float:
        """Likelihoods of at least this are structure, unless persistence says otherwise."""
        return self.segmentation.threshold

    def likelihood(self, image: NDArray[Any]) -> NDArray[np.float32]:
        """The probability of structure at each pixel.

        Args:
            image: (C, H, W), or (H, W) for one channel; real numbers of any size and type. They
                must have the grey scale of the training images.

        Returns:
            (H, W) float32 from 0 to 1.

        Raises:
            TypeError: If the image doesn't hold real numbers.
            ValueError: If its shape is another, or a value is NaN or infinite.

        Warns:
            StrangeImageWarning: If the grey values lie far from those of the training images.
                Python shows it once for each calling line; :meth:`strangeness` says what differs.

        Cost: as :func:`predict_likelihood`.
        """
        return self._likelihood(image)

    def segment(
        self,
        image: NDArray[Any],
        *,
        threshold: float | None = None,
        keep: float | None = None,
        add: float | Literal["default"] | None = "default",
    ) -> Segmentation:
        """Mask and cells of an image, and what persistence decided: its likelihood, segmented.

        Args:
            image: As :meth:`likelihood` takes it.
            threshold: See :func:`toponet.segment`; None = that of ``segmentation``.
            keep: Likewise.
            add: Likewise, but None = none is brought out, and "default" = that of ``segmentation``.
                ``keep=0, add=None`` is the plain cut.

        Returns:
            Of numpy arrays; see :class:`toponet.segmentation.Segmentation`.

        Raises:
            TypeError: As :meth:`likelihood`, or if an option has the wrong type.
            ValueError: As :meth:`likelihood`, or if an option is out of range.

        Warns:
            StrangeImageWarning: As :meth:`likelihood`.
        """
        numbers = SegmentationNumbers(threshold=threshold, keep=keep, add=add)
        options = numbers.or_default(self.segmentation)
        likelihood = self._likelihood(image)
        return segment_images(likelihood, options, connectivity=self.connectivity)

    def _likelihood(self, image: NDArray[Any]) -> NDArray[np.float32]:
        """As :meth:`likelihood`; warnings name the line that called the caller."""
        channels, pixels = len(self.normalisation.mean), np.asarray(image)
        if pixels.dtype.kind not in "buif":
            raise TypeError(f"image must hold real numbers, got {pixels.dtype}")
        if pixels.ndim == 2:
            pixels = pixels[None]
        if pixels.ndim != 3 or len(pixels) != channels or pixels.size == 0:
            raise ValueError(
                f"image must have shape ({channels}, H, W), channels first, got {np.shape(image)}"
            )
        if not np.isfinite(pixels).all():
            raise ValueError("image must be finite, got NaN or infinity")
        pixels = pixels.astype(np.float32)
        # By its values alone: in memory an image may have any type.
        if self.strangeness(pixels, max(self.scale.dtypes, default="")) is not None:
            # The same words for every image, or Python would show them for every image.
            warnings.warn(STRANGE, StrangeImageWarning, stacklevel=3)
        return self.unchecked_likelihood(pixels)

    def unchecked_likelihood(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """As :meth:`likelihood`, of a (C, H, W) image that was checked; never warns."""
        return predict_likelihood(self.network, self.normalisation.apply(image), self.device)

    def strangeness(self, image: NDArray[np.float32], dtype: str) -> str | None:
        """Says which grey values of an image would mislead the network; None = none would.

        Args:
            image: (C, H, W), in its file's own grey values.
            dtype: Of its file, such as "uint8".
        """
        if self.normalisation.per_image:  # Then only the differences within an image matter.
            return None
        return self.scale.strangeness(image, dtype)


def load_model(path: str | Path, device: str | torch.device = "auto") -> TrainedModel:
    """Loads a model that ``toponet-train`` trained.

    Args:
        path: A checkpoint, or a run folder: its ``checkpoints/last.ckpt``.
        device: A device of torch's, or "auto": the fastest there is.

    Raises:
        ValueError: If the file isn't a checkpoint, its network isn't known, or there is no such
            device. The sentence names the file.
    """
    path = checkpoint_path(path)
    device = choose_device(device) if isinstance(device, str) else device
    content = load_checkpoint(path)
    config = content["config"]
    try:
        normalisation = Normalisation(**content["normalisation"])
        scale = TrainingScale(**content["training_scale"])
        connectivity, threshold = int(config["connectivity"]), float(content["threshold"])
        network = NETWORKS[config.get("network", "dive")](len(normalisation.mean))
        network.prepare_for(int(config.get("patch_size", 65)))
        check_connectivity(connectivity)
        chosen = chosen_options(content)
        segmentation = chosen or SegmentationOptions.cut(threshold)
    except (TypeError, KeyError, AttributeError, ValueError):
        raise ValueError(
            f"{path} lacks what belongs to a network of this version, or holds values out of range"
        ) from None
    restore_network(path, content, network)
    # As in training. Convolutions are faster so, and the numbers equal the trainer's.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.to(device).eval()
    return TrainedModel(
        network, normalisation, scale, connectivity, segmentation, device, config,
        chosen=chosen is not None,
    )  # fmt: skip


def checkpoint_path(path: str | Path) -> Path:
    """Returns the file itself, or a run folder's last checkpoint, which the report describes."""
    path = Path(path).expanduser()
    return path / "checkpoints" / "last.ckpt" if path.is_dir() else path
