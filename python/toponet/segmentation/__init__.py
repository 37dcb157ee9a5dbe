"""From a likelihood to a mask with the right topology; numpy arrays and tensors."""

from typing import TYPE_CHECKING

from toponet._ground.on_demand import on_demand

if TYPE_CHECKING:
    from toponet.segmentation.choice import SegmentationChoice, Trial, choose_segmentation
    from toponet.segmentation.numbers import SegmentationNumbers
    from toponet.segmentation.tensors import segment
    from toponet.topology.segmentation import Decisions, Segmentation, SegmentationOptions

# On demand, because the options of a command need the numbers alone, and not torch.
__getattr__ = on_demand(
    __name__,
    {
        "Decisions": "toponet.topology.segmentation",
        "Segmentation": "toponet.topology.segmentation",
        "SegmentationChoice": "toponet.segmentation.choice",
        "SegmentationNumbers": "toponet.segmentation.numbers",
        "SegmentationOptions": "toponet.topology.segmentation",
        "Trial": "toponet.segmentation.choice",
        "choose_segmentation": "toponet.segmentation.choice",
        "segment": "toponet.segmentation.tensors",
    },
)

__all__ = [
    "Decisions",
    "Segmentation",
    "SegmentationChoice",
    "SegmentationNumbers",
    "SegmentationOptions",
    "Trial",
    "choose_segmentation",
    "segment",
]
