"""Volumes in batches, on threads and in error: none of it may show in the result."""

from __future__ import annotations

import threading
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

import toponet

ENGINES = ["union_find", "reduction"]


def noise(batch: int = 7, shape: tuple[int, int, int] = (9, 7, 11)) -> NDArray[np.float32]:
    return np.random.default_rng(7).random((batch, *shape), dtype=np.float32)


def assert_same(a: toponet.PersistenceDiagrams, b: toponet.PersistenceDiagrams) -> None:
    for name in ("values", "pixels", "dimensions", "splits"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@pytest.mark.parametrize("num_threads", [2, 3, 16, None])
@pytest.mark.parametrize("algorithm", ENGINES)
@pytest.mark.parametrize("connectivity", [6, 26])
def test_the_number_of_threads_does_not_show(
    num_threads: int | None, algorithm: str, connectivity: int
) -> None:
    volumes = noise()
    alone, shared = (
        toponet.persistence(
            volumes, spatial_dims=3, connectivity=connectivity, algorithm=algorithm, num_threads=n
        )
        for n in (1, num_threads)
    )
    assert_same(shared, alone)
    one, several = (
        toponet.betti_numbers(
            volumes > 0.5, spatial_dims=3, connectivity=connectivity, num_threads=n
        )
        for n in (1, num_threads)
    )
    np.testing.assert_array_equal(several, one)


@pytest.mark.parametrize("dims", [(0, 1, 2), (0,), (1,), (2,)])
def test_one_volume_on_several_threads_is_the_same(dims: tuple[int, ...]) -> None:
    volume = noise(batch=1, shape=(24, 30, 27))
    alone = toponet.persistence(volume, spatial_dims=3, dims=dims, num_threads=1)
    for num_threads in (2, 3):
        shared = toponet.persistence(volume, spatial_dims=3, dims=dims, num_threads=num_threads)
        assert_same(shared, alone)


@pytest.mark.parametrize("algorithm", ENGINES)
def test_d_i_is_the_diagram_of_volume_i_whatever_stands_beside_it(algorithm: str) -> None:
    """In either order, and with volumes of another kind before it: no workspace shows."""
    volumes = noise(batch=5)
    volumes[1], volumes[3] = 0, np.round(volumes[3])
    masks = volumes > 0.5
    batch = toponet.persistence(volumes, spatial_dims=3, algorithm=algorithm, num_threads=1)
    turned = toponet.persistence(volumes[::-1], spatial_dims=3, algorithm=algorithm, num_threads=1)
    numbers = toponet.betti_numbers(masks, spatial_dims=3, num_threads=1)
    assert len(batch) == 5
    assert numbers.shape == (5, 3)
    for i, volume in enumerate(volumes):
        alone = toponet.persistence(volume, spatial_dims=3, algorithm=algorithm)
        assert_same(batch[i], alone)
        assert_same(turned[4 - i], alone)
        assert numbers[i].tolist() == toponet.betti_numbers(masks[i], spatial_dims=3)[0].tolist()


def test_images_before_and_after_volumes_are_the_same() -> None:
    volumes = noise(batch=2)
    before = toponet.persistence(volumes[0])
    first = toponet.persistence(volumes, spatial_dims=3)
    assert_same(toponet.persistence(volumes[0]), before)
    assert_same(toponet.persistence(volumes, spatial_dims=3), first)
    # Three axes are a batch of images, unless they are said to be a volume.
    assert len(before) == 9
    assert len(toponet.persistence(volumes[0], spatial_dims=3)) == 1


def test_the_gil_is_released() -> None:
    """Python goes on counting while the kernel works in another thread."""
    volumes = noise(batch=6, shape=(24, 28, 26))
    runner = threading.Thread(
        target=toponet.persistence, args=(volumes,), kwargs={"spatial_dims": 3, "num_threads": 1}
    )
    runner.start()
    steps = 0
    while runner.is_alive():
        steps += 1
    assert steps > 50


@pytest.mark.parametrize("num_threads", [1, 3])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("algorithm", ENGINES)
def test_the_first_bad_volume_is_named_from_any_thread(
    bad: float, num_threads: int, algorithm: str
) -> None:
    volumes = noise(batch=20, shape=(5, 6, 7))
    volumes[13, 3, 5, 2] = bad
    volumes[17, 0, 0, 0] = bad
    with pytest.raises(ValueError, match="volume 13 holds NaN or an infinite value"):
        toponet.persistence(volumes, spatial_dims=3, num_threads=num_threads, algorithm=algorithm)


@pytest.mark.parametrize("algorithm", ENGINES)
def test_a_voxel_above_the_frame_is_refused(algorithm: str) -> None:
    volumes = noise(batch=3)
    volumes[2, 4, 4, 4] = 1.5
    options: dict[str, Any] = {"spatial_dims": 3, "frame": True, "algorithm": algorithm}
    with pytest.raises(ValueError, match="volume 2 holds a value above frame_value"):
        toponet.persistence(volumes, **options)
    toponet.persistence(volumes, frame_value=1.5, **options)


def test_bytes_viewed_as_bool_are_masks() -> None:
    """Any byte but 0 is True; the kernel must neither loop nor miscount on 255."""
    shell = np.full((4, 5, 3), 255, dtype=np.uint8)
    shell[1:3, 1:4, 1] = 0
    assert toponet.betti_numbers(shell.view(np.bool_), spatial_dims=3).tolist() == [[1, 0, 1]]


def test_results_are_read_only() -> None:
    diagrams = toponet.persistence(noise(batch=1), spatial_dims=3)
    for name in ("values", "pixels", "dimensions", "splits"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(diagrams, name)[0] = 0


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda x: toponet.persistence(x[0, 0], spatial_dims=3), ValueError, r"\(D, H, W\)"),
        (lambda x: toponet.persistence(x[None], spatial_dims=3), ValueError, r"\(B, D, H, W\)"),
        (lambda x: toponet.betti_numbers(x[0, 0] > 0, spatial_dims=3), ValueError, r"\(D, H, W\)"),
        (lambda x: toponet.persistence(x), ValueError, r"\(H, W\) or \(B, H, W\)"),
        (
            lambda x: toponet.persistence(x, spatial_dims=4),
            ValueError,
            r"2 \(images\) or 3 \(volumes\), got 4",
        ),
        (
            lambda x: toponet.betti_numbers(x > 0, spatial_dims=1),
            ValueError,
            r"3 \(volumes\), got 1",
        ),
        (
            lambda x: toponet.persistence(x, spatial_dims=cast("Any", 3.0)),
            TypeError,
            "spatial_dims must be 2 or 3, got 3.0",
        ),
        (
            lambda x: toponet.persistence(x, spatial_dims=3, connectivity=8),
            ValueError,
            "one of 6, 26 for volumes, got 8",
        ),
        (
            lambda x: toponet.betti_numbers(x > 0, spatial_dims=3, connectivity=4),
            ValueError,
            "one of 6, 26 for volumes, got 4",
        ),
        (lambda x: toponet.persistence(x[0], connectivity=26), ValueError, "one of 4, 8, got 26"),
        (lambda x: toponet.persistence(x, spatial_dims=3, dims=(3,)), ValueError, "0, 1 and 2"),
        (lambda x: toponet.persistence(x, spatial_dims=3, dims=()), ValueError, "dims must be"),
        (lambda x: toponet.persistence(x, spatial_dims=3, dims=(1, 1)), ValueError, "dims must be"),
        (lambda x: toponet.persistence(x[0], dims=(2,)), ValueError, "dims must be"),
        (
            lambda x: toponet.persistence(x[:0], spatial_dims=3),
            ValueError,
            "at least one volume",
        ),
        (
            lambda x: toponet.persistence(x[:, :, :0], spatial_dims=3),
            ValueError,
            "at least one voxel",
        ),
        (
            lambda x: toponet.persistence(
                np.broadcast_to(x[0, 0, 0, 0], (2000, 1100, 1000)), spatial_dims=3
            ),
            ValueError,
            r"fewer than 2\*\*31 voxels",
        ),
        (
            lambda x: toponet.persistence(x.astype(np.int32), spatial_dims=3),
            TypeError,
            "float32 or float64, got int32",
        ),
        (lambda x: toponet.betti_numbers(x, spatial_dims=3), ValueError, "only 0 and 1, got 0"),
        (
            lambda x: toponet.persistence(x, spatial_dims=3, algorithm="magic"),
            ValueError,
            "'union_find'",
        ),
        (
            lambda x: toponet.persistence(x, spatial_dims=3, num_threads=0),
            ValueError,
            "at least 1, got 0",
        ),
    ],
)
def test_bad_input_gets_one_clear_sentence(
    call: Any, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence) as caught:
        call(noise(batch=2, shape=(4, 5, 3)))
    assert "\n" not in str(caught.value)
