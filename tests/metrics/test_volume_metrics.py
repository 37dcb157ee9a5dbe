"""Metrics of volumes: the same definitions as for images, with ``spatial_dims=3``."""

from __future__ import annotations

import itertools
from typing import Any

import hypothesis
import numpy as np
import pytest
import scipy.ndimage
import skimage.metrics
import torch
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

import toponet
from toponet import metrics
from toponet.topology import label_cells

Mask = NDArray[np.bool_]
Pair = tuple[Mask, Mask]

FUNCTIONS = [
    "adapted_rand_score",
    "betti_error",
    "betti_number_error",
    "cldice_score",
    "euler_number_error",
    "instance_rand_score",
    "instance_variation_of_information",
    "pixel_accuracy",
    "variation_of_information",
]
CLASSES = {
    "AdaptedRandScore": "adapted_rand_score",
    "BettiError": "betti_error",
    "BettiNumberError": "betti_number_error",
    "CldiceScore": "cldice_score",
    "EulerNumberError": "euler_number_error",
    "InstanceRandScore": "instance_rand_score",
    "InstanceVariationOfInformation": "instance_variation_of_information",
    "PixelAccuracy": "pixel_accuracy",
    "VariationOfInformation": "variation_of_information",
}
# A step to one of the 6, or of the 26 neighbours.
STEPS = {connectivity: scipy.ndimage.generate_binary_structure(3, reach)
         for connectivity, reach in ((6, 1), (26, 3))}  # fmt: skip

shapes = hypothesis.strategies.tuples(*[hypothesis.strategies.integers(1, 5)] * 3)
pairs = shapes.flatmap(
    lambda shape: hypothesis.strategies.tuples(*[hnp.arrays(np.bool_, shape)] * 2)
)


def measure(name: str, *masks: Any, **options: Any) -> tuple[float, ...]:
    """The numbers of a function of volumes."""
    found = getattr(metrics, name)(*masks, spatial_dims=3, **options)
    return (found,) if isinstance(found, float) else tuple(found)


def random_pair(*shape: int, seed: int = 0) -> Pair:
    """Two masks that are equal in most places."""
    generator = np.random.default_rng(seed)
    truth = scipy.ndimage.gaussian_filter(generator.random(shape), 0.8) > 0.5
    return truth ^ (generator.random(shape) < 0.1), truth


def ids(masks: Pair) -> Pair:
    """Whole numbers, which metrics of instances take as well."""
    return masks[0].astype(np.uint8), masks[1].astype(np.uint8)


def shell() -> NDArray[np.uint8]:
    """A box with a wall in the middle: two rooms of 2 x 3 x 4 voxels."""
    volume = np.ones((5, 5, 11), np.uint8)
    volume[1:3, 1:4, 1:5] = volume[1:3, 1:4, 6:10] = 0
    return volume


def test_a_door_in_a_wall_joins_two_rooms_and_a_shell_loses_a_cavity() -> None:
    truth, broken = shell(), shell()
    broken[2, 2, 5] = 0
    assert measure("betti_number_error", broken, truth) == (0, 0, 1)
    # The door leads from room to room; then a door leads out, and a tunnel is added to no cavity.
    broken[2, 2, 10] = 0
    assert measure("betti_number_error", broken, truth, frame=False) == (0, 0, 2)
    broken[2, 2, 0] = 0
    assert measure("betti_number_error", broken, truth, frame=False) == (0, 1, 2)
    assert measure("euler_number_error", broken, truth, frame=False) == (3,)
    assert measure("pixel_accuracy", broken, truth) == (1 - 3 / truth.size,)


def test_a_door_in_a_wall_is_a_merge_of_rooms() -> None:
    truth, broken = shell(), shell()
    broken[2, 2, 5] = 0
    assert measure("variation_of_information", broken, truth) == pytest.approx((0, 1))
    # The other way round, the door is a third part of one room.
    shares = np.array([24, 24, 1]) / 49
    split = -(shares * np.log2(shares)).sum()
    assert measure("variation_of_information", truth, broken) == pytest.approx((split, 0))
    # Together in the prediction are all pairs; in the truth, and in both, those of one room.
    predicted, both = 48 * 47, 2 * 24 * 23
    score = 2 * both / (predicted + both)
    assert measure("adapted_rand_score", broken, truth)[0] == pytest.approx(score)


