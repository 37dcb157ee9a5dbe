"""TopoNet: deep image segmentation with correct topology.

After Hu, Li, Samaras, Chen, "Topology-Preserving Deep Image Segmentation", NeurIPS 2019.
"""

from toponet.diagrams import PersistenceDiagrams
from toponet.persistence import betti_numbers, persistence

__all__ = ["PersistenceDiagrams", "betti_numbers", "persistence"]
