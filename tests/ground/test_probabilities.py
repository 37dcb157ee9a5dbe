"""What rounding left just outside [0, 1] counts as 0 and 1, wherever a likelihood is taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tifffile
import torch

from toponet import TopologicalLoss, metrics, plots
from toponet._ground.probabilities import rounding_tolerance, without_rounding
from toponet.evaluation import Protocol, score_image
from toponet.evaluation.predictions import read_likelihood

RNG = np.random.default_rng(3)
TRUTH = (RNG.random((7, 9)) > 0.6).astype(np.uint8)
CLEAN = np.where(TRUTH, 1.0, 0.0)

# Takes a likelihood (H, W) of a numpy dtype, and gives numbers that follow from it.
Taker = Callable[[Any], Any]


def loss(likelihood: Any) -> float:
    return float(TopologicalLoss()(torch.as_tensor(likelihood)[None], torch.tensor(TRUTH)[None]))


def rand(likelihood: Any) -> float:
    return metrics.adapted_rand_score(likelihood, TRUTH, maximal=True)


def rand_class(likelihood: Any) -> float:
    metric = metrics.AdaptedRandScore(maximal=True)
    metric.update(torch.as_tensor(likelihood)[None, None], torch.tensor(TRUTH)[None, None])
    return float(metric.compute())


def scores(likelihood: Any) -> Any:
    return score_image(likelihood, TRUTH, Protocol())


def picture(likelihood: Any) -> Any:
    _, panels = plt.subplots(1, 2)
    plots.plot_filtration(panels, likelihood, [1.0, 0.5])
    drawn = [np.asarray(axes.images[0].get_array()).tolist() for axes in panels]
    plt.close("all")
    return drawn


TAKERS: dict[str, Taker] = {
    "loss": loss,
    "adapted_rand_score": rand,
    "AdaptedRandScore": rand_class,
    "score_image": scores,
    "picture": picture,
}
every_taker = pytest.mark.parametrize("taker", TAKERS.values(), ids=TAKERS)


def moved(steps: float, dtype: str) -> Any:
    """The clean likelihood, so many units in the last place of 1 farther out on both sides."""
    unit = np.finfo(dtype).eps
    return (CLEAN + np.where(TRUTH, steps, -steps) * unit).astype(dtype)


@every_taker
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_rounding_left_outside_counts_as_0_and_1(taker: Taker, dtype: str) -> None:
    assert taker(moved(4, dtype)) == taker(CLEAN.astype(dtype))


@every_taker
def test_what_rounding_does_not_explain_is_refused(taker: Taker) -> None:
    for steps in (6, 1000):
        with pytest.raises(ValueError, match=r"in \[0, 1\], got"):
            taker(moved(steps, "float32"))
    with pytest.raises(ValueError, match=r"in \[0, 1\], got"):
        taker(moved(16, "float64"))


@pytest.mark.parametrize("taker", [loss, rand, rand_class, picture])
def test_half_precision_has_the_tolerance_of_its_own_type(taker: Taker) -> None:
    """numpy has no bfloat16: what is left of it is float32, of which the value is far outside."""
    near = torch.as_tensor(CLEAN).to(torch.bfloat16) * (1 + 2**-7)
    assert near.max() == 1 + 2**-7
    assert taker(near) == taker(CLEAN.astype(np.float32))
    with pytest.raises(ValueError, match=r"in \[0, 1\], got"):
        taker(near.float())


def test_files_have_the_tolerance_of_their_own_type_or_of_float32(tmp_path: Path) -> None:
    """float64 becomes float32, whose rounding it must outlast."""
    for dtype, steps in (("float16", 4.0), ("float32", 4.0), ("float64", 2.0**30)):
        tifffile.imwrite(tmp_path / "x.tif", moved(steps, dtype))
        np.testing.assert_array_equal(read_likelihood(tmp_path / "x.tif"), CLEAN)
    tifffile.imwrite(tmp_path / "x.tif", moved(6, "float32"))
    with pytest.raises(ValueError, match=r"x\.tif must lie in \[0, 1\], got -7\.15255737e-07"):
        read_likelihood(tmp_path / "x.tif")


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [
        (np.dtype(np.float64), 4 * 2.0**-52),
        (torch.float32, 4 * 2.0**-23),
        (np.float16().dtype, 4 * 2.0**-10),
        (torch.bfloat16, 4 * 2.0**-7),
        (torch.float8_e5m2, 4 * 2.0**-7),
        (torch.int64, 0.0),
        (np.dtype(bool), 0.0),
    ],
    ids=str,
)
def test_the_tolerance_is_four_units_of_the_type(dtype: object, tolerance: float) -> None:
    assert rounding_tolerance(dtype) == tolerance


def test_values_inside_are_not_copied_and_others_stay() -> None:
    inside = np.array([0.0, 0.5, 1.0])
    assert without_rounding(inside, 0.1)[0] is inside
    values, all_inside = without_rounding(np.array([-0.05, 1.05, 1.2, np.nan]), 0.1)
    assert not all_inside
    np.testing.assert_array_equal(values, [0, 1, 1.2, np.nan])
