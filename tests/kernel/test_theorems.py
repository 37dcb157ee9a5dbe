"""What persistent homology must satisfy, whoever computes it."""

from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

import strategies
import toponet

FULL = np.ones((3, 3))
CROSS = ndimage.generate_binary_structure(2, 1)
MANY = hypothesis.settings(max_examples=400)


def labelled_betti_numbers(
    mask: NDArray[np.bool_], connectivity: int, frame: bool
) -> tuple[int, int]:
    """Oracle: components of the padded mask and of its background, counted by scipy."""
    padded = np.pad(mask, 1, constant_values=frame)
    padded = np.pad(padded, 1, constant_values=False)
    structure, dual = (FULL, CROSS) if connectivity == 8 else (CROSS, FULL)
    components = ndimage.label(padded, structure)[1] - frame
    holes = ndimage.label(~padded, dual)[1] - 1  # The outside is no hole.
    return components, holes


def alive(diagrams: toponet.PersistenceDiagrams, threshold: float) -> tuple[int, int]:
    birth, death = diagrams.values.T
    now = (birth >= threshold) & (death < threshold)
    return tuple(int((now & (diagrams.dimensions == d)).sum()) for d in (0, 1))  # type: ignore[return-value]


@MANY
@hypothesis.given(strategies.masks, strategies.connectivities, strategies.frames)
def test_betti_numbers_agree_with_labelling(
    mask: NDArray[np.bool_], connectivity: int, frame: bool
) -> None:
    """Oracle: scipy's labelling, both connectivities."""
    numbers = toponet.betti_numbers(mask, connectivity=connectivity, frame=frame)
    assert tuple(numbers[0]) == labelled_betti_numbers(mask, connectivity, frame)


@MANY
@hypothesis.given(strategies.images(), strategies.connectivities, strategies.frames)
def test_diagrams_give_the_betti_numbers_of_every_superlevel_set(
    image: NDArray[Any], connectivity: int, frame: bool
) -> None:
    """Oracle: labels of every superlevel set. With it the Euler characteristic is right, too."""
    diagrams = toponet.persistence(image, connectivity=connectivity, frame=frame)
    for threshold in np.unique(image):
        expected = labelled_betti_numbers(image >= threshold, connectivity, frame)
        assert alive(diagrams, threshold) == expected


@MANY
@hypothesis.given(strategies.images(), strategies.connectivities)
def test_a_frame_is_the_same_as_padding(image: NDArray[Any], connectivity: int) -> None:
    """Oracle: the padded image without a frame; only the frame's own component differs."""
    framed = toponet.persistence(image, connectivity=connectivity, frame=True)
    padded = toponet.persistence(np.pad(image, 1, constant_values=1.0), connectivity=connectivity)
    for d in (0, 1):
        ours = framed.values[framed.dimensions == d].tolist()
        theirs = padded.values[padded.dimensions == d]
        theirs = theirs[np.isfinite(theirs).all(axis=1)].tolist()
        assert sorted(ours) == sorted(theirs)


@MANY
@hypothesis.given(strategies.images(), strategies.frames)
def test_increasing_maps_keep_the_critical_pixels(image: NDArray[Any], frame: bool) -> None:
    mapped = image**3 / 2
    before = toponet.persistence(image, frame=frame)
    after = toponet.persistence(mapped, frame=frame)
    if frame:  # A pixel at the frame's own value has no persistence with it; mapped, it has.
        kept = after.pixels[:, 0] >= 0
        before_kept = before.pixels[:, 0] >= 0
        assert after.pixels[kept].tolist() == before.pixels[before_kept].tolist()
    else:
        assert after.pixels.tolist() == before.pixels.tolist()


@MANY
@hypothesis.given(strategies.images(), strategies.connectivities, strategies.frames)
def test_flips_and_transposition_keep_the_diagram(
    image: NDArray[Any], connectivity: int, frame: bool
) -> None:
    def dots(turned: NDArray[Any]) -> list[list[float]]:
        d = toponet.persistence(turned, connectivity=connectivity, frame=frame)
        return sorted([int(k), *map(float, v)] for k, v in zip(d.dimensions, d.values, strict=True))

    for turned in (image.T, image[::-1], image[:, ::-1]):
        assert dots(turned) == dots(image)


@MANY
@hypothesis.given(strategies.images())
def test_four_and_eight_are_dual(image: NDArray[Any]) -> None:
    """Holes of f under 8 are the components of -f under 4 that die, mirrored; framed with -1."""
    holes = toponet.persistence(image, dims=(1,), connectivity=8).values
    negative = toponet.persistence(
        np.pad(-image, 1, constant_values=0.0) * 1.0, dims=(0,), connectivity=4
    ).values
    components = -negative[np.isfinite(negative).all(axis=1)][:, ::-1]
    assert sorted(holes.tolist()) == sorted((components + 0.0).tolist())


@MANY
@hypothesis.given(strategies.images(), hypothesis.strategies.integers(0, 2**32 - 1))
def test_diagrams_are_stable(image: NDArray[Any], seed: int) -> None:
    """Classes that live longer than twice the change survive it: a consequence of stability."""
    change = 0.05
    noise = np.random.default_rng(seed).uniform(-change, change, image.shape)
    before, after = toponet.persistence(image), toponet.persistence(image + noise)
    for d in (0, 1):
        birth, death = before.values[before.dimensions == d].T
        persistence = after.values[after.dimensions == d]
        persistence = persistence[:, 0] - persistence[:, 1]
        lasting = int((birth - death > 4 * change).sum())
        assert int((persistence > 2 * change - 1e-9).sum()) >= lasting
