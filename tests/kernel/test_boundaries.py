"""Dots exactly on a boundary of the matching, and dots between which only their order decides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import toponet
from toponet import TopologicalLoss

MATCHINGS = ["complete", "wasserstein", "persistence"]


def value_and_gradient(f: Tensor, g: Tensor, **options: Any) -> tuple[float, Tensor]:
    x = f.clone().requires_grad_()
    loss = TopologicalLoss(**options)(x, g)
    loss.backward()
    assert x.grad is not None
    return loss.item(), x.grad


@pytest.mark.parametrize("matching", MATCHINGS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_dot_exactly_as_persistent_as_min_persistence_is_left_alone(
    matching: str, dtype: torch.dtype
) -> None:
    """The components are (0.5, 0.25) and, a little more persistent, (0.75, 0.25)."""
    f = torch.tensor([[[1.0, 0.25, 0.5, 0.25, 0.75, 0.25]]], dtype=dtype)
    g = torch.tensor([[[1.0, 0, 0, 0, 0, 0]]])
    options: dict[str, Any] = {"dims": (0,), "frame": False, "matching": matching}
    loss, gradient = value_and_gradient(f, g, min_persistence=0.25, **options)
    assert gradient[0, 0, 2] == 0
    assert gradient[0, 0, 4] > 0
    assert loss == 0.125
    dots = toponet.persistence(f[0].numpy(), dims=(0,)).values
    matched = toponet.match(dots, [[1, -np.inf]], matching=matching, min_persistence=0.25)
    assert matched.cost == 0.125
    below, gradient = value_and_gradient(f, g, min_persistence=np.nextafter(0.25, 0), **options)
    assert below == 0.125 + 0.03125
    assert gradient[0, 0, 2] > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_pair_that_saves_nothing_is_none(dtype: torch.dtype) -> None:
    """(0.8125, 0.6875) costs as much with (1, 0) as both with the diagonal: the key is exactly 0.

    Then it isn't matched, in both routes; a grain more, and it is.
    """
    options: dict[str, Any] = {"dims": (0,), "frame": False, "matching": "wasserstein"}
    g = torch.tensor([[[1.0, 0, 1.0, 0]]])
    for birth, matched in ((0.8125, False), (0.8125 + 2**-10, True)):
        f = torch.tensor([[[1.0, 0.6875, birth, 0]]], dtype=dtype)
        _, gradient = value_and_gradient(f, g, **options)
        # Downwards as noise, upwards as what is wanted.
        assert (gradient[0, 0, 2] < 0) == matched
        assert (gradient[0, 0, 2] > 0) == (not matched)
        (explanation,) = TopologicalLoss(**options).explain(f, g)
        assert explanation.count("matched", 0) == 1 + matched


@pytest.mark.parametrize("matching", MATCHINGS)
@pytest.mark.parametrize("wanted", [1, 20, 59, 60, 61])
def test_among_equal_dots_the_first_are_matched(matching: str, wanted: int) -> None:
    """Eighty equal peaks and a few others: by death pixel, then birth pixel, never by chance."""
    f = torch.full((1, 19, 35), 0.125, dtype=torch.float64)
    peaks = f[0, 1::2, 1::2]
    peaks[:] = 0.75
    peaks[2, 3:9], peaks[7, ::5] = 0.875, 0.625
    g = torch.zeros(1, 19, 35)
    pieces = [(r, c) for r in range(0, 19, 2) for c in range(0, 35, 2)]
    for r, c in pieces[: wanted + 1]:
        g[0, r, c] = 1
    options: dict[str, Any] = {"dims": (0,), "frame": False, "matching": matching}
    _, gradient = value_and_gradient(f, g, **options)
    (explanation,) = TopologicalLoss(**options).explain(f, g)
    np.testing.assert_array_equal(gradient[0].numpy(), explanation.gradient())
    diagram = toponet.persistence(f[0].numpy(), dims=(0,))
    dots = diagram.values[1:]
    keys = dots[:, 0] - dots[:, 1]
    if matching != "persistence":
        keys = keys - (dots.sum(axis=1) - 1) ** 2 / 2
    first = np.lexsort((np.arange(len(keys)), -keys))[:wanted]
    pulled_up = gradient[0].numpy().ravel()[diagram.pixels[1:, 0]] < 0
    assert set(np.flatnonzero(pulled_up)) == set(first)
    assert len(dots) > wanted


@pytest.mark.parametrize("num_threads", [1, 3])
@pytest.mark.parametrize("shape", [(2, 1, 60, 20), (1, 2, 40, 13)])
def test_overlapping_patches_as_wide_as_the_image_add_their_gradients(
    shape: tuple[int, ...], num_threads: int
) -> None:
    """Oracle: each patch cut out by torch. Rows of the image's width could be written in place."""
    generator = torch.Generator().manual_seed(2)
    f = torch.rand(shape, generator=generator, dtype=torch.float64)
    g = torch.rand(shape, generator=generator) > 0.6
    x = f.clone().requires_grad_()
    count, size = 5, 20
    loss = TopologicalLoss(
        patch_size=size, patches="random", patches_per_image=count, num_threads=num_threads,
        generator=torch.Generator().manual_seed(9), reduction="sum",
    )  # fmt: skip
    value = loss(x, g)
    value.backward()
    rows = torch.randint(
        shape[2] - size + 1, (shape[0] * count,), generator=torch.Generator().manual_seed(9)
    ).reshape(shape[0], count)
    assert all(len(set(row.tolist())) > 2 for row in rows)
    by_hand = f.clone().requires_grad_()
    expected = torch.zeros((), dtype=torch.float64)
    for b in range(shape[0]):
        for r in rows[b].tolist():
            part = TopologicalLoss(reduction="sum")(
                by_hand[b : b + 1, :, r : r + size], g[b : b + 1, :, r : r + size]
            )
            expected = expected + part / count
    expected.backward()
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(x.grad, by_hand.grad)
