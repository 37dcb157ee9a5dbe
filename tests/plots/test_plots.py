"""What the pictures mark; that they can be drawn at all, for grey and RGB."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver

import toponet
from toponet.plots import (
    plot_critical_pixels,
    plot_diagram,
    plot_errors,
    plot_filtration,
    plot_landscape,
    plot_losses,
    plot_masks,
    plot_metric,
    plot_mistakes,
    plot_segmentation,
)
from toponet.plots.style import BLUE, GREEN, ORANGE, VERMILION
from toponet.topology.explanation import Explanation, explain_matching
from toponet.topology.labelling import label_cells, label_structure, without_partner

NEVER = np.inf
# One dot of each kind: a component that never dies, one that is noise, a hole of the frame, one
# left alone, and one that the likelihood has no dot for.
EXPLANATION = Explanation(
    shape=(4, 5),
    dimensions=np.array([0, 0, 1, 1, 1], dtype=np.int8),
    fates=np.array(["matched", "removed", "matched", "ignored", "missing"]),
    dots=np.array([[0.9, -NEVER], [0.6, 0.2], [1, 0.3], [0.5, 0.45], [np.nan, np.nan]]),
    goals=np.array([[1, -NEVER], [0.4, 0.4], [1, 0], [0.5, 0.45], [1, 0]]),
    pixels=np.array([[3, -1], [7, 12], [-1, 13], [5, 6], [-1, -1]], dtype=np.int32),
    goal_pixels=np.array([[2, -1], [-1, -1], [-1, 14], [-1, -1], [8, 9]], dtype=np.int32),
    costs=np.array([0.01, 0.08, 0.09, 0, 0.5]),
    forces=np.array([[-0.2, 0], [0.4, -0.4], [0, 0.6], [0, 0], [0, 0]]),
)
LIKELIHOOD = np.linspace(0.1, 0.9, 20).reshape(4, 5)


FORMS = [
    pytest.param(lambda values: values.tolist(), id="list"),
    pytest.param(lambda values: values, id="float64"),
    pytest.param(lambda values: values.astype(np.float32), id="float32"),
    pytest.param(lambda values: values.astype(np.float16), id="float16"),
    pytest.param(lambda values: list(values.astype(np.float32)), id="list of arrays"),
    pytest.param(lambda values: torch.tensor(values), id="tensor"),
    pytest.param(lambda values: torch.tensor(values, requires_grad=True), id="with gradient"),
    pytest.param(lambda values: torch.tensor(values, dtype=torch.bfloat16), id="bfloat16"),
    pytest.param(lambda values: list(torch.tensor(values, requires_grad=True)), id="tensors"),
]


def plane() -> Axes:
    return Figure().subplots()


def space() -> Any:
    return Figure().add_subplot(projection="3d")


def labels(axes: Axes) -> list[str]:
    return axes.get_legend_handles_labels()[1]


def labelled(axes: Axes, start: str) -> Any:
    handles = zip(*axes.get_legend_handles_labels(), strict=True)
    return next(handle for handle, label in handles if str(label).startswith(start))


def places(axes: Axes, start: str) -> list[list[float]]:
    offsets: list[list[float]] = np.asarray(labelled(axes, start).get_offsets()).tolist()
    return offsets


def walls(*columns: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    mask = np.zeros((9, 20), dtype=int)
    mask[:, list(columns)] = 1
    return mask


def test_a_merged_cell_has_no_partner() -> None:
    truth, broken = walls(5, 12), walls(5, 12)
    broken[4, 12] = 0
    true_cells, cells = label_cells(truth, 8), label_cells(broken, 8)
    lost = without_partner(true_cells, cells)
    np.testing.assert_allclose(lost, [[4, 9]], atol=0.5)  # The smaller of the two that merged.
    assert len(without_partner(cells, true_cells)) == 0


def test_a_cell_too_many_has_no_partner() -> None:
    truth, split = walls(5), walls(5, 12)
    extra = without_partner(label_cells(split, 8), label_cells(truth, 8))
    assert len(extra) == 1
    assert len(without_partner(label_structure(split, 8), label_structure(truth, 8))) == 1


def test_everything_is_without_partner_in_an_empty_mask() -> None:
    empty = np.zeros((9, 20), dtype=int)
    assert len(without_partner(label_structure(walls(3, 7), 8), label_structure(empty, 8))) == 2
    assert without_partner(label_structure(empty, 8), label_structure(walls(3), 8)).shape == (0, 2)


def test_partners_are_those_of_the_table_of_shared_pixels() -> None:
    """Oracle: the whole table, and each component's pixels apart."""
    random = np.random.default_rng(0)
    for density in (0.3, 0.5, 0.7, 1.0):
        labels, other = (label_structure(random.random((11, 14)) < density, 4) for _ in range(2))
        table = np.array(
            [[np.count_nonzero((labels == a) & (other == b)) for b in range(1, other.max() + 1)]
             for a in range(1, labels.max() + 1)]
        )  # fmt: skip
        lonely = [
            np.argwhere(labels == a + 1).mean(axis=0)
            for a, row in enumerate(table)
            if row.max() == 0 or table[:, row.argmax()].argmax() != a
        ]
        expected = np.array(lonely).reshape(-1, 2)
        np.testing.assert_allclose(without_partner(labels, other), expected)


