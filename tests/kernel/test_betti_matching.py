"""Betti matching: the kernel against the plain-Python definition, a peer, and what must hold."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

import betti_matching_reference
import reference
import strategies
import toponet

Image = NDArray[Any]
SHAPES = [(1, 1), (1, 7), (7, 1), (2, 7), (7, 2), (2, 2), (5, 3)]


@st.composite
def pairs_of_images(draw: st.DrawFn) -> tuple[Image, Image]:
    """Two images of one shape and few levels; often equal in most pixels, as a network's are."""
    f = draw(strategies.images())
    levels = draw(st.sampled_from([2, 3, 6]))
    other = st.integers(0, levels - 1)
    g = np.array([[draw(other) for _ in row] for row in f]) / (levels - 1)
    if draw(st.booleans()):
        kept = np.array([[draw(st.integers(0, 4)) > 0 for _ in row] for row in f])
        g = np.where(kept, f, g)
    return f, g


def rows_of(diagrams: toponet.PersistenceDiagrams) -> list[reference.Row]:
    return [
        (int(d), int(b), int(x))
        for d, (b, x) in zip(diagrams.dimensions, diagrams.pixels, strict=True)
    ]


def partners(f: Image, g: Image, **options: Any) -> list[tuple[reference.Row, reference.Row]]:
    """Pairs of rows (dimension, birth pixel, death pixel)."""
    matching = toponet.betti_matching(f, g, **options)
    rows_f, rows_g = rows_of(matching.diagrams_f), rows_of(matching.diagrams_g)
    return [(rows_f[i], rows_g[j]) for i, j in matching.pairs.tolist()]


@hypothesis.settings(max_examples=300)
@hypothesis.given(pairs_of_images(), strategies.connectivities, strategies.frames)
def test_the_kernel_equals_the_definition_dot_for_dot(
    images: tuple[Image, Image], connectivity: int, frame: bool
) -> None:
    expected = betti_matching_reference.betti_matching(*images, connectivity, frame)
    assert partners(*images, connectivity=connectivity, frame=frame) == expected


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("levels", [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.5, 0.25)])
def test_constant_images_of_awkward_shapes_equal_the_definition(
    shape: tuple[int, int], levels: tuple[float, float]
) -> None:
    f, g = (np.full(shape, level) for level in levels)
    for connectivity in (4, 8):
        for frame in (False, True):
            expected = betti_matching_reference.betti_matching(f, g, connectivity, frame)
            assert partners(f, g, connectivity=connectivity, frame=frame) == expected


@pytest.mark.parametrize("frame_value", [1.0, 1.5])
def test_the_frames_value_decides_whether_its_hole_lives(frame_value: float) -> None:
    """The hole of the frame lives from its value down to the lowest pixel; here that is 1."""
    full = np.ones((3, 4))
    expected = betti_matching_reference.betti_matching(full, full, 8, True, frame_value)
    found = partners(full, full, frame=True, frame_value=frame_value)
    assert found == expected
    assert len(found) == (frame_value > 1)


@hypothesis.settings(max_examples=300)
@hypothesis.given(pairs_of_images(), strategies.connectivities, strategies.frames)
def test_swapping_the_images_swaps_the_partners(
    images: tuple[Image, Image], connectivity: int, frame: bool
) -> None:
    f, g = images
    swapped = partners(g, f, connectivity=connectivity, frame=frame)
    assert set(partners(f, g, connectivity=connectivity, frame=frame)) == {
        (of_f, of_g) for of_g, of_f in swapped
    }


@hypothesis.settings(max_examples=300)
@hypothesis.given(strategies.images(), strategies.connectivities, strategies.frames)
def test_every_dot_of_an_image_is_its_own_partner(
    image: Image, connectivity: int, frame: bool
) -> None:
    matching = toponet.betti_matching(image, image, connectivity=connectivity, frame=frame)
    rows = np.arange(len(matching.diagrams_f.values))
    np.testing.assert_array_equal(matching.pairs, np.stack([rows, rows], axis=1))
    diagrams = toponet.persistence(image, connectivity=connectivity, frame=frame)
    for name in ("values", "pixels", "dimensions", "splits"):
        for given in (matching.diagrams_f, matching.diagrams_g):
            np.testing.assert_array_equal(getattr(given, name), getattr(diagrams, name))


