"""TopoNet: deep image segmentation with correct topology.

After Hu, Li, Samaras, Chen, "Topology-Preserving Deep Image Segmentation", NeurIPS 2019.
"""

import importlib
from typing import Any

from toponet.diagrams import PersistenceDiagrams
from toponet.losses import TopologicalLoss, TopoNetLoss
from toponet.matching import Matching, match
from toponet.persistence import betti_numbers, persistence

_ON_DEMAND = ("data", "functional", "metrics", "models", "plots")

__all__ = [
    "Matching",
    "PersistenceDiagrams",
    "TopoNetLoss",
    "TopologicalLoss",
    "betti_numbers",
    "match",
    "persistence",
]


def __getattr__(name: str) -> Any:
    """``toponet.metrics`` and its like without an import of their own, loaded at first use.

    So is ``toponet.__version__``, which is looked up among the installed packages.
    """
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("toponet")
    if name in _ON_DEMAND:
        return importlib.import_module(f"toponet.{name}")
    raise AttributeError(f"module 'toponet' has no attribute {name!r}")
