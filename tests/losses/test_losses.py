"""The loss: its value, its gradient, what it promises and what it refuses."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

import strategies
import toponet
from toponet.losses.functional import topological_loss

MATCHINGS = ["complete", "wasserstein", "persistence"]


def random_problem(seed: int = 0, shape: tuple[int, ...] = (3, 2, 13, 17)) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    likelihood = torch.rand(shape, generator=generator, dtype=torch.float64)
    target = (torch.rand(shape, generator=generator) > 0.6).double()
    return likelihood, target


def matched_cost(
    f: NDArray[Any], g: NDArray[Any], connectivity: int, frame: bool, **options: Any
) -> float:
    """Oracle: diagram by diagram through `match` and POT."""
    total = 0.0
    for dimension in (0, 1):
        values = [
            toponet.persistence(x, dims=(dimension,), connectivity=connectivity, frame=frame).values
            for x in (f, g)
        ]
        total += toponet.match(*values, method="pot", **options).cost
    return total


@pytest.mark.parametrize("matching", MATCHINGS)
@hypothesis.settings(max_examples=100)
@hypothesis.given(
    image=strategies.images(),
    seed=st.integers(0, 99),
    connectivity=strategies.connectivities,
    frame=strategies.frames,
    min_persistence=st.sampled_from([0.0, 0.3]),
)
def test_the_loss_is_the_cost_of_the_optimal_matching(
    matching: str,
    image: NDArray[Any],
    seed: int,
    connectivity: int,
    frame: bool,
    min_persistence: float,
) -> None:
    """Oracle: POT on the diagrams of both dimensions; targets random, empty and full."""
    random = np.random.default_rng(seed).random(image.shape) > 0.5
    for target in (random, np.zeros_like(random), np.ones_like(random)):
        loss = topological_loss(
            torch.from_numpy(image)[None],
            torch.from_numpy(target)[None],
            connectivity=connectivity,
            frame=frame,
            matching=matching,
            min_persistence=min_persistence,
        )
        expected = matched_cost(
            image,
            target.astype(float),
            connectivity,
            frame,
            matching=matching,
            min_persistence=min_persistence,
        )
        assert loss.item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("matching", MATCHINGS)
@pytest.mark.parametrize("frame", [True, False])
@pytest.mark.parametrize("connectivity", [4, 8])
def test_gradcheck_passes(matching: str, frame: bool, connectivity: int) -> None:
    likelihood, target = random_problem(shape=(2, 1, 7, 9))
    loss = toponet.TopologicalLoss(connectivity=connectivity, frame=frame, matching=matching)
    torch.autograd.gradcheck(lambda f: loss(f, target), likelihood.requires_grad_(), eps=1e-7)


def test_the_gradient_is_eq_2_3_pixel_by_pixel() -> None:
    """Two peaks and a saddle without a frame: the weaker component is noise, b* = d* = middle."""
    image = torch.tensor([[0.9, 0.2, 0.6, 0.0]], dtype=torch.float64)
    target = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    f = image[None].clone().requires_grad_()
    topological_loss(f, target[None], dims=(0,), frame=False).backward()
    # Essential: 2 (0.9 - 1). Noise (0.6, 0.2): 2 (0.6 - 0.4), 2 (0.2 - 0.4).
    assert f.grad is not None
    torch.testing.assert_close(
        f.grad[0], torch.tensor([[-0.2, -0.4, 0.4, 0.0]], dtype=torch.float64)
    )


def speckle_truths(rng: np.random.Generator) -> NDArray[np.bool_]:
    return rng.random((3, 12, 15)) > 0.7


def membrane_truths(rng: np.random.Generator) -> NDArray[np.bool_]:
    """Borders between the regions nearest to five random points."""
    row, column = np.mgrid[:16, :21]
    truths = []
    for _ in range(3):
        points = rng.random((5, 2)) * (16, 21)
        distance = np.hypot(row[..., None] - points[:, 0], column[..., None] - points[:, 1])
        nearest = np.sort(distance, axis=-1)
        truths.append(nearest[..., 1] - nearest[..., 0] < 1.5)
    return np.array(truths)


@pytest.mark.parametrize("start", ["random", "weak"])
@pytest.mark.parametrize("frame", [True, False])
@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize(
    ("dims", "truths"),
    [((0,), speckle_truths), ((1,), speckle_truths), ((0, 1), membrane_truths)],
)
def test_gradient_descent_on_pixels_reaches_the_topology_of_the_truth(
    start: str, frame: bool, connectivity: int, dims: tuple[int, ...], truths: Any
) -> None:
    """Theorem 1: loss 0 means the truth's Betti numbers at every threshold in (0, 1).

    Speckles are tried one dimension at a time: there, a gap may be what both a component and a
    hole want, one closed and the other open, which is a true local minimum of the sum.
    """
    rng = np.random.default_rng(11)
    target = truths(rng)
    noise = rng.random(target.shape)
    pixels = torch.from_numpy(noise if start == "random" else 0.2 + 0.1 * noise)
    loss = toponet.TopologicalLoss(
        dims=dims, frame=frame, connectivity=connectivity, reduction="sum", num_threads=1
    )
    pixels.requires_grad_()
    value = torch.tensor(1.0)
    for _ in range(3000):
        value = loss(pixels, torch.from_numpy(target))
        if value < 1e-12:
            break
        (gradient,) = torch.autograd.grad(value, pixels)
        with torch.no_grad():
            pixels -= 0.2 * gradient
            pixels.clamp_(0, 1)
    assert value < 1e-12
    options: dict[str, Any] = {"frame": frame, "connectivity": connectivity}
    expected = toponet.betti_numbers(target, **options)[:, dims]
    for threshold in (1e-5, 0.1, 0.5, 0.9, 1 - 1e-5):
        mask = pixels.detach().numpy() >= threshold
        reached = toponet.betti_numbers(mask, **options)[:, dims]
        np.testing.assert_array_equal(reached, expected)


def test_a_deeper_gap_costs_more_though_the_segmentation_is_the_same() -> None:
    """Figures 3 and 4 of the paper: f and f' are cut at 0.5 into the same mask; f' is worse."""
    truth = torch.zeros(9, 9, dtype=torch.float64)
    truth[1, 1:8] = truth[7, 1:8] = truth[1:8, 1] = truth[1:8, 7] = truth[4, 1:8] = 1
    f = truth * 0.9 + 0.05
    f[4, 4], f[2, 7] = 0.45, 0.4
    f_worse = f.clone()
    f_worse[4, 4], f_worse[2, 7] = 0.15, 0.1
    assert torch.equal(f >= 0.5, f_worse >= 0.5)
    loss = toponet.TopologicalLoss(frame=False)
    assert loss(f_worse[None], truth[None]) > loss(f[None], truth[None]) > 0


@hypothesis.settings(max_examples=60)
@hypothesis.given(st.integers(0, 10_000))
def test_the_loss_is_lipschitz(seed: int) -> None:
    """A change of at most e moves each of n dots by at most e a coordinate."""
    likelihood, target = random_problem(seed, (1, 1, 9, 11))
    change = 1e-4
    moved = (likelihood + change * (2 * torch.rand_like(likelihood) - 1)).clamp(0, 1)
    before, after = (topological_loss(f, target).item() for f in (likelihood, moved))
    assert abs(before - after) <= 4 * change * likelihood.numel()


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_reductions_are_torchs(reduction: str) -> None:
    likelihood, target = random_problem()
    each = topological_loss(likelihood, target, reduction="none")
    assert each.shape == (3, 2)
    assert topological_loss(likelihood[:, 0], target[:, 0], reduction="none").shape == (3,)
    reduced = topological_loss(likelihood, target, reduction=reduction)
    expected = {"none": each, "mean": each.mean(), "sum": each.sum()}[reduction]
    torch.testing.assert_close(reduced, expected)
    for b in range(3):
        for c in range(2):
            alone = topological_loss(likelihood[b : b + 1, c], target[b : b + 1, c])
            assert alone.item() == each[b, c].item()


@pytest.mark.parametrize(
    "option",
    [
        {"dims": (0,)},
        {"dims": (1,)},
        {"connectivity": 4},
        {"frame": False},
        {"matching": "wasserstein"},
        {"matching": "persistence"},
        {"min_persistence": 0.4},
        {"reduction": "sum"},
    ],
    ids=str,
)
def test_every_option_changes_the_loss(option: dict[str, Any]) -> None:
    likelihood, target = random_problem()
    likelihood = likelihood / 2
    default = toponet.TopologicalLoss()(likelihood, target)
    assert toponet.TopologicalLoss(**option)(likelihood, target).item() != default.item()
    assert str(next(iter(option.values()))) in repr(toponet.TopologicalLoss(**option))
    total = toponet.TopoNetLoss()(likelihood, target)
    assert toponet.TopoNetLoss(**option)(likelihood, target).item() != total.item()


def test_the_number_of_threads_changes_nothing_else() -> None:
    likelihood, target = random_problem(shape=(60, 1, 65, 65))
    results = []
    for num_threads in (1, 3, None):
        f = likelihood.clone().requires_grad_()
        loss = toponet.TopologicalLoss(num_threads=num_threads)(f, target)
        loss.backward()
        results.append((loss.detach(), f.grad))
    for loss, gradient in results[1:]:
        assert torch.equal(loss, results[0][0])
        assert torch.equal(gradient, results[0][1])  # type: ignore[arg-type]


def test_total_loss_is_cross_entropy_plus_weighted_topology() -> None:
    logits, target = random_problem()
    logits = 6 * logits - 3
    bce = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
    topo = toponet.TopologicalLoss()(logits.sigmoid(), target)
    for weight in (0.0, 0.05, 0.5):
        total = toponet.TopoNetLoss(topo_weight=weight)(logits, target)
        torch.testing.assert_close(total, bce + weight * topo)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_lower_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    likelihood, target = random_problem()
    low = likelihood.to(dtype).requires_grad_()
    loss = toponet.TopologicalLoss()(low, target.bool())
    loss.backward()
    assert loss.dtype == torch.float32
    assert low.grad is not None
    assert low.grad.dtype == dtype
    same = low.detach().float().requires_grad_()
    expected = toponet.TopologicalLoss()(same, target)
    assert loss.item() == expected.item()


def test_autocast_does_not_lower_the_precision() -> None:
    logits, target = random_problem()
    logits = (6 * logits - 3).float()
    expected = toponet.TopoNetLoss()(logits, target)
    with torch.autocast("cpu", torch.bfloat16):
        assert toponet.TopoNetLoss()(logits, target).item() == pytest.approx(expected.item())


def test_a_second_derivative_is_refused() -> None:
    likelihood, target = random_problem()
    likelihood.requires_grad_()
    loss = toponet.TopologicalLoss()(likelihood, target)
    with pytest.raises(RuntimeError, match="first derivative only"):
        torch.autograd.grad(loss, likelihood, create_graph=True)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 6), (1, 6, 1), (2, 2, 7)])
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("truth", [0.0, 1.0])
@pytest.mark.parametrize("frame", [True, False])
def test_constant_images_and_empty_or_full_targets_are_defined(
    shape: tuple[int, ...], value: float, truth: float, frame: bool
) -> None:
    f = torch.full(shape, value, requires_grad=True)
    loss = toponet.TopologicalLoss(frame=frame, reduction="sum")(f, torch.full(shape, truth))
    loss.backward()
    assert f.grad is not None
    assert torch.isfinite(f.grad).all()
    assert (loss.item() == 0) == (value == truth)


def test_more_target_dots_than_prediction_dots_cost_their_distance_to_the_diagonal() -> None:
    target = torch.zeros(1, 5, 7)
    target[0, ::2, ::2] = 1
    target[0, 1:4, 3] = 1
    flat = torch.zeros(1, 5, 7)
    flat[0, 2, 2] = 1
    dots = len(toponet.persistence(target.numpy(), dims=(0,)).values)
    loss = topological_loss(flat, target, dims=(0,), frame=False)
    assert dots > 2
    assert loss.item() == pytest.approx(0.5 * (dots - 1))


@pytest.mark.parametrize(
    ("likelihood", "target", "error", "sentence"),
    [
        (torch.full((1, 3, 3), 1.5), torch.zeros(1, 3, 3), ValueError, r"got 1.5; apply sigmoid"),
        (torch.full((1, 3, 3), -2.0), torch.zeros(1, 3, 3), ValueError, r"got -2; apply sigmoid"),
        (torch.full((1, 3, 3), torch.nan), torch.zeros(1, 3, 3), ValueError, "got NaN"),
        (torch.zeros(1, 3, 3), torch.zeros(1, 3, 4), ValueError, r"\(1, 3, 3\) and \(1, 3, 4\)"),
        (torch.zeros(1, 3, 3), torch.full((1, 3, 3), 0.5), ValueError, "only 0 and 1, got 0.5"),
        (torch.zeros(1, 3, 3), torch.full((1, 3, 3), 255), ValueError, "only 0 and 1, got 255"),
        (torch.zeros(0, 3, 3), torch.zeros(0, 3, 3), ValueError, "at least one image"),
        (torch.zeros(1, 1, 0, 3), torch.zeros(1, 1, 0, 3), ValueError, "at least one image"),
        (torch.zeros(3, 3), torch.zeros(3, 3), ValueError, r"\(B, C, H, W\) or \(B, H, W\)"),
        (torch.zeros(1, 3, 3).long(), torch.zeros(1, 3, 3), TypeError, "floating point"),
        (torch.zeros(1, 3, 3), np.zeros((1, 3, 3)), TypeError, "torch.Tensor, got ndarray"),
    ],
)
def test_bad_input_gets_one_clear_sentence(
    likelihood: Any, target: Any, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        toponet.TopologicalLoss()(likelihood, target)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"dims": (2,)}, "dims must be"),
        ({"connectivity": 6}, "one of 4, 8, got 6"),
        ({"matching": "nearest"}, "'betti', 'in_place', got 'nearest'"),
        ({"min_persistence": -0.1}, "min_persistence"),
        ({"reduction": "median"}, "'mean', 'sum', 'none', got 'median'"),
        ({"num_threads": 0}, "num_threads"),
    ],
)
@pytest.mark.parametrize("loss", [toponet.TopologicalLoss, toponet.TopoNetLoss])
def test_options_are_checked_in_the_constructor(
    loss: Any, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        loss(**options)


@pytest.mark.parametrize("loss", [toponet.TopologicalLoss, toponet.TopoNetLoss])
@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"frame": "no"}, "True or False, got 'no'"), ({"connectivity": 8.0}, "whole number 4 or 8"),
     ({"min_persistence": "0"}, "must be a number"), ({"num_threads": True}, "whole number")],
)  # fmt: skip
def test_options_of_the_wrong_type_are_refused(
    loss: Any, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(TypeError, match=sentence):
        loss(**options)


def test_numpy_scalars_are_options_too() -> None:
    likelihood, target = random_problem()
    options: dict[str, Any] = {"min_persistence": 0.125, "connectivity": 4, "frame": False}
    scalars: list[Any] = [np.float32(0.125), np.int64(4), np.bool_(False)]
    expected = toponet.TopologicalLoss(**options)(likelihood, target)
    loss = toponet.TopologicalLoss(**dict(zip(options, scalars, strict=True)))
    assert loss(likelihood, target).item() == expected.item()


@pytest.mark.parametrize("logits", [np.zeros((1, 3, 3)), torch.zeros(1, 3, 3).long()])
def test_logits_must_be_floating_point_tensors(logits: Any) -> None:
    with pytest.raises(TypeError, match="logits must be"):
        toponet.TopoNetLoss()(logits, torch.zeros(1, 3, 3))


def test_losses_can_be_copied_and_pickled() -> None:
    likelihood, target = random_problem()
    for loss in (toponet.TopologicalLoss(dims=(1,)), toponet.TopoNetLoss(matching="wasserstein")):
        expected = loss(likelihood, target).item()
        for same in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
            assert same(likelihood, target).item() == expected


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="topo_weight must be at least 0"):
        toponet.TopoNetLoss(topo_weight=-1)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="runs where PyTorch sees a CUDA device")
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_cuda_gives_the_same_loss_and_gradient(dtype: torch.dtype) -> None:
    likelihood, target = random_problem()
    likelihood = likelihood.detach().to(dtype)
    here = likelihood.clone().requires_grad_()
    there = likelihood.to("cuda").requires_grad_()
    loss = toponet.TopologicalLoss()(here, target)
    loss.backward()
    cuda_loss = toponet.TopologicalLoss()(there, target.to("cuda"))
    cuda_loss.backward()
    assert cuda_loss.device.type == "cuda"
    # The mean over the patches is taken on the device, in an order of its own.
    assert cuda_loss.item() == pytest.approx(loss.item(), rel=1e-6)
    assert there.grad is not None
    assert torch.equal(there.grad.cpu(), here.grad)  # type: ignore[arg-type]
