"""The pixels of a whole feature: against flood fill, pixel by pixel, and by what a loop does."""

from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import strategies as st
from numpy.typing import NDArray

import strategies
import toponet

Place = tuple[int, int]


def flooded(mask: NDArray[np.bool_], start: Place, connectivity: int) -> NDArray[np.bool_]:
    """Plain Python: what can be reached from a pixel."""
    seen, ahead = {start}, [start]
    while ahead:
        r, c = ahead.pop()
        for dr in (-1, 0, 1):
            for dc in (-1, 0, 1):
                there = (r + dr, c + dc)
                inside = 0 <= there[0] < mask.shape[0] and 0 <= there[1] < mask.shape[1]
                step = connectivity == 8 or dr == 0 or dc == 0
                if step and inside and there not in seen and mask[there]:
                    seen.add(there)
                    ahead.append(there)
    found = np.zeros_like(mask)
    found[tuple(zip(*seen, strict=True))] = True
    return found


@hypothesis.settings(max_examples=300)
@hypothesis.given(
    image=strategies.images(), connectivity=strategies.connectivities, frame=strategies.frames,
    dtype=st.sampled_from([np.float32, np.float64]), share=st.floats(0, 1),
)  # fmt: skip
def test_every_feature_is_the_component_of_its_critical_pixel(
    image: NDArray[Any], connectivity: int, frame: bool, dtype: type[np.floating[Any]], share: float
) -> None:
    """Oracle: flood fill from the birth pixel of a piece, from the death pixel of a hole."""
    image = image.astype(dtype)
    options: dict[str, Any] = {"connectivity": connectivity, "frame": frame}
    diagram = toponet.persistence(image, **options)
    for values, pixels, dimension in zip(
        diagram.values.tolist(), diagram.pixels, diagram.dimensions, strict=True
    ):
        birth, death = values
        levels = np.unique([*image[image > death].tolist(), birth])
        shown = levels[levels <= birth]
        chosen = float(shown[round(share * (len(shown) - 1))])
        default = birth if dimension == 1 else float(shown[0])
        for threshold, level in ((None, default), (chosen, chosen)):
            found = toponet.representative(image, pixels, dimension, threshold=threshold, **options)
            assert (found.threshold, found.dimension) == (level, dimension)
            place = divmod(int(pixels[dimension]), image.shape[1])
            mask = image >= level if dimension == 0 else image < level
            side = connectivity if dimension == 0 else 12 - connectivity
            np.testing.assert_array_equal(found.pixels, flooded(mask, place, side))
            if dimension == 0:
                assert found.loop is None
                assert image[found.pixels].min() > death
                assert image[found.pixels].max() == birth
            else:
                assert found.loop is not None
                check_loop(image, found.pixels, found.loop, level, connectivity, frame)
                assert image[found.pixels].min() == death