def test_errors_are_coloured_by_their_kind() -> None:
    axes = plot_errors(plane(), walls(5, 9), walls(5, 12))
    row = np.asarray(axes.images[0].get_array())[4]
    red, green, blue = row.T
    assert row[5].tolist() == [0.35] * 3
    assert red[12] > blue[12]  # Missed.
    assert blue[9] > red[9]  # Invented.
    assert set(np.flatnonzero((red != green) | (green != blue))) == {9, 12}
    assert labels(axes) == labels(plot_mistakes(plane(), walls(5, 9), walls(5, 12)))


def test_what_touches_the_frame_is_no_piece_of_its_own() -> None:
    truth, prediction = np.zeros((9, 20), dtype=int), walls(5)
    prediction[4, 12] = 1
    counts = [
        labels(plot_errors(plane(), prediction, truth, frame=frame))[2] for frame in (False, True)
    ]
    assert counts == ["piece too many or too few: 2", "piece too many or too few: 1"]
    marks = plot_errors(plane(), prediction, truth, frame=True)
    assert places(marks, "piece") == [[12, 4]]
    with pytest.raises(TypeError, match="frame must be True or False, got 'no'"):
        plot_errors(plane(), prediction, truth, frame="no")  # type: ignore[arg-type]


def test_many_marks_are_small() -> None:
    noise = np.indices((40, 40)).sum(axis=0) % 3 == 0
    areas = [
        labelled(plot_mistakes(plane(), mask, 0 * mask, 4), "piece").get_sizes()[0]
        for mask in (walls(5), noise)
    ]
    assert areas[0] == 70
    assert areas[1] < 10


def test_mistakes_are_counted_in_the_labels() -> None:
    axes = plot_mistakes(plane(), walls(5), walls(5, 12))
    assert labels(axes) == [
        "cell merged or lost: 1",
        "cell too many: 0",
        "piece too many or too few: 1",
    ]


def test_mistakes_depend_on_the_connectivity() -> None:
    diagonal = np.eye(6, dtype=int)
    counts = [labels(plot_mistakes(plane(), diagonal, diagonal * 0, c))[2] for c in (8, 4)]
    assert counts == ["piece too many or too few: 1", "piece too many or too few: 6"]


def test_mistakes_of_masks_that_do_not_fit_are_refused() -> None:
    message = r"must have the same shape \(H, W\), got \(9, 20\) and \(20, 9\)"
    with pytest.raises(ValueError, match=message):
        plot_mistakes(plane(), walls(5), walls(5).T)
    with pytest.raises(ValueError, match="connectivity must be one of 4, 8, got 6"):
        plot_mistakes(plane(), walls(5), walls(5), 6)


@pytest.mark.parametrize("channels", [1, 3])
def test_segmentations_are_drawn_for_grey_and_rgb(channels: int) -> None:
    figure = Figure(layout="constrained")
    image = np.random.default_rng(0).random((channels, 9, 20))
    axes = plot_segmentation(figure, image, walls(5), np.full((9, 20), 0.3))
    assert [a.get_title() for a in axes] == ["image", "truth", "likelihood", "cut at 0.5"]
    figure.draw_without_rendering()