@pytest.mark.parametrize("connectivity", [6, 26])
@hypothesis.settings(max_examples=40)
@hypothesis.given(pair=pairs)
def test_rand_and_information_agree_with_scikit_image_on_labels_of_scipy(
    connectivity: int, pair: Pair
) -> None:
    predicted, truth = pair
    hypothesis.assume((~truth).sum() >= 2)
    steps = STEPS[32 - connectivity]
    cells = [scipy.ndimage.label(~mask, steps)[0] for mask in (truth, predicted)]
    compared = [labels[~truth] for labels in cells]
    found = measure("variation_of_information", predicted, truth, connectivity=connectivity)
    assert found == pytest.approx(
        tuple(skimage.metrics.variation_of_information(*compared, ignore_labels=()))
    )
    score = measure("adapted_rand_score", predicted, truth, connectivity=connectivity)[0]
    if all(np.bincount(labels).max() > 1 for labels in compared):
        error = skimage.metrics.adapted_rand_error(*compared, ignore_labels=())[0]
        assert score == pytest.approx(1 - error)
    else:
        assert score in (0, 1)


@pytest.mark.parametrize("frame", [True, False, "rim"])
@pytest.mark.parametrize("connectivity", [6, 26])
def test_the_error_on_a_grid_is_the_mean_over_its_cubes(
    connectivity: int, frame: bool | str
) -> None:
    predicted, truth = random_pair(7, 9, 12)
    found = measure("betti_error", predicted, truth, patches="grid", patch_size=6,
                    connectivity=connectivity, frame=frame)  # fmt: skip
    cubes = []
    for box in itertools.product([(0, 3), (3, 7)], [(0, 4), (4, 9)], [(0, 6), (6, 12)]):
        place = tuple(slice(*ends) for ends in box)
        pair = np.stack([predicted[place], truth[place]])
        if frame == "rim":
            rims = np.ones(pair.shape, bool)
            rims[:, 1:-1, 1:-1, 1:-1] = False
            pair = pair | rims
        numbers = toponet.betti_numbers(
            pair, spatial_dims=3, frame=frame is True, connectivity=connectivity
        )
        cubes.append(abs(numbers[0] - numbers[1]))
    assert sum(found) > 0
    assert found == pytest.approx(tuple(np.mean(cubes, axis=0)))


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"spatial_dims": 2}, "100 random patches an image of 4 x 4, seed 0"),
        ({"patch_size": 3}, "100 random patches a volume of 3 x 3 x 3, seed 0"),
        ({"patches": 9}, "9 random patches a volume of 4 x 4 x 4"),
        ({"patches": "grid"}, "a grid of patches of at most 4 x 4 x 4"),
        ({"patches": "whole", "patch_size": None}, "over whole volumes"),
        ({"seed": 1}, "seed 1"),
        ({"connectivity": 6}, "connectivity 6"),
        ({"frame": False}, "without frame"),
        ({"frame": "rim"}, "rim overwritten with structure"),
        ({"dims": (2,)}, "dimension 2 only"),
        ({"convention": "whole-image", "patch_size": None}, "whole volumes, connectivity 26"),
    ],
)
def test_every_option_of_the_betti_error_changes_it_and_is_printed(
    option: dict[str, Any], words: str
) -> None:
    pair = random_pair(6, 9, 12)
    plain: dict[str, Any] = {"spatial_dims": 3, "patch_size": 4}
    before = metrics.betti_error(*pair, **plain)
    after = metrics.betti_error(*pair, **{**plain, **option})
    assert tuple(before) != tuple(after)
    assert words in str(after)
    assert words not in str(before)
    assert "(components)" in str(before)
    assert "(tunnels)" in str(before)
    assert "(cavities)" in str(before)
    assert before[2] == before.dimension_2