def check_loop(
    image: NDArray[Any],
    cells: NDArray[np.bool_],
    loop: NDArray[np.bool_],
    level: float,
    connectivity: int,
    frame: bool,
) -> None:
    """It is structure, it encloses the hole and nothing of it can be left out."""
    assert (image[loop] >= level).all()
    background = 12 - connectivity
    near = scipy.ndimage.generate_binary_structure(2, background // 4)
    # The frame closes a loop, and the outside lies beyond it.
    walls = np.pad(np.pad(loop, 1, constant_values=frame), 1)
    inside = np.pad(cells, 2)
    labels, _ = scipy.ndimage.label(~walls, near)
    (number,) = np.unique(labels[inside])
    assert number != labels[0, 0]
    enclosed = labels == number
    assert not (enclosed & ~inside & np.pad(image < level, 2)
                & scipy.ndimage.binary_dilation(inside, near)).any()  # fmt: skip
    for place in zip(*np.nonzero(loop), strict=True):
        opened = walls.copy()
        opened[place[0] + 2, place[1] + 2] = False
        after, _ = scipy.ndimage.label(~opened, near)
        # Without the pixel, the hole is larger: the pixel touches it.
        assert after[place[0] + 2, place[1] + 2] == after[tuple(np.argwhere(inside)[0])]


def ring() -> NDArray[np.float64]:
    """A ring of 0.8 with a weak pixel of 0.6, and an island of 0.9 in it."""
    image = np.full((9, 12), 0.1)
    image[1:8, 2:10] = 0.8
    image[2:7, 3:9] = 0.2
    image[4, 6] = 0.9
    image[1, 5] = 0.6
    return image


def test_an_island_in_a_hole_is_neither_hole_nor_loop() -> None:
    image = ring()
    (hole,) = toponet.persistence(image, dims=(1,)).pixels
    found = toponet.representative(image, hole, 1)
    assert found.loop is not None
    assert found.threshold == 0.6
    assert int(found.pixels.sum()) == 5 * 6 - 1
    # The 26 pixels of the ring, without the four corners, which touch the hole by a corner only.
    assert int(found.loop.sum()) == 26 - 4
    assert not found.loop[4, 6]
    assert found.loop[1, 5]
    by_corners = toponet.representative(image, hole, 1, connectivity=4)
    assert by_corners.loop is not None
    assert int(by_corners.loop.sum()) == 26


def test_a_frame_closes_loops_and_has_no_pixels() -> None:
    wall = np.full((5, 8), 0.1)
    wall[:, 4] = 0.7
    dots = toponet.persistence(wall, dims=(1,), frame=True)
    eldest, younger = (
        toponet.representative(wall, pixels, 1, frame=True) for pixels in dots.pixels[::-1]
    )
    assert (eldest.threshold, younger.threshold) in ((1.0, 0.7), (0.7, 1.0))
    eldest, younger = sorted((eldest, younger), key=lambda each: -each.threshold)
    assert eldest.pixels.all()
    assert eldest.loop is not None
    assert not eldest.loop.any()
    assert younger.loop is not None
    np.testing.assert_array_equal(younger.loop, wall == 0.7)
    far = 2 * wall
    born = toponet.persistence(far, dims=(1,), frame=True, frame_value=3.0)
    row = int(np.flatnonzero(born.pixels[:, 0] == -1)[0])
    found = toponet.representative(far, born.pixels[row], 1, frame=True, frame_value=3.0)
    assert found.threshold == born.values[row, 0] == 3


def test_a_piece_that_never_dies_is_the_whole_image_or_what_the_threshold_leaves() -> None:
    image = ring()
    row = toponet.persistence(image, dims=(0,)).pixels[0]
    assert toponet.representative(image, row, 0).pixels.all()
    high = toponet.representative(image, row, 0, threshold=0.5)
    assert int(high.pixels.sum()) == 1  # The island is the eldest.


def test_the_dots_of_an_explanation_will_do() -> None:
    """And thresholds in single precision: 0.7 is at most a birth of 0.7."""
    import torch

    likelihood = torch.from_numpy(np.where(ring() == 0.8, 0.7, ring())).float()[None, None]
    truth = (likelihood > 0.5).float()
    (explanation,) = toponet.TopologicalLoss(frame=False).explain(likelihood, truth)
    f = likelihood[0, 0].numpy()
    (k,) = np.flatnonzero((explanation.dimensions == 1) & (explanation.pixels[:, 0] >= 0))[:1]
    found = toponet.representative(f, explanation.pixels[k], explanation.dimensions[k])
    assert int(found.pixels.sum()) == 29
    f[1, 5] = 0.7
    (hole,) = toponet.persistence(f, dims=(1,)).pixels
    assert toponet.representative(f, hole, 1, threshold=0.7).loop is not None


@pytest.mark.parametrize(
    ("arguments", "options", "error", "sentence"),
    [
        ((ring()[None], (0, 1), 0), {}, ValueError, r"image must be one image of shape \(H, W\)"),
        ((ring().astype(int), (0, 1), 0), {}, TypeError, "must be float32 or float64"),
        ((ring() * np.nan, (0, 1), 0), {}, ValueError, "image must be finite"),
        ((ring(), (0, 1, 2), 0), {}, ValueError, "pixels must be two whole numbers"),
        ((ring(), (0.0, 1.0), 0), {}, ValueError, "pixels must be two whole numbers"),
        ((ring(), (0, 108), 0), {}, ValueError, "must lie within the 108 of the image"),
        ((ring(), (0, 54), 0), {}, ValueError, "are no dot of dimension 0 .*birth is 0.1, its de"),
        ((ring(), (14, -1), 1), {}, ValueError, "are no dot of dimension 1"),
        ((ring(), (-1, 0), 1), {}, ValueError, "are no dot of dimension 1"),
        ((ring(), (14, 0), 2), {}, ValueError, "dimension must be at most 1, got 2"),
        ((ring(), (54, 27), 0), {"threshold": 0.95}, ValueError, "threshold must be above the dea"),
        ((ring(), (54, 27), 0), {"threshold": 0.2}, ValueError, "above the death, 0.2, and"),
        ((ring(), (54, 27), 0), {"connectivity": 6}, ValueError, "connectivity must be one of"),
        ((ring(), (54, 27), 0), {"frame": 1}, TypeError, "frame must be True or False"),
    ],
)  # fmt: skip
def test_what_is_no_feature_is_refused(
    arguments: tuple[Any, ...], options: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        toponet.representative(*arguments, **options)


def test_pictures_tint_whole_features_below_the_marks() -> None:
    """A piece and a loop strongly, the hole lightly; a feature of another image is refused."""
    import torch
    from matplotlib.figure import Figure

    from toponet.plots import plot_critical_pixels

    image = ring()
    likelihood = torch.from_numpy(image)[None, None]
    (explanation,) = toponet.TopologicalLoss(frame=False).explain(likelihood, likelihood.round())
    dots = toponet.persistence(image)[0]
    (hole,), piece = dots.dimension(1).pixels, dots.dimension(0).finite().pixels[0]
    features = [
        toponet.representative(image, hole, 1), toponet.representative(image, piece, 0)
    ]  # fmt: skip
    plain, tinted = (
        plot_critical_pixels(Figure().subplots(), image, explanation, features=given)
        for given in ((), features)
    )
    assert (len(plain.images), len(tinted.images)) == (1, 3)
    first, second = (np.asarray(each.get_array())[..., 3] for each in tinted.images[1:])
    assert features[0].loop is not None
    strong, light = first[features[0].loop], first[features[0].pixels]
    assert strong.min() == strong.max() > light.min() == light.max() > 0
    assert second[features[1].pixels].min() == strong.max()
    assert (first > 0).sum() == features[0].loop.sum() + features[0].pixels.sum()
    assert (second > 0).sum() == features[1].pixels.sum()
    with pytest.raises(ValueError, match="a feature is of an image of shape"):
        plot_critical_pixels(
            Figure().subplots(),
            image,
            explanation,
            features=[toponet.representative(image[:-1], hole, 1)],
        )
