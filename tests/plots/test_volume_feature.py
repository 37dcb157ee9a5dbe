"""A feature of a volume: where the slices lie, what is marked, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import toponet
from toponet.plots import plot_volume_feature

SHAPE = (3, 4, 6)
VOLUME = np.linspace(0.1, 0.9, 72).reshape(SHAPE)


def flat(*place: int) -> int:
    return int(np.ravel_multi_index(place, SHAPE))


BIRTH, DEATH = (2, 3, 1), (1, 3, 4)
PIXELS = np.array([flat(*BIRTH), flat(*DEATH)], dtype=np.int32)


def panels() -> NDArray[Any]:
    row: NDArray[Any] = Figure().subplots(1, 3)
    return row


def pictures(drawn: NDArray[Any]) -> list[NDArray[np.float64]]:
    """The values that the three slices show; structure is drawn dark."""
    return [(1 - np.asarray(axes.get_images()[0].get_array())) / 0.85 for axes in drawn]


def marked(axes: Axes, end: str) -> list[list[float]]:
    marks = [mark for mark in axes.collections if str(mark.get_label()).startswith(end)]
    assert len(marks) == 1
    offsets: list[list[float]] = np.asarray(marks[0].get_offsets()).tolist()
    return offsets


def lines(axes: Axes) -> tuple[list[float], list[float]]:
    """Where the horizontal and the vertical line of a panel are."""
    across, down = axes.get_lines()
    return list(across.get_ydata()), list(down.get_xdata())  # type: ignore[arg-type]


def test_the_slices_go_through_the_death_voxel_and_say_which_they_are() -> None:
    drawn = plot_volume_feature(panels(), VOLUME, PIXELS)
    assert [axes.get_title() for axes in drawn] == ["depth 1", "row 3", "column 4"]
    for shown, expected in zip(
        pictures(drawn), (VOLUME[1], VOLUME[:, 3], VOLUME[:, :, 4]), strict=True
    ):
        np.testing.assert_allclose(shown, expected)
    assert [(axes.get_ylabel(), axes.get_xlabel()) for axes in drawn] == [
        ("row", "column"),
        ("depth", "column"),
        ("depth", "row"),
    ]
    assert [lines(axes) for axes in drawn] == [
        ([3, 3], [4, 4]),
        ([1, 1], [4, 4]),
        ([1, 1], [3, 3]),
    ]


def test_a_voxel_is_marked_in_the_slices_it_lies_in_and_labelled_in_all() -> None:
    drawn = plot_volume_feature(panels(), VOLUME, PIXELS)
    assert [marked(axes, "death") for axes in drawn] == [[[4, 3]], [[4, 1]], [[3, 1]]]
    assert [marked(axes, "birth") for axes in drawn] == [[], [[1, 2]], []]
    for axes in drawn:
        assert axes.get_legend_handles_labels()[1] == [
            f"birth {VOLUME[BIRTH]:.3g} at (2, 3, 1)",
            f"death {VOLUME[DEATH]:.3g} at (1, 3, 4)",
        ]


def test_every_option_changes_the_picture() -> None:
    at_birth = plot_volume_feature(panels(), VOLUME, PIXELS, at="birth")
    assert [axes.get_title() for axes in at_birth] == ["depth 2", "row 3", "column 1"]
    assert marked(at_birth[1], "death") == [[4, 1]]
    near = plot_volume_feature(panels(), VOLUME, PIXELS, reach=1)
    assert [(axes.get_xlim(), axes.get_ylim()) for axes in near] == [
        ((2.5, 5.5), (3.5, 1.5)),  # The row is the last one.
        ((2.5, 5.5), (2.5, -0.5)),
        ((1.5, 3.5), (2.5, -0.5)),
    ]
    whole = plot_volume_feature(panels(), VOLUME, PIXELS, legend=False)
    assert (whole[0].get_xlim(), whole[0].get_ylim()) == ((-0.5, 5.5), (3.5, -0.5))
    assert whole[1].get_legend() is None
    assert near[1].get_legend() is not None
    assert near[0].get_legend() is None


def test_what_is_no_voxel_has_no_mark_and_the_other_end_is_shown() -> None:
    never = plot_volume_feature(panels(), VOLUME, [flat(*BIRTH), -1])
    assert [axes.get_title() for axes in never] == ["depth 2", "row 3", "column 1"]
    assert len(never[0].get_legend_handles_labels()[1]) == 1
    framed = plot_volume_feature(panels(), VOLUME, [-1, flat(*DEATH)])
    assert [axes.get_title() for axes in framed] == ["depth 1", "row 3", "column 4"]
    with pytest.raises(ValueError, match="through: no birth has one, only -1"):
        plot_volume_feature(panels(), VOLUME, [-1, 5], at="birth")
    with pytest.raises(ValueError, match="through: neither birth nor death has one"):
        plot_volume_feature(panels(), VOLUME, [-1, -1])


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 7), (4, 1, 2)])
def test_features_of_thin_volumes_with_ties_are_drawn(shape: tuple[int, ...]) -> None:
    volume = np.random.default_rng(0).integers(0, 3, shape).astype(np.float32) / 2
    diagram = toponet.persistence(volume, spatial_dims=3, frame=True)
    for dot in diagram.pixels[:3]:
        figure = Figure()
        plot_volume_feature(figure.subplots(1, 3), volume, dot)
        figure.draw_without_rendering()


@pytest.mark.parametrize(
    "form",
    [np.ndarray.tolist, torch.tensor, lambda v: torch.tensor(v, requires_grad=True)],
    ids=["list", "tensor", "with gradient"],
)
def test_volumes_of_every_form_are_drawn(form: Any) -> None:
    drawn = plot_volume_feature(panels(), form(VOLUME), PIXELS.tolist())
    np.testing.assert_allclose(pictures(drawn)[0], VOLUME[1])


def test_the_cavity_of_a_shell_is_found_where_it_is() -> None:
    shell = np.pad(np.full((2, 2, 2), 0.2), 1, constant_values=0.9)
    shell[1, 2, 1] = 0.1
    cavities = toponet.persistence(shell, spatial_dims=3, dims=(2,))
    drawn = plot_volume_feature(panels(), shell, cavities.pixels[0])
    assert [axes.get_title() for axes in drawn] == ["depth 1", "row 2", "column 1"]


@pytest.mark.parametrize(
    ("arguments", "options", "error", "sentence"),
    [
        ((VOLUME[0], PIXELS), {}, ValueError, r"shape \(D, H, W\), not empty, got \(4, 6\): take"),
        ((VOLUME + 1, PIXELS), {}, ValueError, r"likelihood must lie in \[0, 1\]"),
        ((VOLUME, [1, 2, 3]), {}, ValueError, r"one birth and one death voxel.*got shape \(3,\)"),
        ((VOLUME, [1, 72]), {}, ValueError, r"volume of shape \(3, 4, 6\), -1 to 71, got 72"),
        ((VOLUME, [-2, 7]), {}, ValueError, "-1 to 71, got -2"),
        ((VOLUME, [0.5, 1.0]), {}, TypeError, "pixels must hold whole numbers, got float64"),
        ((VOLUME, PIXELS), {"at": "middle"}, ValueError, "at must be one of 'birth', 'death'"),
        ((VOLUME, PIXELS), {"reach": -1}, ValueError, "reach must be at least 0, got -1"),
        ((VOLUME, PIXELS), {"reach": 1.5}, TypeError, "reach must be a whole number"),
        ((VOLUME, PIXELS), {"legend": 1}, TypeError, "legend must be True or False"),
    ],
)
def test_bad_arguments_get_one_clear_sentence(
    arguments: Any, options: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        plot_volume_feature(panels(), *arguments, **options)


def test_there_must_be_three_axes() -> None:
    with pytest.raises(ValueError, match="expected three axes, one for each slice, got 2"):
        plot_volume_feature(Figure().subplots(1, 2), VOLUME, PIXELS)
