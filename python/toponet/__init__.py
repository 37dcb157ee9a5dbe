"""TopoNet: deep image segmentation with correct topology.

After Hu, Li, Samaras, Chen, "Topology-Preserving Deep Image Segmentation", NeurIPS 2019.
"""

import importlib
from typing import TYPE_CHECKING, Any

from toponet.topology import (
    BettiMatching,
    Matching,
    PersistenceDiagrams,
    Representative,
    betti_matching,
    betti_numbers,
    match,
    persistence,
    representative,
)

if TYPE_CHECKING:
    from toponet.losses import TopologicalLoss, TopoNetLoss
    from toponet.segmentation import choose_segmentation, segment

# Importing torch takes seconds, and not everything needs it: the --help of a command doesn't.
_PLACES = {
    "TopoNetLoss": "toponet.losses",
    "TopologicalLoss": "toponet.losses",
    "choose_segmentation": "toponet.segmentation",
    "segment": "toponet.segmentation",
}
_ON_DEMAND = {
    "data": "toponet.data",
    "functional": "toponet.losses.functional",
    "losses": "toponet.losses",
    "metrics": "toponet.metrics",
    "models": "toponet.models",
    "plots": "toponet.plots",
    "segmentation": "toponet.segmentation",
}

__all__ = [
    "BettiMatching",
    "Matching",
    "PersistenceDiagrams",
    "Representative",
    "TopoNetLoss",
    "TopologicalLoss",
    "betti_matching",
    "betti_numbers",
    "choose_segmentation",
    "match",
    "persistence",
    "representative",
    "segment",
]


def __getattr__(name: str) -> Any:
    """Imports the losses, ``toponet.metrics`` and its like at their first use.

    ``toponet.__version__`` is looked up among the installed packages.
    """
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("toponet")
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    if name in _ON_DEMAND:
        return importlib.import_module(_ON_DEMAND[name])
    raise AttributeError(f"module 'toponet' has no attribute {name!r}")
