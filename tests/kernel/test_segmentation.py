"""Segmentation by persistence against its definition in plain Python, and what it promises."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.measure import label

import segmentation_reference as reference
import toponet
from strategies import connectivities, frames, images, serpentine
from toponet.segmentation import Segmentation

dimensions = st.sampled_from([(0,), (1,), (0, 1)])
keeps = st.sampled_from([0.0, 0.2, 0.5, 0.7])
adds = st.sampled_from([None, 0.0, 0.1, 0.3, 0.6])
# Levels of the images lie at some of them, and between others.
thresholds = st.sampled_from([0.3, 0.5, 0.6, 2 / 3])


class Options(NamedTuple):
    """All that a segmentation depends on, beside the image."""

    threshold: float
    keep: float
    add: float | None
    dims: tuple[int, ...]
    connectivity: int
    frame: bool


options = st.builds(Options, thresholds, keeps, adds, dimensions, connectivities, frames)
any_images = st.one_of(images(), images(dtype=np.float32))


def segment(image: Any, chosen: Options) -> Segmentation:
    return toponet.segment(image, **chosen._asdict())


def rows(result: Segmentation) -> list[tuple[int, int, int, str, list[int]]]:
    d = result.decisions
    return [
        (int(d.dimension[k]), int(d.birth_pixel[k]), int(d.death_pixel[k]), str(d.action[k]),
         d.changed(k).tolist())
        for k in range(len(d))
    ]  # fmt: skip


def check_against_reference(image: NDArray[Any], chosen: Options) -> reference.Result:
    expected = reference.segment(image, *chosen)
    found = segment(image, chosen)
    np.testing.assert_array_equal(found.likelihood, expected.likelihood)
    assert rows(found) == [
        (d.dimension, d.birth, d.death, d.action, sorted(d.pixels)) for d in expected.decisions
    ]
    if len(chosen.dims) == 2:
        pieces = expected.settled[0]
        assert (found.kept_pieces[0], found.undivided_pieces[0]) == (pieces.kept, pieces.undivided)
    return expected


@given(any_images, options)
@settings(max_examples=1000)
def test_the_kernel_equals_the_definition(image: NDArray[Any], chosen: Options) -> None:
    check_against_reference(image, chosen)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("dims", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("frame", [False, True])
def test_larger_images_equal_the_definition(
    connectivity: int, dims: tuple[int, ...], frame: bool
) -> None:
    """Large enough for walls between many cells, ways over several saddles and nested pieces."""
    random = np.random.default_rng(connectivity + 10 * len(dims) + frame)
    for levels in (4, 9, 200):
        image = random.integers(0, levels, (23, 31)) / (levels - 1)
        check_against_reference(image, Options(0.5, 0.4, 0.25, dims, connectivity, frame))


@pytest.mark.parametrize("frame", [False, True])
def test_rows_are_found_where_the_inverse_of_the_width_is_rounded_down(frame: bool) -> None:
    """49 * (1 / 49) is less than 1: the first pixel of a row must not fall into the row above."""
    image = np.random.default_rng(frame).integers(0, 9, (7, 49)) / 8
    check_against_reference(image, Options(0.5, 0.4, 0.25, (0, 1), 8, frame))


@pytest.mark.parametrize("dims", [(0,), (1,), (0, 1)])
def test_one_long_ridge_equals_the_definition(dims: tuple[int, ...]) -> None:
    image = np.clip(serpentine(9, 21), 0, 1)
    for sample in (image, 1 - image, image.T.copy()):
        check_against_reference(sample, Options(0.99, 0.0002, 0.0001, dims, 8, False))
        check_against_reference(sample, Options(0.97, 0.5, 0.0001, dims, 4, True))


@given(any_images, options)
def test_holes_and_pieces_are_the_wanted_ones(image: NDArray[Any], chosen: Options) -> None:
    """Counted apart from the definition: by Betti numbers and scikit-image's labels."""
    expected = reference.segment(image, *chosen)
    found = segment(image, chosen)
    counted = toponet.betti_numbers(
        found.mask, connectivity=chosen.connectivity, frame=chosen.frame
    )[0]
    for dimension in chosen.dims:
        wanted = expected.settled[dimension].wanted
        alone = len(chosen.dims) == 1 or dimension == 1
        extra = 0 if alone else int(found.kept_pieces[0]) - int(found.undivided_pieces[0])
        assert counted[dimension] == len(wanted) + extra
        # The frame closes the holes that the border cuts; without it they are the outside's.
        side, around = (found.mask, chosen.frame) if dimension == 0 else (~found.mask, False)
        if dimension == 1 and not chosen.frame:
            around = True
        eight = (chosen.connectivity == 8) == (dimension == 0)
        labels = label(np.pad(side, 1, constant_values=around), connectivity=2 if eight else 1)
        own = labels[1:-1, 1:-1].ravel()[wanted]
        assert (own > 0).all()
        if alone:
            assert len(set(own)) == len(wanted)


