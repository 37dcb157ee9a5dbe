"""Where numbers get large or close: wide rows, seams of bits, values that differ in one byte."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import reference
import toponet

WIDTHS = [63, 64, 65, 66, 127, 128, 129, 191, 193, 4095, 4097, 65537]


def counted(mask: NDArray[np.bool_], connectivity: int, frame: bool) -> tuple[int, int]:
    """Oracle: components of structure and background by scipy."""
    padded = np.pad(mask, 1, constant_values=frame)
    around = padded if frame else np.pad(mask, 1)
    eight, four = np.ones((3, 3)), ndimage.generate_binary_structure(2, 1)
    structure = (eight, four) if connectivity == 8 else (four, eight)
    components = ndimage.label(padded, structure[0])[1]
    background = ndimage.label(~around, structure[1])[1]
    # The outside is no hole; the frame's component isn't counted.
    return components - frame, background - (not frame)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("frame", [True, False])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_betti_numbers_of_wide_rows_are_those_of_labelling(
    width: int, connectivity: int, frame: bool, share: float
) -> None:
    """Rows are read 64 pixels at a time: runs go on across the seams and up to the last pixel."""
    rng = np.random.default_rng(width)
    masks = rng.random((3, 5, width)) < share
    masks[1, :, -1] = masks[2, ::2] = True
    masks[2, 1::2, 1:-1] = False
    found = toponet.betti_numbers(masks, connectivity=connectivity, frame=frame)
    assert [tuple(row) for row in found.tolist()] == [
        counted(mask, connectivity, frame) for mask in masks
    ]


@pytest.mark.parametrize("at", [1, 62, 63, 64, 65, 126, 127, 128, 129])
def test_a_run_across_a_seam_is_one_component_and_the_last_pixel_is_one(at: int) -> None:
    mask = np.zeros((3, 131), dtype=bool)
    mask[1, at - 1 : at + 1] = True
    assert toponet.betti_numbers(mask).tolist() == [[1, 0]]
    last = np.zeros((3, at + 1), dtype=bool)
    last[1, at] = True
    assert toponet.betti_numbers(last).tolist() == [[1, 0]]


def test_the_first_run_of_a_row_closes_a_hole() -> None:
    """As do the last and one between; without a frame, where no run comes before the first."""
    mask = np.zeros((4, 11), dtype=bool)
    for left in (0, 4, 8):
        mask[:3, left : left + 3] = True
        mask[1, left + 1] = False
    assert toponet.betti_numbers(mask).tolist() == [[3, 3]]
    assert toponet.betti_numbers(mask[:, :3]).tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        *product([(7, 65), (5, 4097), (3, 65537)], [np.float32, np.float64]),
        # Divided in single precision, pixels of the last column lie a row lower here.
        ((40, 262031), np.float32),
    ],
)
def test_critical_pixels_of_wide_images_hold_their_values(
    shape: tuple[int, int], dtype: type[np.floating[Any]]
) -> None:
    """All values near the rows' ends differ: a pixel of the wrong row would hold another one."""
    image = np.zeros(shape, dtype=dtype)
    rng = np.random.default_rng(1)
    for part in (image[:, :6], image[:, -6:]):
        part[:] = (1 + rng.permutation(part.size).reshape(part.shape)) / (2 * part.size)
    image[:, -6:] += dtype(0.5)
    diagrams = toponet.persistence(image, num_threads=1)
    known = diagrams.pixels >= 0
    assert known.sum() > shape[0]
    np.testing.assert_array_equal(image.ravel()[diagrams.pixels[known]], diagrams.values[known])
    # On its side, the same pixels are found in rows of a few columns.
    if image.size < 2**20:
        height, width = shape
        upright = toponet.persistence(np.ascontiguousarray(image.T))
        column, row = np.divmod(upright.pixels, height)
        turned = np.where(upright.pixels < 0, -1, row * width + column)
        positive = (upright.values[:, 1] > 0) | (upright.dimensions == 0)
        expected = {tuple(pair) for pair in diagrams.pixels[diagrams.values[:, 1] > 0].tolist()}
        assert expected <= {tuple(pair) for pair in turned[positive].tolist()}
        assert expected


@pytest.mark.parametrize(("dtype", "digits"), [(np.float32, 4), (np.float64, 8)])
def test_values_that_differ_in_one_byte_alone_are_sorted_by_it(
    dtype: type[np.floating[Any]], digits: int
) -> None:
    """Each byte of the sort's keys; oracle: the definition, on all bytes and on one at a time."""
    rng = np.random.default_rng(0)
    bits: Any = np.uint32 if digits == 4 else np.uint64
    # Whatever one byte is, the number is finite.
    base = bits(0x3A11375B) if digits == 4 else bits(0x3A11375B0F2D6E91)
    for digit in range(digits):
        keys = base & ~bits(0xFF << 8 * digit)
        bytes_ = rng.permutation(256)[: 13 * 17].astype(bits) << bits(8 * digit)
        image = (keys | bytes_).view(dtype).reshape(13, 17)
        assert np.isfinite(image).all()
        for connectivity in (4, 8):
            diagrams = toponet.persistence(image, connectivity=connectivity)
            found = np.column_stack([diagrams.dimensions, diagrams.pixels]).tolist()
            assert found == [list(row) for row in reference.persistence(image, connectivity)]
            assert len(found) > 20
