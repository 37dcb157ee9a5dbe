"""Both engines against the plain-Python definition, and against each other."""

from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
import pytest
from numpy.typing import NDArray

import reference
import strategies
import toponet

ENGINES = ("union_find", "reduction")


def rows_of(diagrams: toponet.PersistenceDiagrams) -> list[reference.Row]:
    return [
        (int(d), int(b), int(x))
        for d, (b, x) in zip(diagrams.dimensions, diagrams.pixels, strict=True)
    ]


@hypothesis.settings(max_examples=1500)
@hypothesis.given(strategies.images(), strategies.connectivities, strategies.frames)
def test_both_engines_equal_the_definition_pixel_for_pixel(
    image: NDArray[Any], connectivity: int, frame: bool
) -> None:
    expected = reference.persistence(image, connectivity, frame)
    for algorithm in ENGINES:
        diagrams = toponet.persistence(
            image, connectivity=connectivity, frame=frame, algorithm=algorithm
        )
        assert rows_of(diagrams) == expected
        values = [
            (int(d), float(b), float(x))
            for d, (b, x) in zip(diagrams.dimensions, diagrams.values, strict=True)
        ]
        assert values == reference.values_of(image, expected)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 7), (7, 2), (2, 2), (5, 3)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_constant_images_of_awkward_shapes_equal_the_definition(
    shape: tuple[int, int], value: float
) -> None:
    image = np.full(shape, value)
    for connectivity in (4, 8):
        for frame in (False, True):
            expected = reference.persistence(image, connectivity, frame)
            for algorithm in ENGINES:
                diagrams = toponet.persistence(
                    image, connectivity=connectivity, frame=frame, algorithm=algorithm
                )
                assert rows_of(diagrams) == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(37, 23), (65, 65), (3, 200)])
@pytest.mark.parametrize("levels", [3, 17, 10_000])
def test_engines_agree_on_larger_images(
    dtype: type[np.floating[Any]], shape: tuple[int, int], levels: int
) -> None:
    rng = np.random.default_rng(levels)
    images = (rng.integers(0, levels, (4, *shape)) / (levels - 1)).astype(dtype)
    for connectivity in (4, 8):
        for frame in (False, True):
            fast, slow = (
                toponet.persistence(
                    images, connectivity=connectivity, frame=frame, algorithm=algorithm
                )
                for algorithm in ENGINES
            )
            for name in ("values", "pixels", "dimensions", "splits"):
                np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name))
            assert fast.values.dtype == dtype


@hypothesis.settings(max_examples=300)
@hypothesis.given(strategies.images(dtype=np.float32), strategies.frames)
def test_values_are_the_image_at_the_critical_pixels_bit_for_bit(
    image: NDArray[Any], frame: bool
) -> None:
    image = image - np.float32(0.5)  # Negative values and both zeros.
    image[image == 0] = -0.0
    image.flat[0] = 0.0
    diagrams = toponet.persistence(image, frame=frame)
    known = diagrams.pixels >= 0
    looked_up = image.ravel()[diagrams.pixels[known]]
    assert looked_up.view(np.int32).tolist() == diagrams.values[known].view(np.int32).tolist()


def test_negative_zero_ties_with_zero() -> None:
    """With -0.0 below 0.0 there would be a pair (0.0, -0.0), and other critical pixels."""
    image = np.array([[-0.0, -1.0, 0.0], [-1.0, -1.0, -1.0]])
    for algorithm in ENGINES:
        diagrams = toponet.persistence(image, dims=(0,), connectivity=4, algorithm=algorithm)
        assert diagrams.pixels.tolist() == [[0, -1], [2, 1]]


def test_denormals_are_told_apart() -> None:
    tiny = np.float32(1e-45)
    image = np.array([[tiny, 0, tiny * 2]], dtype=np.float32)
    for algorithm in ENGINES:
        diagrams = toponet.persistence(image, dims=(0,), algorithm=algorithm)
        assert diagrams.pixels.tolist() == [[2, -1], [0, 1]]


@pytest.mark.parametrize("dims", [(0,), (1,)])
def test_one_dimension_alone_gives_the_same_rows(dims: tuple[int, ...]) -> None:
    images = np.random.default_rng(5).integers(0, 9, (6, 19, 31)) / 8
    both = toponet.persistence(images)
    for algorithm in ENGINES:
        alone = toponet.persistence(images, dims=dims, algorithm=algorithm)
        kept = both.dimensions == dims[0]
        np.testing.assert_array_equal(alone.pixels, both.pixels[kept])
        np.testing.assert_array_equal(alone.values, both.values[kept])
        assert len(alone.values) < len(both.values)


def test_frame_value_is_the_birth_of_what_is_born_with_the_frame() -> None:
    image = np.full((3, 4), 0.25)
    for algorithm in ENGINES:
        for frame_value in (1.0, 0.5):
            diagrams = toponet.persistence(
                image, frame=True, frame_value=frame_value, algorithm=algorithm
            )
            assert diagrams.values.tolist() == [[frame_value, 0.25]]
            assert diagrams.pixels.tolist() == [[-1, 11]]


def test_the_papers_y_makes_two_handles_more_than_an_empty_patch() -> None:
    """Golden case, section 2.3 of the paper: a Y inside a patch divides it into three regions."""
    y = np.zeros((9, 11))
    for step in range(5):
        y[step, step + 1] = y[step, 9 - step] = 1
    y[4:, 5] = 1
    assert toponet.betti_numbers(y, frame=True).tolist() == [[0, 3]]
    assert toponet.betti_numbers(np.zeros_like(y), frame=True).tolist() == [[0, 1]]
    assert toponet.betti_numbers(y, frame=False).tolist() == [[1, 0]]
    for algorithm in ENGINES:
        framed = toponet.persistence(y, frame=True, algorithm=algorithm)
        assert framed.dimensions.tolist() == [1, 1, 1]
        assert framed.values.tolist() == [[1, 0]] * 3


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("frame", [True, False])
def test_long_monotone_paths_lead_to_the_right_end(
    sign: int, connectivity: int, frame: bool
) -> None:
    """Hundreds of steps from saddle to extremum, up along the ridge or down along the valley."""
    image = 0.5 + 0.4 * sign * strategies.serpentine(9, 61)
    expected = reference.persistence(image, connectivity, frame)
    for algorithm in ENGINES:
        diagrams = toponet.persistence(
            image, connectivity=connectivity, frame=frame, algorithm=algorithm
        )
        assert rows_of(diagrams) == expected
    assert len(expected) > 3
