"""Metrics by the names of their numbers, one scalar each, and the protocols that are in use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from torchmetrics import Metric, MetricCollection

from toponet._ground.validation import check_choice
from toponet.metrics._mean_metric import MeanMetric
from toponet.metrics.betti_matching_classes import BettiMatchingError, BettiMatchingScore
from toponet.metrics.classes import (
    AdaptedRandScore,
    BettiError,
    BettiNumberError,
    PixelAccuracy,
    VariationOfInformation,
)
from toponet.metrics.instance_classes import InstanceRandScore, InstanceVariationOfInformation
from toponet.metrics.structure_classes import CldiceScore, EulerNumberError

# The class of each number.
SCALARS: Mapping[str, type[MeanMetric]] = MappingProxyType(
    {
        "accuracy": PixelAccuracy,
        "ari": AdaptedRandScore,
        "betti_error_0": BettiError,
        "betti_error_1": BettiError,
        **{f"betti_matching_error_{d}": BettiMatchingError for d in (0, 1)},
        **{
            f"betti_matching_{score}_{d}": BettiMatchingScore
            for score in ("precision", "recall", "f1")
            for d in (0, 1)
        },
        "betti_number_error_0": BettiNumberError,
        "betti_number_error_1": BettiNumberError,
        "cldice": CldiceScore,
        "euler_number_error": EulerNumberError,
        "instance_ari": InstanceRandScore,
        "instance_precision": InstanceRandScore,
        "instance_recall": InstanceRandScore,
        "instance_voi": InstanceVariationOfInformation,
        "instance_voi_merge": InstanceVariationOfInformation,
        "instance_voi_split": InstanceVariationOfInformation,
        "voi": VariationOfInformation,
        "voi_merge": VariationOfInformation,
        "voi_split": VariationOfInformation,
    }
)

# The class of each number that volumes alone have.
VOLUME_SCALARS: Mapping[str, type[MeanMetric]] = MappingProxyType(
    {"betti_error_2": BettiError, "betti_number_error_2": BettiNumberError}
)

_CUT: Mapping[str, Any] = MappingProxyType({"threshold": 0.5})

# By the name of a protocol: its numbers, and the options of each.
PROTOCOLS: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "toponet-authors": {
            "accuracy": _CUT,
            "ari": {"maximal": True},
            "voi": _CUT,
            "betti_error_1": {"convention": "toponet-authors", **_CUT},
        },
        "topomortar": {
            "betti_error_0": {"convention": "topomortar", **_CUT},
            "betti_error_1": {"convention": "topomortar", **_CUT},
            "cldice": _CUT,
        },
        "betti-matching": {
            "accuracy": _CUT,
            "cldice": _CUT,
            **{
                f"betti{matching}_error_{d}": {"convention": "betti-matching", **_CUT}
                for matching in ("_matching", "")
                for d in (0, 1)
            },
        },
    }
)


def scalar_metric(name: str, **options: Any) -> MeanMetric:
    """A metric whose ``compute`` gives one scalar, for trackers, checkpoints and schedulers.

    ``name`` is that of a number as ``toponet-evaluate`` and ``compute`` have it, such as
    "voi_split" or "betti_error_1"; "voi" and "instance_voi" are split + merge.

    Args:
        name: Of the number.
        options: Those of its class, such as ``spatial_dims=3`` for volumes; and ``threshold``, at
            which likelihoods are cut (>= is structure).

    Raises:
        TypeError: For the reasons of the class.
        ValueError: If there is no such number; for the reasons of the class.

    Example:
        >>> import torch
        >>> from toponet.metrics import scalar_metric
        >>> metric = scalar_metric("betti_error_1", patches="whole", threshold=0.5)
        >>> metric.update(torch.full((1, 1, 5, 5), 0.4), torch.eye(5)[None, None])
        >>> float(metric.compute())
        1.0
    """
    classes = {**SCALARS, **VOLUME_SCALARS}
    check_choice("name", name, tuple(classes))
    if name in VOLUME_SCALARS and options.get("spatial_dims", 2) == 2:
        raise ValueError(f"{name} counts cavities, which volumes have: add spatial_dims=3")
    return classes[name](only=name, **options)


def protocol_metrics(protocol: str) -> MetricCollection:
    """The numbers of a protocol, as a collection of scalars that takes likelihoods or masks.

    ===================  ==========================================================================
    ``protocol``         what it measures
    ===================  ==========================================================================
    "toponet-authors"    the paper's four: accuracy, ARI (the maximal F-score: the best threshold),
                         VOI, and the Betti error of holes as the authors' script counts it, in 100
                         random patches of 65 x 65. All but ARI are of the cut at 0.5
    "topomortar"         the topological numbers of TopoMortar's code: errors of the Betti numbers
                         of whole images without a frame, and clDice, of the cut at 0.5. Its Dice
                         and HD95 aren't measures of topology; torchmetrics and MONAI have them
    "betti-matching"     what the papers of Betti matching report: accuracy, clDice, and per
                         dimension the Betti matching error and the error of the Betti numbers, of
                         whole images without a frame and with 4-connected structure, of the cut at
                         0.5. Their Dice isn't a measure of topology
    ===================  ==========================================================================

    Args:
        protocol: One of the names above.

    Returns:
        A ``torchmetrics.MetricCollection``; ``print`` shows the convention of each number.

    Raises:
        ValueError: If there is no protocol of that name.

    Source: Hu et al., NeurIPS 2019, section 3; github.com/jmlipman/TopoMortar, lib/metrics.py;
    Stucki et al., ICML 2023, section 5.

    Example:
        >>> import torch
        >>> from toponet.metrics import protocol_metrics
        >>> measured = protocol_metrics("topomortar")
        >>> measured.update(torch.eye(9)[None, None], torch.eye(9)[None, None])
        >>> {name: float(value) for name, value in measured.compute().items()}
        {'betti_error_0': 0.0, 'betti_error_1': 0.0, 'cldice': 1.0}
    """
    check_choice("protocol", protocol, tuple(PROTOCOLS))
    members: dict[str, Metric | MetricCollection] = {
        name: scalar_metric(name, **options) for name, options in PROTOCOLS[protocol].items()
    }
    return MetricCollection(members)
