"""Both engines on volumes against the plain-Python definition, and against each other."""

from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

import reference
import strategies
import toponet
import volume_reference
from diagram_rows import dots_of, rows_of

ENGINES = ("union_find", "reduction")


def assert_equal_to_definition(volume: NDArray[Any], connectivity: int, frame: bool) -> None:
    expected = volume_reference.persistence(volume, connectivity, frame)
    for algorithm in ENGINES:
        diagrams = toponet.persistence(
            volume,
            spatial_dims=3,
            connectivity=connectivity,
            frame=frame,
            algorithm=algorithm,
            num_threads=1,
        )
        assert rows_of(diagrams) == expected
        assert dots_of(diagrams) == reference.values_of(volume, expected)
        assert diagrams.values.dtype == volume.dtype


@hypothesis.settings(max_examples=250)
@hypothesis.given(strategies.volumes(), strategies.volume_connectivities, strategies.frames)
def test_both_engines_equal_the_definition_voxel_for_voxel(
    volume: NDArray[Any], connectivity: int, frame: bool
) -> None:
    assert_equal_to_definition(volume, connectivity, frame)


@pytest.mark.parametrize(
    "shape",
    [(1, 1, 1), (1, 1, 5), (1, 5, 1), (5, 1, 1), (2, 2, 2), (1, 2, 3), (3, 2, 1), (2, 4, 3)],
)
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_constant_volumes_of_awkward_shapes_equal_the_definition(
    shape: tuple[int, int, int], value: float
) -> None:
    for connectivity in (6, 26):
        for frame in (False, True):
            assert_equal_to_definition(np.full(shape, value), connectivity, frame)


@pytest.mark.parametrize("connectivity", [6, 26])
@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize("shape", [(7, 9, 8), (2, 3, 65), (70, 2, 3), (3, 40, 2)])
def test_longer_volumes_equal_the_definition(
    shape: tuple[int, int, int], connectivity: int, frame: bool
) -> None:
    volume = np.random.default_rng(sum(shape)).integers(0, 30, shape) / 29
    assert_equal_to_definition(volume, connectivity, frame)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("connectivity", [6, 26])
@pytest.mark.parametrize("frame", [True, False])
def test_long_monotone_paths_lead_to_the_right_end(
    sign: int, connectivity: int, frame: bool
) -> None:
    """A ridge or valley winds through slices, too: each second one is a wall with one gap."""
    ridge = strategies.serpentine(3, 9)
    volume = np.full((5, *ridge.shape), -0.1)
    volume[0], volume[2], volume[4] = ridge, ridge[::-1, ::-1] - 0.01, ridge - 0.02
    volume[1, -1, -1] = ridge.min() - 0.005
    volume[3, 0, 0] = ridge.min() - 0.015
    assert_equal_to_definition(0.5 + 0.4 * sign * volume, connectivity, frame)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("levels", [2, 3, 17, 10_000])
@pytest.mark.parametrize("sigma", [0, 1])
def test_engines_agree_on_larger_volumes(
    dtype: type[np.floating[Any]], levels: int, sigma: int
) -> None:
    noise = np.random.default_rng(levels + sigma).random((11, 14, 12))
    smooth = gaussian_filter(noise, sigma)
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    volume = (np.floor(smooth * levels * 0.999) / (levels - 1)).astype(dtype)
    for connectivity in (6, 26):
        for frame in (False, True):
            fast, slow = (
                toponet.persistence(
                    volume,
                    spatial_dims=3,
                    connectivity=connectivity,
                    frame=frame,
                    algorithm=algorithm,
                )
                for algorithm in ENGINES
            )
            for name in ("values", "pixels", "dimensions", "splits"):
                np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name))
            assert fast.values.dtype == dtype
            assert len(fast.values) > 10


@hypothesis.settings(max_examples=100)
@hypothesis.given(strategies.volumes(), strategies.volume_connectivities, strategies.frames)
def test_values_are_the_volume_at_the_critical_voxels_bit_for_bit(
    volume: NDArray[Any], connectivity: int, frame: bool
) -> None:
    volume = volume - volume.dtype.type(0.5)  # Negative values and both zeros.
    volume[volume == 0] = -0.0
    volume.flat[0] = 0.0
    diagrams = toponet.persistence(volume, spatial_dims=3, connectivity=connectivity, frame=frame)
    known = diagrams.pixels >= 0
    assert volume.ravel()[diagrams.pixels[known]].tobytes() == diagrams.values[known].tobytes()
    assert_equal_to_definition(volume, connectivity, frame)


