"""The paper's network, applied densely."""

from __future__ import annotations

from torch import Tensor, nn

from toponet.models.network import SegmentationNetwork


class DIVE(SegmentationNetwork):
    """Pixel classifier with a window of 65 x 65 (paper, section 2.3; after Fakhry et al., 2016).

    The layers are conv 30@10x10, pool, conv 50@5x5, pool, conv 60@3x3, conv 60@3x3, pool, fully
    connected 100, and one logit a class. There is a ReLU after every layer but the last. Pools are
    2 x 2 with stride 2.

    The network is applied to all windows of an image at once. For this, pools have stride 1, and
    each pool doubles the dilation of all layers behind it, convolutions and pools alike. Fully
    connected layers are convolutions. The result is the same as if each pixel's window were cut out
    and classified.

    Args:
        in_channels: Channels of the image.
        out_channels: Classes; one logit each.

    Shape:
        - input: (B, in_channels, H, W) with H, W >= 65.
        - output: (B, out_channels, H - 64, W - 64), the logits of all pixels whose window lies
          inside. Pad the input by ``margin`` (reflected) to get a logit for each pixel.

    Raises:
        ValueError: If the input is smaller than the window, or has other channels.

    Cost: 0.35 million multiplications a pixel; 196 thousand parameters with two classes.

    Example:
        >>> import torch
        >>> from toponet.models import DIVE
        >>> DIVE()(torch.zeros(1, 1, 129, 129)).shape
        torch.Size([1, 1, 65, 65])
    """

    window = 65
    margin = 32

    def __init__(self, in_channels: int = 1, out_channels: int = 1) -> None:
        """Weights after He et al. (2015), the last layer's small; biases 0."""
        super().__init__(in_channels, out_channels)
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, 30, 10),
            nn.ReLU(),
            nn.MaxPool2d(2, stride=1),
            nn.Conv2d(30, 50, 5, dilation=2),
            nn.ReLU(),
            nn.MaxPool2d(2, stride=1, dilation=2),
            nn.Conv2d(50, 60, 3, dilation=4),
            nn.ReLU(),
            nn.Conv2d(60, 60, 3, dilation=4),
            nn.ReLU(),
            nn.MaxPool2d(2, stride=1, dilation=4),
            nn.Conv2d(60, 100, 4, dilation=8),
            nn.ReLU(),
            nn.Conv2d(100, out_channels, 1),
        )
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        # The first logits should be near 0. He's gain is meant for layers before a ReLU: with it,
        # the cross-entropy would begin at 2.4 instead of log 2.
        nn.init.normal_(self.layers[-1].weight, std=0.01)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Tensor:
        """Logits of all pixels whose window lies inside the image."""
        self._check(images)
        logits: Tensor = self.layers(images)
        return logits
