"""What the trainer and the predictor ask of a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from toponet._ground.validation import check_whole


class SegmentationNetwork(nn.Module, ABC):
    """Gives logits of what lies ``margin`` pixels or more inside its input.

    Args:
        in_channels: Channels of the image.
        out_channels: Classes; one logit each.

    Attributes:
        margin: Pixels of image around the place that is segmented; at an image's border, reflected.
            Logits depend on nothing farther away, so that any tiles of an image give the same
            numbers; but see :class:`BlendedNetwork`.

    Raises:
        ValueError: If there is no channel.
    """

    margin: ClassVar[int]

    def __init__(self, in_channels: int = 1, out_channels: int = 1) -> None:
        """Remembers the channels."""
        super().__init__()
        check_whole("in_channels", in_channels, least=1)
        check_whole("out_channels", out_channels, least=1)
        self.in_channels = in_channels
        self.out_channels = out_channels

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """(B, in_channels, H, W) to logits (B, out_channels, H - 2 margin, W - 2 margin)."""

    def _check(self, images: Tensor) -> None:
        """Refuses other channels and images that nothing is left of.

        Raises:
            ValueError: Naming the shape.
        """
        name, least = type(self).__name__, 2 * self.margin + 1
        if images.ndim != 4 or images.shape[1] != self.in_channels:
            raise ValueError(
                f"{name} expects images of shape (B, {self.in_channels}, H, W), got "
                f"{tuple(images.shape)}"
            )
        if min(images.shape[-2:]) < least:
            raise ValueError(
                f"{name} expects images of at least {least} x {least} pixels, its margins and one "
                f"more, got {images.shape[-2]} x {images.shape[-1]}"
            )


class BlendedNetwork(SegmentationNetwork):
    """A network that looks farther than its margin: a large image is put together from windows.

    Attributes:
        window: Largest side of an image that is taken in one piece; a multiple of ``stride``.
        reach: Logits depend on no pixel farther away than this.
        stride: Moving an image by this many pixels moves its logits with it; other moves change
            them, because the network looks at every second pixel, and so on, at depth.
    """

    window: ClassVar[int]
    reach: ClassVar[int]
    stride: ClassVar[int]

    @abstractmethod
    def dense(self, images: Tensor) -> Tensor:
        """Logits of all pixels; those nearer than the margin to the border know too little."""

    def forward(self, images: Tensor) -> Tensor:
        """Logits of what lies ``margin`` pixels or more inside."""
        self._check(images)
        m = self.margin
        return self.dense(images)[..., m:-m, m:-m]


def pad_to_multiple(images: Tensor, divisor: int) -> Tensor:
    """Images with reflected pixels below and on the right, until ``divisor`` divides both sides."""
    height, width = images.shape[-2:]
    return F.pad(images, (0, -width % divisor, 0, -height % divisor), mode="reflect")
