"""The topological loss of volumes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import toponet

SHAPE = (7, 6, 8)


def distinct(seed: int, shape: tuple[int, ...], dtype: torch.dtype = torch.float64) -> Tensor:
    """Values in (0, 1), no two of them equal."""
    order = torch.randperm(
        int(np.prod(shape)), generator=torch.Generator().manual_seed(seed), dtype=torch.int64
    )
    return ((order + 0.5) / order.numel()).view(shape).to(dtype)


def random_mask(seed: int, shape: tuple[int, ...]) -> Tensor:
    return (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) > 0.6).double()


def shell() -> NDArray[np.float64]:
    """A hollow cuboid."""
    volume = np.zeros((7, 8, 9))
    volume[2:5, 2:6, 2:7] = 1
    volume[3, 3:5, 3:6] = 0
    return volume


def ring() -> NDArray[np.float64]:
    """A ring around the middle axis of a flat volume."""
    volume = np.zeros((3, 7, 7))
    volume[1, 1:-1, 1:-1] = 1
    volume[1, 2:-2, 2:-2] = 0
    return volume


def by_matching(f: Tensor, g: Tensor, **options: Any) -> float:
    """The loss of one volume by the general matching of two diagrams (POT's where it is needed)."""
    matching = options.pop("matching", "complete")
    weights = options.pop("dim_weights", (1, 1, 1))
    diagrams = [
        toponet.persistence(volume.numpy(), spatial_dims=3, **{"frame": True, **options})
        for volume in (f, g)
    ]
    loss = 0.0
    for dimension, weight in enumerate(weights):
        dots, targets = (diagram[0, dimension].values for diagram in diagrams)
        loss += weight * toponet.match(dots, targets, matching=matching).cost
    return loss


@pytest.mark.parametrize("connectivity", [26, 6])
@pytest.mark.parametrize("frame", [True, False])
@pytest.mark.parametrize("matching", ["complete", "wasserstein", "persistence"])
def test_the_loss_is_the_cost_of_the_matching_of_the_diagrams(
    connectivity: int, frame: bool, matching: str
) -> None:
    f, g = distinct(1, SHAPE), random_mask(2, SHAPE)
    loss = toponet.TopologicalLoss(
        spatial_dims=3, connectivity=connectivity, frame=frame, matching=matching
    )
    expected = by_matching(f, g, connectivity=connectivity, frame=frame, matching=matching)
    assert loss(f[None, None], g[None, None]).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("connectivity", [26, 6])
@pytest.mark.parametrize("frame", [True, False])
def test_the_gradient_is_the_derivative(connectivity: int, frame: bool) -> None:
    f = distinct(3, (2, 1, 4, 3, 5)).requires_grad_()
    g = random_mask(4, (2, 1, 4, 3, 5))
    loss = toponet.TopologicalLoss(spatial_dims=3, connectivity=connectivity, frame=frame)
    assert torch.autograd.gradcheck(lambda x: loss(x, g), (f,), eps=1e-6, atol=1e-6)


@pytest.mark.parametrize("patches", ["grid", "random"])
def test_patches_are_cuboids_of_their_own(patches: str) -> None:
    """The loss of a volume is the mean over the losses of its parts, cut by hand."""
    f, g = distinct(5, (1, 1, *SHAPE)), random_mask(6, (1, 1, *SHAPE))
    whole = toponet.TopologicalLoss(spatial_dims=3)
    if patches == "grid":
        loss = toponet.TopologicalLoss(spatial_dims=3, patch_size=4)
        sides = [((0, 3), (3, 7)), ((0, 3), (3, 6)), ((0, 4), (4, 8))]
        boxes = [(z, y, x) for z in sides[0] for y in sides[1] for x in sides[2]]
    else:
        generator = torch.Generator().manual_seed(0)
        loss = toponet.TopologicalLoss(
            spatial_dims=3, patch_size=4, patches="random", patches_per_image=3, generator=generator
        )
        again = torch.Generator().manual_seed(0)
        corners = [torch.randint(side - 3, (3,), generator=again).tolist() for side in SHAPE]
        boxes = [((z, z + 4), (y, y + 4), (x, x + 4)) for z, y, x in zip(*corners, strict=True)]
    expected = np.mean(
        [
            whole(f[..., z0:z1, y0:y1, x0:x1], g[..., z0:z1, y0:y1, x0:x1]).item()
            for (z0, z1), (y0, y1), (x0, x1) in boxes
        ]
    )
    assert loss(f, g).item() == pytest.approx(float(expected), rel=1e-12)
    assert loss(f, g).item() != pytest.approx(whole(f, g).item())


def test_gradients_of_patches_land_in_their_place() -> None:
    f = distinct(7, (1, 1, *SHAPE)).requires_grad_()
    g = random_mask(8, (1, 1, *SHAPE))
    toponet.TopologicalLoss(spatial_dims=3, patch_size=4)(f, g).backward()
    part = f.detach()[..., 3:7, 3:6, 4:8].clone().requires_grad_()
    (toponet.TopologicalLoss(spatial_dims=3)(part, g[..., 3:7, 3:6, 4:8]) / 8).backward()
    assert f.grad is not None
    assert part.grad is not None
    torch.testing.assert_close(f.grad[..., 3:7, 3:6, 4:8], part.grad)
    assert part.grad.abs().max() > 0


def test_voxels_that_do_not_count_are_structure_and_get_no_gradient() -> None:
    f, g = distinct(9, (1, 1, *SHAPE)), random_mask(10, (1, 1, *SHAPE))
    valid = torch.ones(1, 1, *SHAPE)
    valid[..., :2] = 0
    loss = toponet.TopologicalLoss(spatial_dims=3)
    x = f.clone().requires_grad_()
    value = loss(x, g, valid=valid)
    value.backward()
    filled = [torch.where(valid == 1, volume, torch.ones(())) for volume in (f, g)]
    assert value.item() == loss(*filled).item() != loss(f, g).item()
    assert x.grad is not None
    assert x.grad[..., :2].abs().max() == 0 != x.grad.abs().max()


def test_classes_are_compared_one_by_one() -> None:
    logits = torch.logit(distinct(11, (2, 3, 4, 5, 6)))
    classes = torch.randint(3, (2, 4, 5, 6), generator=torch.Generator().manual_seed(12))
    loss = toponet.TopologicalLoss(
        spatial_dims=3, softmax=True, include_background=False, reduction="none"
    )
    losses = loss(logits, classes)
    one = toponet.TopologicalLoss(spatial_dims=3, reduction="none")
    f = logits.softmax(dim=1)
    for channel in (1, 2):
        expected = one(f[:, channel], (classes == channel).double())
        torch.testing.assert_close(losses[:, channel - 1], expected)


@pytest.mark.parametrize(
    "option",
    [{"dims": (1,)}, {"dims": (2,)}, {"connectivity": 6}, {"frame": False},
     {"dim_weights": (1, 1, 0.5)}, {"min_persistence": 0.3}, {"matching": "wasserstein"}],
    ids=str,
)  # fmt: skip
def test_each_option_changes_the_result(option: dict[str, Any]) -> None:
    # Weak dots: only some of them are worth a match of "wasserstein".
    f, g = 0.4 * distinct(13, (1, 1, *SHAPE)), random_mask(14, (1, 1, *SHAPE))
    usual, other = (
        toponet.TopologicalLoss(spatial_dims=3, **options)(f, g) for options in ({}, option)
    )
    assert usual != other


@pytest.mark.parametrize("truth", [shell(), ring()], ids=["shell", "ring"])
@pytest.mark.parametrize("connectivity", [26, 6])
def test_descent_reaches_the_truths_betti_numbers_at_every_threshold(
    truth: NDArray[np.float64], connectivity: int
) -> None:
    """From a weak map: a shell with a gap, or a ring with one, at 0.3 above noise of 0.2."""
    rng = np.random.default_rng(0)
    weak = 0.2 * rng.random(truth.shape) + 0.3 * truth
    gap = np.argwhere(truth)[len(np.argwhere(truth)) // 2]
    weak[tuple(gap)] = 0.05
    x = torch.tensor(weak)[None, None].requires_grad_()
    g = torch.tensor(truth)[None, None]
    loss = toponet.TopologicalLoss(spatial_dims=3, connectivity=connectivity)
    for _ in range(1000):
        x.grad = None
        value = loss(x, g)
        value.backward()
        assert x.grad is not None
        with torch.no_grad():
            x -= 0.5 * x.grad
            x.clamp_(0, 1)
        if value.item() < 1e-4:
            break
    found = x.detach().numpy()[0, 0]
    wanted = toponet.betti_numbers(
        truth, spatial_dims=3, connectivity=connectivity, frame=True
    ).tolist()
    start = toponet.betti_numbers(
        weak >= 0.5, spatial_dims=3, connectivity=connectivity, frame=True
    ).tolist()
    assert start != wanted
    for threshold in (0.05, 0.2, 0.5, 0.8, 0.95):
        numbers = toponet.betti_numbers(
            found >= threshold, spatial_dims=3, connectivity=connectivity, frame=True
        )
        assert numbers.tolist() == wanted


def test_threads_and_batches_change_nothing() -> None:
    f, g = distinct(15, (6, 1, 9, 17, 30)), random_mask(16, (6, 1, 9, 17, 30))
    results = []
    for threads in (1, 3):
        x = f.clone().requires_grad_()
        losses = toponet.TopologicalLoss(spatial_dims=3, reduction="none", num_threads=threads)(
            x, g
        )
        losses.sum().backward()
        results.append((losses, x.grad))
    torch.testing.assert_close(results[0], results[1], rtol=0, atol=0)
    alone = toponet.TopologicalLoss(spatial_dims=3)(f[2:3], g[2:3])
    assert alone == results[0][0][2, 0]


def test_diagrams_of_targets_take_the_place_of_targets() -> None:
    f, g = distinct(17, (2, 1, *SHAPE)), random_mask(18, (2, 1, *SHAPE))
    for frame in (True, False):
        loss = toponet.TopologicalLoss(spatial_dims=3, frame=frame, patch_size=4)
        kept = loss.target_diagrams(g)
        torch.testing.assert_close(loss(f, target_diagrams=kept), loss(f, g))
    soft = toponet.TopologicalLoss(spatial_dims=3)
    assert soft(f, target_diagrams=soft.target_diagrams(f)).item() == 0


def test_explain_lists_what_the_loss_adds_up() -> None:
    f, g = distinct(19, (1, 1, *SHAPE)), random_mask(20, (1, 1, *SHAPE))
    loss = toponet.TopologicalLoss(spatial_dims=3, patch_size=4)
    explained = loss.explain(f, g)
    assert np.mean([each.loss for each in explained]) == pytest.approx(loss(f, g).item())
    assert explained[-1].corner == (3, 3, 4)
    assert explained[-1].shape == (4, 3, 4)
    assert "dimension 2" in repr(explained[-1])
    x = f.clone().requires_grad_()
    loss(x, g).backward()
    assert x.grad is not None
    np.testing.assert_allclose(explained[-1].gradient() / 8, x.grad[0, 0, 3:7, 3:6, 4:8])


def test_cross_entropy_and_topology_of_volumes_are_added() -> None:
    logits = torch.logit(distinct(21, (2, 1, *SHAPE)))
    g = random_mask(22, (2, 1, *SHAPE))
    both = toponet.TopoNetLoss(topo_weight=0.1, spatial_dims=3)
    topology = toponet.TopologicalLoss(spatial_dims=3, sigmoid=True)
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, g)
    torch.testing.assert_close(both(logits, g), entropy + 0.1 * topology(logits, g))
    valid = torch.ones(2, *SHAPE)
    valid[:, 0] = 0
    assert both(logits, g, valid=valid) != both(logits, g)


def test_autocast_and_compile_work_as_for_images() -> None:
    f = distinct(23, (1, 1, *SHAPE), torch.bfloat16)
    g = random_mask(24, (1, 1, *SHAPE))
    loss = toponet.TopologicalLoss(spatial_dims=3)
    assert loss(f, g).dtype == torch.float32
    compiled = torch.compile(loss, backend="eager")
    assert compiled(f, g) == loss(f, g)


@pytest.mark.parametrize(
    ("options", "shape", "sentence"),
    [
        ({}, (4, 5, 6), r"\(B, C, D, H, W\) or \(B, D, H, W\), got \(4, 5, 6\)"),
        ({"matching": "betti"}, (1, 1, 4, 5, 6), "'betti' is for images; volumes have 'complete'"),
        ({"matching": "in_place"}, (1, 1, 4, 5, 6), "'in_place' is for images"),
        ({"connectivity": 8}, (1, 1, 4, 5, 6), "connectivity must be one of 6, 26 for volumes"),
        ({"dims": (3,)}, (1, 1, 4, 5, 6), "dims must be some of 0, 1 and 2"),
        ({"dim_weights": (1, 1)}, (1, 1, 4, 5, 6), "dim_weights must hold 3 numbers, got 2"),
        ({"spatial_dims": 4}, (1, 1, 4, 5, 6), r"spatial_dims must be 2 \(images\) or 3"),
    ],
)  # fmt: skip
def test_mistakes_get_one_sentence(
    options: dict[str, Any], shape: tuple[int, ...], sentence: str
) -> None:
    f = torch.zeros(shape)
    with pytest.raises(ValueError, match=sentence):
        toponet.TopologicalLoss(**{"spatial_dims": 3, **options})(f, f)


def test_volumes_for_a_loss_of_images_are_told_of_the_option() -> None:
    f = torch.zeros(1, 1, 4, 5, 6)
    with pytest.raises(ValueError, match="for volumes pass spatial_dims=3"):
        toponet.TopologicalLoss()(f, f)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 6), (2, 1, 5), (2, 2, 2), (1, 4, 5)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_awkward_shapes_and_constant_volumes(shape: tuple[int, ...], value: float) -> None:
    f = torch.full((1, 1, *shape), value, dtype=torch.float64)
    for mask in (torch.zeros_like(f), torch.ones_like(f)):
        expected = by_matching(f[0, 0], mask[0, 0])
        assert toponet.TopologicalLoss(spatial_dims=3)(f, mask).item() == pytest.approx(expected)


