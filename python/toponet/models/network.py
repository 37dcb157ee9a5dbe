"""The interface of networks to training and prediction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from toponet._ground.validation import check_whole


class SegmentationNetwork(nn.Module, ABC):
    """A network that gives logits of all pixels at least ``margin`` pixels inside its input.

    Args:
        in_channels: Channels of the image.
        out_channels: Classes; one logit each.

    Attributes:
        margin: How many pixels of image the network needs around the part that it segments. At the
            border of an image they are reflected. Logits depend on no pixel farther away, so that
            an image can be cut into tiles in any way; but see :class:`BlendedNetwork`.

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

    def prepare_for(self, patch_size: int) -> None:
        """Tells the network, before its first use, how large the patches of its training are."""

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """(B, in_channels, H, W) to logits (B, out_channels, H - 2 margin, W - 2 margin)."""

    def _check(self, images: Tensor) -> None:
        """Raises ValueError if the channels are wrong or the images no larger than the margins."""
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
    """A network that looks farther than its margin.

    The logits of a large image are put together from windows.

    Attributes:
        window: Largest side of an image that is segmented in one piece; a multiple of ``stride``.
        reach: Logits depend on no pixel farther away than this.
        stride: If an image is moved by this many pixels, its logits move with it. Other moves
            change the logits, because deeper layers look at every second pixel, every fourth, ...
        least_padding: How many reflected pixels an image gets below and on the right, at least: as
            many as a patch of the training. Where the padding ends, convolutions see zeros. A
            network learns how far away that is, and is wrong where it comes nearer.
    """

    window: ClassVar[int]
    reach: ClassVar[int]
    stride: ClassVar[int]
    least_padding = 0

    @abstractmethod
    def dense(self, images: Tensor) -> Tensor:
        """Logits of all pixels of padded images, whose sides are multiples of ``stride``.

        Near the border, within the margin, they lack surroundings.
        """

    def prepare_for(self, patch_size: int) -> None:
        """Remembers the padding of a patch with its margins."""
        self.least_padding = -(patch_size + 2 * self.margin) % self.stride

    def pad(self, images: Tensor) -> Tensor:
        """Images with reflected pixels below and on the right; ``stride`` divides their sides."""
        below, right = (
            self.least_padding + -(side + self.least_padding) % self.stride
            for side in images.shape[-2:]
        )
        return F.pad(images, (0, right, 0, below), mode="reflect")

    def forward(self, images: Tensor) -> Tensor:
        """Logits of all pixels at least ``margin`` pixels inside."""
        self._check(images)
        m, (height, width) = self.margin, images.shape[-2:]
        return self.dense(self.pad(images))[..., m : height - m, m : width - m]
