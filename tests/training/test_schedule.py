"""Learning rate and topological weight over the epochs, counted by hand."""

from __future__ import annotations

import math

import pytest

from toponet.training.schedule import lr_factor, topo_factor


def test_the_cosine_goes_from_1_in_the_first_epoch_to_just_above_0_in_the_last() -> None:
    factors = [lr_factor("cosine", epoch, 4) for epoch in (1, 2, 3, 4)]
    root = math.sqrt(0.5)
    assert factors == pytest.approx([1, (1 + root) / 2, 0.5, (1 - root) / 2])


def test_a_constant_learning_rate_stays_as_it_is() -> None:
    assert [lr_factor("constant", epoch, 3) for epoch in (1, 2, 3)] == [1, 1, 1]


def test_the_topological_weight_climbs_from_its_first_epoch_on() -> None:
    epochs = range(1, 8)
    assert [topo_factor(epoch, 3, 0) for epoch in epochs] == [0, 0, 1, 1, 1, 1, 1]
    expected = [0, 0, 1 / 3, 2 / 3, 1, 1, 1]
    assert [topo_factor(epoch, 3, 2) for epoch in epochs] == pytest.approx(expected)
