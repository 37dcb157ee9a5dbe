"""The losses, in the manner of torch.nn."""

from toponet.losses.topological import TopologicalLoss
from toponet.losses.total import TopoNetLoss

__all__ = ["TopoNetLoss", "TopologicalLoss"]
