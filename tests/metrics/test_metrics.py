"""Metrics against scikit-image, against hand-made cases, and their conventions."""

from __future__ import annotations

import inspect
from typing import Any

import hypothesis
import numpy as np
import pytest
import skimage.measure
import skimage.metrics
import torch
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

import strategies
from toponet import metrics
from toponet.metrics._patches import patch_stacks
from toponet.metrics.conventions import BettiOptions, betti_convention

# Those of masks; test_instances.py has those of label maps.
FUNCTIONS = [
    name
    for name in metrics.__all__
    if name.islower() and "instance" not in name and "_metric" not in name
]

mask_pairs = hypothesis.strategies.tuples(strategies.shapes).flatmap(
    lambda s: hypothesis.strategies.tuples(hnp.arrays(np.bool_, s[0]), hnp.arrays(np.bool_, s[0]))
)


def wall(column: int = 5, gap: int | None = None) -> NDArray[np.uint8]:
    """Two cells of 7 x 5 pixels, and a wall between them that may have a gap."""
    mask = np.zeros((7, 11), dtype=np.uint8)
    mask[:, column] = 1
    if gap is not None:
        mask[gap, column] = 0
    return mask


@pytest.mark.parametrize("connectivity", [4, 8])
@hypothesis.settings(max_examples=200)
@hypothesis.given(pair=mask_pairs)
def test_rand_and_information_agree_with_scikit_image(
    connectivity: int, pair: tuple[NDArray[np.bool_], NDArray[np.bool_]]
) -> None:
    predicted, truth = pair
    hypothesis.assume((~truth).sum() >= 2)
    cells = [
        skimage.measure.label(~mask, connectivity=1 if connectivity == 8 else 2)
        for mask in (truth, predicted)
    ]
    with np.errstate(invalid="ignore"):
        error = skimage.metrics.adapted_rand_error(*cells, ignore_labels=(0,))[0]
    score = metrics.adapted_rand_score(predicted, truth, connectivity=connectivity)
    # Without a pair that is together on both sides, the library divides 0 by 0.
    pairs = any(np.bincount(labels[~truth]).max() > 1 for labels in cells)
    assert score == pytest.approx((0.0 if pairs else 1.0) if np.isnan(error) else 1 - error)
    split, merge = skimage.metrics.variation_of_information(*cells, ignore_labels=(0,))
    voi = metrics.variation_of_information(predicted, truth, connectivity=connectivity)
    assert voi == pytest.approx((split, merge))


def test_a_broken_wall_merges_two_cells() -> None:
    """By hand: 35 + 35 pixels in one; precision 1/2, recall 1, one bit lost."""
    score = metrics.adapted_rand_score(wall(gap=3), wall())
    pairs_together = 2 * 35 * 34
    assert score == pytest.approx(2 * pairs_together / (pairs_together + 70 * 69))
    voi = metrics.variation_of_information(wall(gap=3), wall())
    assert voi.split == pytest.approx(0)
    assert voi.merge == pytest.approx(1)
    error = metrics.betti_error(wall(gap=3), wall())
    assert (error[0], error[1]) == (0, 1)


def test_a_wall_too_many_splits_a_cell() -> None:
    predicted = np.maximum(wall(), wall(column=8))
    voi = metrics.variation_of_information(predicted, wall())
    assert voi.merge == pytest.approx(0)
    assert voi.split > 0.3
    assert metrics.adapted_rand_score(predicted, wall()) < 1
    assert metrics.betti_error(predicted, wall())[1] == 1


def test_perfect_predictions_score_perfectly() -> None:
    truth = np.stack([wall(), wall(column=2)])
    assert metrics.pixel_accuracy(truth, truth) == 1
    assert metrics.adapted_rand_score(truth, truth) == 1
    assert metrics.variation_of_information(truth, truth) == pytest.approx((0, 0))
    assert tuple(metrics.betti_error(truth, truth)) == (0, 0)


