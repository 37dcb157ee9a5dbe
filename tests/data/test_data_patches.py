"""Random patches: what they are cut from, and which pixels of them count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from toponet.data import ImageSet, Normalisation, PatchSampler, pad_reflected

UNCHANGED = Normalisation((0.0,), (1.0,))


def coordinates(height: int, width: int) -> ImageSet:
    """Every pixel's value is its own flat index; the truth is its last bit."""
    image = np.arange(height * width, dtype=np.float32).reshape(1, height, width)
    return ImageSet(("x",), (image,), (image[0].astype(np.uint8) % 2,))


def test_patches_are_truths_with_their_surroundings() -> None:
    data = coordinates(20, 31)
    sampler = PatchSampler(data, UNCHANGED, patch_size=6, margin=4)
    sampler.reseed([1])
    images, truths, valid = sampler.batch(200)
    assert valid is None
    assert images.shape == (200, 1, 14, 14)
    assert truths.shape == (200, 1, 6, 6)
    np.testing.assert_array_equal(images[:, :, 4:-4, 4:-4].numpy() % 2, truths.numpy())
    padded = pad_reflected(data.images[0], 4)[0]
    places = np.lib.stride_tricks.sliding_window_view(padded, (14, 14)).reshape(-1, 14, 14)
    known = {np.rot90(p, k)[:, :: 1 - 2 * f].tobytes() for p in places for k in range(4)
             for f in (0, 1)}  # fmt: skip
    assert all(np.ascontiguousarray(i[0]).tobytes() in known for i in images.numpy())
    upper_left = {float(i[0].min()) for i in images.numpy()}
    assert len(upper_left) > 60  # Of 15 x 26 places.


def test_patches_follow_from_the_seed() -> None:
    sampler = PatchSampler(coordinates(20, 31), UNCHANGED, 6, 2)
    batches = []
    for seed in ([1, 1], [1, 2], [1, 1]):
        sampler.reseed(seed)
        batches.append(sampler.batch(4).images.numpy())
    np.testing.assert_array_equal(batches[0], batches[2])
    assert (batches[0] != batches[1]).any()


def test_valid_pixels_turn_with_their_patch_and_none_means_all() -> None:
    """The image tells each pixel's place, so the valid mask can be looked up."""
    one, two = coordinates(20, 31), coordinates(9, 12)
    valid = (np.random.default_rng(0).random((20, 31)) < 0.5).astype(np.uint8)
    data = ImageSet(
        ("one", "two"), (one.images[0], -two.images[0]), one.masks + two.masks, (valid, None)
    )
    sampler = PatchSampler(data, UNCHANGED, patch_size=6, margin=4)
    sampler.reseed([2])
    images, _, counted = sampler.batch(100)
    assert counted is not None
    assert (counted.shape, counted.dtype) == ((100, 1, 6, 6), torch.bool)
    places = images[:, :, 4:-4, 4:-4].numpy().astype(int)
    from_two = places.min(axis=(1, 2, 3)) < 0
    assert from_two.any()
    assert counted.numpy()[from_two].all()
    np.testing.assert_array_equal(
        counted.numpy()[~from_two], valid.ravel()[places[~from_two]].astype(bool)
    )


def test_patches_without_a_valid_pixel_are_drawn_again() -> None:
    data = coordinates(20, 31)
    valid = np.zeros((20, 31), np.uint8)
    valid[3, 4] = 1
    sampler = PatchSampler(replace(data, valid=(valid,)), UNCHANGED, 6, 0)
    sampler.reseed([3])
    first = sampler.batch(50)
    assert first.valid is not None
    assert first.valid.flatten(1).any(dim=1).all()
    sampler.reseed([3])
    torch.testing.assert_close(sampler.batch(50).images, first.images)
    everywhere = PatchSampler(replace(data, valid=(np.ones((20, 31), np.uint8),)), UNCHANGED, 6, 0)
    without = PatchSampler(data, UNCHANGED, 6, 0)
    for sampler in (everywhere, without):
        sampler.reseed([3])
    torch.testing.assert_close(everywhere.batch(5).images, without.batch(5).images)


def test_an_image_smaller_than_a_patch_is_named() -> None:
    with pytest.raises(ValueError, match="image x has 20 x 5 pixels, smaller than a patch of 6"):
        PatchSampler(coordinates(20, 5), UNCHANGED, 6, 2)


def test_an_image_without_a_valid_pixel_is_named() -> None:
    data = replace(coordinates(20, 31), valid=(np.zeros((20, 31), np.uint8),))
    with pytest.raises(ValueError, match="image x has no valid pixel"):
        PatchSampler(data, UNCHANGED, 6, 2)