def test_the_defaults_are_those_of_the_convention_of_the_loss() -> None:
    pair = random_pair(6, 9, 12)
    plain = metrics.betti_error(*pair, spatial_dims=3)
    named = metrics.betti_error(*pair, spatial_dims=3, convention="toponet")
    assert tuple(plain) == tuple(named)
    assert plain.convention.dims == (0, 1, 2)
    assert plain.convention.connectivity == 26
    assert str(named) == f"{plain} (toponet)"


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("structure", [4, 8])
def test_a_volume_of_equal_slices_has_the_numbers_of_a_slice(copies: int, structure: int) -> None:
    """Without a frame a product with an interval has the same homology."""
    pair = tuple(mask[0] for mask in random_pair(1, 17, 23))
    volumes = [np.repeat(mask[None], copies, axis=0) for mask in pair]
    connectivity = {4: 6, 8: 26}[structure]
    options: dict[str, Any] = {"patches": "whole", "frame": False}
    flat = metrics.betti_error(*pair, connectivity=structure, **options)
    found = measure("betti_error", *volumes, connectivity=connectivity, **options)
    assert found == (*flat, 0)
    assert sum(flat) > 0
    information = metrics.variation_of_information(*pair, connectivity=structure)
    found = measure("variation_of_information", *volumes, connectivity=connectivity)
    assert found == pytest.approx(tuple(information))
    # A pixel and itself are no pair, but a voxel and its copy are.
    score = metrics.adapted_rand_score(*pair, connectivity=structure)
    found = measure("adapted_rand_score", *volumes, connectivity=connectivity)
    assert found == pytest.approx((score,), abs=0.02 if copies > 1 else 1e-12)
    assert measure("pixel_accuracy", *volumes)[0] == metrics.pixel_accuracy(*pair)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 5), (5, 1, 1), (1, 4, 5), (2, 1, 3)])
@pytest.mark.parametrize("value", [0, 1])
def test_thin_and_constant_volumes_are_measured(shape: tuple[int, ...], value: int) -> None:
    constant = np.full(shape, value, np.uint8)
    for name in FUNCTIONS:
        perfect = measure(name, constant, constant)
        best = 0 if "error" in name or "information" in name else 1
        assert perfect == (best,) * len(perfect), name
    other = measure("betti_error", constant, 1 - constant)
    assert other == (0, 0, 1)  # The frame alone encloses a cavity; a full one has none.
    assert measure("pixel_accuracy", constant, 1 - constant) == (0,)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_volumes_are_no_batches_of_slices_and_batches_are_means(name: str) -> None:
    first, second = (random_pair(5, 7, 6, seed=seed) for seed in (1, 2))
    batch = [np.stack(masks) for masks in zip(ids(first), ids(second), strict=True)]
    options = {"patches": "grid", "patch_size": 4} if name == "betti_error" else {}
    one_by_one = [measure(name, *ids(pair), **options) for pair in (first, second)]
    together = measure(name, *batch, **options)
    assert together == pytest.approx(tuple(np.mean(one_by_one, axis=0)))
    slices = np.atleast_1d(getattr(metrics, name)(*ids(first), **options))
    if name != "pixel_accuracy":
        assert tuple(slices) != pytest.approx(one_by_one[0])


@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_means_of_the_function_over_volumes(name: str) -> None:
    given = [ids(random_pair(5, 7, 6, seed=seed)) for seed in (1, 2, 3)]
    metric = getattr(metrics, name)(spatial_dims=3)
    metric.update(*[torch.from_numpy(np.stack(m))[:, None] for m in zip(*given[:2], strict=True)])
    metric.update(*given[2])  # (D, H, W).
    computed = metric.compute()
    found = list(computed.values()) if isinstance(computed, dict) else [computed]
    rows = [measure(CLASSES[name], *pair) for pair in given]
    assert [float(number) for number in found] == pytest.approx(np.mean(rows, axis=0), abs=1e-6)
    plain = getattr(metrics, name)()
    if name not in ("CldiceScore", "InstanceRandScore", "InstanceVariationOfInformation"):
        assert repr(metric) != repr(plain)
    assert metric.spatial_dims == 3


