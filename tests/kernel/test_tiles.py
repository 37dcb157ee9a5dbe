"""A large image is cut into tiles and glued along the seams: the diagram is that of the whole."""

from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

import reference
import strategies
import toponet
from toponet import _core
from toponet.topology.diagrams import PersistenceDiagrams

tiles = st.tuples(st.integers(1, 5), st.integers(1, 5))
dims = st.sampled_from([(0, 1), (0,), (1,)])


def in_tiles(
    image: NDArray[Any],
    tile: tuple[int, int],
    *,
    dims: tuple[int, ...] = (0, 1),
    connectivity: int = 8,
    frame: bool = False,
    num_threads: int = 1,
) -> PersistenceDiagrams:
    """Persistence of one image in tiles of a size that is no option of the library."""
    values, pixels, dimensions, splits = _core.persistence(
        np.ascontiguousarray(image)[None],
        dimensions=(0 in dims, 1 in dims),
        connectivity=connectivity,
        frame=frame,
        frame_value=1.0,
        algorithm="union_find",
        num_threads=num_threads,
        tile=tile,
    )
    return PersistenceDiagrams(values, pixels, dimensions, splits)


def assert_same(a: PersistenceDiagrams, b: PersistenceDiagrams) -> None:
    for name in ("values", "pixels", "dimensions", "splits"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert a.values.dtype == b.values.dtype


@hypothesis.settings(max_examples=500)
@hypothesis.given(strategies.images(), tiles, dims, strategies.connectivities, strategies.frames)
def test_small_tiles_equal_the_definition_pixel_for_pixel(
    image: NDArray[Any],
    tile: tuple[int, int],
    dims: tuple[int, ...],
    connectivity: int,
    frame: bool,
) -> None:
    """Tiles down to a single pixel, so that paths cross many seams and most basins lie at one."""
    found = in_tiles(image, tile, dims=dims, connectivity=connectivity, frame=frame)
    rows = [
        (int(d), int(b), int(x)) for d, (b, x) in zip(found.dimensions, found.pixels, strict=True)
    ]
    expected = reference.persistence(image, connectivity, frame)
    assert rows == [row for row in expected if row[0] in dims]


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 9), (9, 2), (7, 5)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("tile", [(1, 1), (2, 3), (3, 4)])
def test_tiles_of_constant_images_equal_the_other_engine(
    shape: tuple[int, int], value: float, tile: tuple[int, int]
) -> None:
    """All pixels are tied, within tiles and across seams."""
    image = np.full(shape, value)
    for connectivity in (4, 8):
        for frame in (False, True):
            whole = toponet.persistence(
                image, connectivity=connectivity, frame=frame, algorithm="reduction"
            )
            assert_same(in_tiles(image, tile, connectivity=connectivity, frame=frame), whole)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("levels", [2, 7, 100_000])
@pytest.mark.parametrize("num_threads", [1, 3])
def test_tiles_of_larger_images_equal_the_whole(
    dtype: type[np.floating[Any]], levels: int, num_threads: int
) -> None:
    rng = np.random.default_rng(levels)
    image = (rng.integers(0, levels, (103, 131)) / (levels - 1)).astype(dtype)
    image[20:60, 30:90] = image[20, 30]
    for connectivity in (4, 8):
        for frame in (False, True):
            whole = toponet.persistence(
                image, connectivity=connectivity, frame=frame, num_threads=1
            )
            for tile in ((103, 131), (32, 32), (7, 50), (103, 1)):
                found = in_tiles(
                    image, tile, connectivity=connectivity, frame=frame, num_threads=num_threads
                )
                assert_same(found, whole)


@pytest.mark.parametrize("num_threads", [1, 2, 3])
def test_the_engines_own_tiles_equal_the_whole(num_threads: int) -> None:
    """Of an image that is large enough for tiles, and holds paths longer than a tile."""
    rng = np.random.default_rng(0)
    image = rng.random((700, 531), dtype=np.float32)
    image[:601, :400] = 0.5 + 0.004 * strategies.serpentine(301, 400)
    image[620:] = np.linspace(0, 1, 531, dtype=np.float32)
    for connectivity in (4, 8):
        for frame in (False, True):
            options: dict[str, Any] = {"connectivity": connectivity, "frame": frame}
            whole = in_tiles(image, image.shape, **options)
            assert_same(toponet.persistence(image, num_threads=num_threads, **options), whole)


@pytest.mark.parametrize("num_threads", [1, 2])
def test_tiles_name_the_same_mistake_as_the_whole(num_threads: int) -> None:
    """A value above the frame's in the first tile, and a worse one in the last."""
    image = np.zeros((9, 10))
    image[0, 0] = 2
    with pytest.raises(ValueError, match="above frame_value"):
        in_tiles(image, (3, 4), frame=True, num_threads=num_threads)
    for worse in (np.nan, np.inf, -np.inf):
        image[8, 9] = worse
        with pytest.raises(ValueError, match="image 0 holds NaN or an infinite value"):
            in_tiles(image, (3, 4), frame=True, num_threads=num_threads)


def segment_in_tiles(
    image: NDArray[Any], tile: tuple[int, int], num_threads: int = 1, **options: Any
) -> tuple[NDArray[Any], ...]:
    """All that the kernel answers: likelihood, cells, decisions and counts."""
    dims = options.pop("dims", (0, 1))
    return _core.segment(
        np.ascontiguousarray(image)[None],
        dimension_0=0 in dims,
        dimension_1=1 in dims,
        num_threads=num_threads,
        tile=tile,
        **options,
    )


@hypothesis.settings(max_examples=400)
@hypothesis.given(
    st.one_of(strategies.images(), strategies.images(dtype=np.float32)),
    tiles,
    st.fixed_dictionaries(
        {
            "threshold": st.sampled_from([0.3, 0.5, 2 / 3]),
            "keep": st.sampled_from([0.0, 0.2, 0.5]),
            "add": st.sampled_from([np.inf, 0.0, 0.1, 0.3]),
            "dims": dims,
            "connectivity": strategies.connectivities,
            "frame": strategies.frames,
        }
    ),
)
def test_segmentation_by_merge_trees_in_tiles_is_that_of_the_whole(
    image: NDArray[Any], tile: tuple[int, int], options: dict[str, Any]
) -> None:
    """The whole image's is held against its definition in test_segmentation.py."""
    whole = segment_in_tiles(image, image.shape, **dict(options))
    for found, expected in zip(segment_in_tiles(image, tile, **dict(options)), whole, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dims", [(0, 1), (0,), (1,)])
@pytest.mark.parametrize("frame", [True, False])
@pytest.mark.parametrize("levels", [12, 100_000])
def test_threads_that_share_an_image_change_nothing_in_its_segmentation(
    dims: tuple[int, ...], frame: bool, levels: int
) -> None:
    """Many components with several wanted features each, so that floods go side by side."""
    rng = np.random.default_rng(levels)
    smooth = gaussian_filter(rng.random((610, 480)), 1.5)
    grey = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    image = (np.floor(grey * levels) / levels).astype(np.float32)
    for connectivity in (4, 8):
        options: dict[str, Any] = {
            "threshold": 0.5, "keep": 0.1, "add": 0.05, "dims": dims, "frame": frame,
            "connectivity": connectivity,
        }  # fmt: skip
        whole = segment_in_tiles(image, image.shape, **options)
        assert len(whole[3]) > 1000
        for num_threads in (2, 4):
            shared = segment_in_tiles(image, (0, 0), num_threads, **options)
            for found, expected in zip(shared, whole, strict=True):
                np.testing.assert_array_equal(found, expected)