@given(any_images, options)
def test_each_edit_is_the_cheaper_one_of_its_two(image: NDArray[Any], chosen: Options) -> None:
    found = segment(image, chosen)
    d = found.decisions
    t = float(image.dtype.type(chosen.threshold))
    for k in range(len(d)):
        to_birth, to_death = abs(d.birth[k] - t), abs(d.death[k] - t)
        rounding = 2 * float(np.finfo(image.dtype).eps)
        if d.action[k] in ("opened", "joined"):
            assert d.cost[k] <= min(to_birth, to_death) + rounding
        elif d.action[k] in ("hollowed", "added"):
            assert d.cost[k] <= abs((d.birth[k] + d.death[k]) / 2 - t) + rounding
        elif d.action[k] in ("filled", "removed"):
            own = d.death[k] if d.dimension[k] == 1 else d.birth[k]
            assert d.cost[k] == pytest.approx(abs(own - t), abs=rounding)


@given(any_images, options)
def test_nothing_else_is_changed(image: NDArray[Any], chosen: Options) -> None:
    found = segment(image, chosen)
    changed = np.flatnonzero(found.likelihood != image)
    assert set(changed) <= set(found.decisions.pixels.tolist())
    np.testing.assert_array_equal(
        found.mask, found.likelihood >= image.dtype.type(chosen.threshold)
    )


@given(any_images, options)
def test_with_nothing_to_settle_the_likelihood_comes_back(
    image: NDArray[Any], chosen: Options
) -> None:
    found = segment(image, chosen._replace(keep=0.0, add=None))
    assert found.likelihood.tobytes() == image.tobytes()
    np.testing.assert_array_equal(found.mask, image >= image.dtype.type(chosen.threshold))
    assert len(found.decisions) == 0


@given(images(), frames)
def test_a_second_time_changes_nothing_where_no_wall_was_built(
    image: NDArray[Any], frame: bool
) -> None:
    """A wall may lend persistence to a weak neighbour; without walls the result is final."""
    chosen = Options(0.5, 0.3, 0.3, (1,), 8, frame)
    once = segment(image, chosen)
    if "closed" not in once.decisions.action:
        np.testing.assert_array_equal(segment(once.likelihood, chosen).likelihood, once.likelihood)


@given(any_images, options)
def test_cells_are_the_components_of_the_background(image: NDArray[Any], chosen: Options) -> None:
    found = segment(image, chosen)
    expected = label(~found.mask, connectivity=1 if chosen.connectivity == 8 else 2)
    np.testing.assert_array_equal(found.cells, expected)
    assert found.cells.dtype == np.int32


