"""The in-place loss: its value, its gradient, and what it says and hears at every face."""

from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

import strategies
from in_place_reference import in_place_loss
from toponet import TopologicalLoss, TopoNetLoss
from toponet.losses.functional import topological_loss

WEIGHTS = ["persistence", "one"]
weights = st.sampled_from(WEIGHTS)
dimensions = st.sampled_from([(0,), (1,), (0, 1)])


def loss_of(**options: Any) -> TopologicalLoss:
    return TopologicalLoss(matching="in_place", **options)


def value_and_gradient(
    loss: TopologicalLoss, f: Tensor, g: Tensor, **more: Any
) -> tuple[float, NDArray[np.float64]]:
    x = f.clone().requires_grad_()
    value = loss(x, g, **more)
    value.backward()
    assert x.grad is not None
    return value.item(), x.grad.numpy().astype(np.float64)


def truths(image: NDArray[Any], seed: int) -> list[NDArray[np.bool_]]:
    """Random, empty, full, and where the image itself is large."""
    random = np.random.default_rng(seed).random(image.shape)
    return [
        random > 0.5, random > 0.8, np.zeros(image.shape, bool), np.ones(image.shape, bool),
        image >= 0.5,
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@hypothesis.settings(max_examples=150)
@hypothesis.given(
    data=st.data(),
    seed=st.integers(0, 99),
    connectivity=strategies.connectivities,
    frame=strategies.frames,
    dims=dimensions,
    weight=weights,
    extremes=st.booleans(),
    min_persistence=st.sampled_from([0.0, 0.3]),
)
def test_value_gradient_and_explanation_are_those_of_the_definition(
    dtype: type[np.floating[Any]],
    data: st.DataObject,
    seed: int,
    connectivity: int,
    frame: bool,
    dims: tuple[int, ...],
    weight: str,
    extremes: bool,
    min_persistence: float,
) -> None:
    """Oracle: plain Python, with the side of each pixel looked up and each cost integrated."""
    image = data.draw(strategies.images(dtype))
    common: dict[str, Any] = {
        "connectivity": connectivity, "frame": frame, "dims": dims, "dim_weights": (0.5, 2.0),
        "min_persistence": min_persistence,
    }  # fmt: skip
    loss = loss_of(in_place_weight=weight, in_place_extremes=extremes, **common)
    close: dict[str, Any] = {"rtol": 1e-6, "atol": 1e-5 if dtype is np.float32 else 1e-12}
    for truth in truths(image, seed):
        expected, slope = in_place_loss(image, truth, weight=weight, extremes=extremes, **common)
        f, g = torch.from_numpy(image)[None], torch.from_numpy(truth)[None]
        value, gradient = value_and_gradient(loss, f, g)
        np.testing.assert_allclose(value, expected, **close)
        np.testing.assert_allclose(gradient[0], slope, **close)
        (explanation,) = loss.explain(f, g)
        np.testing.assert_allclose(explanation.loss, expected, **close)
        np.testing.assert_allclose(explanation.gradient(), slope, **close)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_minus_zero_is_zero(dtype: torch.dtype) -> None:
    zeros = torch.zeros(1, 3, 4, dtype=dtype)
    truth = torch.tensor([[[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]]])
    expected, slope = value_and_gradient(loss_of(frame=False), zeros, truth)
    value, gradient = value_and_gradient(loss_of(frame=False), -zeros, truth)
    assert value == expected
    np.testing.assert_array_equal(gradient, slope)


@hypothesis.settings(max_examples=60)
@hypothesis.given(
    image=strategies.images(),
    seed=st.integers(0, 99),
    connectivity=strategies.connectivities,
    frame=strategies.frames,
    weight=weights,
)
def test_pixels_that_do_not_count_are_structure_of_value_1(
    image: NDArray[Any], seed: int, connectivity: int, frame: bool, weight: str
) -> None:
    """Oracle: the definition, with ones in both images there."""
    random = np.random.default_rng(seed)
    valid = random.random(image.shape) > 0.3
    valid.flat[0] = True
    truth = random.random(image.shape) > 0.5
    common: dict[str, Any] = {"connectivity": connectivity, "frame": frame}
    expected, slope = in_place_loss(
        np.where(valid, image, 1), truth | ~valid, weight=weight, **common
    )
    value, gradient = value_and_gradient(
        loss_of(in_place_weight=weight, **common),
        torch.from_numpy(image)[None],
        torch.from_numpy(truth)[None],
        valid=torch.from_numpy(valid)[None],
    )
    assert value == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(gradient[0], np.where(valid, slope, 0), atol=1e-12)


@pytest.mark.parametrize("extremes", [True, False])
@pytest.mark.parametrize("frame", [True, False])
@pytest.mark.parametrize("connectivity", [4, 8])
def test_with_weight_one_gradcheck_passes(connectivity: int, frame: bool, extremes: bool) -> None:
    likelihood, target = random_problem()
    loss = loss_of(
        connectivity=connectivity, frame=frame, in_place_weight="one", in_place_extremes=extremes
    )
    torch.autograd.gradcheck(lambda f: loss(f, target), likelihood.requires_grad_(), eps=1e-7)


def random_problem(shape: tuple[int, ...] = (2, 1, 7, 9)) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    likelihood = torch.rand(shape, generator=generator, dtype=torch.float64)
    return likelihood, (torch.rand(shape, generator=generator) > 0.6).double()


def two_cells() -> tuple[Tensor, Tensor]:
    """Two cells side by side; the wall between them and the rim have one weak pixel each."""
    g = torch.zeros(1, 7, 11, dtype=torch.float64)
    g[0, 1:6, 1:10] = 1
    g[0, 2:5, 2:5] = g[0, 2:5, 6:9] = 0
    f = g.clone()
    f[0, 3, 5], f[0, 5, 3] = 0.6, 0.7
    return f, g


@pytest.mark.parametrize("extremes", [True, False])
def test_with_the_persistence_as_weight_true_features_have_a_gradient_that_passes_gradcheck(
    extremes: bool,
) -> None:
    """Walls, and bridges between pieces: the dot's other value is the truth's."""
    f, g = two_cells()
    f[0, 3:5, 5] = f[0, 3:5, 5].flip(0)
    f = 0.9 * f + 0.05
    ramp = torch.arange(f.numel(), dtype=torch.float64).view_as(f) / 1e4
    f = f + torch.where(g == 1, ramp.flip(1), ramp)  # No ties, and no dots of other kinds.
    loss = loss_of(in_place_extremes=extremes)
    (explanation,) = loss.explain(f, g)
    assert set(explanation.fates) == {"matched"}
    assert explanation.count("matched", 1) == 3
    torch.autograd.gradcheck(lambda x: loss(x, g), f.requires_grad_(), eps=1e-7)


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize(
    ("structure", "pixel", "rim", "raised"),
    [
        (True, (2, 2), (2, 3), True),  # A pinhole in a block of structure.
        (False, (2, 2), (2, 1), False),  # A speck in the background, and the pixel it dies at.
    ],
)
def test_the_pull_of_a_fault_is_the_slope_at_its_pixel_while_the_other_end_is_held(
    weight: str, structure: bool, pixel: tuple[int, int], rim: tuple[int, int], raised: bool
) -> None:
    """Oracle: central differences. The other end of a pinhole has no gradient of its own."""
    f = torch.full((1, 5, 7), 0.9 if structure else 0.1, dtype=torch.float64)
    g = torch.full((1, 5, 7), float(structure))
    f[0, pixel[0], pixel[1]] = 0.4
    loss = loss_of(dims=(int(structure),), frame=structure, in_place_weight=weight)
    f[0, 0, 0] = 0.2 if structure else 0.95  # The eldest hole or component.
    _, gradient = value_and_gradient(loss, f, g)
    up, down = f.clone(), f.clone()
    up[0, pixel[0], pixel[1]] += 1e-6
    down[0, pixel[0], pixel[1]] -= 1e-6
    slope = (loss(up, g) - loss(down, g)).item() / 2e-6
    assert gradient[0][pixel] == pytest.approx(slope, abs=1e-6)
    assert (gradient[0][pixel] < 0) == raised
    if structure:
        assert gradient[0][rim] == 0


@hypothesis.settings(max_examples=150)
@hypothesis.given(
    seed=st.integers(0, 10_000),
    connectivity=strategies.connectivities,
    frame=strategies.frames,
    extremes=st.booleans(),
)
def test_with_the_persistence_as_weight_a_small_change_of_the_map_is_a_small_change_of_the_loss(
    seed: int, connectivity: int, frame: bool, extremes: bool
) -> None:
    """A dot comes and goes with persistence 0. (With weight one it costs something at once.)"""
    rng = np.random.default_rng(seed)
    f = torch.from_numpy(0.1 + 0.8 * rng.random((1, 9, 11)))
    g = torch.from_numpy(rng.random((1, 9, 11)) > 0.6)
    moved = f + 1e-4 * torch.from_numpy(2 * rng.random((1, 9, 11)) - 1)
    loss = loss_of(connectivity=connectivity, frame=frame, in_place_extremes=extremes)
    assert abs(loss(f, g).item() - loss(moved, g).item()) <= 4 * 1e-4 * f.numel()


@pytest.mark.parametrize(
    "option",
    [
        {"dims": (0,)},
        {"dims": (1,)},
        {"connectivity": 4},
        {"frame": False},
        {"min_persistence": 0.4},
        {"reduction": "sum"},
        {"dim_weights": (1.0, 2.0)},
        {"in_place_weight": "one"},
        {"in_place_extremes": True},
        {"patch_size": 9},
    ],
    ids=str,
)
def test_every_option_changes_the_in_place_loss(option: dict[str, Any]) -> None:
    likelihood, target = random_problem((3, 2, 13, 17))
    changed = loss_of(**option)
    assert changed(likelihood, target).item() != loss_of()(likelihood, target).item()
    assert str(next(iter(option.values()))) in repr(changed)
    total = TopoNetLoss(matching="in_place")(likelihood, target).item()
    assert TopoNetLoss(matching="in_place", **option)(likelihood, target).item() != total


def test_the_default_weight_is_the_persistence() -> None:
    f, g = random_problem()
    assert loss_of()(f, g) == loss_of(in_place_weight="persistence")(f, g)
    assert loss_of()(f, g) == loss_of(in_place_weight=None)(f, g)


def test_patches_channels_and_images_are_compared_each_on_its_own() -> None:
    """Oracle: the definition, patch by patch; the loss of an image is the mean over its patches."""
    f, g = random_problem((2, 2, 12, 10))
    losses = topological_loss(f, g, matching="in_place", patch_size=6, reduction="none")
    for image in range(2):
        for channel in range(2):
            f_one, g_one = f[image, channel].numpy(), g[image, channel].numpy() == 1
            parts = [
                in_place_loss(f_one[r : r + 6, c : c + 5], g_one[r : r + 6, c : c + 5])[0]
                for r in (0, 6)
                for c in (0, 5)
            ]
            assert losses[image, channel].item() == pytest.approx(np.mean(parts))
    corners = [e.corner for e in loss_of(patch_size=6).explain(f, g)]
    assert corners == 4 * [(0, 0), (0, 5), (6, 0), (6, 5)]


def test_class_indices_and_softmax_work_in_place_too() -> None:
    logits = torch.randn(2, 3, 9, 11, generator=torch.Generator().manual_seed(1))
    indices = torch.randint(3, (2, 9, 11), generator=torch.Generator().manual_seed(2))
    masks = torch.nn.functional.one_hot(indices, 3).movedim(-1, 1)
    options: dict[str, Any] = {"include_background": False, "reduction": "none"}
    by_index = loss_of(softmax=True, **options)(logits, indices)
    by_mask = loss_of(**options)(logits.softmax(dim=1), masks)
    torch.testing.assert_close(by_index, by_mask)
    assert by_index.shape == (2, 2)


def test_the_in_place_loss_is_the_same_whatever_the_number_of_threads() -> None:
    f, g = random_problem((12, 1, 140, 130))
    one, many = (value_and_gradient(loss_of(num_threads=n), f, g) for n in (1, 3))
    assert one[0] == many[0]
    np.testing.assert_array_equal(one[1], many[1])


def test_an_explanation_has_one_row_for_each_true_feature_and_each_fault() -> None:
    f, g = two_cells()
    f[0, 3, 3] = 0.3  # The floor of a cell.
    f[0, 1, 7] = 0.0  # A break of the rim.
    f[0, 0, 0] = 0.8  # A speck that touches the rim only at a corner.
    f[0, 3, 7] = 0.4  # The floor of the other one.
    f[0, 4, 6:9] = 0.5  # A slope at its edge, no wall.
    loss = loss_of(frame=False, dims=(1,))
    (explanation,) = loss.explain(f, g)
    assert explanation.fates.tolist() == ["matched", "missing"]
    (matched, missing) = explanation.dots
    assert matched.tolist() == [0.6, 0.0] or matched.tolist() == [0.7, 0.0]
    assert np.isnan(missing).all()
    assert explanation.goals.tolist() == [[1.0, 0.0], [1.0, 0.0]]
    assert explanation.goal_pixels[0].tolist() == explanation.pixels[0].tolist()
    assert explanation.costs[1] == pytest.approx(1 / 3)
    assert explanation.forces[0, 0] < 0
    assert explanation.forces[0, 1] == 0
    assert explanation.loss == pytest.approx(loss(f, g).item())


def test_goals_lie_where_the_pixels_are_pulled_and_plots_show_them() -> None:
    from matplotlib.figure import Figure

    from toponet.plots import plot_critical_pixels, plot_diagram

    f, g = random_problem((1, 1, 13, 17))
    (explanation,) = loss_of().explain(f, g)
    pulled = (explanation.forces != 0) & (explanation.fates != "missing")[:, None]
    ways = explanation.goals[pulled] - explanation.dots[pulled]
    assert (np.sign(ways) == -np.sign(explanation.forces[pulled])).all()
    assert (ways > 0).any()
    assert (ways < 0).any()
    diagram, pixels = Figure().subplots(1, 2)
    plot_diagram(diagram, explanation)
    plot_critical_pixels(pixels, f[0, 0].numpy(), explanation)
    marks = sum(len(c.get_offsets()) for c in pixels.collections)
    assert marks == np.count_nonzero(pulled & (explanation.pixels >= 0))


def test_faults_that_are_left_alone_are_ignored() -> None:
    f, g = two_cells()
    f[0, 3, 3] = 0.4
    (explanation,) = loss_of(min_persistence=0.5, frame=False).explain(f, g)
    assert explanation.count("ignored", 0) == 1  # The speck in the cell.
    (explanation,) = loss_of(frame=False).explain(f, g)
    assert explanation.count("removed", 0) == 1
    assert explanation.goals[explanation.fates == "removed"].tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_true_feature_that_is_not_there_costs_what_an_infinitely_weak_one_costs(
    weight: str,
) -> None:
    """In dimension 1 always; it has no gradient."""
    f, g = two_cells()
    loss = loss_of(dims=(1,), frame=False, in_place_weight=weight)
    f[0, 3, 5] = 1e-9
    almost, _ = value_and_gradient(loss, f, g)
    f[0, 3, 5] = 0
    gone, gradient = value_and_gradient(loss, f, g)
    assert gone == pytest.approx(almost, abs=1e-6)
    assert gradient[0, 3, 5] == 0
    assert gone > (0.3 if weight == "persistence" else 0.9)


def test_diagrams_have_no_place_in_the_in_place_loss() -> None:
    f, g = random_problem()
    kept = TopologicalLoss().target_diagrams(g)
    sentence = "matching 'in_place' compares pixel by pixel, and diagrams have lost the pixels"
    for call in (
        lambda: loss_of()(f, target_diagrams=kept),
        lambda: loss_of().explain(f, target_diagrams=kept),
        lambda: loss_of().target_diagrams(g),
        lambda: TopoNetLoss(matching="in_place")(f, g, target_diagrams=kept),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()


def test_targets_and_likelihoods_are_checked() -> None:
    f, g = random_problem()
    with pytest.raises(ValueError, match=r"target must hold only 0 and 1, got 0\.5 as well"):
        loss_of()(f, g / 2)
    with pytest.raises(ValueError, match=r"likelihood must hold probabilities in \[0, 1\]"):
        loss_of()(f + 5, g)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"in_place_weight": "one"}, "in_place_weight needs matching='in_place', got 'complete'"),
        ({"in_place_extremes": True}, "in_place_extremes needs matching='in_place'"),
        ({"matching": "in_place", "in_place_weight": "two"}, "in_place_weight must be one of"),
    ],
)
def test_options_that_would_do_nothing_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TopologicalLoss(**options)
    with pytest.raises(TypeError, match="in_place_extremes"):
        TopologicalLoss(matching="in_place", in_place_extremes="no")  # type: ignore[arg-type]
