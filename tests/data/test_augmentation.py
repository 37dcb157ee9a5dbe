"""Random changes of training patches: the truth goes where its image goes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from toponet.data import ImageSet, Normalisation, PatchSampler, synthetic_membranes
from toponet.data.augmentation import AUGMENTATIONS

UNCHANGED = Normalisation((0.0,), (1.0,))
MARGIN = 8


def patches(data: ImageSet, augmentation: str, count: int = 8, seed: int = 1) -> list[NDArray[Any]]:
    """Images without their margin, truths, and valid pixels if there are any; all (B, 1, H, W)."""
    sampler = PatchSampler(data, UNCHANGED, 33, MARGIN, augmentation=augmentation)
    sampler.reseed([seed])
    images, truths, valid = sampler.batch(count)
    inner = images[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    return [part.numpy() for part in (inner, truths, valid) if part is not None]


def drawn_from_truth(shape: tuple[int, int] = (60, 70)) -> ImageSet:
    """The image is its truth, and so are the valid pixels."""
    truth = synthetic_membranes(1, shape).masks[0]
    return ImageSet(("x",), (truth[None].astype(np.float32),), (truth,), (truth,))


def test_intensity_changes_the_image_alone() -> None:
    data = drawn_from_truth()
    images, truths, valid = patches(data, "intensity")
    plain_images, plain_truths, plain_valid = patches(data, "none")
    np.testing.assert_array_equal(truths, plain_truths)
    np.testing.assert_array_equal(valid, plain_valid)
    assert (images != plain_images).any()
    differences = [image - plain for image, plain in zip(images, plain_images, strict=True)]
    assert min(np.abs(d).max() for d in differences) < max(np.abs(d).max() for d in differences)


def test_truth_and_valid_pixels_move_with_their_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without noise and blur: then the image still is the truth, to the half of a pixel."""
    monkeypatch.setattr("toponet.data.augmentation._intensities", list)
    data = drawn_from_truth()
    images, truths, valid = patches(data, "all", count=40)
    plain = patches(data, "none", count=40)[1]
    np.testing.assert_array_equal(valid, truths)
    moved = [k for k in range(40) if (truths[k] != plain[k]).any()]
    assert 10 <= len(moved) <= 30  # Half of them.
    # Nearest and linear interpolation differ along borders only.
    assert ((images >= 0.5) != (truths == 1)).mean() < 0.06
    for k in moved:
        assert ((images[k] >= 0.5) != (plain[k] == 1)).mean() > 0.06


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_what_comes_out_is_a_patch(augmentation: str) -> None:
    images, truths, valid = patches(drawn_from_truth((33, 35)), augmentation)
    assert images.shape == truths.shape == valid.shape == (8, 1, 33, 33)
    assert images.dtype == truths.dtype == np.float32
    assert valid.dtype == np.bool_
    assert np.isfinite(images).all()
    assert set(np.unique(truths)) <= {0.0, 1.0}


@pytest.mark.parametrize("augmentation", ["intensity", "all"])
def test_changes_follow_from_the_seed(augmentation: str) -> None:
    data = drawn_from_truth()
    first, again, other = (patches(data, augmentation, seed=seed) for seed in (1, 1, 2))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert (first[0] != other[0]).any()


def test_an_augmentation_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="augmentation must be one of 'none', 'intensity', 'all'"):
        PatchSampler(drawn_from_truth(), UNCHANGED, 33, 0, augmentation="strong")
