"""A small U-Net: MONAI's, with the interface of DIVE."""

from __future__ import annotations

from torch import Tensor, nn

from toponet.models.network import BlendedNetwork

CHANNELS = (16, 32, 64, 128)
WIDE_CHANNELS = (32, 64, 128, 256)


class UNet(BlendedNetwork):
    """MONAI's residual U-Net with 16, 32, 64 and 128 channels and batch normalisation.

    MONAI's default is instance normalisation, which takes mean and deviation from the image itself.
    With it, a patch and the image that it lies in would get different logits.

    Args:
        in_channels: Channels of the image.
        out_channels: Classes; one logit each.

    Shape:
        - input: (B, in_channels, H, W) with H, W >= 33.
        - output: (B, out_channels, H - 32, W - 32). Pad the input by ``margin`` (reflected) to get
          a logit for each pixel.

    Raises:
        ValueError: If H or W is less than 33, or the input has other channels.

    Cost: 402 thousand parameters; a training step takes a small part of DIVE's time.

    Source: Ronneberger, Fischer, Brox, "U-Net" (2015); monai.networks.nets.UNet.

    Example:
        >>> import torch
        >>> from toponet.models import UNet
        >>> UNet()(torch.zeros(1, 1, 97, 129)).shape
        torch.Size([1, 1, 65, 97])
    """

    margin = 16
    window = 1024
    reach = 51
    # The network halves the sides three times, so they must be multiples of 8.
    stride = 2 ** (len(CHANNELS) - 1)
    channels = CHANNELS

    def __init__(self, in_channels: int = 1, out_channels: int = 1) -> None:
        """Takes MONAI's initial weights."""
        super().__init__(in_channels, out_channels)
        from monai.networks.nets.unet import (
            UNet as MonaiUNet,  # Imported here, because it takes seconds.
        )

        self.layers: nn.Module = MonaiUNet(
            spatial_dims=2,
            in_channels=in_channels,
            out_channels=out_channels,
            channels=self.channels,
            strides=(2,) * (len(self.channels) - 1),
            num_res_units=2,
            norm="batch",
        )

    def dense(self, images: Tensor) -> Tensor:
        """Logits of all pixels of padded images."""
        logits: Tensor = self.layers(images)
        return logits


class WideUNet(UNet):
    """The same with 32, 64, 128 and 256 channels: 1.6 million parameters, for longer training."""

    channels = WIDE_CHANNELS