@pytest.mark.parametrize(("start", "marked"), [(2, True), (1, False), (9, False)])
def test_the_start_of_the_topological_term_is_marked(start: int, marked: bool) -> None:
    axes = plot_losses(Figure().subplots(), [1, 2, 3], [3, 2, 1], [9, 8, 7], [3, 5, 4], start)
    assert bool(axes.texts) == marked


@pytest.mark.parametrize("form", FORMS)
def test_curves_are_drawn_from_lists_arrays_and_tensors(form: Any) -> None:
    epochs, losses = np.arange(1.0, 4), np.array([0.75, 0.5, 0.25])
    axes = plot_losses(plane(), form(epochs), form(losses), form(losses), form(losses), 2)
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), np.transpose([epochs, losses]))
    assert len(axes.texts) == 1
    metric = plot_metric(plane(), form(epochs), form(losses), 2, "voi")
    np.testing.assert_array_equal(metric.lines[0].get_xydata(), np.transpose([epochs, losses]))
    np.testing.assert_array_equal(metric.lines[1].get_xdata(), [1.5, 1.5])


def test_curves_of_a_run_without_an_epoch_are_empty() -> None:
    none = np.array([])
    assert not plot_losses(plane(), none, none, none, none, 2).texts
    assert len(plot_metric(plane(), [], [], 2, "voi").lines) == 1


@pytest.mark.parametrize(
    ("values", "error", "sentence"),
    [
        ([0.5], ValueError, "must hold one number for each of 2 epochs, got 1"),
        ([[0.5, 0.5]], ValueError, r"must be one row of numbers, got shape \(1, 2\)"),
        ([[0.5], [0.5, 0.5]], ValueError, "must be an array: its rows differ in length"),
        ([0.5, None], TypeError, "must hold real numbers, got object"),
    ],
)
def test_curves_that_do_not_fit_are_refused(
    values: Any, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=f"values {sentence}"):
        plot_metric(plane(), [1, 2], values, 2, "voi")
    with pytest.raises(error, match=f"topo {sentence}"):
        plot_losses(plane(), [1, 2], [0.5, 0.5], values, [0.5, 0.5], 2)
    with pytest.raises(TypeError, match=r"topo_start_epoch must be a whole number, got 1\.5"):
        plot_metric(plane(), [1, 2], [1, 2], 1.5, "voi")  # type: ignore[arg-type]


