"""What an in-place loss of 0 promises, and what it doesn't."""

from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

import strategies
from toponet import TopologicalLoss, betti_numbers

Labels = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]
THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9)


def label(mask: Mask, connectivity: int) -> Labels:
    labels: Labels = ndimage.label(mask, np.ones((3, 3)) if connectivity == 8 else None)[0]
    return labels


def pieces(mask: Mask, connectivity: int, frame: bool) -> Labels:
    """Components of the structure from 1 on; the frame's is one of them."""
    return label(np.pad(mask, 1, constant_values=frame), connectivity)


def cells(mask: Mask, connectivity: int, frame: bool) -> Labels:
    """Components of the background from 1 on; what is open to the outside is none of them."""
    labels = label(~np.pad(mask, 1, constant_values=frame), 12 - connectivity)
    return labels if frame else np.where(labels == labels[0, 0], 0, labels)


def apart(inner: Labels, outer: Labels) -> bool:
    """Whether each inner component lies in an outer one, and no two of them in the same."""
    homes = np.unique(np.stack([inner, outer])[:, inner > 0], axis=1)[1]
    return bool((homes > 0).all()) and len(np.unique(homes)) == len(homes)


def one_each(inner: Labels, outer: Labels) -> bool:
    """Whether each outer component holds exactly one inner one."""
    return apart(inner, outer) and len(np.unique(inner)) == len(np.unique(outer))


def in_place(f: NDArray[Any], g: Mask, threshold: float, **convention: Any) -> list[bool]:
    """Whether pieces and cells of f cut within g, and of both together, are those of g."""
    within, around = g & (f >= threshold), g | (f >= threshold)
    return [
        one_each(pieces(within, **convention), pieces(g, **convention)),
        one_each(pieces(g, **convention), pieces(around, **convention)),
        one_each(cells(g, **convention), cells(within, **convention)),
        one_each(cells(around, **convention), cells(g, **convention)),
    ]


@hypothesis.settings(max_examples=300)
@hypothesis.given(
    data=st.data(),
    connectivity=strategies.connectivities,
    frame=strategies.frames,
    weight=st.sampled_from(["one", "persistence"]),
)
def test_the_loss_with_extremes_is_0_iff_every_true_feature_is_in_its_place_at_every_threshold(
    data: st.DataObject, connectivity: int, frame: bool, weight: str
) -> None:
    """Oracle: scipy's labels of the superlevel sets, and which component lies in which.

    The maps are truths of which some pixels are changed, so that a loss of 0 is no rarity.
    """
    grey = data.draw(strategies.images())
    g = data.draw(st.sampled_from([grey >= 0.5, grey > 0]))
    changed = np.random.default_rng(data.draw(st.integers(0, 999))).random(grey.shape)
    f = np.where(changed < data.draw(st.sampled_from([0.03, 0.1, 0.3])), grey, g)
    convention: dict[str, Any] = {"connectivity": connectivity, "frame": frame}
    loss = TopologicalLoss(
        matching="in_place", in_place_weight=weight, in_place_extremes=True, **convention
    )
    value = loss(torch.from_numpy(f)[None], torch.from_numpy(g)[None]).item()
    levels = np.unique(np.append(f, (0.0, 1.0)))
    thresholds = (levels[1:] + levels[:-1]) / 2
    assert (value == 0) == all(all(in_place(f, g, t, **convention)) for t in thresholds)


def speckles(rng: np.random.Generator) -> Mask:
    mask: Mask = rng.random((12, 15)) > 0.7
    return mask


def membranes(rng: np.random.Generator) -> Mask:
    """Borders between the regions nearest to five random points, and a bar within a region."""
    row, column = np.mgrid[:16, :21]
    points = rng.random((5, 2)) * (16, 21)
    distance = np.hypot(row[..., None] - points[:, 0], column[..., None] - points[:, 1])
    nearest = np.sort(distance, axis=-1)
    mask: Mask = nearest[..., 1] - nearest[..., 0] < 1.5
    return mask


def descend(
    f: NDArray[np.float64], g: Mask, loss: TopologicalLoss, enough: float = 1e-12
) -> NDArray[np.float64]:
    """The map at which gradient descent on the pixels reaches a loss of 0, or all but that."""
    pixels = torch.from_numpy(f)[None].requires_grad_()
    target = torch.from_numpy(g)[None]
    value = loss(pixels, target)
    for _ in range(3000):
        if value < enough:
            return pixels.detach()[0].numpy()
        (gradient,) = torch.autograd.grad(value, pixels)
        with torch.no_grad():
            pixels -= 0.2 * gradient
            pixels.clamp_(0, 1)
        value = loss(pixels, target)
    raise AssertionError(f"descent stops at a loss of {value.item():.3g}")