@given(images(batch=3), options, st.integers(1, 3))
@settings(max_examples=60)
def test_a_batch_is_its_images_whatever_the_threads(
    batch: NDArray[Any], chosen: Options, threads: int
) -> None:
    together = toponet.segment(batch, **chosen._asdict(), num_threads=threads)
    first = 0
    for k, image in enumerate(batch):
        alone = segment(image, chosen)
        np.testing.assert_array_equal(together.likelihood[k], alone.likelihood)
        np.testing.assert_array_equal(together.cells[k], alone.cells)
        last = first + len(alone.decisions)
        assert (together.decisions.image[first:last] == k).all()
        assert rows(together)[first:last] == rows(alone)
        first = last
    assert first == len(together.decisions)


def test_a_large_image_on_several_threads_is_the_same() -> None:
    random = np.random.default_rng(5)
    image = np.kron(random.random((70, 90)), np.ones((7, 8))) * 0.9
    image += 0.1 * random.random(image.shape)
    one, two = (toponet.segment(image, num_threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one.likelihood, two.likelihood)
    assert len(one.decisions) > 100
    assert rows(one) == rows(two)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_tensors_of_any_float_type_give_tensors(dtype: torch.dtype) -> None:
    given_tensor = torch.rand((2, 9, 11), generator=torch.Generator().manual_seed(3)).to(dtype)
    found = toponet.segment(given_tensor)
    wide = given_tensor if dtype == torch.float64 else given_tensor.float()
    expected = toponet.segment(wide.numpy())
    assert found.mask.dtype == torch.bool
    assert found.cells.dtype == torch.int32
    assert found.likelihood.dtype == wide.dtype
    np.testing.assert_array_equal(found.mask.numpy(), expected.mask)
    np.testing.assert_array_equal(found.likelihood.numpy(), expected.likelihood)
    np.testing.assert_array_equal(found.cells.numpy(), expected.cells)


def test_what_rounding_left_outside_is_judged_by_the_given_type() -> None:
    above = torch.tensor([[1.0078125, 0.25]], dtype=torch.bfloat16)
    assert float(toponet.segment(above).likelihood.max()) == 1
    with pytest.raises(ValueError, match=r"probabilities in \[0, 1\], got 1.0078125"):
        toponet.segment(above.float())


@pytest.mark.parametrize(
    ("likelihood", "changes", "error", "words"),
    [
        (np.full((2, 3), 1.5), {}, ValueError, "probabilities"),
        (np.array([[0.5, np.nan]]), {}, ValueError, "finite"),
        (np.zeros((2, 3), dtype=np.float16), {}, TypeError, "float32 or float64"),
        (torch.zeros((2, 3), dtype=torch.int32), {}, TypeError, "float type"),
        (np.zeros((2, 3, 4, 5)), {}, ValueError, "shape"),
        (np.zeros((2, 3)), {"threshold": 1.0}, ValueError, "threshold"),
        (np.zeros((2, 3)), {"keep": -0.1}, ValueError, "keep"),
        (np.zeros((2, 3)), {"add": -0.1}, ValueError, "add"),
        (np.zeros((2, 3)), {"dims": ()}, ValueError, "dims"),
        (np.zeros((2, 3)), {"connectivity": 6}, ValueError, "connectivity"),
        (np.zeros((2, 3)), {"frame": "yes"}, TypeError, "frame"),
        (np.zeros((2, 3)), {"num_threads": 0}, ValueError, "num_threads"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(
    likelihood: Any, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        toponet.segment(likelihood, **changes)


@pytest.mark.parametrize(
    "changes",
    [{"threshold": 0.62}, {"keep": 0.1}, {"add": None}, {"dims": (1,)}, {"dims": (0,)},
     {"connectivity": 4}, {"frame": False}],
)  # fmt: skip
def test_each_option_changes_the_result(changes: dict[str, Any]) -> None:
    random = np.random.default_rng(4)
    image = 0.7 * np.kron(random.random((8, 10)), np.ones((4, 3))) + 0.3 * random.random((32, 30))
    usual = toponet.segment(image)
    assert not np.array_equal(toponet.segment(image, **changes).likelihood, usual.likelihood)