def test_a_diagram_has_death_on_x_and_what_never_dies_at_the_left() -> None:
    image = np.array([[0.9, 0.2, 0.6], [0.1, 0.1, 0.1]])
    axes = plot_diagram(plane(), toponet.persistence(image))
    ticks = dict(
        zip((t.get_text() for t in axes.get_xticklabels()), axes.get_xticks(), strict=True)
    )
    assert ticks["never"] < ticks["0"]
    assert places(axes, "components") == [[ticks["never"], 0.9], [0.2, 0.6]]
    assert labels(axes) == ["components: 2"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("death", "birth")


def test_a_hole_born_with_the_frame_has_an_edge_of_its_own() -> None:
    image = np.array([[0.9, 0.2, 0.6], [0.1, 0.1, 0.1]])
    axes = plot_diagram(plane(), toponet.persistence(image, frame=True))
    assert places(axes, "holes born with frame: 1") == [[0.1, 1]]
    assert "never" not in [tick.get_text() for tick in axes.get_xticklabels()]


@pytest.mark.parametrize("frame", [False, True])
def test_dots_whose_pixels_are_not_known_are_not_called_born_with_the_frame(frame: bool) -> None:
    """Diagrams from elsewhere know no pixels; of a frame's classes, the death's pixel is known."""
    image = np.array([[0.9, 0.2, 0.6], [0.1, 0.1, 0.1]])
    ours = toponet.persistence(image, frame=frame)
    elsewhere = toponet.PersistenceDiagrams.from_gudhi(ours.to_gudhi())
    dots = "holes" if frame else "components"
    axes = plot_diagram(plane(), elsewhere)
    assert places(axes, dots) == places(plot_diagram(plane(), ours), dots)
    assert not [label for label in labels(axes) if "frame" in label]
    explanation = explain_matching(elsewhere, elsewhere, (2, 3))
    assert not [label for label in labels(plot_diagram(plane(), explanation)) if "frame" in label]


def test_numbers_that_are_no_diagram_are_not_drawn() -> None:
    wrong = toponet.PersistenceDiagrams(
        np.array([[0.2, 0.9]]),
        np.array([[0, 1]], np.int32),
        np.array([0], np.int8),
        np.array([0, 1]),
    )
    with pytest.raises(ValueError, match="must have birth >= death"):
        plot_diagram(plane(), wrong)


def test_the_limits_of_a_diagram_hold_values_that_are_no_probabilities() -> None:
    image = np.array([[-40, 30.0, -50, 20, -60]])
    axes = plot_diagram(plane(), toponet.persistence(image))
    assert axes.get_xlim()[0] < -60
    assert axes.get_ylim()[1] > 30


def test_a_matching_is_drawn_as_arrows_from_dots_to_goals() -> None:
    axes = plot_diagram(plane(), EXPLANATION)
    assert labels(axes) == [
        "components: 2",
        "holes: 1",
        "holes ignored: 1",
        "holes born with frame: 1",
        "holes missing: 1",
        "to fix: 2",
        "to remove: 1",
    ]
    fixed, removed = labelled(axes, "to fix"), labelled(axes, "to remove")
    never = axes.get_xticks()[0]
    np.testing.assert_allclose(fixed.XY, [[never, 0.9], [0.3, 1]])
    np.testing.assert_allclose(np.transpose([fixed.U, fixed.V]), [[0, 0.1], [-0.3, 0]], atol=1e-12)
    np.testing.assert_allclose(removed.XY, [[0.2, 0.6]])
    np.testing.assert_allclose(np.transpose([removed.U, removed.V]), [[0.2, -0.2]])
    assert places(axes, "holes missing") == [[0, 1]]
    assert len(labelled(axes, "holes missing").get_facecolors()) == 0
    tether = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert [np.asarray(line.get_xydata()).tolist() for line in tether] == [[[0.5, 0.5], [0, 1]]]
    assert labelled(axes, "holes ignored").get_alpha() < 0.5
    colours = [to_hex(labelled(axes, name).get_facecolor()[0]).upper()
               for name in ("components", "holes", "to fix", "to remove")]  # fmt: skip
    assert colours == [BLUE, VERMILION, GREEN, ORANGE]


def test_without_its_matching_an_explanation_is_the_likelihoods_diagram() -> None:
    axes = plot_diagram(plane(), EXPLANATION, matching=False)
    assert labels(axes) == ["components: 2", "holes: 2", "holes born with frame: 1"]
    assert not [artist for artist in axes.collections if isinstance(artist, Quiver)]


def test_the_dimensions_of_a_diagram_can_be_chosen() -> None:
    axes = plot_diagram(plane(), EXPLANATION, dims=(0,))
    assert labels(axes) == ["components: 2", "to fix: 1", "to remove: 1"]


def test_cavities_of_a_volume_are_drawn_beside_its_pieces() -> None:
    shell = np.pad(np.zeros((1, 2, 3)), 1, constant_values=0.9)
    diagram = toponet.persistence(shell, spatial_dims=3)
    both = plot_diagram(plane(), diagram)
    pieces = plot_diagram(plane(), diagram, dims=(0,))
    assert labels(both) == ["components: 1", "cavities: 1"]
    assert labels(pieces) == ["components: 1"]


def test_an_empty_diagram_is_an_empty_plane() -> None:
    axes = plot_diagram(plane(), toponet.persistence(np.ones((3, 4)), frame=True))
    assert labels(axes) == []
    assert axes.get_legend() is None


def test_a_matching_computed_from_images_can_be_drawn() -> None:
    truth = walls(5, 12).astype(float)
    likelihood = np.clip(truth * 0.8 + 0.1 * np.random.default_rng(0).random(truth.shape), 0, 1)
    explanation = explain_matching(
        toponet.persistence(likelihood, frame=True),
        toponet.persistence(truth, frame=True),
        (9, 20),
        matching="complete",
        min_persistence=0.0,
        dim_weights=(1.0, 1.0),
    )
    figure = Figure(layout="constrained")
    left, middle = figure.subplots(1, 2)
    plot_diagram(left, explanation)
    plot_critical_pixels(middle, likelihood, explanation)
    plot_landscape(figure.add_subplot(projection="3d"), likelihood, explanation)
    assert "to fix: 3" in labels(left)
    figure.draw_without_rendering()


def test_diagrams_of_another_type_or_of_several_images_are_refused() -> None:
    with pytest.raises(
        TypeError, match="must be PersistenceDiagrams or an Explanation, got ndarray"
    ):
        plot_diagram(plane(), np.zeros((3, 2)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="diagrams of one image, got those of 2"):
        plot_diagram(plane(), toponet.persistence(np.zeros((2, 3, 4))))
    with pytest.raises(ValueError, match=r"dims must be some of 0, 1 and 2, each once, got \(3,\)"):
        plot_diagram(plane(), EXPLANATION, dims=(3,))
    with pytest.raises(TypeError, match="matching must be True or False, got 'complete'"):
        plot_diagram(plane(), EXPLANATION, matching="complete")  # type: ignore[arg-type]


def test_critical_pixels_lie_where_they_are_and_say_what_they_are_for() -> None:
    axes = plot_critical_pixels(plane(), LIKELIHOOD, EXPLANATION)
    marks = {label: places(axes, label) for label in labels(axes)}
    assert marks == {
        "birth to fix: 1": [[3, 0]],
        "death to fix: 1": [[3, 2]],
        "birth to remove: 1": [[2, 1]],
        "death to remove: 1": [[2, 2]],
    }
    shapes = [labelled(axes, label).get_paths()[0].vertices[0, 1] for label in marks]
    assert shapes[0] == shapes[2] == -shapes[1] == -shapes[3]  # Pointing up and down.
    colours = [to_hex(labelled(axes, label).get_facecolor()[0]).upper() for label in marks]
    assert colours == [GREEN, GREEN, ORANGE, ORANGE]


def test_partners_of_betti_matching_are_joined_by_lines_in_the_image() -> None:
    """From each end of a matched dot to the same end of its partner, which has a ring."""
    likelihood, target = torch.zeros(2, 1, 7, 11)
    likelihood[0, 1:6, 1:6] = 0.8
    likelihood[0, 3, 3] = 0.2
    likelihood[0, 1, 9] = 0.5  # Noise has no partner.
    target[0, 1:6, 2:7] = 1
    target[0, 3, 3:5] = 0
    loss = toponet.TopologicalLoss(matching="betti", frame=False)
    (explanation,) = loss.explain(likelihood, target)
    axes = plot_critical_pixels(plane(), likelihood[0], explanation, partners=True)
    ends = {
        tuple(zip(*(np.asarray(data).tolist() for data in line.get_data()), strict=True))
        for line in axes.get_lines()
    }
    matched = (explanation.fates == "matched")[:, None] & (explanation.pixels >= 0)
    pairs = zip(explanation.pixels[matched], explanation.goal_pixels[matched], strict=True)
    assert ends == {tuple((p % 11, p // 11) for p in map(int, pair)) for pair in pairs}
    assert len(ends) == 3  # What never dies, and both ends of the hole.
    assert all(line.get_markevery() == [1] for line in axes.get_lines())
    few = plot_critical_pixels(
        plane(), likelihood[0], explanation, partners=True, min_force=0.4 + 1e-6
    )
    assert not few.get_lines()
    assert not plot_critical_pixels(plane(), likelihood[0], explanation).get_lines()
    with pytest.raises(TypeError, match="partners must be True or False"):
        plot_critical_pixels(plane(), likelihood[0], explanation, partners=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("draw", [plot_critical_pixels, plot_landscape])
def test_weak_forces_can_be_left_out_and_areas_scaled(draw: Any) -> None:
    def axes() -> Any:
        return plane() if draw is plot_critical_pixels else space()

    strong = draw(axes(), LIKELIHOOD, EXPLANATION, min_force=0.4)
    assert labels(strong) == ["death to fix: 1"]
    assert labelled(strong, "death").get_sizes() == pytest.approx([0.6 * 90])
    wide = draw(axes(), LIKELIHOOD, EXPLANATION, mark_area=500)
    assert labelled(wide, "birth to fix").get_sizes() == pytest.approx([0.2 * 500])
    assert draw(axes(), LIKELIHOOD, EXPLANATION, min_force=9).get_legend() is None


@pytest.mark.parametrize(
    ("draw", "picture"),
    [
        (lambda axes, **o: plot_critical_pixels(axes, LIKELIHOOD, EXPLANATION, **o), plane),
        (lambda axes, **o: plot_landscape(axes, LIKELIHOOD, EXPLANATION, **o), space),
        (lambda axes, **o: plot_diagram(axes, EXPLANATION, **o), plane),
    ],
    ids=["critical pixels", "landscape", "diagram"],
)
def test_legends_can_be_left_to_the_caller(draw: Any, picture: Any) -> None:
    axes = draw(picture())
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == labels(axes)
    bare = draw(picture(), legend=False)
    assert bare.get_legend() is None
    assert labels(bare) == texts
    with pytest.raises(TypeError, match="legend must be True or False, got 1"):
        draw(picture(), legend=1)


@pytest.mark.parametrize(
    ("likelihood", "error", "message"),
    [
        (np.zeros((2, 4, 5)), ValueError, r"must have shape \(H, W\), not empty, got \(2, 4, 5\)"),
        (np.zeros((0, 5)), ValueError, r"must have shape \(H, W\), not empty, got \(0, 5\)"),
        (np.full((4, 5), 1.5), ValueError, r"must lie in \[0, 1\], got 1.5"),
        (np.full((4, 5), np.nan), ValueError, r"must lie in \[0, 1\], got nan"),
        (np.full((4, 5), "a"), TypeError, "must hold real numbers, got <U1"),
    ],
)
def test_likelihoods_that_are_none_are_refused(
    likelihood: Any, error: type[Exception], message: str
) -> None:
    for draw in (
        lambda: plot_critical_pixels(plane(), likelihood, EXPLANATION),
        lambda: plot_filtration([plane()], likelihood, [0.5]),
        lambda: plot_landscape(space(), likelihood),
    ):
        with pytest.raises(error, match=f"likelihood {message}"):
            draw()


@pytest.mark.parametrize(("draw", "picture"),
                         [(plot_critical_pixels, plane), (plot_landscape, space)])  # fmt: skip
def test_explanations_that_do_not_fit_are_refused(draw: Any, picture: Any) -> None:
    with pytest.raises(TypeError, match="explanation must be an Explanation, got ndarray"):
        draw(picture(), LIKELIHOOD, np.zeros(3))
    message = r"likelihood has shape \(5, 4\), but the explanation is of .* \(4, 5\)"
    with pytest.raises(ValueError, match=message):
        draw(picture(), LIKELIHOOD.T, EXPLANATION)
    with pytest.raises(ValueError, match="min_force must be at least 0 and finite, got -1"):
        draw(picture(), LIKELIHOOD, EXPLANATION, min_force=-1)
    with pytest.raises(TypeError, match="mark_area must be a number, got None"):
        draw(picture(), LIKELIHOOD, EXPLANATION, mark_area=None)


def test_a_filtration_says_the_betti_numbers_and_tints_the_holes() -> None:
    ring = np.full((5, 6), 0.1)
    ring[1:4, 1:4] = 0.8
    ring[2, 2] = 0.2
    ring[1, 2] = 0.4  # The ring closes late.
    panels = plot_filtration(Figure().subplots(1, 3), ring, (0.9, 0.6, 0.3))
    assert [axes.get_title() for axes in panels] == [
        "$f \\geq 0.9$\n$\\beta_0 = 0$, $\\beta_1 = 0$",
        "$f \\geq 0.6$\n$\\beta_0 = 1$, $\\beta_1 = 0$",
        "$f \\geq 0.3$\n$\\beta_0 = 1$, $\\beta_1 = 1$",
    ]
    picture = np.asarray(panels[2].images[0].get_array())
    np.testing.assert_array_equal(picture[0, 0], 1)  # The outside.
    np.testing.assert_array_equal(picture[1, 1], 0.15)
    assert len(np.unique(picture[2, 2])) == 3  # A colour: the hole.
    np.testing.assert_array_equal(np.asarray(panels[1].images[0].get_array())[2, 2], 1)


def test_a_filtration_has_five_thresholds_unless_told() -> None:
    panels = plot_filtration(Figure().subplots(1, 5), LIKELIHOOD)
    assert [axes.get_title()[8:11] for axes in panels] == ["0.9", "0.7", "0.5", "0.3", "0.1"]


def test_frame_and_connectivity_change_the_filtration() -> None:
    diagonal = np.eye(3, 4)
    counts, pictures = [], []
    for options in ({}, {"connectivity": 4}, {"frame": True}):
        (axes,) = plot_filtration([plane()], diagonal, [0.5], **options)
        counts.append(axes.get_title().split("\n")[1])
        pictures.append(axes.images[0])
    assert counts == [
        "$\\beta_0 = 1$, $\\beta_1 = 0$",
        "$\\beta_0 = 3$, $\\beta_1 = 0$",
        "$\\beta_0 = 0$, $\\beta_1 = 2$",
    ]
    assert pictures[0].get_extent() == [-0.5, 3.5, 2.5, -0.5]
    assert pictures[2].get_extent() == [-1.5, 4.5, 3.5, -1.5]
    np.testing.assert_array_equal(np.asarray(pictures[2].get_array())[0], 0.5)


@pytest.mark.parametrize(("connectivity", "tinted"), [(8, True), (4, False)])
def test_only_what_is_a_hole_by_the_connectivity_is_tinted(connectivity: int, tinted: bool) -> None:
    diamond = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    (axes,) = plot_filtration([plane()], diamond, [0.5], connectivity=connectivity)
    assert (np.ptp(np.asarray(axes.images[0].get_array())[1, 1]) > 0) == tinted


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("thresholds", [form for form in FORMS if form.id != "bfloat16"])
def test_a_pixel_of_the_threshold_is_reached_in_every_type(form: Any, thresholds: Any) -> None:
    """0.7 as float32 is less than 0.7 as float64; 0.1 as float32 is more."""
    values = np.array([[0.7, 0.1, 0.7], [0.1, 0.1, 0.3]])
    panels = plot_filtration(
        Figure().subplots(1, 3), form(values), thresholds(np.array([0.7, 0.3, 0.1]))
    )
    dark = [int((np.asarray(a.images[0].get_array()) == 0.15).all(axis=2).sum()) for a in panels]
    assert dark == [2, 3, 6]
    assert [axes.get_title()[8:11] for axes in panels] == ["0.7", "0.3", "0.1"]


def test_thresholds_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="one axes for each of 5 thresholds, got 2"):
        plot_filtration(Figure().subplots(1, 2), LIKELIHOOD)
    with pytest.raises(ValueError, match="thresholds must be finite, got nan"):
        plot_filtration([plane()], LIKELIHOOD, [np.nan])
    with pytest.raises(TypeError, match="thresholds must be a number, got 'a'"):
        plot_filtration([plane()], LIKELIHOOD, "a")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="connectivity must be one of 4, 8, got 6"):
        plot_filtration([plane()], LIKELIHOOD, [0.5], connectivity=6)
    with pytest.raises(TypeError, match="frame must be True or False, got 'yes'"):
        plot_filtration([plane()], LIKELIHOOD, [0.5], frame="yes")  # type: ignore[arg-type]


def test_a_landscape_has_a_polygon_for_each_square_of_pixels() -> None:
    large = np.random.default_rng(0).random((60, 70))
    axes = plot_landscape(space(), large, threshold=None)
    (surface,) = axes.collections
    assert len(surface.get_facecolor()) == 59 * 69
    assert axes.get_ylim() == (59.5, -0.5)


def test_the_contour_of_a_landscape_is_optional() -> None:
    drawn = [
        len(plot_landscape(space(), LIKELIHOOD, threshold=threshold).collections)
        for threshold in (0.5, None, 2.0)
    ]
    assert drawn == [2, 1, 1]
    assert len(plot_landscape(space(), LIKELIHOOD).collections) == 2


@pytest.mark.parametrize("form", FORMS)
def test_a_landscapes_contour_encloses_the_pixels_of_the_threshold(form: Any) -> None:
    """0.7 in every type: contours of float32 at 0.7 as float64 would run inside of the ridge."""
    values = np.array([[0.1, 0.1, 0.1], [0.7, 0.7, 0.9], [0.1, 0.1, 0.1]])
    axes = plot_landscape(space(), form(values), threshold=0.7)
    contour = axes.collections[1]
    rows = {round(float(y), 6) for path in contour.get_paths() for y in path.vertices[:, 1]}
    assert 1.0 in rows


@pytest.mark.parametrize("form", FORMS)
def test_maps_are_drawn_from_lists_arrays_and_tensors(form: Any) -> None:
    axes = plot_critical_pixels(plane(), form(LIKELIHOOD), EXPLANATION)
    shown = np.asarray(axes.images[0].get_array())
    np.testing.assert_allclose(shown, 1 - 0.85 * LIKELIHOOD, atol=0.01)


def test_marks_on_a_landscape_stand_at_their_height_and_point_to_their_goal() -> None:
    axes = plot_landscape(space(), LIKELIHOOD, EXPLANATION, min_force=0.5)
    x, y, z = (np.asarray(part) for part in labelled(axes, "death to fix: 1")._offsets3d)
    np.testing.assert_allclose([x[0], y[0], z[0]], [3, 2, 0.3])
    line: Any = axes.lines[0]
    assert len(axes.lines) == 1
    np.testing.assert_allclose(line.get_data_3d(), np.array([[3, 3], [2, 2], [0.3, 0]]))


def test_a_landscape_needs_space_and_pixels() -> None:
    with pytest.raises(ValueError, match="axes must be three-dimensional: make them with figure"):
        plot_landscape(plane(), LIKELIHOOD)
    with pytest.raises(ValueError, match="needs at least 2 x 2 pixels, got 1 x 5"):
        plot_landscape(space(), LIKELIHOOD[:1])
    with pytest.raises(ValueError, match="threshold must be finite, got inf"):
        plot_landscape(space(), LIKELIHOOD, threshold=np.inf)
    with pytest.raises(TypeError, match="threshold must be a number, got 'half'"):
        plot_landscape(space(), LIKELIHOOD, threshold="half")  # type: ignore[arg-type]


def test_pixels_without_a_force_have_no_mark() -> None:
    still = replace(EXPLANATION, forces=np.zeros((5, 2)))
    assert labels(plot_critical_pixels(plane(), LIKELIHOOD, still)) == []


def test_masks_stand_beside_the_truth_with_their_mistakes_counted() -> None:
    truth = np.zeros((12, 17), dtype=np.uint8)
    truth[6] = 1
    broken = truth.copy()
    broken[6, 8] = 0
    figure = Figure()
    row = plot_masks(figure, truth, {"whole": truth, "broken": broken})
    titles = [axes.get_title() for axes in row]
    assert titles[:2] == ["truth", "whole: 0 mistakes"]
    assert titles[2].startswith("broken: ")
    assert titles[2] != "broken: 0 mistakes"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "cell merged or lost",
        "cell too many",
        "piece too many or too few",
    ]
    assert len(plot_masks(Figure(), truth, {})) == 1


@pytest.mark.parametrize("channels", [1, 3])
def test_the_image_comes_before_the_truth(channels: int) -> None:
    image = np.random.default_rng(0).random((channels, 9, 20))
    row = plot_masks(Figure(), walls(5), {"a": walls(5)}, image=image)
    assert [axes.get_title() for axes in row] == ["image", "truth", "a: 0 mistakes"]
    shown = np.asarray(row[0].images[0].get_array())
    assert shown.shape == ((9, 20) if channels == 1 else (9, 20, 3))


def test_metrics_are_drawn_by_epoch_with_the_start_of_the_term() -> None:
    axes = Figure().subplots()
    plot_metric(axes, [1, 2, 3], [0.5, 0.4, 0.3], 2, "voi")
    curve, start = axes.get_lines()
    np.testing.assert_array_equal(curve.get_ydata(), [0.5, 0.4, 0.3])
    np.testing.assert_array_equal(start.get_xdata(), [1.5, 1.5])
    alone = plot_metric(Figure().subplots(), [1, 2], [1.0, 2.0], 9, "ari")
    assert len(alone.get_lines()) == 1


def test_the_connectivity_decides_what_is_a_mistake() -> None:
    truth = np.eye(9, dtype=np.uint8)
    cut = truth.copy()
    cut[4, 4] = 0
    titles = [
        plot_masks(Figure(), truth, {"cut": cut}, connectivity)[1].get_title()
        for connectivity in (4, 8)
    ]
    assert titles[0] != titles[1]
