"""From a likelihood to a mask with the right topology; numpy arrays and tensors."""

from toponet.segmentation.tensors import segment
from toponet.topology.segmentation import Decisions, Segmentation, SegmentationOptions

__all__ = ["Decisions", "Segmentation", "SegmentationOptions", "segment"]