def start_from(start: str, truth: Any) -> tuple[NDArray[np.float64], Mask]:
    rng = np.random.default_rng(11)
    g = truth(rng)
    noise = rng.random(g.shape)
    return noise if start == "random" else 0.2 + 0.1 * noise, g


starts = pytest.mark.parametrize("start", ["random", "weak"])
truths = pytest.mark.parametrize("truth", [speckles, membranes])


@starts
@truths
@pytest.mark.parametrize("frame", [True, False])
@pytest.mark.parametrize("connectivity", [4, 8])
def test_descent_reaches_0_and_then_every_true_feature_is_in_its_place(
    start: str, frame: bool, connectivity: int, truth: Any
) -> None:
    """No two pulls disagree, since each is towards the pixel's own truth.

    Without extremes, a piece may be weaker than its peak should be, and a cell's floor higher. Even
    then no true wall is open, nothing true is broken, joined or divided, and there are no specks.
    """
    f, g = start_from(start, truth)
    convention: dict[str, Any] = {"connectivity": connectivity, "frame": frame}
    options: dict[str, Any] = {"matching": "in_place", "in_place_weight": "one", **convention}
    reached = descend(f, g, TopologicalLoss(**options))
    for t in THRESHOLDS:
        within, around = g & (reached >= t), g | (reached >= t)
        assert apart(pieces(within, **convention), pieces(g, **convention))
        assert one_each(pieces(g, **convention), pieces(around, **convention))
        assert one_each(cells(g, **convention), cells(within, **convention))
        assert apart(cells(around, **convention), cells(g, **convention))
    reached = descend(reached, g, TopologicalLoss(**options, in_place_extremes=True))
    for t in THRESHOLDS:
        assert all(in_place(reached, g, t, **convention))
        # So they are in f as well: pieces within g are apart in f, and so are cells outside it.
        mask = reached >= t
        assert apart(pieces(g & mask, **convention), pieces(mask, **convention))
        assert apart(cells(g | mask, **convention), cells(mask, **convention))


@starts
@truths
@pytest.mark.parametrize("extremes", [True, False])
def test_with_the_persistence_as_weight_descent_reaches_0_as_well(
    start: str, extremes: bool, truth: Any
) -> None:
    """The force on a dot that vanishes vanishes with it, so the last steps are the slowest."""
    f, g = start_from(start, truth)
    loss = TopologicalLoss(matching="in_place", in_place_extremes=extremes)
    reached = descend(f, g, loss, enough=1e-5)
    (explanation,) = loss.explain(torch.from_numpy(reached)[None], torch.from_numpy(g)[None])
    left = explanation.dots[explanation.fates == "removed"]
    assert (left[:, 0] - left[:, 1] < 0.03).all()
    holes = (explanation.fates == "matched") & (explanation.dimensions == 1)
    assert (explanation.dots[holes, 0] > 0.99).all()
    assert explanation.count("missing", 0) == explanation.count("missing", 1) == 0


def test_a_speck_that_touches_the_rim_of_the_structure_is_the_exception() -> None:
    """A wall three pixels thick is right in the middle only; beside it, a speck touches its rim."""
    g = np.zeros((7, 9), bool)
    g[2:5] = True
    f = np.zeros((7, 9))
    f[3] = 1
    f[1, 4] = 1
    loss = TopologicalLoss(matching="in_place", in_place_extremes=True)
    assert loss(torch.from_numpy(f)[None], torch.from_numpy(g)[None]).item() == 0
    assert all(all(in_place(f, g, t, connectivity=8, frame=True)) for t in THRESHOLDS)
    assert betti_numbers(f >= 0.5, frame=True).tolist() == [[1, 2]]
    assert betti_numbers(g, frame=True).tolist() == [[0, 2]]
    # One pixel further away it isn't hidden.
    f[1, 4], f[0, 4] = 0, 0
    g[2], g[4] = False, False
    f[5, 4] = 1
    assert loss(torch.from_numpy(f)[None], torch.from_numpy(g)[None]).item() > 0