def test_connectivity_decides_whether_a_diagonal_separates() -> None:
    """A diagonal line of single pixels: under 8 it separates, under 4 it doesn't."""
    truth = np.eye(9, dtype=np.uint8)
    broken = truth.copy()
    broken[4, 4] = 0
    assert metrics.adapted_rand_score(broken, truth, connectivity=8) < 0.8
    assert metrics.adapted_rand_score(broken, truth, connectivity=4) == 1
    assert metrics.variation_of_information(broken, truth, connectivity=8).merge > 0.9
    assert metrics.variation_of_information(broken, truth, connectivity=4).merge == 0
    assert metrics.betti_error(broken, truth, connectivity=8)[1] == 1
    assert metrics.betti_error(broken, truth, connectivity=4)[1] == 0


def test_the_maximal_score_takes_the_best_threshold() -> None:
    likelihood = np.where(wall(gap=3), 0.9, 0.1)
    likelihood[3, 5] = 0.3
    assert metrics.adapted_rand_score(likelihood, wall()) < 0.7
    assert metrics.adapted_rand_score(likelihood, wall(), maximal=True) == 1


def test_batches_are_means_over_images() -> None:
    predicted, truth = np.stack([wall(gap=1), wall()]), np.stack([wall(), wall(column=3)])
    for name in ("adapted_rand_score", "variation_of_information", "pixel_accuracy"):
        metric = getattr(metrics, name)
        each = [metric(p, t) for p, t in zip(predicted, truth, strict=True)]
        np.testing.assert_allclose(metric(predicted, truth), np.mean(each, axis=0))


def test_torch_and_numpy_give_the_same() -> None:
    predicted, truth = wall(gap=2), wall()
    for name in FUNCTIONS:
        metric = getattr(metrics, name)
        expected = metric(predicted, truth)
        for dtype in (torch.bool, torch.int64, torch.float32, torch.bfloat16):
            tensors = (torch.from_numpy(predicted).to(dtype), torch.from_numpy(truth).to(dtype))
            assert metric(*tensors) == expected


@pytest.mark.parametrize("structure", [0, 1])
def test_empty_and_full_truths_are_defined(structure: int) -> None:
    truth = np.full((5, 8), structure)
    for prediction in (truth, 1 - truth, wall()[:5, :8]):
        assert 0 <= metrics.adapted_rand_score(prediction, truth) <= 1
        assert np.isfinite(metrics.variation_of_information(prediction, truth)).all()
    assert metrics.adapted_rand_score(truth, truth) == 1


def random_masks(seed: int = 0) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    return rng.random((2, 70, 90)) > 0.5, rng.random((2, 70, 90)) > 0.6


@pytest.mark.parametrize(
    "option", [{"patch_size": 33}, {"patches": 7}, {"patches": "grid"}, {"patches": "whole"},
               {"seed": 1}, {"connectivity": 4}, {"frame": False}, {"frame": "rim"},
               {"dims": (0,)}, {"dims": (1,)}, {"convention": "toponet-authors"},
               {"convention": "whole-image"}, {"convention": "topomortar"}], ids=str,
)  # fmt: skip
def test_every_option_of_the_betti_error_changes_it_and_is_printed(option: dict[str, Any]) -> None:
    default = metrics.betti_error(*random_masks())
    changed = metrics.betti_error(*random_masks(), **option)
    assert tuple(changed) != tuple(default)
    assert metrics.betti_error(*random_masks()) == default
    assert str(changed.convention) != str(default.convention)
    assert str(changed).endswith(f": {changed.convention}")
    assert "\n" not in str(changed)
    for name, value in option.items():
        stated = "name" if name == "convention" else name
        assert getattr(changed.convention, stated) == value


