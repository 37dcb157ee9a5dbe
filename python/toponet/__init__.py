"""TopoNet: deep image segmentation with correct topology.

After Hu, Li, Samaras, Chen, "Topology-Preserving Deep Image Segmentation", NeurIPS 2019.
"""

import importlib
from typing import Any

from toponet.losses import TopologicalLoss, TopoNetLoss
from toponet.topology import Matching, PersistenceDiagrams, betti_numbers, match, persistence

_ON_DEMAND = {
    "data": "toponet.data",
    "functional": "toponet.losses.functional",
    "metrics": "toponet.metrics",
    "models": "toponet.models",
    "plots": "toponet.plots",
}

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
        return importlib.import_module(_ON_DEMAND[name])
    raise AttributeError(f"module 'toponet' has no attribute {name!r}")
