"""What serves image after image, such as an engine, may keep nothing of the last one.

The calling thread keeps engine, matcher and segmenter from call to call; a new thread has new ones.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import reference
import strategies
import toponet
from toponet.losses.functional import topological_loss
from toponet.metrics import betti_matching_error

Images = NDArray[np.float64]


def assert_same(a: toponet.PersistenceDiagrams, b: toponet.PersistenceDiagrams) -> None:
    for name in ("values", "pixels", "dimensions", "splits"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def winding_images() -> NDArray[np.float64]:
    """Long paths that lead elsewhere in each image: the end of another's path is a wrong one."""
    ridge = strategies.serpentine(9, 17)
    turned = (ridge, ridge[::-1], ridge[:, ::-1], ridge.T, ridge.T[::-1])
    return np.array([0.5 + 0.4 * sign * image for image in turned for sign in (1, -1)])


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("frame", [True, False])
def test_long_paths_of_one_image_are_forgotten_in_the_next(connectivity: int, frame: bool) -> None:
    images = winding_images()
    options: dict[str, Any] = {"connectivity": connectivity, "frame": frame}
    together = toponet.persistence(images, num_threads=1, **options)
    for i, image in enumerate(images):
        assert_same(together[i], toponet.persistence(image, **options))
        rows = [
            (int(d), int(b), int(x))
            for d, (b, x) in zip(together[i].dimensions, together[i].pixels, strict=True)
        ]
        assert rows == reference.persistence(image, connectivity, frame)


@pytest.mark.parametrize("patch_size", [7, 31, 64, 150])
@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_patches_of_several_sizes_are_what_they_are_alone(
    patch_size: int, connectivity: int, dtype: torch.dtype
) -> None:
    """Of one call and one thread: noise, long paths, flat and full parts by turns."""
    rng = np.random.default_rng(patch_size)
    image = rng.integers(0, 9, (100, 131)) / 8
    image[:33, :61] = 0.5 + 0.4 * strategies.serpentine(17, 61)
    image[60:80, 20:90] = 0.5
    image[80:] = np.linspace(0, 1, 131)
    mask = rng.random(image.shape) > 0.6
    mask[:40, 60:] = False
    f = torch.from_numpy(image).to(dtype)[None].requires_grad_()
    g = torch.from_numpy(mask)[None]
    options: dict[str, Any] = {"connectivity": connectivity, "num_threads": 1}
    loss = topological_loss(f, g, patch_size=patch_size, **options)
    loss.backward()
    boxes = toponet.TopologicalLoss(patch_size=patch_size).explain(f, g)
    assert len({box.shape for box in boxes}) > 1 or patch_size in (7, 150)
    alone = f.detach().clone().requires_grad_()
    total = torch.zeros((), dtype=dtype)
    for box in boxes:
        (r, c), (h, w) = box.corner, box.shape
        total = total + topological_loss(
            alone[:, r : r + h, c : c + w], g[:, r : r + h, c : c + w], **options
        ) / len(boxes)
    total.backward()
    torch.testing.assert_close(loss, total)
    torch.testing.assert_close(f.grad, alone.grad)


def test_calls_one_after_the_other_know_nothing_of_each_other() -> None:
    """Sizes, dtypes, connectivities and frames by turns; oracle: the definition."""
    rng = np.random.default_rng(3)
    for turn in range(60):
        shape = ((9, 14), (14, 9), (3, 70), (1, 20), (12, 12))[turn % 5]
        dtype: Any = np.float32 if turn % 2 else np.float64
        image = (rng.integers(0, 6, shape) / 5).astype(dtype)
        connectivity, frame = (4, 8)[turn // 2 % 2], turn % 3 == 0
        diagrams = toponet.persistence(image, connectivity=connectivity, frame=frame)
        expected = reference.persistence(image, connectivity, frame)
        found = np.column_stack([diagrams.dimensions, diagrams.pixels])
        assert found.tolist() == [list(row) for row in expected]


def persistence(images: Images) -> list[Any]:
    return [diagram.values for diagram in toponet.persistence(images)]


def matching(images: Images) -> list[Any]:
    return [match.pairs for match in toponet.betti_matching(images, images[:, ::-1, ::-1])]


def matching_error(images: Images) -> list[Any]:
    masks = images > 0.5
    return [tuple(betti_matching_error(masks, masks[:, ::-1], patches="whole"))]


def segmentation(images: Images) -> list[Any]:
    result = toponet.segment(images, keep=0.3, add=0.2)
    rows = result.decisions
    return [result.likelihood, result.cells, rows.action, rows.cost, rows.pixels]


def in_a_new_thread(call: Callable[[Images], list[Any]], images: Images) -> list[Any]:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call, images).result()


@pytest.mark.parametrize(
    "call",
    [persistence, matching, matching_error, segmentation],
    ids=lambda call: call.__name__,
)
def test_what_an_earlier_call_left_changes_nothing(call: Callable[[Images], list[Any]]) -> None:
    """Smaller, larger, after an error, and too large to be kept."""
    rng = np.random.default_rng(5)
    for shape in ((2, 9, 31), (1, 40, 7), (3, 5, 5), (1, 900, 600), (2, 9, 31)):
        images = rng.integers(0, 6, shape) / 5
        if call is not matching_error:
            wrong = images.copy()
            wrong[-1, -1, -1] = np.nan
            with pytest.raises(ValueError, match="NaN"):
                call(wrong)
        found, expected = call(images), in_a_new_thread(call, images)
        assert len(found) == len(expected) > 0
        for one, other in zip(found, expected, strict=True):
            assert np.array_equal(one, other)


def test_threads_of_python_have_workspaces_of_their_own() -> None:
    rng = np.random.default_rng(6)
    batches = [rng.integers(0, 6, (1, 60 + i, 50)) / 5 for i in range(40)]
    expected = [persistence(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(persistence, batches))
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one[0], other[0])
