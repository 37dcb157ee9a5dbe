"""Instance labels become the membranes between them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

import real_images
import toponet
from toponet.data import instance_borders, load_data

FLYEM = real_images.FOLDER / "flyem_medulla"


def test_both_sides_of_a_border_and_zero_are_membrane() -> None:
    labels = np.array(
        [
            [7, 7, 7, 7, 9, 9, 9],
            [7, 7, 7, 7, 9, 9, 9],
            [7, 7, 7, 7, 7, 7, 7],
            [7, 7, 7, 7, 7, 7, 7],
            [0, 7, 7, 7, 7, 7, 7],
        ],
        dtype=np.uint16,
    )
    expected = [
        [0, 0, 0, 1, 1, 0, 0],
        [0, 0, 0, 1, 1, 1, 1],
        [0, 0, 0, 0, 1, 1, 1],
        [1, 0, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0],
    ]
    np.testing.assert_array_equal(instance_borders(labels), expected)
    assert instance_borders(np.array([[3]])).tolist() == [[0]]
    # Not only where it meets an instance.
    assert instance_borders(np.zeros((2, 3), np.uint8)).tolist() == [[1, 1, 1], [1, 1, 1]]


def test_borders_do_not_depend_on_axes_or_on_the_order_of_labels() -> None:
    labels = np.random.default_rng(0).integers(0, 4, (9, 14)).repeat(3, 0).repeat(2, 1)
    borders = instance_borders(labels)
    for turn in (np.transpose, np.flipud, np.fliplr):
        np.testing.assert_array_equal(instance_borders(turn(labels)), turn(borders))
    np.testing.assert_array_equal(instance_borders(np.array([0, 3, 1, 2])[labels]), borders)


def test_ids_beyond_the_precision_of_floating_point_differ() -> None:
    labels = np.full((1, 6), 2**63, dtype=np.uint64)
    labels[:, 3:] += 1
    assert instance_borders(labels).tolist() == [[0, 0, 1, 1, 0, 0]]


@pytest.mark.parametrize("connectivity", [4, 8])
def test_what_is_left_of_two_instances_never_touches(connectivity: int) -> None:
    """Oracle: each cell between the membranes, under the dual connectivity, has one label."""
    from skimage.measure import label

    labels = np.random.default_rng(1).integers(1, 4, (12, 15)).repeat(4, 0).repeat(4, 1)
    cells = label(instance_borders(labels) == 0, connectivity=1 if connectivity == 8 else 2)
    assert all(len(np.unique(labels[cells == c])) == 1 for c in range(1, cells.max() + 1))


def write(folder: Path, labels: NDArray[np.generic], name: str = "a.png") -> None:
    for kind in ("images", "instances"):
        (folder / kind).mkdir(exist_ok=True)
    Image.fromarray(np.zeros((2, 4), np.uint8)).save(folder / "images" / "a.png")
    if name.endswith(".png"):
        Image.fromarray(labels).save(folder / "instances" / name)
    else:
        tifffile.imwrite(folder / "instances" / name, labels)


def test_an_instance_folder_is_read(tmp_path: Path) -> None:
    write(tmp_path, np.array([[1, 1, 300, 300]] * 2, np.uint16))
    data = load_data(f"instances:{tmp_path}")
    assert data.masks[0].tolist() == [[0, 1, 1, 0]] * 2
    assert data.names == ("a",)


@pytest.mark.parametrize(
    ("name", "labels", "sentence"),
    [
        ("b.png", np.ones((2, 4), np.uint8), r"a\.png has no partner of that name in .*instances"),
        ("a.png", np.ones((2, 5), np.uint8), r"a\.png has 2 x 5 pixels, its image 2 x 4"),
        ("a.png", np.arange(24, dtype=np.uint8).reshape(2, 4, 3), r"a\.png must be .*got colours"),
        ("a.tif", np.ones((2, 4), np.float32), r"a\.tif must hold whole numbers, got float32"),
    ],
)
def test_bad_instance_folders_get_one_clear_sentence(
    tmp_path: Path, name: str, labels: NDArray[np.generic], sentence: str
) -> None:
    write(tmp_path, labels, name)
    with pytest.raises(ValueError, match=sentence):
        load_data(f"instances:{tmp_path}")


@real_images.needs("flyem_medulla")
def test_real_instances_become_the_membranes_that_came_with_them() -> None:
    """Oracle: the labels/ beside the instances/, and one cell or more for most instances."""
    made, given = load_data(f"instances:{FLYEM}"), load_data(str(FLYEM))
    assert made.names == given.names
    for ours, theirs in zip(made.masks, given.masks, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert toponet.betti_numbers(ours, frame=True)[0][1] > 20
