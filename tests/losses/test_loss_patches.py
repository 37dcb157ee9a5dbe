"""The loss on patches of images, and on the valid part of them."""

from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from torch import Tensor

import toponet
from toponet._ground.boxes import grid_boxes
from toponet.losses.functional import topological_loss


def problem(shape: tuple[int, ...] = (2, 2, 31, 45)) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    likelihood = torch.rand(shape, generator=generator, dtype=torch.float64)
    return likelihood, torch.rand(shape, generator=generator) > 0.6


@hypothesis.given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 80))
def test_a_grid_covers_every_pixel_once_in_parts_of_nearly_one_size(
    height: int, width: int, patch_size: int
) -> None:
    covered = np.zeros((height, width), dtype=int)
    boxes = grid_boxes((height, width), patch_size)
    for row, column, rows, columns in boxes:
        covered[row : row + rows, column : column + columns] += 1
    assert (covered == 1).all()
    for sides in (boxes[:, 2], boxes[:, 3]):
        assert sides.max() <= patch_size
        assert sides.max() - sides.min() <= 1
    assert len(boxes) == -(-height // patch_size) * -(-width // patch_size)


def by_hand(f: Tensor, g: Tensor, boxes: list[tuple[int, ...]], **options: Any) -> Tensor:
    """Oracle: each patch cut out by torch and compared as an image; (B, C), with its graph."""
    losses = [
        topological_loss(
            f[..., r : r + h, c : c + w], g[..., r : r + h, c : c + w], reduction="none", **options
        )
        for r, c, h, w in boxes
    ]
    return torch.stack(losses).mean(dim=0)


@pytest.mark.parametrize("patch_size", [7, 16, 45, 100])
@pytest.mark.parametrize("num_threads", [1, 3])
@pytest.mark.parametrize("options", [{}, {"frame": False, "connectivity": 4}], ids=str)
def test_a_grid_of_patches_is_each_patch_cut_out_by_hand(
    patch_size: int, num_threads: int, options: dict[str, Any]
) -> None:
    likelihood, target = problem()
    f = likelihood.clone().requires_grad_()
    each = topological_loss(
        f, target, patch_size=patch_size, reduction="none", num_threads=num_threads, **options
    )
    each.sum().backward()
    f_by_hand = likelihood.clone().requires_grad_()
    boxes = [tuple(box) for box in grid_boxes((31, 45), patch_size).tolist()]
    expected = by_hand(f_by_hand, target, boxes, **options)
    expected.sum().backward()
    torch.testing.assert_close(each, expected)
    torch.testing.assert_close(f.grad, f_by_hand.grad)
    mean = topological_loss(f, target, patch_size=patch_size, **options)
    torch.testing.assert_close(mean, expected.mean())


def test_random_patches_are_patches_of_the_image_at_seeded_places() -> None:
    likelihood, target = problem()
    f = likelihood.clone().requires_grad_()
    options: dict[str, Any] = {"patch_size": 20, "patches": "random", "patches_per_image": 6}
    loss = toponet.TopologicalLoss(
        **options, reduction="none", generator=torch.Generator().manual_seed(5)
    )
    first = loss(f, target)
    first.sum().backward()
    # The same positions, drawn as the docstring says: rows, then columns, for each image.
    generator = torch.Generator().manual_seed(5)
    rows = torch.randint(31 - 20 + 1, (2, 6), generator=generator).reshape(2, 6)
    columns = torch.randint(45 - 20 + 1, (2, 6), generator=generator).reshape(2, 6)
    f_by_hand = likelihood.clone().requires_grad_()
    expected = torch.cat(
        [
            by_hand(
                f_by_hand[b : b + 1],
                target[b : b + 1],
                [(int(r), int(c), 20, 20) for r, c in zip(rows[b], columns[b], strict=True)],
            )
            for b in range(2)
        ]
    )
    expected.sum().backward()
    torch.testing.assert_close(first, expected)
    torch.testing.assert_close(f.grad, f_by_hand.grad)
    assert not torch.equal(loss(f, target), first)  # Drawn anew.


def test_random_patches_follow_torchs_seed_and_not_the_number_of_threads() -> None:
    likelihood, target = problem((2, 1, 140, 150))
    gradients = []
    for num_threads in (1, 4):
        torch.manual_seed(3)
        f = likelihood.clone().requires_grad_()
        loss = toponet.TopologicalLoss(
            patch_size=65, patches="random", patches_per_image=40, num_threads=num_threads
        )
        loss(f, target).backward()
        gradients.append(f.grad)
    assert torch.equal(gradients[0], gradients[1])  # type: ignore[arg-type]


def test_images_smaller_than_a_patch_are_patches() -> None:
    likelihood, target = problem((2, 1, 9, 12))
    whole = topological_loss(likelihood, target)
    for patches in ("grid", "random"):
        assert topological_loss(likelihood, target, patch_size=65, patches=patches) == whole


def test_rows_far_apart_in_memory_are_read_where_they_are() -> None:
    likelihood, target = problem((2, 2, 31, 90))
    halves = likelihood[..., ::2], target[..., ::2]
    expected = topological_loss(halves[0].contiguous(), halves[1].contiguous(), patch_size=10)
    assert topological_loss(*halves, patch_size=10) == expected


def test_what_is_not_valid_is_frame_and_gets_no_gradient() -> None:
    """Oracle: likelihood and target overwritten by foreground."""
    likelihood, target = problem()
    generator = torch.Generator().manual_seed(2)
    valid = torch.rand((2, 1, 31, 45), generator=generator) > 0.2
    valid[0, 0, :, :9] = False
    f = likelihood.clone().requires_grad_()
    wild = torch.where(valid, f, torch.nan)  # What isn't valid isn't looked at.
    loss = topological_loss(wild, torch.where(valid, target, 255), valid=valid, reduction="none")
    loss.sum().backward()
    f_by_hand = likelihood.clone().requires_grad_()
    expected = topological_loss(
        f_by_hand.masked_fill(~valid, 1.0), target | ~valid, reduction="none"
    )
    expected.sum().backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(f.grad, f_by_hand.grad)
    assert f.grad is not None
    assert (f.grad[(~valid).expand_as(f)] == 0).all()
    assert not torch.equal(expected, topological_loss(likelihood, target, reduction="none"))


def test_valid_has_the_shape_of_masks_of_images_or_of_channels() -> None:
    likelihood, target = problem()
    valid = torch.ones(2, 2, 31, 45)
    valid[:, :, 5:20, 5:30] = 0
    expected = topological_loss(likelihood, target, valid=valid)
    assert topological_loss(likelihood, target, valid=valid[:, 0]) == expected
    assert topological_loss(likelihood, target, valid=valid[:, :1].bool()) == expected
    valid[:, 1, 20:] = 0
    assert topological_loss(likelihood, target, valid=valid) != expected


def test_patches_with_a_valid_pixel_count_alike_however_many_they_have() -> None:
    likelihood, target = problem((1, 1, 20, 60))
    valid = torch.zeros(1, 20, 60)
    valid[:, :, :20] = valid[:, 7:9, 45:48] = 1
    left, right = (
        topological_loss(likelihood[..., part], target[..., part], valid=valid[..., part])
        for part in (slice(0, 20), slice(40, 60))
    )
    loss = topological_loss(likelihood, target, valid=valid, patch_size=20)
    torch.testing.assert_close(loss, (left + right) / 2)
    assert left > 0
    assert right > 0


@pytest.mark.parametrize("patches", ["grid", "random"])
def test_patches_without_a_valid_pixel_do_not_count(patches: str) -> None:
    likelihood, target = problem((1, 1, 20, 40))
    valid = torch.zeros(1, 20, 40)
    valid[:, :, :20] = 1
    torch.manual_seed(0)
    options: dict[str, Any] = {"patch_size": 20, "patches": patches}
    if patches == "random":
        options["patches_per_image"] = 8
    f = likelihood.clone().requires_grad_()
    loss = topological_loss(f, target, valid=valid, **options)
    if patches == "grid":  # The right half isn't there.
        torch.testing.assert_close(
            loss, topological_loss(likelihood[..., :20], target[..., :20], **options)
        )
    nothing = topological_loss(f, target, valid=torch.zeros(1, 20, 40), **options)
    assert nothing == 0
    nothing.backward()
    assert f.grad is not None
    assert (f.grad == 0).all()


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"patch_size": 0}, ValueError, "patch_size must be at least 1, got 0"),
        ({"patch_size": 6.5}, TypeError, "patch_size must be a whole number, got 6.5"),
        ({"patches": "some"}, ValueError, "patches must be one of 'grid', 'random', got 'some'"),
        ({"patches": "random"}, ValueError, "patches='random' needs a patch_size"),
        ({"patches_per_image": 3}, ValueError, "patches_per_image needs patch_size and"),
        ({"patch_size": 9, "patches_per_image": 3}, ValueError, "patches_per_image needs"),
        ({"patch_size": 9, "generator": torch.Generator()}, ValueError, "generator needs"),
        (
            {"patch_size": 9, "patches": "random", "patches_per_image": 0},
            ValueError,
            "patches_per_image must be at least 1",
        ),
        (
            {"patch_size": 9, "patches": "random", "generator": 3},
            TypeError,
            "generator must be a torch.Generator, got int",
        ),
    ],
)
def test_options_of_patches_are_checked_in_the_constructor(
    options: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        toponet.TopologicalLoss(**options)


@pytest.mark.parametrize(
    ("valid", "error", "sentence"),
    [
        (torch.ones(2, 31, 44), ValueError, r"valid must have shape .* got \(2, 31, 44\)"),
        (torch.ones(31, 45), ValueError, r"valid must have shape .* got \(31, 45\)"),
        (np.ones((2, 31, 45)), TypeError, "valid must be a torch.Tensor, got ndarray"),
    ],
)
def test_a_wrong_valid_mask_gets_one_clear_sentence(
    valid: Any, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        topological_loss(*problem(), valid=valid)