def test_classes_print_the_convention_of_volumes() -> None:
    named = {
        "AdaptedRandScore": "cells = 6-connected components of the background, voxels of true",
        "BettiError": "100 random patches a volume of 65 x 65 x 65",
        "BettiNumberError": "over whole volumes, connectivity 26, with frame",
        "CldiceScore": "skeletons (lee)",
        "EulerNumberError": "(pieces - tunnels + cavities) over whole volumes, connectivity 26",
        "PixelAccuracy": "share of equal voxels",
        "VariationOfInformation": "cells = 6-connected components of the background, voxels of",
    }
    for name, words in named.items():
        assert words in repr(getattr(metrics, name)(spatial_dims=3))
    vertices = metrics.AdaptedRandScore(spatial_dims=3, connectivity=6)
    assert "26-connected components" in repr(vertices)
    assert vertices.connectivity == 6


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_does_not_count_does_not_matter(name: str) -> None:
    predicted, truth = ids(random_pair(5, 7, 6))
    valid = np.ones(truth.shape, bool)
    valid[:, 2:4, 1:] = False
    spoilt = np.where(valid, predicted, 1 - predicted)
    options = {"patches": 50, "patch_size": 3} if name == "betti_error" else {}
    found = measure(name, predicted, truth, valid=valid, **options)
    assert measure(name, spoilt, truth, valid=valid, **options) == found
    assert measure(name, spoilt, truth, **options) != found
    with pytest.raises(ValueError, match="valid must hold at least one pixel that counts"):
        measure(name, predicted, truth, valid=np.zeros_like(valid))
    with pytest.raises(ValueError, match=r"valid must have the shape of the volumes"):
        measure(name, predicted, truth, valid=valid[:, :3])


def test_random_cubes_are_drawn_where_a_voxel_counts_and_empty_cubes_left_out() -> None:
    truth = np.zeros((9, 10, 11), np.uint8)
    predicted = truth.copy()
    valid = np.zeros(truth.shape, bool)
    valid[8, 0, 10] = True
    predicted[8, 0, 10] = 1
    for patches in (7, "grid"):
        found = measure("betti_error", predicted, truth, valid=valid, patches=patches, patch_size=3)
        assert found == (0, 0, 1)  # The one voxel that counts is a cavity, or full.


def test_the_maximal_score_of_volumes_takes_the_best_threshold() -> None:
    """Few grey levels: all voxels are tied with many others."""
    truth = shell()
    likelihood = np.where(truth == 1, 0.3, 0.1)
    likelihood[2, 2, 5] = 0.2
    assert measure("adapted_rand_score", likelihood, truth, maximal=True) == (1,)
    assert measure("adapted_rand_score", likelihood, truth)[0] < 1
    metric = metrics.AdaptedRandScore(spatial_dims=3, maximal=True)
    metric.update(torch.from_numpy(likelihood)[None, None], torch.from_numpy(truth)[None, None])
    assert metric.compute() == 1


def test_cells_of_volumes_are_numbered() -> None:
    diagonal = np.ones((2, 2, 2), np.uint8)
    diagonal[0, 0, 0] = diagonal[1, 1, 1] = 0
    assert label_cells(diagonal, 26, spatial_dims=3).max() == 2
    assert label_cells(diagonal, 6, spatial_dims=3).max() == 1
    assert label_cells(shell(), 26, spatial_dims=3).max() == 2