@hypothesis.settings(max_examples=300)
@hypothesis.given(pairs_of_images(), strategies.connectivities, strategies.frames)
def test_matched_and_unmatched_dots_are_all_dots_once(
    images: tuple[Image, Image], connectivity: int, frame: bool
) -> None:
    matching = toponet.betti_matching(*images, connectivity=connectivity, frame=frame)
    for side, diagrams, unmatched in (
        (0, matching.diagrams_f, matching.unmatched_f),
        (1, matching.diagrams_g, matching.unmatched_g),
    ):
        rows = np.sort(np.concatenate([matching.pairs[:, side], unmatched]))
        np.testing.assert_array_equal(rows, np.arange(len(diagrams.values)))
    dimensions = (
        matching.diagrams_f.dimensions[matching.pairs[:, 0]],
        matching.diagrams_g.dimensions[matching.pairs[:, 1]],
    )
    np.testing.assert_array_equal(*dimensions)


@hypothesis.settings(max_examples=200)
@hypothesis.given(pairs_of_images(), strategies.connectivities)
def test_a_frame_is_a_row_of_structure_around_both_images(
    images: tuple[Image, Image], connectivity: int
) -> None:
    """Oracle: explicit padding. Its own piece never dies, and its values are dots' values."""
    padded = [np.pad(image, 1, constant_values=1.0) for image in images]
    framed = toponet.betti_matching(*images, connectivity=connectivity, frame=True)
    around = toponet.betti_matching(*padded, connectivity=connectivity)

    def values(matching: toponet.BettiMatching) -> list[list[float]]:
        pairs = matching.pairs
        rows = np.concatenate(
            [matching.diagrams_f.values[pairs[:, 0]], matching.diagrams_g.values[pairs[:, 1]]], 1
        )
        return sorted(rows[np.isfinite(rows).all(axis=1)].tolist())

    # Padding of value 1 ties with pixels of value 1, and comes before some of them only.
    hypothesis.assume(all(image.max() < 1 for image in images))
    assert values(framed) == values(around)


@pytest.mark.parametrize("shape", [(65, 43), (3, 120)])
def test_neither_threads_nor_the_batch_nor_the_width_of_numbers_change_the_partners(
    shape: tuple[int, int],
) -> None:
    rng = np.random.default_rng(3)
    f, g = (rng.integers(0, 9, (2, 7, *shape)) / 8).astype(np.float32)
    together = toponet.betti_matching(f, g, frame=True, num_threads=5)
    assert len(together) == 7
    for i, one in enumerate(together):
        alone = toponet.betti_matching(
            f[i].astype(np.float64), g[i].astype(np.float64), frame=True, num_threads=1
        )
        np.testing.assert_array_equal(one.pairs, alone.pairs)
        np.testing.assert_array_equal(one.diagrams_g.pixels, alone.diagrams_g.pixels)
        np.testing.assert_array_equal(together[i - 7].pairs, alone.pairs)


def test_threads_that_share_an_image_give_the_same_partners() -> None:
    """An image of several strips, whose two dimensions go side by side."""
    rng = np.random.default_rng(4)
    f, g = rng.integers(0, 40, (2, 600, 500)) / 40.0
    one, several = (toponet.betti_matching(f, g, num_threads=threads) for threads in (1, 4))
    np.testing.assert_array_equal(one.pairs, several.pairs)
    assert len(one.pairs) > 1000


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_of_two_mistakes_the_upper_one_is_named_however_many_threads_look(threads: int) -> None:
    f, g = np.zeros((2, 600, 500), np.float32)
    f[590, 3] = np.nan
    g[20, 499] = 2.0
    with pytest.raises(ValueError, match="image 0 of g holds a value above frame_value"):
        toponet.betti_matching(f, g, frame=True, num_threads=threads)


