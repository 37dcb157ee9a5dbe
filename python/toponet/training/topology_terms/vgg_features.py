"""Squared differences of VGG19's features (Mosinska et al., 2018)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from toponet._ground.reading import check_regular

FILE_NAME = "vgg19-dcbb9e9d.pth"
URL = f"https://download.pytorch.org/models/{FILE_NAME}"

# VGG19 up to relu(conv3_4): channels of its convolutions, "pool" between the blocks.
LAYERS = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, 256)
# Places in ``features``: after relu(conv1_2), relu(conv2_2) and relu(conv3_4).
COMPARED = (3, 8, 17)
# Of ImageNet's colours, which the weights were trained with.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


class VGGFeatureLoss(nn.Module):
    """Mean squared difference of the features of two masks, summed over three layers.

    Both masks go through VGG19 trained on ImageNet, as gray images; compared are the activations
    relu(conv1_2), relu(conv2_2) and relu(conv3_4). Its weights don't learn.

    Args:
        weights: A file of VGG19 in torchvision's layout; None = the one in torch.hub's cache.

    Shape:
        - input, target: (B, 1, H, W), probabilities and 0 or 1. valid: (B, 1, H, W), or None.
        - output: a scalar, at least 0.

    Raises:
        ValueError: If the file isn't there or isn't VGG19's.

    Cost: 2.3 million multiplications a pixel for each mask, seven times a pixel of DIVE.

    Source: Mosinska, Marquez-Neila, Kozinski, Fua, "Beyond the Pixel-Wise Loss for Topology-Aware
    Delineation" (CVPR 2018), eq. 3.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: Path | None = None) -> None:
        """Reads the weights; no download is attempted."""
        super().__init__()
        self.features = _features()
        _load(self.features, weights)
        self.requires_grad_(False)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))

    def forward(self, input: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        """Pixels that don't count are background in both."""
        if valid is not None:
            input, target = input * valid, target * valid
        f, g = ((mask.expand(-1, 3, -1, -1) - self.mean) / self.std for mask in (input, target))
        loss = input.new_zeros(())
        for place, layer in enumerate(self.features):
            f, g = layer(f), layer(g)
            if place in COMPARED:
                loss = loss + nn.functional.mse_loss(f, g)
        return loss


def _features() -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 3
    for layer in LAYERS:
        if isinstance(layer, str):
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(channels, layer, 3, padding=1), nn.ReLU()]
            channels = layer
    return nn.Sequential(*layers)


def _load(features: nn.Sequential, weights: Path | None) -> None:
    cached = Path(torch.hub.get_dir()) / "checkpoints" / FILE_NAME
    path = weights or cached
    if not path.exists():
        fetch = f"python -c \"import torch; torch.hub.load_state_dict_from_url('{URL}')\""
        raise ValueError(
            f"{path} does not exist; expected VGG19's ImageNet weights in torchvision's layout: "
            f"give them by --vgg-weights, or fetch them into torch.hub's cache by {fetch}"
        )
    check_regular(path)
    prefix = "features."
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        state = {
            name.removeprefix(prefix): tensor
            for name, tensor in content.items()
            if name.startswith(prefix)
        }
        features.load_state_dict({name: state[name] for name in features.state_dict()})
    except Exception:  # Whatever a file that isn't one makes of torch's reader.
        raise ValueError(f"{path} does not hold VGG19's weights in torchvision's layout") from None