def test_the_betti_error_is_the_mean_over_the_patches() -> None:
    """Oracle: one patch at a time, positions drawn in the same way."""
    from toponet import betti_numbers

    predicted, truth = random_masks()
    corners = np.random.default_rng((5, 0)).integers(0, (70 - 20 + 1, 90 - 20 + 1), (2, 9, 2))
    differences = []
    for b in range(2):
        for r, c in corners[b]:
            cut = (b, slice(r, r + 20), slice(c, c + 20))
            numbers = [betti_numbers(m[cut], frame=True)[0] for m in (predicted, truth)]
            differences.append(np.abs(numbers[0] - numbers[1]))
    error = metrics.betti_error(predicted, truth, patch_size=20, patches=9, seed=5)
    np.testing.assert_allclose(tuple(error), np.mean(differences, axis=0))


@pytest.mark.parametrize("shape", [(7, 11), (70, 90), (1, 12), (12, 1), (3, 3), (33, 8)])
@pytest.mark.parametrize("patch_size", [1, 4, 11, 200])
def test_the_grid_has_every_pixel_in_one_patch(shape: tuple[int, int], patch_size: int) -> None:
    """ceil(side / patch_size) parts, equal to within a pixel. The images say where a pixel was."""
    convention = betti_convention(patches="grid", patch_size=patch_size)
    places = np.arange(2 * shape[0] * shape[1]).reshape(2, *shape)
    found = patch_stacks(places, places, None, convention, 0)  # type: ignore[arg-type]
    stacks = [stack.prediction for stack in found]
    for stack in found:
        first = stack.prediction[:, 0, 0] // (shape[0] * shape[1])
        np.testing.assert_array_equal(first, stack.image)
    seen = np.concatenate([stack.ravel() for stack in stacks])
    np.testing.assert_array_equal(np.sort(seen), places.ravel())
    count = [-(-side // patch_size) for side in shape]
    assert sum(map(len, stacks)) == 2 * count[0] * count[1]
    for axis, side in enumerate(shape):
        sides = {stack.shape[1 + axis] for stack in stacks}
        assert sides <= {side // count[axis], -(-side // count[axis])}
        assert max(sides) <= patch_size


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_patches_of_a_narrow_image_are_no_image_with_channels_last(width: int) -> None:
    """Oracle: the same images lying down."""
    random = np.random.default_rng(width)
    prediction, truth = random.integers(0, 2, (2, 30, width))
    options: dict[str, Any] = {"patches": "grid", "patch_size": 5}
    standing = tuple(metrics.betti_error(prediction, truth, **options))
    assert standing == tuple(metrics.betti_error(prediction.T, truth.T, **options))


def test_the_error_on_a_grid_is_the_mean_over_its_patches() -> None:
    """Oracle: 70 x 90 pixels in 3 x 4 parts, one at a time."""
    from toponet import betti_numbers

    predicted, truth = random_masks()
    differences = []
    for b in range(2):
        for top, bottom in ((0, 23), (23, 46), (46, 70)):
            for left, right in ((0, 22), (22, 45), (45, 67), (67, 90)):
                cut = (b, slice(top, bottom), slice(left, right))
                numbers = [betti_numbers(m[cut], frame=True)[0] for m in (predicted, truth)]
                differences.append(np.abs(numbers[0] - numbers[1]))
    error = metrics.betti_error(predicted, truth, patch_size=25, patches="grid")
    np.testing.assert_allclose(tuple(error), np.mean(differences, axis=0))


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("frame", [True, False])
def test_the_betti_number_error_compares_whole_images(connectivity: int, frame: bool) -> None:
    from toponet import betti_numbers

    options: dict[str, Any] = {"connectivity": connectivity, "frame": frame}
    predicted, truth = random_masks()
    numbers = [betti_numbers(mask, **options) for mask in (predicted, truth)]
    error = metrics.betti_number_error(predicted, truth, **options)
    np.testing.assert_allclose(tuple(error), np.abs(numbers[0] - numbers[1]).mean(axis=0))
    assert error == metrics.betti_error(predicted, truth, patches="whole", **options)
    default = metrics.betti_number_error(predicted, truth)
    assert (tuple(error) == tuple(default)) == (options == {"connectivity": 8, "frame": True})


def test_a_whole_image_is_a_patch_that_is_large_enough() -> None:
    masks = random_masks()
    one_patch = metrics.betti_error(*masks, patch_size=90)
    assert tuple(metrics.betti_number_error(*masks)) == tuple(one_patch)


@hypothesis.settings(max_examples=200)
@hypothesis.given(pair=mask_pairs)
def test_the_authors_convention_counts_cells_inside_the_rim(
    pair: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> None:
    """Oracle: the script's steps. Its masks have cells = 1; the rim becomes 0."""
    counts = []
    for mask in pair:
        cells = ~mask
        cells[[0, -1]] = False
        cells[:, [0, -1]] = False
        counts.append(skimage.measure.label(cells, connectivity=1).max())
    before = [mask.copy() for mask in pair]
    error = metrics.betti_error(*pair, convention="toponet-authors")
    assert tuple(error) == (abs(counts[0] - counts[1]),)
    np.testing.assert_array_equal(pair, before)


def test_the_authors_convention_on_masks_counted_by_hand() -> None:
    """A cross in 5 x 5: four cells, each of them 1 pixel inside the rim."""
    cross = np.zeros((5, 5), dtype=np.uint8)
    cross[2] = cross[:, 2] = 1
    empty = np.zeros_like(cross)
    error = metrics.betti_error(empty, cross, convention="toponet-authors")
    assert tuple(error) == (3,)  # 1 cell against 4.
    # Cells that lie in the rim only are lost, which a frame around the patch would count.
    corners = np.ones((5, 5), dtype=np.uint8)
    corners[0, 0] = corners[4, 4] = 0
    full = np.ones_like(corners)
    assert tuple(metrics.betti_error(corners, full, convention="toponet-authors")) == (0,)
    assert metrics.betti_error(corners, full)[1] == 2
    with pytest.raises(ValueError, match=r"dimension 0 was not counted: .*\(toponet-authors\)"):
        error[0]


def test_topomortars_betti_numbers_on_masks_counted_by_hand() -> None:
    """What touches the border: structure counts, background is no hole."""
    structure = np.array(
        [
            [1, 0, 0, 0, 0, 0, 0],
            [0, 1, 1, 1, 0, 0, 0],
            [0, 1, 0, 1, 0, 1, 0],
            [0, 1, 1, 1, 0, 0, 0],
            [1, 1, 0, 1, 0, 1, 1],
            [0, 1, 0, 1, 0, 1, 0],
        ]
    )
    empty = np.zeros_like(structure)
    # Components: the large one with the pixel that touches it by a corner, the single pixel, the
    # one at the lower right. Holes: the ring's. All other background touches the border.
    options: dict[str, Any] = {"patches": "whole", "connectivity": 8, "frame": False}
    for convention in ({"convention": "topomortar"}, options):
        assert tuple(metrics.betti_error(structure, empty, **convention)) == (3, 1)
    # The other way round: a frame swallows the structure at the border and closes the background.
    # Left are 1 component and 6 cells: in the ring, around it to the right, to its left, at the
    # bottom in the middle and in both corners. The frame alone encloses one.
    assert tuple(metrics.betti_error(structure, empty, convention="whole-image")) == (1, 6 - 1)
    # Under 4 the upper left pixel is on its own.
    assert metrics.betti_error(structure, empty, **{**options, "connectivity": 4})[0] == 4


@pytest.mark.parametrize(
    ("convention", "options"),
    [
        ("toponet", {"connectivity": 8, "frame": True, "dims": (0, 1)}),
        ("toponet-authors", {"connectivity": 8, "frame": "rim", "dims": (1,)}),
        ("whole-image", {"connectivity": 8, "frame": True, "dims": (0, 1), "patches": "whole"}),
        ("topomortar", {"connectivity": 8, "frame": False, "dims": (0, 1), "patches": "whole"}),
    ],
)
def test_a_convention_is_its_options_and_refuses_them(
    convention: str, options: dict[str, Any]
) -> None:
    named = metrics.betti_error(*random_masks(), convention=convention)
    spelt = metrics.betti_error(*random_masks(), **options)
    assert tuple(named) == tuple(spelt)
    assert str(named) == f"{spelt} ({convention})"
    for option, value in options.items():
        with pytest.raises(ValueError, match=f"convention='{convention}' fixes {option}=.*leave"):
            metrics.betti_error(*random_masks(), convention=convention, **{option: value})


@pytest.mark.parametrize("takes", [metrics.betti_error, metrics.BettiError, betti_convention])
def test_all_that_measure_a_betti_error_show_the_same_list_of_options(takes: Any) -> None:
    """The list is written once; ``help()`` and editors show it option by option."""
    shown = inspect.signature(takes).parameters
    options = [name for name, parameter in shown.items() if parameter.default is None]
    assert [name for name in options if name != "valid"] == list(BettiOptions.__annotations__)
    assert not any(name == "options" for name in shown)
    for name in options:
        assert f"        {name}: " in str(metrics.betti_error.__doc__)


def test_an_option_that_a_betti_error_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="a Betti error has no option 'patchsize'"):
        metrics.betti_error(*random_masks(), patchsize=9)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="Unexpected keyword arguments: `patchsize`"):
        metrics.BettiError(patchsize=9)  # type: ignore[call-arg]


def test_a_convention_leaves_the_patches_free() -> None:
    error = metrics.betti_error(
        *random_masks(), convention="toponet-authors", patch_size=20, patches="grid"
    )
    assert str(error.convention) == (
        "mean |difference of Betti numbers| over a grid of patches of at most 20 x 20, "
        "connectivity 8, rim overwritten with structure, dimension 1 only (toponet-authors)"
    )


def test_a_result_prints_numbers_and_convention_in_one_line() -> None:
    assert str(metrics.betti_error(wall(gap=3), wall())) == (
        "Betti error 0.000 (components), 1.000 (holes): mean |difference of Betti numbers| over "
        "100 random patches an image of 65 x 65, seed 0, connectivity 8, with frame"
    )
    assert str(metrics.betti_error(wall(gap=3), wall(), dims=(0,))).startswith(
        "Betti error 0.000 (components): "
    )
    assert str(metrics.betti_number_error(wall(gap=3), wall(), frame=False)) == (
        "Betti error 1.000 (components), 0.000 (holes): mean |difference of Betti numbers| over "
        "whole images, connectivity 8, without frame"
    )


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 5)])
@pytest.mark.parametrize("frame", [True, False, "rim"])
def test_thin_and_constant_images_are_counted(shape: tuple[int, int], frame: bool | str) -> None:
    empty, full = np.zeros(shape), np.ones(shape)
    for patches in (3, "grid", "whole"):
        error = metrics.betti_error(empty, full, patches=patches, frame=frame)
        # Framed, the empty image is one hole; unframed, the full one is one component. An image
        # without inside is all rim.
        assert tuple(error) == {True: (0, 1), False: (1, 0), "rim": (0, 0)}[frame]


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("pixel_accuracy", ([[1, 0], [1]], [[1, 0]]), "prediction must be an array: its rows"),
        ("pixel_accuracy", (torch.zeros(2, 3, device="meta"), np.zeros((2, 3))), "meta device"),
        ("pixel_accuracy", (np.zeros((1, 1, 2, 3)), np.zeros((2, 3))), "or \\(B, H, W\\), got"),
        ("adapted_rand_score", (np.full((2, 3), np.nan), np.zeros((2, 3))), "values from nan"),
        ("pixel_accuracy", (np.zeros((2, 3)), np.zeros((3, 2))), r"\(1, 2, 3\) and \(1, 3, 2\)"),
        ("pixel_accuracy", (np.full((2, 3), 0.5), np.zeros((2, 3))), "prediction .* got 0.5"),
        ("betti_error", (np.zeros((2, 3)), np.full((2, 3), 255)), "target .* got 255"),
        ("adapted_rand_score", (np.full((2, 3), 3.0), np.zeros((2, 3))), r"in \[0, 1\], .* 3.0"),
        ("variation_of_information", (np.zeros(3), np.zeros(3)), "shape"),
    ],
)
def test_bad_input_gets_one_clear_sentence(
    name: str, arguments: tuple[Any, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        getattr(metrics, name)(*arguments)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("odd", "sentence"),
    [
        (torch.zeros(2, 3).to(torch.float8_e4m3fn), "must hold real numbers, got .*float8"),
        (torch.zeros(2, 3, dtype=torch.complex64), "must hold real numbers, got complex64"),
        (torch.zeros(2, 3).to_sparse(), "must be a dense tensor; call to_dense"),
        (None, "must hold real numbers, got object"),
        ([["a", "b"]], "must hold real numbers, got <U1"),
    ],
    ids=["float8", "complex", "sparse", "None", "text"],
)
def test_what_holds_no_numbers_gets_one_clear_sentence(name: str, odd: Any, sentence: str) -> None:
    mask = np.zeros((2, 3))
    with pytest.raises(TypeError, match=f"prediction {sentence}"):
        getattr(metrics, name)(odd, mask)
    with pytest.raises(TypeError, match=f"target {sentence}"):
        getattr(metrics, name)(mask, odd)


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"convention": "hu"}, ValueError, "convention must be one of 'toponet', .*, got 'hu'"),
        ({"patches": "tiles"}, ValueError, "patches must be a number, 'grid' or 'whole', got 'til"),
        ({"patches": "grid", "seed": 1}, ValueError, "seed has no meaning for patches='grid'"),
        ({"patches": "whole", "seed": 0}, ValueError, "seed has no meaning for patches='whole'"),
        ({"patches": "whole", "patch_size": 9}, ValueError, "patch_size has no meaning for whole"),
        ({"convention": "topomortar", "patch_size": 9}, ValueError, "patch_size has no meaning"),
        ({"frame": "ring"}, TypeError, "frame must be True, False or 'rim', got 'ring'"),
        ({"frame": 1}, TypeError, "frame must be True, False or 'rim', got 1"),
        ({"dims": (2,)}, ValueError, r"dims must be \(0,\), \(1,\) or \(0, 1\), got \(2,\)"),
        ({"dims": 1}, TypeError, "dims must be a sequence"),
        ({"connectivity": 6}, ValueError, "connectivity must be one of 4, 8, got 6"),
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(
    options: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        metrics.betti_error(*random_masks(), **options)


def test_bad_options_of_the_other_functions_are_refused() -> None:
    with pytest.raises(TypeError, match="maximal must be True or False, got 'yes'"):
        metrics.adapted_rand_score(wall(), wall(), maximal="yes")  # type: ignore[arg-type]
    for name in ("adapted_rand_score", "variation_of_information", "betti_number_error"):
        with pytest.raises(ValueError, match="connectivity must be one of 4, 8, got 6"):
            getattr(metrics, name)(wall(), wall(), connectivity=6)


def test_bad_options_of_the_betti_error_are_refused() -> None:
    with pytest.raises(ValueError, match="patch_size must be at least 1, got 0"):
        metrics.betti_error(*random_masks(), patch_size=0)
    with pytest.raises(ValueError, match="patches must be at least 1, got 0"):
        metrics.betti_error(*random_masks(), patches=0)
    for name in ("patch_size", "patches", "seed"):
        with pytest.raises(TypeError, match=f"{name} must be a whole number, got 2.5"):
            metrics.betti_error(*random_masks(), **{name: 2.5})  # type: ignore[arg-type]
