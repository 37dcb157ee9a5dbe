"""Squared differences of VGG19's features as a topological loss (Mosinska et al., 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toponet.training.topology_terms.term import Options, TopologyLoss, TopologyTerm, option


@dataclass(frozen=True, kw_only=True)
class VGGOptions:
    """The options of ``--topo-loss vgg``.

    Attributes:
        vgg_weights: Of topo_loss "vgg": file of VGG19 in torchvision's layout; empty = the one in
            torch.hub's cache.
    """

    vgg_weights: str | None = option(None)


def _make(options: Options, connectivity: int, threads: int, device: Any) -> TopologyLoss:
    from toponet.training.topology_terms.vgg_features import VGGFeatureLoss

    weights = options["vgg_weights"]
    return VGGFeatureLoss(None if weights is None else Path(weights)).to(device)


def _check(options: Options, connectivity: int) -> None:
    weights = options["vgg_weights"]
    if weights is not None and not isinstance(weights, str):
        raise TypeError(f"vgg_weights must name a file, got {weights!r}")


VGG = TopologyTerm(
    help="squared differences of VGG19's features (Mosinska et al., 2018)",
    make=_make,
    options=VGGOptions,
    check=_check,
)
