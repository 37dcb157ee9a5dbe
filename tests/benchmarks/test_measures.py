"""What masks are measured by, and what these measures cost a flawless topology."""

from __future__ import annotations

import numpy as np
import pytest
from comparison.floors import shift, thicken
from comparison.measures import make_masks, measure

from toponet.evaluation import Protocol
from toponet.segmentation import SegmentationOptions


def wall(column: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    truth = np.zeros((20, 31), dtype=np.bool_)
    truth[:, column] = True
    return truth


def test_a_hole_elsewhere_makes_up_for_a_lost_one_unless_places_count() -> None:
    truth = wall(15)
    prediction = np.zeros_like(truth)  # Two cells are one, and a pinhole makes up for it.
    prediction[3:6, 3:6] = True
    prediction[4, 4] = False
    found = measure([prediction], [truth], Protocol())
    assert (found["whole_0"], found["whole_1"]) == (1, 0)
    assert found["whole_matching_0"] == 1
    assert found["whole_matching_1"] == 2
    assert (found["f1_0"], found["f1_1"]) == (0, 0.5)
    perfect = measure([truth], [truth], Protocol())
    assert (perfect["f1_1"], perfect["whole_matching_1"], perfect["cldice"]) == (1, 0, 1)


def test_measures_are_means_over_the_images() -> None:
    truth, nothing = wall(15), np.zeros((20, 31), dtype=np.bool_)
    both = measure([truth, nothing], [truth, truth], Protocol())
    alone = measure([nothing], [truth], Protocol())
    for name in ("whole_1", "whole_matching_1", "betti_error_1"):
        assert both[name] == pytest.approx(alone[name] / 2)


def test_masks_are_cut_or_made_by_persistence() -> None:
    likelihood = wall(15) * np.float32(0.9)
    likelihood[9, 15] = 0.4
    cut, closed = (
        make_masks([likelihood], options, 8)[0]
        for options in (SegmentationOptions.cut(), SegmentationOptions(0.5, 0.0, 0.3))
    )
    assert not cut[9, 15]
    assert closed[9, 15]


def test_floors_move_walls_and_leave_their_number() -> None:
    assert (shift(wall(15)) == wall(16)).all()
    assert (thicken(wall(15)) == wall(14) | wall(15) | wall(16)).all()
