"""Networks for segmentation."""

from toponet.models.dive import DIVE
from toponet.models.network import BlendedNetwork, SegmentationNetwork
from toponet.models.unet import UNet, WideUNet

NETWORKS: dict[str, type[SegmentationNetwork]] = {
    "dive": DIVE,
    "unet": UNet,
    "unet_wide": WideUNet,
}

__all__ = [
    "DIVE",
    "NETWORKS",
    "BlendedNetwork",
    "SegmentationNetwork",
    "UNet",
    "WideUNet",
]
