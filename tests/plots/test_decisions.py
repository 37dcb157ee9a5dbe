"""What the pictures of a segmentation by persistence mark and shade."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import strategies
import toponet
from toponet.plots import plot_decision_diagram, plot_decisions
from toponet.plots.style import ACTION_STYLES, BLUE, DIMENSION_STYLES, ORANGE, VERMILION
from toponet.segmentation import Decisions, Segmentation, SegmentationOptions
from toponet.topology.segmentation import ACTIONS

HOLES = ("filled", "opened", "closed", "hollowed")
MASK = np.zeros((6, 9), dtype=bool)
MASK[:, 4] = True
LIKELIHOOD = np.where(MASK, 0.75, 0.25)


def plane() -> Axes:
    return Figure().subplots()


def labels(axes: Axes) -> list[str]:
    return axes.get_legend_handles_labels()[1]


def labelled(axes: Axes, start: str) -> Any:
    handles = zip(*axes.get_legend_handles_labels(), strict=True)
    return next(handle for handle, label in handles if str(label).startswith(start))


def decided(*rows: tuple[str, list[int]]) -> Decisions:
    """Decisions with these actions and pixels; features are born at pixel 2 and die at pixel 3."""
    actions = [action for action, _ in rows]
    pixels = [changed for _, changed in rows]
    count = len(rows)
    return Decisions(
        image=np.zeros(count, np.int64),
        dimension=np.array([action in HOLES for action in actions], dtype=np.int8),
        birth=np.full(count, 0.6),
        death=np.full(count, 0.4),
        birth_pixel=np.full(count, 2, np.int32),
        death_pixel=np.full(count, 3, np.int32),
        action=np.array(actions, dtype=np.str_),
        cost=np.full(count, 0.1),
        pixels=np.array([pixel for row in pixels for pixel in row], dtype=np.int32),
        splits=np.cumsum([0, *map(len, pixels)]),
    )


def segmented(*rows: tuple[str, list[int]]) -> Segmentation:
    none = np.zeros(1, np.int64)
    return Segmentation(MASK, LIKELIHOOD, MASK.astype(np.int32), decided(*rows), none, none)


def test_changed_pixels_have_the_colour_of_what_was_done() -> None:
    axes = plot_decisions(plane(), LIKELIHOOD, segmented(("filled", [4, 13]), ("removed", [9])))
    picture = np.asarray(axes.images[0].get_array()).reshape(-1, 3)
    assert picture[[4, 13]].tolist() == [list(to_rgb(VERMILION))] * 2
    assert picture[9].tolist() == list(to_rgb(ORANGE))
    rest = np.delete(picture, [4, 9, 13], axis=0)
    assert (rest == rest[:, :1]).all()  # Grey.
    assert picture[22, 0] < picture[0, 0] < 1  # The likelihood, in pale colours.


def test_each_change_has_a_mark_at_a_changed_pixel_near_the_middle() -> None:
    ring = [0, 1, 2, 9, 11, 18, 19, 20]  # Its middle isn't one of its pixels.
    axes = plot_decisions(plane(), LIKELIHOOD, segmented(("closed", ring), ("added", [17, 26, 35])))
    ((column, row),) = labelled(axes, "hole closed").get_offsets()
    assert row * 9 + column in ring
    assert labelled(axes, "component added").get_offsets().tolist() == [[8, 2]]


def test_a_change_without_pixels_is_marked_where_its_feature_begins() -> None:
    axes = plot_decisions(plane(), LIKELIHOOD, segmented(("opened", []), ("joined", [])))
    assert labelled(axes, "hole opened").get_offsets().tolist() == [[3, 0]]
    assert labelled(axes, "component joined").get_offsets().tolist() == [[2, 0]]


def test_all_that_can_be_done_has_a_look_of_its_own_and_is_counted() -> None:
    rows = [(action, [k]) for k, action in enumerate(ACTIONS)]
    axes = plot_decisions(plane(), LIKELIHOOD, segmented(*rows, ("filled", [30])))
    assert set(ACTION_STYLES) == set(ACTIONS)
    assert len(labels(axes)) == len(ACTIONS)
    assert "hole filled: 2" in labels(axes)
    assert "component joined: 1" in labels(axes)
    marks: list[Any] = axes.get_legend_handles_labels()[0]
    looks = {(len(mark.get_paths()[0]), *mark.get_edgecolors()[0]) for mark in marks}
    assert len(looks) == len(ACTIONS)
    legend = axes.get_legend()
    assert legend is not None
    assert len(legend.get_texts()) == len(ACTIONS)


def test_the_outline_runs_along_the_edges_of_the_mask() -> None:
    axes = plot_decisions(plane(), LIKELIHOOD, segmented())
    (outline,) = (each for each in axes.collections if isinstance(each, LineCollection))
    lines = {tuple(map(tuple, line)) for line in np.asarray(outline.get_segments()).tolist()}
    assert lines == {((x, r - 0.5), (x, r + 0.5)) for x in (3.5, 4.5) for r in range(6)}
    turned = replace(segmented(), mask=MASK.T)
    axes = plot_decisions(plane(), LIKELIHOOD.T, turned)
    (outline,) = (each for each in axes.collections if isinstance(each, LineCollection))
    lines = {tuple(map(tuple, line)) for line in np.asarray(outline.get_segments()).tolist()}
    assert lines == {((c - 0.5, y), (c + 0.5, y)) for y in (3.5, 4.5) for c in range(6)}


def test_outline_and_legend_can_be_left_out() -> None:
    axes = plot_decisions(
        plane(), LIKELIHOOD, segmented(("filled", [1])), outline=False, legend=False
    )
    assert not [each for each in axes.collections if isinstance(each, LineCollection)]
    assert axes.get_legend() is None
    assert labels(axes) == ["hole filled: 1"]


@pytest.mark.parametrize("channels", [1, 3])
def test_changes_are_drawn_on_an_image_of_any_range(channels: int) -> None:
    image = np.random.default_rng(0).normal(100, 30, (channels, 6, 9))
    axes = plot_decisions(plane(), image, segmented(("filled", [0])))
    picture = np.asarray(axes.images[0].get_array())
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert (np.ptp(picture[1:], axis=2).max() == 0) == (channels == 1)


def test_tensors_are_drawn_as_arrays_are() -> None:
    likelihood = torch.tensor(LIKELIHOOD, dtype=torch.bfloat16)
    axes = plot_decisions(plane(), likelihood, toponet.segment(likelihood, keep=0.8, add=None))
    expected = plot_decisions(plane(), LIKELIHOOD, toponet.segment(LIKELIHOOD, keep=0.8, add=None))
    np.testing.assert_array_equal(axes.images[0].get_array(), expected.images[0].get_array())
    assert labels(axes) == labels(expected) != []


@pytest.mark.parametrize(("image", "segmentation", "error", "words"), [
    (LIKELIHOOD, "mask", TypeError, "segmentation must be a Segmentation, got str"),
    (LIKELIHOOD, toponet.segment(LIKELIHOOD[None]), ValueError, "that of one image"),
    (LIKELIHOOD.T, segmented(), ValueError, r"image has shape \(9, 6\), but the segmentation"),
    (LIKELIHOOD.T[None], segmented(), ValueError, "image must have shape"),
    (LIKELIHOOD + 1, segmented(), ValueError, "likelihood must lie in"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_refused(
    image: Any, segmentation: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        plot_decisions(plane(), image, segmentation)


@pytest.mark.parametrize("option", ["outline", "legend"])
def test_flags_are_checked(option: str) -> None:
    with pytest.raises(TypeError, match=f"{option} must be True or False"):
        plot_decisions(plane(), LIKELIHOOD, segmented(), **{option: "no"})  # type: ignore[arg-type]


def diagram_of(*dots: tuple[float, float], dtype: type = np.float64) -> Any:
    """Holes with these (birth, death)."""
    values: Any = np.array(dots, dtype=dtype).reshape(-1, 2)
    count = len(values)
    pixels = np.arange(2 * count, dtype=np.int32).reshape(-1, 2)
    return toponet.PersistenceDiagrams(
        values, pixels, np.ones(count, np.int8), np.array([0, count])
    )


@pytest.mark.parametrize(("options", "expected"), [
    ((0.5, 0.3, 0.2), ["hidden: 2", "stay: 1", "taken away: 1", "brought out: 2"]),
    ((0.5, 0, 0.2), ["hidden: 2", "stay: 2", "brought out: 2"]),
    ((0.5, 0.3, None), ["hidden: 4", "stay: 1", "taken away: 1"]),
    ((0.3, 0.3, 0.2), ["hidden: 2", "stay: 2", "taken away: 1", "brought out: 1"]),
    ((0.7, 0.9, None), ["hidden: 4", "taken away: 2"]),
], ids=str)  # fmt: skip
def test_the_three_numbers_say_what_becomes_of_a_dot(
    options: tuple[float, float, float | None], expected: list[str]
) -> None:
    dots = diagram_of((0.9, 0.1), (0.6, 0.4), (0.45, 0.1), (0.3, 0.2), (0.95, 0.6), (0.8, 0.75))
    axes = plot_decision_diagram(plane(), dots, SegmentationOptions(*options))
    found = [label.removeprefix("holes ").removeprefix("that stay ") for label in labels(axes)]
    assert [each.removeprefix("that ") for each in found if ": " in each] == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_dot_at_the_threshold_is_shown_in_every_type(dtype: type) -> None:
    axes = plot_decision_diagram(
        plane(), diagram_of((0.7, 0.1), dtype=dtype), SegmentationOptions(0.7, 0.2, None)
    )
    assert "holes that stay: 1" in labels(axes)


@pytest.mark.parametrize("options", [
    (0.5, 0.3, 0.2), (0.5, 0, None), (0.4, 0.6, 0.1), (0.6, 0.2, 0.7), (0.3, 0, 0), (0.7, 1, None)
], ids=str)  # fmt: skip
def test_the_shaded_regions_hold_the_dots_of_their_kind(
    options: tuple[float, float, float | None],
) -> None:
    """Oracle: the rule, for dots all over the square."""
    deaths, births = map(np.ravel, np.meshgrid(*2 * [np.arange(0.01, 0.95, 0.05)]))
    births = births + 0.025  # None lies on the edge of a region.
    above = births > deaths
    dots = np.stack([births[above], deaths[above]], axis=1)
    axes = plot_decision_diagram(plane(), diagram_of(*dots), SegmentationOptions(*options))
    for kind, region in (
        ("holes that stay:", "shown, persistence >" if options[1] else "shown at"),
        ("holes taken away", "shown, persistence ≤"),
        ("holes brought out", "hidden, persistence >"),
    ):
        found = [each for each in labels(axes) if each.startswith(kind)]
        expected = labelled(axes, kind).get_offsets().tolist() if found else []
        shaded = [each for each in labels(axes) if each.startswith(region)]
        paths = []
        if shaded:
            colour = labelled(axes, shaded[0]).get_facecolors().tolist()
            paths = [
                path
                for each in axes.collections
                if isinstance(each, PolyCollection) and np.array_equal(each.get_facecolor(), colour)
                for path in each.get_paths()
            ]
        inside = [dot[::-1].tolist() for dot in dots
                  if any(path.contains_point(tuple(dot[::-1])) for path in paths)]  # fmt: skip
        assert inside == expected, kind


@hypothesis.given(
    strategies.images(np.float32),
    strategies.connectivities,
    strategies.frames,
    st.sampled_from([0, 1]),
)
@hypothesis.settings(max_examples=30)
def test_of_one_dimension_the_rule_names_the_dots_that_are_changed(
    image: Any, connectivity: int, frame: bool, dimension: int
) -> None:
    """Two ways to the same dots: the rule on the diagram, and the decisions."""
    options = SegmentationOptions(0.45, 0.4, 0.2)
    how: dict[str, Any] = {"connectivity": connectivity, "frame": frame}
    result = toponet.segment(image, threshold=0.45, keep=0.4, add=0.2, dims=(dimension,), **how)
    diagram = toponet.persistence(image, **how)
    by_rule, by_decisions = (
        labels(plot_decision_diagram(plane(), diagram, options, decisions, dims=(dimension,)))
        for decisions in (None, result.decisions)
    )
    # Of features that one wall parts, only one has a decision.
    expected = counted(by_rule, "taken away") + counted(by_rule, "brought out")
    assert expected == len(result.decisions) + counted(by_decisions, "left as they are")
    for found in (by_rule, by_decisions):
        assert counted(found, "") == np.count_nonzero(diagram.dimensions == dimension)


def counted(found: list[str], words: str) -> int:
    """The sum of the numbers of the labels that hold these words."""
    return sum(int(each.rpartition(": ")[2]) for each in found if ": " in each and words in each)


def test_with_decisions_dots_have_the_colours_of_the_map() -> None:
    diagram = diagram_of((0.9, 0.1), (0.6, 0.4), (0.55, 0.45))
    decisions = replace(
        decided(("opened", [1]), ("added", [2])),
        birth_pixel=np.array([2, 7], np.int32),
        birth=np.array([0.6, 0.4]),
        death=np.array([0.4, 0.0]),
        death_pixel=np.array([3, -1], np.int32),
    )
    axes = plot_decision_diagram(plane(), diagram, SegmentationOptions(0.5, 0.3, 0.2), decisions)
    assert [label for label in labels(axes) if ": " in label] == [
        "holes that stay: 1",
        "holes left as they are: 1",
        "hole opened: 1",
        "component added: 1",
    ]
    for start, colour, place in (
        ("hole opened", ORANGE, [0.4, 0.6]),
        ("component added", BLUE, [axes.get_xticks()[0], 0.4]),  # At the tick "never".
    ):
        assert labelled(axes, start).get_facecolors()[0][:3].tolist() == list(to_rgb(colour))
        assert labelled(axes, start).get_offsets().tolist() == [place]
    assert axes.get_xticklabels()[0].get_text() == "never"


def test_dimensions_and_legend_of_the_diagram_can_be_chosen() -> None:
    diagram = toponet.persistence(LIKELIHOOD)
    for dimension, (_, _, name) in enumerate(DIMENSION_STYLES[:2]):
        axes = plot_decision_diagram(
            plane(), diagram, SegmentationOptions(), dims=(dimension,), legend=False
        )
        dots = [label for label in labels(axes) if ": " in label]
        assert all(label.startswith(name) for label in dots)
        assert axes.get_legend() is None
    assert plot_decision_diagram(plane(), diagram, SegmentationOptions()).get_legend() is not None


@pytest.mark.parametrize(("arguments", "error", "words"), [
    (("diagram", SegmentationOptions()), TypeError, "diagrams must be PersistenceDiagrams"),
    ((toponet.persistence(np.zeros((2, 3, 4))), SegmentationOptions()), ValueError, "one image"),
    ((diagram_of((0.1, 0.9)), SegmentationOptions()), ValueError, "must have birth >= death"),
    ((diagram_of(), (0.5, 0.3, None)), TypeError, "options must be SegmentationOptions"),
    ((diagram_of(), SegmentationOptions(), "all"), TypeError, "decisions must be Decisions"),
])  # fmt: skip
def test_diagrams_that_cannot_be_drawn_are_refused(
    arguments: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        plot_decision_diagram(plane(), *arguments)
