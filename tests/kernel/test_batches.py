"""Threads, batches and processes: none of them may show in the result."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

import toponet


def noise(batch: int = 40, shape: tuple[int, int] = (65, 131)) -> NDArray[np.float32]:
    return np.random.default_rng(7).random((batch, *shape), dtype=np.float32)


def assert_same(a: toponet.PersistenceDiagrams, b: toponet.PersistenceDiagrams) -> None:
    for name in ("values", "pixels", "dimensions", "splits"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@pytest.mark.parametrize("num_threads", [2, 3, 16, None])
@pytest.mark.parametrize("algorithm", ["union_find", "reduction"])
def test_the_number_of_threads_does_not_show(num_threads: int | None, algorithm: str) -> None:
    images = noise(shape=(21, 17) if algorithm == "reduction" else (65, 131))
    alone = toponet.persistence(images, algorithm=algorithm, num_threads=1)
    assert_same(toponet.persistence(images, algorithm=algorithm, num_threads=num_threads), alone)
    masks = images > 0.5
    np.testing.assert_array_equal(
        toponet.betti_numbers(masks, num_threads=num_threads),
        toponet.betti_numbers(masks, num_threads=1),
    )


def thread_names() -> int:
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) for line in status if line.startswith("Threads"))


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="counts threads in /proc, which only Linux has"
)
@pytest.mark.parametrize(("num_threads", "started"), [(1, False), (4, True)])
def test_one_thread_starts_none_and_several_do(num_threads: int, started: bool) -> None:
    """Watches the process while a long batch runs in a thread of its own."""
    images = noise(batch=64, shape=(257, 257))
    runner = threading.Thread(
        target=toponet.persistence, args=(images,), kwargs={"num_threads": num_threads}
    )
    before = thread_names()
    runner.start()
    most = 0
    while runner.is_alive():
        most = max(most, thread_names())
    runner.join()
    assert (most > before + 1) == started


def test_d_i_is_the_diagram_of_image_i() -> None:
    images = noise(batch=5)
    batch = toponet.persistence(images)
    assert len(batch) == 5
    for image, diagrams in zip(images, batch, strict=True):
        assert_same(diagrams, toponet.persistence(image))
    assert_same(batch[-1], batch[4])
    with pytest.raises(IndexError):
        batch[5]


def test_the_order_of_the_batch_does_not_matter() -> None:
    images = noise(batch=6)
    forward, backward = toponet.persistence(images), toponet.persistence(images[::-1])
    for i in range(6):
        assert_same(forward[i], backward[5 - i])


def test_several_python_threads_may_call_at_once() -> None:
    images = noise()
    expected = toponet.persistence(images, num_threads=1)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: toponet.persistence(images, num_threads=2), range(12)):
            assert_same(result, expected)


def test_the_gil_is_released() -> None:
    """Python goes on counting while the kernel works on a slow batch in another thread."""
    images = noise(batch=64, shape=(257, 257))
    runner = threading.Thread(target=toponet.persistence, args=(images,), kwargs={"num_threads": 1})
    runner.start()
    steps = 0
    while runner.is_alive():
        steps += 1
    assert steps > 50


def first_births(images: NDArray[np.float32], queue: Any) -> None:
    queue.put(toponet.persistence(images, num_threads=2).values[:5].tolist())


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(),
    reason="runs where processes can fork: not on Windows",
)
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_it_works_in_a_forked_child() -> None:
    images = noise()
    expected = toponet.persistence(images, num_threads=2).values[:5].tolist()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=first_births, args=(images, queue))
    child.start()
    assert queue.get(timeout=60) == expected
    child.join(timeout=60)
    assert child.exitcode == 0


@pytest.mark.parametrize("num_threads", [1, 4])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("algorithm", ["union_find", "reduction"])
def test_the_first_bad_image_is_named_from_any_thread(
    bad: float, num_threads: int, algorithm: str
) -> None:
    images = noise(batch=40, shape=(20, 30) if algorithm == "reduction" else (80, 90))
    images[23, 3, 5] = bad
    images[31, 0, 0] = bad
    with pytest.raises(ValueError, match="image 23 holds NaN or an infinite value"):
        toponet.persistence(images, num_threads=num_threads, algorithm=algorithm)


def test_diagrams_are_sliced_by_image() -> None:
    batch = toponet.persistence(noise(batch=5))
    assert_same(batch[1:3], toponet.persistence(noise(batch=5)[1:3]))
    with pytest.raises(ValueError, match="steps of 1"):
        batch[::2]


def test_bytes_viewed_as_bool_are_masks() -> None:
    """Any byte but 0 is True; the kernel must neither loop nor miscount on 255."""
    mask = (np.eye(9, 11) * 255).astype(np.uint8).view(np.bool_)
    assert toponet.betti_numbers(mask, frame=True).tolist() == [[0, 2]]


@pytest.mark.parametrize("algorithm", ["union_find", "reduction"])
def test_a_large_image_is_shared_by_threads(algorithm: str) -> None:
    """Rows in strips, both dimensions side by side: the same result."""
    size = 90 if algorithm == "reduction" else 520
    image = np.random.default_rng(0).integers(0, 50, (size, size)) / 50
    for dims in ((0, 1), (0,), (1,)):
        alone = toponet.persistence(image, dims=dims, algorithm=algorithm, num_threads=1)
        shared = toponet.persistence(image, dims=dims, algorithm=algorithm, num_threads=4)
        assert_same(shared, alone)


@pytest.mark.parametrize("algorithm", ["union_find", "reduction"])
def test_a_pixel_above_the_frame_is_refused(algorithm: str) -> None:
    images = noise(batch=3)
    images[2, 4, 4] = 1.5
    with pytest.raises(ValueError, match="image 2 holds a value above frame_value"):
        toponet.persistence(images, frame=True, algorithm=algorithm)
    toponet.persistence(images, frame=True, frame_value=1.5, algorithm=algorithm)


def test_results_are_read_only() -> None:
    diagrams = toponet.persistence(noise(batch=1))
    for same in (diagrams, copy.deepcopy(diagrams), pickle.loads(pickle.dumps(diagrams))):
        assert_same(same, diagrams)
        with pytest.raises(ValueError, match="read-only"):
            same.values[0, 0] = 0
    with pytest.raises(AttributeError):
        diagrams.values = diagrams.values  # type: ignore[misc]
    assert repr(diagrams).startswith("PersistenceDiagrams(1 images, ")


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda x: toponet.persistence(x.astype(int)), TypeError, "float32 or float64, got int64"),
        (lambda x: toponet.persistence(x[None]), ValueError, r"\(H, W\) or \(B, H, W\)"),
        (lambda x: toponet.persistence(x[:0]), ValueError, "at least one image"),
        (lambda x: toponet.persistence(x[:, :0]), ValueError, "at least one pixel"),
        (lambda x: toponet.persistence(x, connectivity=6), ValueError, "one of 4, 8, got 6"),
        (lambda x: toponet.persistence(x, dims=()), ValueError, r"\(0, 1\), got \(\)"),
        (
            lambda x: toponet.persistence(x, dims=cast("Any", 1)),
            TypeError,
            "dims must be a sequence",
        ),
        (lambda x: toponet.persistence(x, dims=(0, 2)), ValueError, "dims must be"),
        (lambda x: toponet.persistence(x, algorithm="magic"), ValueError, "'union_find'"),
        (lambda x: toponet.persistence(x, num_threads=0), ValueError, "at least 1, got 0"),
        (lambda x: toponet.persistence(x, num_threads=cast("Any", 1.5)), TypeError, "whole"),
        (lambda x: toponet.persistence(x, frame_value=np.nan), ValueError, "frame_value"),
        (lambda x: toponet.betti_numbers(x), ValueError, "only 0 and 1, got 0"),
        (lambda x: toponet.betti_numbers(x > 2, connectivity=5), ValueError, "one of 4, 8"),
        (
            lambda x: toponet.persistence(x, connectivity=cast("Any", 8.0)),
            TypeError,
            "whole number",
        ),
        (lambda x: toponet.persistence(x, frame=cast("Any", 1)), TypeError, "True or False, got 1"),
        (lambda x: toponet.persistence(x, frame_value=cast("Any", "1")), TypeError, "a number"),
        (lambda x: toponet.persistence(x, frame=True, frame_value=1e39), ValueError, "in float32"),
        (lambda x: toponet.persistence(x, dims=cast("Any", [True])), ValueError, "dims must be"),
        (lambda x: toponet.betti_numbers(x > 2, frame=cast("Any", None)), TypeError, "got None"),
        (
            lambda x: toponet.betti_numbers(x.astype(str)),
            TypeError,
            "must hold real numbers, got <U",
        ),
    ],
)
def test_bad_input_gets_one_clear_sentence(
    call: Any, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        call(noise(batch=2, shape=(4, 5)))