def test_cavities_have_a_scalar_too() -> None:
    pair = random_pair(5, 7, 6)
    for name in ("betti_error", "betti_number_error"):
        metric = metrics.scalar_metric(f"{name}_2", spatial_dims=3, threshold=0.5)
        metric.update(pair[0].astype(float), pair[1])
        assert float(metric.compute()) == pytest.approx(measure(name, *pair)[2])
        with pytest.raises(ValueError, match="counts cavities, which volumes have: add spatial_di"):
            metrics.scalar_metric(f"{name}_2")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bad_volumes_get_one_clear_sentence(name: str) -> None:
    volume = np.zeros((3, 4, 5), np.uint8)
    take = getattr(metrics, name)
    with pytest.raises(ValueError, match=r"shape \(D, H, W\) or \(B, D, H, W\), got \(4, 5\)"):
        take(volume[0], volume[0], spatial_dims=3)
    with pytest.raises(ValueError, match=r"same shape, got \(1, 3, 4, 5\) and \(1, 2, 4, 5\)"):
        take(volume, volume[1:], spatial_dims=3)
    with pytest.raises(ValueError, match="at least one volume of at least one voxel"):
        take(volume[:0], volume[:0], spatial_dims=3)
    with pytest.raises(ValueError, match=r"spatial_dims must be 2 \(images\) or 3 \(volumes\)"):
        take(volume, volume, spatial_dims=4)
    with pytest.raises(TypeError, match="spatial_dims must be 2 or 3, got 'three'"):
        take(volume, volume, spatial_dims="three")
    if "instance" not in name:
        with pytest.raises(ValueError, match="target must hold only 0 and 1, got 2 as well"):
            take(volume, volume + 2, spatial_dims=3)


def test_bad_options_of_volumes_get_one_clear_sentence() -> None:
    volume = np.zeros((3, 4, 5), np.uint8)
    for name in ("adapted_rand_score", "betti_error", "euler_number_error"):
        with pytest.raises(ValueError, match="connectivity must be one of 6, 26 for volumes"):
            measure(name, volume, volume, connectivity=8)
    with pytest.raises(ValueError, match="dims must be some of 0, 1 and 2, each once"):
        measure("betti_error", volume, volume, dims=(0, 3))
    with pytest.raises(ValueError, match=r"is one of images: for volumes take 'toponet' or 'whole"):
        measure("betti_error", volume, volume, convention="topomortar")
    with pytest.raises(ValueError, match="fixes connectivity=26: leave connectivity out"):
        measure("betti_error", volume, volume, convention="toponet", connectivity=6)
    with pytest.raises(ValueError, match="skeleton of volumes must be one of 'lee', got 'zhang'"):
        measure("cldice_score", volume, volume, skeleton="zhang")
    with pytest.raises(ValueError, match=r"must have one channel.*expected \(B, 1, D, H, W\)"):
        metrics.PixelAccuracy(spatial_dims=3).update(volume[None, None, :2].repeat(2, 1),
                                                     volume[None, None, :2])  # fmt: skip


@pytest.mark.parametrize(
    "taker",
    [
        lambda v, **o: metrics.betti_matching_error(v, v, **o),
        lambda v, **o: metrics.betti_matching_score(v, v, **o),
        lambda v, **o: metrics.BettiMatchingError(**o).update(v, v),
        lambda v, **o: metrics.BettiMatchingScore(**o).update(v, v),
    ],
)
def test_betti_matching_refuses_volumes(taker: Any) -> None:
    volume = np.zeros((3, 4, 5), np.uint8)
    taker(volume)  # Three images.
    with pytest.raises(ValueError, match=r"Betti matching compares images: of volumes .* measure "):
        taker(volume, spatial_dims=3)


def test_a_result_of_images_has_no_third_dimension() -> None:
    image = np.zeros((4, 5), np.uint8)
    result = metrics.betti_error(image, image)
    assert result.dimension_2 is None
    assert result[-1] == result[1]
    with pytest.raises(IndexError):
        result[2]
    planes = metrics.betti_error(image[None], image[None], spatial_dims=3, dims=(1,))
    with pytest.raises(ValueError, match="dimension 2 was not counted"):
        planes[2]
