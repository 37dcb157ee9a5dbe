"""What the pictures mark; that they can be drawn at all, for grey and RGB."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from toponet.labelling import label_cells, label_structure, without_partner
from toponet.plots import plot_losses, plot_mistakes, plot_segmentation


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


def test_mistakes_are_counted_in_the_labels() -> None:
    axes = plot_mistakes(Figure().subplots(), walls(5), walls(5, 12))
    labels = axes.get_legend_handles_labels()[1]
    assert labels == [
        "cell merged or lost: 1",
        "cell too many: 0",
        "piece too many or too few: 1",
    ]


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