def test_torchs_default_device_does_not_reach_into_patches() -> None:
    data = replace(coordinates(20, 31), valid=(np.ones((20, 31), np.uint8),))
    sampler = PatchSampler(data, UNCHANGED, 6, 2)
    sampler.reseed([1])
    expected = sampler.batch(3)
    sampler.reseed([1])
    with torch.device("meta"):
        found = sampler.batch(3)
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_all_eight_symmetries_of_a_patch_are_equally_likely() -> None:
    sampler = PatchSampler(coordinates(6, 6), UNCHANGED, 6, 0)
    sampler.reseed([1])
    patches = [image.tobytes() for image in sampler.batch(800).images.numpy()]
    whole = coordinates(6, 6).images[0]
    eight = {np.rot90(whole, k, axes=(1, 2))[..., :: 1 - 2 * f].tobytes() for k in range(4)
             for f in (0, 1)}  # fmt: skip
    assert len(eight) == 8
    assert set(patches) == eight
    assert max(abs(patches.count(one) - 100) for one in eight) < 4 * 9.4  # 4 deviations.


def test_all_places_of_all_images_are_equally_likely() -> None:
    """The first and the last row and column too; and a large image more often than a small one."""
    one, two = coordinates(6, 6), coordinates(8, 10)
    data = ImageSet(("one", "two"), (-one.images[0], two.images[0]), one.masks + two.masks)
    sampler = PatchSampler(data, UNCHANGED, 6, 0)
    sampler.reseed([1])
    images = sampler.batch(3200).images.numpy()
    # The smallest of a patch's distinct values tells its upper left pixel.
    from_one = int((images.max(axis=(1, 2, 3)) <= 0).sum())
    corners = [int(image.min()) for image in images if image.max() > 0]
    places = [10 * row + column for row in range(3) for column in range(5)]
    assert set(corners) == set(places)
    expected, deviation = 200, 13.7
    assert abs(from_one - expected) < 4 * deviation
    assert max(abs(corners.count(place) - expected) for place in places) < 4 * deviation


@pytest.mark.parametrize("margin", [0, 1, 3, 7])
def test_the_margin_is_the_image_reflected_at_its_border_pixels(margin: int) -> None:
    """The border pixel itself isn't repeated; images smaller than the margin are reflected on."""
    image = np.random.default_rng(0).random((2, 4, 5)).astype(np.float32)
    padded = pad_reflected(image, margin)
    assert padded.shape == (2, 4 + 2 * margin, 5 + 2 * margin)

    def reflected(i: int, side: int) -> int:
        i = abs(i) % (2 * side - 2)
        return min(i, 2 * side - 2 - i)

    for r in range(-margin, 4 + margin):
        for c in range(-margin, 5 + margin):
            expected = image[:, reflected(r, 4), reflected(c, 5)]
            np.testing.assert_array_equal(padded[:, r + margin, c + margin], expected)


def test_brightness_and_contrast_change_each_patch_within_their_bounds() -> None:
    """What undoes the change tells what it was; the truths are those without it."""
    data = coordinates(20, 31)
    plain, bright, contrast = (
        PatchSampler(data, Normalisation.of(data.images), 6, 4, brightness, contrast)
        for brightness, contrast in ((0, 0), (0.5, 0), (0, 0.25))
    )
    for sampler in (plain, bright, contrast):
        sampler.reseed([3, 1])
    expected = plain.batch(60)
    images = expected.images.numpy()
    means, deviations = images.mean(axis=(1, 2, 3)), images.std(axis=(1, 2, 3))
    for sampler, most_shift, most_factor in ((bright, 0.5, 0), (contrast, 0, 0.25)):
        batch = sampler.batch(60)
        torch.testing.assert_close(batch.truths, expected.truths)
        changed = batch.images.numpy()
        shifts = changed.mean(axis=(1, 2, 3)) - means
        factors = changed.std(axis=(1, 2, 3)) / deviations - 1
        for found, most in ((shifts, most_shift), (factors, most_factor)):
            assert np.abs(found).max() <= most + 1e-4
            if most:  # Each patch; as many up as down, and all sizes.
                assert (np.abs(found) > 1e-5 * most).all()
                assert found.min() < -0.8 * most
                assert found.max() > 0.8 * most
                assert np.abs(np.median(found)) < 0.4 * most
        undone = (changed - changed.mean(axis=(1, 2, 3), keepdims=True)) / changed.std(
            axis=(1, 2, 3), keepdims=True
        )
        centred = (images - means[:, None, None, None]) / deviations[:, None, None, None]
        np.testing.assert_allclose(undone, centred, atol=1e-3)


def test_brightness_and_contrast_follow_from_the_seed() -> None:
    data = coordinates(20, 31)
    sampler = PatchSampler(data, UNCHANGED, 6, 2, brightness=1.0, contrast=0.5)
    batches = []
    for seed in ([1, 1], [1, 2], [1, 1]):
        sampler.reseed(seed)
        batches.append(sampler.batch(4).images.numpy())
    np.testing.assert_array_equal(batches[0], batches[2])
    assert (batches[0] != batches[1]).any()


@pytest.mark.parametrize(
    ("brightness", "contrast", "sentence"),
    [(-0.1, 0, "brightness"), (np.inf, 0, "brightness"), (0, 1.0, "contrast"), (0, -1, "contrast")],
)
def test_impossible_brightness_and_contrast_are_refused(
    brightness: float, contrast: float, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        PatchSampler(coordinates(20, 31), UNCHANGED, 6, 2, brightness, contrast)