@pytest.mark.parametrize("dims", [(0,), (1,)])
def test_one_dimension_alone_has_the_partners_that_it_has_beside_the_other(
    dims: tuple[int, ...],
) -> None:
    rng = np.random.default_rng(5)
    f, g = rng.integers(0, 5, (2, 21, 17)) / 4.0
    alone, both = partners(f, g, dims=dims), partners(f, g)
    assert alone == [pair for pair in both if pair[0][0] == dims[0]]
    assert alone


def test_masks_are_images_of_0_and_1() -> None:
    rng = np.random.default_rng(6)
    f = rng.random((9, 8))
    mask = rng.random((9, 8)) > 0.5
    assert partners(f, mask) == partners(f, mask.astype(np.float64))
    assert toponet.betti_matching(mask, mask).diagrams_f.values.dtype == np.float32
    assert toponet.betti_matching(f.astype(np.float32), f).diagrams_f.values.dtype == np.float64


def test_pieces_elsewhere_are_no_partners_although_their_values_are_equal() -> None:
    f, g = np.zeros((2, 5, 12))
    f[2, 2] = g[2, 9] = 0.75
    assert toponet.match([[0.75, 0.0]], [[0.75, 0.0]]).pairs.tolist() == [[0, 0]]
    matching = toponet.betti_matching(f, g, dims=(0,), frame=True)
    assert matching.pairs.tolist() == []
    assert (matching.unmatched_f.tolist(), matching.unmatched_g.tolist()) == ([0], [0])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((np.zeros((3, 4)), np.zeros((4, 3))), "must have the same shape"),
        ((np.full((2, 3, 4), np.nan), np.zeros((2, 3, 4))), "image 0 of f holds NaN"),
        ((np.zeros((3, 4)), np.full((3, 4), np.inf)), "image 0 of g holds NaN"),
        ((np.zeros((3, 4)), np.full((3, 4), 2.0)), "image 0 of g holds a value above frame_value"),
    ],
)
def test_images_that_cannot_be_matched_are_refused(
    arguments: tuple[Image, Image], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        toponet.betti_matching(*arguments, frame=True)


def test_what_is_no_image_or_option_is_refused() -> None:
    image = np.zeros((3, 4))
    with pytest.raises(TypeError, match="f must be float32 or float64"):
        toponet.betti_matching(image.astype(int), image)
    with pytest.raises(ValueError, match="dims"):
        toponet.betti_matching(image, image, dims=(2,))
    with pytest.raises(ValueError, match="connectivity"):
        toponet.betti_matching(image, image, connectivity=6)
    with pytest.raises(ValueError, match="finite in float32"):
        toponet.betti_matching(
            image.astype(np.float32), image.astype(np.float32), frame=True, frame_value=1e300
        )
    batch = toponet.betti_matching(np.zeros((2, 3, 4)), np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match=r"take matching\[i\]"):
        _ = batch.unmatched_f
    with pytest.raises(IndexError, match="image 2 of 2"):
        _ = batch[2]
    assert repr(batch) == "BettiMatching(2 images, 2 and 2 dots, 2 pairs)"


@pytest.fixture(scope="module")
def peer() -> ModuleType:
    """Betti-Matching-3D as topolosses carries it."""
    pytest.importorskip("topolosses", reason="topolosses isn't installed: pip install '.[bench]'")
    from betti_matching_peer import betti_matching_loss

    module: ModuleType = betti_matching_loss().betti_matching
    return module


def peer_counts(peer: ModuleType, f: Image, g: Image) -> list[list[int]]:
    """(matched, only in f, only in g) of both dimensions, without what never dies."""
    (result,) = peer.compute_matching([1.0 - f], [1.0 - g], include_input2_unmatched_pairs=True)
    counts: list[list[int]] = np.stack(
        [result.num_matched, result.num_unmatched_input1, result.num_unmatched_input2]
    ).tolist()
    return counts


def our_counts(f: Image, g: Image) -> list[list[int]]:
    """The same by us, at the peer's connectivity."""
    matching = toponet.betti_matching(f, g, connectivity=4)
    finite = np.isfinite(matching.diagrams_f.values[matching.pairs[:, 0], 1])
    of_pairs = matching.diagrams_f.dimensions[matching.pairs[finite, 0]]
    return [
        [int((dimensions == d).sum()) for d in (0, 1)]
        for dimensions in (
            of_pairs,
            matching.diagrams_f.dimensions[matching.unmatched_f],
            matching.diagrams_g.dimensions[matching.unmatched_g],
        )
    ]


def peer_pairs(peer: ModuleType, f: Image, g: Image) -> set[tuple[float, ...]]:
    """(dimension, birth, death, birth, death) of partners.

    Values name pixels, where no two are equal. The peer's sublevel sets of 1 - f are the superlevel
    sets of f. Its pixels are vertices (connectivity 4). What never dies is left out.
    """
    (result,) = peer.compute_matching([1.0 - f], [1.0 - g])
    ends = [
        (image, getattr(result, f"{name}_matched_{end}_coordinates"))
        for image, name in ((f, "input1"), (g, "input2"))
        for end in ("birth", "death")
    ]
    pairs: set[tuple[float, ...]] = set()
    for d in (0, 1):
        columns = [image[tuple(np.array(pixels[d]).T)].tolist() for image, pixels in ends]
        pairs |= {(float(d), *row) for row in zip(*columns, strict=True)}
    return pairs


def values_of(
    f: Image, g: Image, pairs: list[tuple[reference.Row, reference.Row]]
) -> set[tuple[float, ...]]:
    """The same of our rows."""
    return {
        (float(d), f.flat[a], f.flat[b], g.flat[c], g.flat[e])
        for (d, a, b), (_, c, e) in pairs
        if b >= 0
    }


def joins_three(f: Image, g: Image) -> bool:
    """Whether a pixel joins three clusters: the peer joins them in the order of its own edges."""
    common = np.maximum(f, g)
    for image, connectivity, sign in ((common, 4, 1), (f, 8, -1), (g, 8, -1)):
        order = np.argsort(-sign * image, axis=None).tolist()
        outside = [] if sign == 1 else [reference.OUTSIDE]
        pixels = [
            pixel
            for pixel, *_ in betti_matching_reference.merges(
                outside + order, image.shape, connectivity
            )
        ]
        if max(np.unique(pixels, return_counts=True)[1]) > 2:
            return True
    return False


def tie_free_images(seed: int, count: int) -> list[tuple[Image, Image]]:
    """Images of which no two pixels are equal, not even one of f and one of g."""
    rng = np.random.default_rng(seed)
    images: list[tuple[Image, Image]] = []
    while len(images) < count:
        shape = tuple(rng.integers(2, 7, 2))
        f, g = rng.permutation(2 * shape[0] * shape[1]).reshape(2, *shape) / 100.0
        mixed = rng.random(shape) < rng.random()
        f, g = np.where(mixed, f, g), np.where(mixed, g, f)
        if not joins_three(f, g):
            images.append((f, g))
    return images


def test_partners_are_partners_in_betti_matching_3d(peer: ModuleType) -> None:
    """Pixel for pixel. The peer has more: it doesn't ask whether the image of a feature lives."""
    ours, theirs = 0, 0
    for f, g in tie_free_images(0, 3000):
        found = values_of(f, g, partners(f, g, connectivity=4))
        of_peer = peer_pairs(peer, f, g)
        assert found <= of_peer
        ours, theirs = ours + len(found), theirs + len(of_peer)
    assert 1000 < ours < theirs


def test_counts_of_masks_are_those_of_betti_matching_3d(peer: ModuleType) -> None:
    """The order of ties is another one, which shows in a few masks of pure noise only."""
    rng = np.random.default_rng(2)
    different = 0
    for k in range(1500):
        shape = tuple(rng.integers(2, 24, 2))
        noise = rng.normal(size=(2, *shape))
        if k % 3:
            noise = gaussian_filter(noise, (0, 1.2, 1.2))
        f, g = (noise > np.quantile(noise, rng.random())).astype(np.float64)
        if k % 2:
            g = np.where(rng.random(shape) < 0.1, 1 - f, f)
        counts = our_counts(f, g), peer_counts(peer, f, g)
        different += counts[0] != counts[1]
    assert different <= 7
