"""The faces for MONAI give the library's own numbers and masks, in MONAI's forms."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.data.meta_tensor import MetaTensor
from PIL import Image
from torch import Tensor

import toponet
from toponet import metrics
from toponet.integrations.monai import (
    SegmentByPersistence,
    SegmentByPersistenced,
    TopologyMetric,
    image_dicts,
    labelled_dicts,
)
from toponet.metrics.presets import SCALARS


def batches(channels: int = 1) -> list[tuple[Tensor, Tensor]]:
    """Masks with ties everywhere; batches of unequal size, images that aren't square."""
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.rand(count, 2 * channels, 21, 30, generator=generator) for count in (2, 1)]
    masks = [(values > 0.6).long() for values in drawn]
    return [(both[:, :channels], both[:, channels:]) for both in masks]


def numbers(metric: TopologyMetric, preds: Any, truths: Any) -> Tensor:
    """Of one call, (B, C)."""
    found = metric(preds, truths)
    assert isinstance(found, Tensor)
    return found


def options_of(name: str) -> dict[str, Any]:
    return {"patches": "grid", "patch_size": 17} if name.startswith("betti_error") else {}


@pytest.mark.parametrize("name", SCALARS)
def test_the_mean_of_one_channel_is_the_librarys_own_number(name: str) -> None:
    """Oracle: the torchmetrics class on the same batches."""
    face, own = TopologyMetric(name, **options_of(name)), metrics.scalar_metric(
        name, **options_of(name)
    )  # fmt: skip
    for preds, truths in batches():
        assert numbers(face, preds, truths).shape == (len(preds), 1)
        own.update(preds, truths)
    assert face.aggregate().item() == pytest.approx(own.compute().item(), abs=1e-6)


def test_each_channel_is_a_structure_of_its_own() -> None:
    (preds, truths), _ = batches(channels=3)
    rows = numbers(TopologyMetric("voi"), preds, truths)
    expected = [
        [sum(metrics.variation_of_information(preds[b, c], truths[b, c])) for c in range(3)]
        for b in range(2)
    ]
    assert torch.allclose(rows, torch.tensor(expected))
    without = TopologyMetric("voi", include_background=False)
    assert torch.equal(numbers(without, preds, truths), rows[:, 1:])
    assert without.aggregate().item() == pytest.approx(rows[:, 1:].mean().item())


def test_lists_and_metatensors_and_likelihoods_give_the_same_numbers() -> None:
    (preds, truths), _ = batches()
    rows = numbers(TopologyMetric("ari"), preds, truths)
    listed = numbers(TopologyMetric("ari"), [MetaTensor(each) for each in preds], list(truths))
    assert torch.equal(listed, rows)
    cut = TopologyMetric("ari", threshold=0.4)
    assert torch.equal(numbers(cut, preds * 0.4, truths), rows)


def test_volumes_are_measured_with_a_number_for_each_volume_and_channel() -> None:
    generator = torch.Generator().manual_seed(0)
    preds, truths = (torch.rand(2, 2, 2, 5, 7, 6, generator=generator) > 0.5).long()
    rows = numbers(TopologyMetric("betti_error_2", spatial_dims=3, patch_size=4), preds, truths)
    own = metrics.scalar_metric("betti_error_2", spatial_dims=3, patch_size=4)
    assert torch.equal(rows.ravel()[:1], own(preds[0, 0], truths[0, 0])[None])
    accuracy = numbers(TopologyMetric("accuracy", spatial_dims=3), preds, truths)
    equal = (preds == truths).double().mean(dim=(2, 3, 4)).float()
    assert torch.allclose(accuracy, equal)
    with pytest.raises(ValueError, match=r"one shape \(B, C, D, H, W\), got \(2, 2, 7, 6\)"):
        numbers(TopologyMetric("accuracy", spatial_dims=3), preds[:, :, 0, :, :], truths)


def test_the_reduction_is_monais() -> None:
    (preds, truths), _ = batches(channels=2)
    metric = TopologyMetric("accuracy", reduction="mean_batch")
    rows = numbers(metric, preds, truths)
    assert torch.allclose(metric.aggregate(), rows.mean(dim=0))
    assert torch.equal(metric.aggregate("none"), rows)
    with pytest.raises(ValueError, match="median"):
        TopologyMetric("accuracy", reduction="median")


def test_reset_forgets_images_and_begins_with_the_same_random_patches() -> None:
    metric = TopologyMetric("betti_error_1", patches=3, patch_size=9)
    preds, truths = batches()[0]
    first = numbers(metric, preds, truths)
    assert not torch.equal(numbers(metric, preds, truths), first)
    metric.reset()
    with pytest.raises(ValueError, match="has seen no image"):
        metric.aggregate()
    assert torch.equal(numbers(metric, preds, truths), first)


def test_a_metric_without_a_number_for_each_image_is_refused() -> None:
    with pytest.raises(ValueError, match="AdaptedRandScore"):
        TopologyMetric("ari", maximal=True)


