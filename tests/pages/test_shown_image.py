"""What a page holds of one image says what the arrays say."""

from __future__ import annotations

import base64
import io
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import toponet
from sample_pages import OPTIONS, SIZE, guess, shown_image, walls
from toponet.pages import ShownImage, most_pixels, with_pictures
from toponet.pages import shown_image as module
from toponet.plots.style import ACTION_STYLES, DOT_STYLES, MISTAKE_STYLES
from toponet.topology.mistakes import find_mistakes
from toponet.topology.segmentation import SegmentationOptions

PLENTY = 10_000


def bits(packed: dict[str, Any]) -> NDArray[np.uint8]:
    rows, columns = (-(-packed[side] // packed["shrink"]) for side in ("height", "width"))
    content = zlib.decompress(base64.b64decode(packed["bits"]))
    return np.frombuffer(content, dtype=np.uint8).reshape(rows, columns)


def picture(url: str) -> NDArray[Any]:
    head, _, content = url.partition(",")
    assert head == "data:image/webp;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        return np.asarray(image)


def test_masks_truth_and_valid_are_bits_of_a_pixel() -> None:
    valid = np.ones(SIZE, np.uint8)
    valid[:, 30:] = 0
    image = shown_image(valid=valid)
    packed = image.packed(PLENTY)
    assert packed["masks"] == ["cut at 0.5", "by persistence"]
    for bit, mask in ((0, image.truth), (1, valid), *enumerate(image.masks.values(), start=2)):
        np.testing.assert_array_equal(bits(packed) >> bit & 1, mask)


def test_changed_pixels_have_the_number_of_their_colour() -> None:
    packed, decisions = shown_image().packed(PLENTY), shown_image().decisions
    assert decisions is not None
    assert {"closed", "removed"} <= set(decisions.action)
    colours = np.zeros(SIZE, np.uint8).ravel()
    for row, action in enumerate(decisions.action):
        colour = module.CHANGE_COLOURS.index(ACTION_STYLES[action][0])
        colours[decisions.changed(row)] = 1 + colour
    np.testing.assert_array_equal(bits(packed) >> 4, colours.reshape(SIZE))


def test_pixels_that_dont_count_are_structure_for_persistence() -> None:
    """As in the segmentation that is reported."""
    valid = np.ones(SIZE, np.uint8)
    valid[:20] = 0
    image = shown_image(valid=valid)
    counted = np.where(valid, guess(walls(*SIZE)), np.float32(1))
    settled = toponet.segment(
        counted, threshold=OPTIONS.threshold, keep=OPTIONS.keep, add=OPTIONS.add
    )
    np.testing.assert_array_equal(image.masks["by persistence"], settled.mask)


def test_the_likelihood_is_dark_where_it_is_high_and_the_image_as_it_is() -> None:
    packed, image = shown_image().packed(PLENTY), shown_image()
    shown = picture(packed["likelihood"])[..., 0].astype(float)
    assert np.abs(shown - 255 * (1 - 0.85 * image.likelihood)).mean() < 6
    assert image.image is not None
    assert np.corrcoef(picture(packed["image"])[..., 0].ravel(), image.image.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_images_of_any_channels_are_shown(channels: int) -> None:
    image = np.zeros((channels, *SIZE), np.float32)
    image[0, :20] = 1000
    shown = picture(shown_image(image=image).packed(PLENTY)["image"])
    assert shown.shape == (*SIZE, 3)
    assert int(shown[5, 5, 0]) - int(shown[35, 5, 0]) > 200


def test_mistakes_are_those_of_each_mask() -> None:
    packed, image = shown_image().packed(PLENTY), shown_image()
    assert image.truth is not None
    for title, mask in image.masks.items():
        expected = find_mistakes(np.asarray(mask) != 0, image.truth != 0, 8)
        assert set(packed["mistakes"][title]) == set(MISTAKE_STYLES)
        for kind, centres in packed["mistakes"][title].items():
            np.testing.assert_allclose(
                np.reshape(centres, (-1, 2)), getattr(expected, kind), atol=0.051
            )
    assert len(packed["mistakes"]["cut at 0.5"]["lost_cells"]) == 2


def test_the_connectivity_is_that_of_mistakes_and_dots() -> None:
    truth = np.eye(9, dtype=np.uint8)
    found = [
        ShownImage.segmented(
            (0.2 + 0.6 * truth).astype(np.float32), SegmentationOptions.cut(), cut=0.5,
            connectivity=connectivity, truth=1 - truth,
        ).packed(PLENTY)
        for connectivity in (4, 8)
    ]  # fmt: skip
    assert found[0]["mistakes"] != found[1]["mistakes"]
    assert found[0]["dots"] != found[1]["dots"]


def test_dots_are_the_diagram_with_the_most_persistent_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Oracle: the diagram itself; the dots that were changed have what was done for a fate."""
    packed = shown_image().packed(PLENTY)
    diagram = toponet.persistence(shown_image().likelihood, frame=True)
    lasting = diagram.values[:, 0] - diagram.values[:, 1]
    assert packed["dots_in_all"] == len(lasting)
    strong = np.sort(lasting[lasting >= module.LEAST_PERSISTENCE])[::-1]
    dots = packed["dots"]
    np.testing.assert_allclose([dot[1] - dot[2] for dot in dots], strong, atol=2e-4)
    places = {tuple(pixels) for pixels in diagram.pixels.tolist()}
    assert {(dot[3], dot[4]) for dot in dots} <= places
    assert {dot[5] for dot in dots} >= {"shown", "hidden", "closed", "removed"}
    assert {dot[5] for dot in dots} <= set(DOT_STYLES)
    monkeypatch.setattr(module, "MOST_DOTS", 5)
    assert shown_image().packed(PLENTY)["dots"] == dots[:5]


def test_what_never_dies_has_no_death() -> None:
    likelihood = np.full((3, 5), 0.25, np.float32)
    likelihood[1, 2] = 0.75
    image = ShownImage(likelihood=likelihood, masks={"cut": likelihood >= 0.5}, frame=False)
    assert image.packed(PLENTY)["dots"] == [[0, 0.75, None, 7, -1, "shown"]]


@pytest.mark.parametrize("dims", [(0,), (1,)])
def test_dims_are_those_of_the_dots(dims: tuple[int, ...]) -> None:
    dots = replace(shown_image(), dims=dims, decisions=None).packed(PLENTY)["dots"]
    assert {dot[0] for dot in dots} == set(dims)


def test_a_mask_has_neither_likelihood_nor_dots() -> None:
    mask = walls(*SIZE).astype(np.float32)
    packed = ShownImage(likelihood=mask, masks={"cut": mask}).packed(PLENTY)
    assert packed["likelihood"] is None
    assert packed["dots"] == []
    assert packed["mistakes"] == {}


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 5), (40, 56)])
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_constant_images_of_any_size_are_packed(shape: tuple[int, int], value: float) -> None:
    likelihood = np.full(shape, value, np.float32)
    truth = np.zeros(shape, np.uint8)
    image = ShownImage.segmented(
        likelihood, SegmentationOptions(), cut=0.5, connectivity=8, image=likelihood[None],
        truth=truth,
    )  # fmt: skip
    packed = image.packed(PLENTY)
    assert bits(packed).shape == shape
    assert packed["shrink"] == 1


def test_large_images_are_shrunk_by_whole_numbers_and_their_places_are_not() -> None:
    whole, shrunk = shown_image().packed(40 * 56), shown_image().packed(40 * 56 - 1)
    assert (whole["shrink"], shrunk["shrink"]) == (1, 2)
    assert picture(shrunk["image"]).shape == (20, 28, 3)
    np.testing.assert_array_equal(bits(shrunk), bits(whole)[::2, ::2])
    for name in ("height", "width", "dots", "mistakes"):
        assert whole[name] == shrunk[name]
    assert module.shrink_factor((10, 10_000), 10**9) == 2


def test_the_pictures_of_a_page_share_its_pixels() -> None:
    assert most_pixels(300) >= 512 * 512
    assert most_pixels(1) == module.PIXELS_OF_A_PAGE
    assert most_pixels(10**6) == most_pixels(module.MOST_PICTURES)


def test_of_too_many_images_some_have_pictures_evenly_spread() -> None:
    assert with_pictures(3) == {0, 1, 2}
    chosen = sorted(with_pictures(10 * module.MOST_PICTURES))
    assert len(chosen) == module.MOST_PICTURES
    assert chosen[0] == 0
    assert chosen[-1] == 10 * module.MOST_PICTURES - 1
    assert set(np.diff(chosen)) <= {10, 11}


def test_more_masks_than_a_pixel_has_bits_for_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 1 to 2 masks, got 3"):
        replace(shown_image(), masks=dict.fromkeys("abc", walls(*SIZE)))
