"""Metrics that give one scalar, and the presets of the protocols that are in use."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from toponet import metrics
from toponet.metrics.presets import PROTOCOLS, SCALARS


def batches() -> list[tuple[Tensor, Tensor]]:
    """Likelihoods and masks, in batches of unequal size."""
    generator = torch.Generator().manual_seed(0)
    return [
        (torch.rand(count, 1, 30, 41, generator=generator),
         (torch.rand(count, 1, 30, 41, generator=generator) > 0.6).long())
        for count in (2, 1)
    ]  # fmt: skip


def whole(name: str) -> dict[str, Any]:
    """Options under which a result doesn't depend on the batches."""
    return {"patches": "whole"} if name.startswith(("betti_error", "betti_matching")) else {}


@pytest.mark.parametrize("name", SCALARS)
def test_a_scalar_is_the_number_of_that_name_of_its_class(name: str) -> None:
    scalar, full = (metrics.scalar_metric(name, **whole(name)), SCALARS[name](**whole(name)))
    for likelihood, truth in batches():
        for metric in (scalar, full):
            metric.update((likelihood > 0.5).long(), truth)
    found, everything = scalar.compute(), full.compute()
    assert isinstance(found, Tensor)
    assert found.shape == ()
    if not isinstance(everything, dict):
        assert found == everything
    elif name in everything:
        assert found == everything[name]
    else:
        assert float(found) == pytest.approx(sum(map(float, everything.values())))
    for twin in (copy.deepcopy(scalar), pickle.loads(pickle.dumps(scalar))):
        assert twin.compute() == found
    assert scalar.higher_is_better is full.higher_is_better
    assert name in repr(scalar)


@pytest.mark.parametrize("name", [name for name in SCALARS if not name.startswith("instance")])
def test_a_threshold_cuts_likelihoods_and_is_printed(name: str) -> None:
    """At the threshold is structure; where nothing counts, a likelihood may be anything."""
    likelihood, truth = batches()[0]
    likelihood[0, 0, 3] = 0.7
    cut = metrics.scalar_metric(name, threshold=0.7, **whole(name))
    plain = metrics.scalar_metric(name, **whole(name))
    valid = torch.ones_like(truth)
    valid[..., 30:] = 0
    spoilt = torch.where(valid > 0, likelihood, torch.nan)
    cut.update(spoilt, truth, valid)
    plain.update((likelihood >= 0.7).long(), truth, valid)
    assert cut.compute() == plain.compute()
    assert "likelihood >= 0.7 is structure" in repr(cut)
    assert "is structure" not in repr(plain)
    with pytest.raises(ValueError, match=r"prediction must lie in \[0, 1\]"):
        cut.update(likelihood + 1, truth)


def test_results_of_the_function_have_all_dimensions_whatever_the_scalar() -> None:
    likelihood, truth = batches()[0]
    metric = metrics.BettiError(patches="whole", only="betti_error_1")
    metric.update((likelihood > 0.5).long(), truth)
    assert metric.result()[1] == metric.compute()
    assert metric.result()[0] != metric.result()[1]


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: metrics.scalar_metric("dice"), "name must be one of 'accuracy', .*got 'dice'"),
        (lambda: metrics.BettiError(dims=(0,), only="betti_error_1"),
         "only must be one of 'betti_error_0', got 'betti_error_1'"),
        (lambda: metrics.VariationOfInformation(only="ari"), "'voi_split', 'voi_merge', 'voi', go"),
        (lambda: metrics.protocol_metrics("paper"), "protocol must be one of 'toponet-authors', "),
        (lambda: metrics.scalar_metric("voi", threshold=float("nan")), "threshold must be finite"),
    ],
)  # fmt: skip
def test_names_that_are_not_there_are_refused(build: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        build()


def test_the_authors_protocol_is_the_papers_four_numbers() -> None:
    """Oracle: the functions. The Rand score takes the best threshold, the others the cut at 0.5."""
    measured = metrics.protocol_metrics("toponet-authors")
    likelihood, truth = batches()[0]
    measured.update(likelihood, truth)
    f, g = likelihood[:, 0], truth[:, 0]
    mask = (f >= 0.5).long()
    expected = {
        "accuracy": metrics.pixel_accuracy(mask, g),
        "ari": metrics.adapted_rand_score(f, g, maximal=True),
        "voi": sum(metrics.variation_of_information(mask, g)),
        "betti_error_1": metrics.betti_error(mask, g, convention="toponet-authors")[1],
    }
    found = {name: float(value) for name, value in measured.compute().items()}
    assert found == pytest.approx(expected, rel=1e-6)
    assert expected["ari"] != metrics.adapted_rand_score(f, g)


def test_topomortars_protocol_is_its_topological_numbers() -> None:
    """Oracle: the functions, over two batches of unequal size."""
    measured = metrics.protocol_metrics("topomortar")
    for likelihood, truth in batches():
        measured.update(likelihood, truth)
    f, g = (torch.cat(parts)[:, 0] for parts in zip(*batches(), strict=True))
    mask = f >= 0.5
    betti = metrics.betti_error(mask, g, convention="topomortar")
    found = {name: float(value) for name, value in measured.compute().items()}
    expected = [betti[0], betti[1], metrics.cldice_score(mask, g)]
    assert list(found.values()) == pytest.approx(expected, rel=1e-6)
    assert list(found) == ["betti_error_0", "betti_error_1", "cldice"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_protocol_prints_each_convention_and_counts_valid_pixels(protocol: str) -> None:
    measured = metrics.protocol_metrics(protocol)
    printed = repr(measured)
    for name, metric in measured.items():
        assert f"{name}: " in printed
        assert metric.extra_repr() in printed
    likelihood, truth = batches()[0]
    valid = torch.ones_like(truth)
    valid[..., :21] = 0
    measured.update(likelihood, truth, valid)
    with_valid = measured.compute()
    measured.reset()
    measured.update(likelihood, truth)
    everywhere = measured.compute()
    assert all(with_valid[name] != everywhere[name] for name in everywhere)
    assert all(np.isfinite(float(value)) for value in everywhere.values())