@pytest.mark.parametrize("shape", [(2, 1, 21, 29), (2, 21, 30)])
def test_truths_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    preds, _ = batches()[0]
    with pytest.raises(ValueError, match=r"one shape \(B, C, H, W\)"):
        TopologyMetric("accuracy")(preds, torch.zeros(shape))
    with pytest.raises(ValueError, match="and None"):
        TopologyMetric("accuracy")(preds)


def likelihood() -> np.ndarray[Any, np.dtype[np.float32]]:
    """Two channels of few grey levels, which aren't square."""
    levels = np.random.default_rng(0).integers(0, 7, (2, 12, 17))
    return (levels / 6).astype(np.float32)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"threshold": 0.3},
        {"keep": 0.0},
        {"add": None},
        {"dims": (0,)},
        {"connectivity": 4},
        {"frame": False},
    ],
)
def test_the_transform_makes_the_masks_of_segment(options: dict[str, Any]) -> None:
    """Each option arrives: the masks are those of toponet.segment, and other than by default."""
    image = likelihood()
    masks = SegmentByPersistence(**options)(image)
    assert isinstance(masks, np.ndarray)
    assert masks.dtype == np.float32
    assert np.array_equal(masks, toponet.segment(image, **options).mask)
    changed = not np.array_equal(masks, toponet.segment(image).mask)
    assert changed == bool(options)


def test_the_dictionary_transform_changes_its_keys_only_and_keeps_metadata() -> None:
    image = MetaTensor(torch.from_numpy(likelihood()), meta={"filename_or_obj": "a"})
    data: dict[Hashable, Any] = {"pred": image, "image": image, "name": "a"}
    result: dict[Any, Any] = SegmentByPersistenced("pred", keep=0.2, add=None)(data)
    assert torch.equal(
        result["pred"].as_tensor(), toponet.segment(image, keep=0.2, add=None).mask.float()
    )
    assert result["pred"].meta["filename_or_obj"] == "a"
    assert result["image"] is image
    assert data["pred"] is image
    with pytest.raises(KeyError):
        SegmentByPersistenced("other")(data)
    assert SegmentByPersistenced("other", allow_missing_keys=True)(data) == data


def test_what_the_transform_cant_use_is_refused() -> None:
    with pytest.raises(ValueError, match="threshold must lie between"):
        SegmentByPersistence(threshold=1)
    with pytest.raises(ValueError, match="connectivity"):
        SegmentByPersistenced("pred", connectivity=6)
    with pytest.raises(ValueError, match=r"\(C, H, W\)"):
        SegmentByPersistence()(likelihood()[0])


def test_the_loss_is_called_as_monais_own() -> None:
    """In a sum with MONAI's own loss; include_background leaves the first channel out of it."""
    from monai.losses.dice import DiceLoss

    logits = torch.from_numpy(likelihood())[None].requires_grad_()
    target = (torch.from_numpy(likelihood())[None] > 0.5).float().flip(-1)
    dice = DiceLoss(sigmoid=True)(logits, target)
    topological = toponet.TopologicalLoss(sigmoid=True, include_background=False)(logits, target)
    (gradient,) = torch.autograd.grad(topological, logits, retain_graph=True)
    assert not gradient[:, 0].any()
    assert gradient[:, 1].any()
    (dice + topological).backward()


def write_folder(folder: Path) -> np.ndarray[Any, Any]:
    """One image of 8 x 11 pixels and its mask."""
    image = np.random.default_rng(0).integers(0, 255, (8, 11), dtype=np.uint8)
    for name, pixels in (("images", image), ("labels", np.uint8(255) * (image > 99))):
        (folder / name).mkdir()
        Image.fromarray(pixels).save(folder / name / "one.png")
    return image


def test_dictionaries_hold_images_as_the_library_reads_them(tmp_path: Path) -> None:
    image = write_folder(tmp_path)
    (entry,) = labelled_dicts(str(tmp_path))
    assert np.array_equal(entry["image"], image[None])
    assert np.array_equal(entry["label"], (image > 99)[None])
    assert entry["label"].dtype == torch.float32
    (unlabelled,) = image_dicts(str(tmp_path / "images" / "one.png"))
    assert set(unlabelled) == {"image"}
    assert torch.equal(unlabelled["image"], entry["image"])
    assert {each.meta["filename_or_obj"] for each in (*entry.values(), unlabelled["image"])} == {
        "one"
    }


def test_pages_of_a_stack_have_names_of_their_own(tmp_path: Path) -> None:
    import tifffile

    tifffile.imwrite(tmp_path / "stack.tif", np.zeros((2, 5, 6), dtype=np.uint8))
    pages = image_dicts(str(tmp_path / "stack.tif"))
    assert [page["image"].meta["filename_or_obj"] for page in pages] == ["stack_000", "stack_001"]


def test_synthetic_images_follow_from_the_seed() -> None:
    one, again, other = (
        labelled_dicts("synthetic:membranes,count=1,size=32", seed)[0]["image"]
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_images_with_pixels_that_dont_count_are_refused() -> None:
    with pytest.raises(ValueError, match="pixels that don't count"):
        labelled_dicts("synthetic:vessels,count=1,size=64")