def test_wrong_values_name_the_volume() -> None:
    f = torch.zeros(2, 1, 3, 4, 5)
    f[1, 0, 1, 2, 3] = 2
    with pytest.raises(ValueError, match=r"likelihood must hold probabilities.*got 2.*image 1"):
        toponet.TopologicalLoss(spatial_dims=3)(f, torch.zeros_like(f))
    target = torch.zeros_like(f)
    target[1, 0, 2, 3, 4] = 3
    with pytest.raises(ValueError, match=r"target must hold only 0 and 1, got 3.*image 1"):
        toponet.TopologicalLoss(spatial_dims=3)(torch.zeros_like(f), target)


def test_the_loss_shows_that_it_is_of_volumes() -> None:
    assert repr(toponet.TopologicalLoss(spatial_dims=3)) == (
        "TopologicalLoss(dims=(0, 1, 2), connectivity=26, frame=True, matching='complete', "
        "reduction='mean', spatial_dims=3)"
    )
    assert "dim_weights=(1.0, 2.0, 1.0)" in repr(
        toponet.TopologicalLoss(spatial_dims=3, dim_weights=(1, 2, 1))
    )


def test_diagrams_of_volumes_are_no_targets_of_images() -> None:
    shell = np.pad(np.zeros((1, 2, 3)), 1, constant_values=1.0)
    diagrams = toponet.persistence(shell, spatial_dims=3, frame=True)
    with pytest.raises(ValueError, match="they are of volumes; the loss is of images"):
        toponet.TopologicalLoss()(torch.zeros(1, 3, 4), target_diagrams=diagrams)
