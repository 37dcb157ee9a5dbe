"""TopoNet: deep image segmentation with correct topology.

After Hu, Li, Samaras, Chen, "Topology-Preserving Deep Image Segmentation", NeurIPS 2019.
"""

from toponet.diagrams import PersistenceDiagrams
from toponet.losses import TopologicalLoss, TopoNetLoss
from toponet.matching import Matching, match
from toponet.persistence import betti_numbers, persistence

__all__ = [
    "Matching",
    "PersistenceDiagrams",
    "TopoNetLoss",
    "TopologicalLoss",
    "betti_numbers",
    "match",
    "persistence",
]