def test_negative_zero_ties_with_zero() -> None:
    """With -0.0 below 0.0 there would be a pair (0.0, -0.0), and other critical voxels."""
    volume = np.array([[[-0.0, -1.0, 0.0]], [[-1.0, -1.0, -1.0]]])
    for algorithm in ENGINES:
        diagrams = toponet.persistence(
            volume, spatial_dims=3, dims=(0,), connectivity=6, algorithm=algorithm
        )
        assert diagrams.pixels.tolist() == [[0, -1], [2, 1]]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_denormals_are_told_apart(axis: int) -> None:
    tiny = np.float32(1e-45)
    row = np.array([tiny, 0, tiny * 2], dtype=np.float32)
    volume = np.expand_dims(row, tuple({0, 1, 2} - {axis}))
    for algorithm in ENGINES:
        diagrams = toponet.persistence(volume, spatial_dims=3, algorithm=algorithm)
        assert diagrams.pixels.tolist() == [[2, -1], [0, 1]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_smallest_and_the_largest_numbers_have_their_places(
    dtype: type[np.floating[Any]],
) -> None:
    limits = np.finfo(dtype)
    values = np.array(
        [-limits.max, -1, -limits.smallest_subnormal, -0.0, 0.0, limits.smallest_subnormal,
         limits.tiny, 1, np.nextafter(dtype(1), dtype(2)), limits.max],
        dtype=dtype,
    )  # fmt: skip
    rng = np.random.default_rng(2)
    for _ in range(10):
        volume = rng.choice(values, rng.integers(2, 6, 3))
        for connectivity in (6, 26):
            assert_equal_to_definition(volume, connectivity, frame=False)


@pytest.mark.parametrize("dims", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (2, 0)])
@pytest.mark.parametrize("connectivity", [6, 26])
def test_some_dimensions_alone_give_the_same_rows(dims: tuple[int, ...], connectivity: int) -> None:
    volumes = np.random.default_rng(5).integers(0, 9, (3, 7, 6, 9)) / 8
    every = toponet.persistence(volumes, spatial_dims=3, connectivity=connectivity)
    for algorithm in ENGINES:
        alone = toponet.persistence(
            volumes, spatial_dims=3, dims=dims, connectivity=connectivity, algorithm=algorithm
        )
        kept = np.isin(every.dimensions, dims)
        np.testing.assert_array_equal(alone.pixels, every.pixels[kept])
        np.testing.assert_array_equal(alone.values, every.values[kept])
        assert len(alone.values) < len(every.values)


def test_frame_value_is_the_birth_of_what_is_born_with_the_frame() -> None:
    volume = np.full((3, 4, 2), 0.25)
    for algorithm in ENGINES:
        for frame_value in (1.0, 0.5):
            diagrams = toponet.persistence(
                volume, spatial_dims=3, frame=True, frame_value=frame_value, algorithm=algorithm
            )
            assert diagrams.dimensions.tolist() == [2]
            assert diagrams.values.tolist() == [[frame_value, 0.25]]
            assert diagrams.pixels.tolist() == [[-1, 23]]


def test_a_ball_a_ring_and_a_shell_have_a_piece_a_tunnel_and_a_cavity() -> None:
    """Golden cases, and with a frame: a tube from face to face closes a tunnel with it."""
    ring = np.zeros((5, 7, 6))
    ring[2, 1:6, 1:5] = 1
    ring[2, 2:5, 2:4] = 0
    shell = np.zeros((5, 7, 6))
    shell[1:4, 1:6, 1:5] = 1
    shell[2, 2:5, 2:4] = 0
    tube = np.zeros((5, 7, 6))
    tube[:, 3, 2] = 1
    for volume, numbers, framed in [
        (ring, [1, 1, 0], [1, 1, 1]),
        (shell, [1, 0, 1], [1, 0, 2]),
        (tube, [1, 0, 0], [0, 1, 1]),
    ]:
        for connectivity in (6, 26):
            for frame, expected in [(False, numbers), (True, framed)]:
                options: dict[str, Any] = {
                    "spatial_dims": 3, "connectivity": connectivity, "frame": frame,
                }  # fmt: skip
                assert toponet.betti_numbers(volume, **options).tolist() == [expected]
                for algorithm in ENGINES:
                    found = toponet.persistence(volume, algorithm=algorithm, **options)
                    counts = np.bincount(found.dimensions, minlength=3).tolist()
                    assert counts == expected


def test_cubes_that_touch_at_a_corner_are_one_piece_by_default_and_two_with_connectivity_6() -> (
    None
):
    volume = np.zeros((2, 2, 2))
    volume[0, 0, 0] = volume[1, 1, 1] = 1
    assert toponet.betti_numbers(volume, spatial_dims=3).tolist() == [[1, 0, 0]]
    assert toponet.betti_numbers(volume, spatial_dims=3, connectivity=6).tolist() == [[2, 0, 0]]
    for algorithm in ENGINES:
        found = toponet.persistence(volume, spatial_dims=3, algorithm=algorithm)
        assert found.pixels.tolist() == [[0, -1]]
        found = toponet.persistence(volume, spatial_dims=3, connectivity=6, algorithm=algorithm)
        assert found.pixels.tolist() == [[0, -1], [7, 3]]


@hypothesis.settings(max_examples=150)
@hypothesis.given(strategies.volume_masks, strategies.volume_connectivities, strategies.frames)
def test_betti_numbers_equal_labels_and_euler_number(
    mask: NDArray[np.bool_], connectivity: int, frame: bool
) -> None:
    """Oracle: scipy's labelling, and cells counted one by one."""
    numbers = toponet.betti_numbers(mask, spatial_dims=3, connectivity=connectivity, frame=frame)
    assert numbers.dtype == np.int64
    expected = volume_reference.betti_numbers(mask, connectivity, frame)
    assert numbers.tolist() == [list(expected)]


@pytest.mark.parametrize("connectivity", [6, 26])
@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize("width", [63, 64, 65, 130])
def test_betti_numbers_of_long_rows_equal_labels_and_euler_number(
    width: int, connectivity: int, frame: bool
) -> None:
    """Rows may be read in words of 64 voxels: runs go on across the seams, up to the last voxel."""
    rng = np.random.default_rng(width)
    masks = rng.random((3, 3, 4, width)) < np.array([0.3, 0.6, 0.9])[:, None, None, None]
    masks[1, :, :, -1] = masks[2, ::2] = True
    numbers = toponet.betti_numbers(masks, spatial_dims=3, connectivity=connectivity, frame=frame)
    expected = [volume_reference.betti_numbers(mask, connectivity, frame) for mask in masks]
    assert numbers.tolist() == [list(row) for row in expected]
