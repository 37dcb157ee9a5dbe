"""Matchings: every mode against an oracle that shares no code with it."""

from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
import ot
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

import toponet
from toponet.losses import binary_loss
from toponet.losses.binary_loss import LossOptions, whole_images
from toponet.losses.diagram_loss import diagram_topological_loss
from toponet.topology import explain_matching, matching
from toponet.topology.matching import Dots

TARGET = (1.0, 0.0)


@st.composite
def diagrams(draw: st.DrawFn, max_size: int = 7) -> NDArray[np.float64]:
    """Dots on a grid of tenths, so that equal dots and equal costs are frequent."""
    dots = draw(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), max_size=max_size))
    return np.array([(max(d), min(d)) for d in dots if d[0] != d[1]]).reshape(-1, 2) / 10


def diagonal(dots: NDArray[np.float64]) -> NDArray[np.float64]:
    return (dots[:, 0] - dots[:, 1]) ** 2 / 2


def oracle_cost(f: NDArray[np.float64], g: NDArray[np.float64], matching: str) -> float:
    """The full square assignment problem, by scipy: no compact form, no transport."""
    n, m = len(f), len(g)
    if matching == "persistence":
        by_persistence = np.argsort(f[:, 1] - f[:, 0], kind="stable")
        chosen, rest = f[by_persistence[:m]], f[by_persistence[m:]]
        return oracle_cost(chosen, g, "complete") + float(diagonal(rest).sum())
    cost = np.zeros((n + m, n + m))
    cost[:n, :m] = ((f[:, None] - g[None]) ** 2).sum(-1)
    cost[:n, m:] = diagonal(f)[:, None]
    cost[n:, :m] = diagonal(g)[None]
    if matching == "complete":
        # A penalty on every dot that goes to the diagonal, paid no more often than it must be.
        cost[:n, m:] += 100
        cost[n:, :m] += 100
    total = float(cost[linear_sum_assignment(cost)].sum())
    return total - 100 * abs(n - m) if matching == "complete" else total


def cost_of_pairs(
    pairs: NDArray[np.int64], f: NDArray[np.float64], g: NDArray[np.float64]
) -> float:
    total = 0.0
    for i, j in pairs:
        if j < 0:
            total += diagonal(f[i : i + 1])[0]
        elif i < 0:
            total += diagonal(g[j : j + 1])[0]
        else:
            total += ((f[i] - g[j]) ** 2).sum()
    return total


@pytest.mark.parametrize("matching", ["complete", "wasserstein", "persistence"])
@hypothesis.settings(max_examples=300)
@hypothesis.given(f=diagrams(), g=diagrams())
def test_general_targets_get_the_optimum(
    matching: str, f: NDArray[np.float64], g: NDArray[np.float64]
) -> None:
    """Oracle: scipy's assignment on the full problem. Each dot is in exactly one pair."""
    result = toponet.match(f, g, matching=matching)
    assert result.cost == pytest.approx(oracle_cost(f, g, matching), abs=1e-9)
    assert result.cost == pytest.approx(cost_of_pairs(result.pairs, f, g), abs=1e-9)
    for column, dots in enumerate((f, g)):
        used = result.pairs[:, column]
        assert sorted(used[used >= 0]) == list(range(len(dots)))


@pytest.mark.parametrize("matching", ["complete", "wasserstein", "persistence"])
@hypothesis.settings(max_examples=300)
@hypothesis.given(f=diagrams(max_size=12), count=st.integers(0, 8))
def test_the_closed_form_equals_pot(matching: str, f: NDArray[np.float64], count: int) -> None:
    g = np.tile(TARGET, (count, 1))
    closed = toponet.match(f, g, matching=matching, method="closed_form")
    general = toponet.match(f, g, matching=matching, method="pot")
    assert closed.cost == pytest.approx(general.cost, abs=1e-9)
    assert closed.cost == pytest.approx(oracle_cost(f, g, matching), abs=1e-9)
    assert closed.cost == pytest.approx(cost_of_pairs(closed.pairs, f, g), abs=1e-9)


def test_complete_equals_emd_on_the_full_problem() -> None:
    """Oracle: ot.emd with one diagonal point for every surplus dot."""
    rng = np.random.default_rng(2)
    for _ in range(50):
        n, m = rng.integers(1, 20, 2)
        f = np.sort(rng.random((n, 2)))[:, ::-1]
        g = np.tile(TARGET, (m, 1))
        size = max(n, m)
        cost = np.zeros((size, size))
        cost[:n, :m] = ((f[:, None] - g[None]) ** 2).sum(-1)
        cost[:n, m:] = diagonal(f)[:, None]
        cost[n:, :m] = diagonal(g)[None]
        expected = ot.emd2(np.ones(size), np.ones(size), cost)
        assert toponet.match(f, g).cost == pytest.approx(float(expected))


@pytest.mark.parametrize("scale", [1e-12, 1e-7, 1e9])
def test_the_optimum_does_not_depend_on_the_scale(scale: float) -> None:
    """POT compares costs with an absolute epsilon."""
    f, g = np.array([[1, 0.2], [0.8, 0.5]]), np.array([[0.8, 0.6], [0.9, 0.7]])
    expected = toponet.match(f, g)
    scaled = toponet.match(f * scale, g * scale)
    assert scaled.pairs.tolist() == expected.pairs.tolist()
    assert scaled.cost == pytest.approx(expected.cost * scale**2)


def test_modes_differ_where_they_should() -> None:
    """A weak dot: complete pulls it to the target, wasserstein gives it up."""
    weak, target = [[0.25, 0.0]], [TARGET]
    assert toponet.match(weak, target).pairs.tolist() == [[0, 0]]
    given_up = toponet.match(weak, target, matching="wasserstein")
    assert sorted(given_up.pairs.tolist()) == [[-1, 0], [0, -1]]
    # The most persistent dot isn't the one that is nearest to the target.
    dots = [[0.5, 0.0], [0.76, 0.27]]
    assert toponet.match(dots, target, matching="persistence").pairs.tolist() == [[0, 0], [1, -1]]
    assert toponet.match(dots, target, matching="complete").pairs.tolist() == [[0, -1], [1, 0]]


@pytest.mark.parametrize("matching", ["complete", "wasserstein", "persistence"])
def test_min_persistence_leaves_small_dots_alone(matching: str) -> None:
    f = [[0.9, 0.1], [0.5, 0.4], [0.7, 0.4]]
    result = toponet.match(f, [TARGET], matching=matching, min_persistence=0.2)
    assert result.pairs.tolist() == [[0, 0], [2, -1]]
    assert result.cost == pytest.approx(0.02 + 0.3**2 / 2)
    assert len(toponet.match(f, [TARGET], matching=matching).pairs) == 3


def test_essential_classes_are_matched_by_birth_and_cost_their_births_only() -> None:
    inf = float("inf")
    result = toponet.match([[0.6, 0.2], [0.7, -inf]], [[1.0, -inf], [1.0, 0.0]])
    assert result.pairs.tolist() == [[1, 0], [0, 1]]
    assert result.cost == pytest.approx(0.3**2 + 0.4**2 + 0.2**2)


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0)])
def test_empty_diagrams_are_matched_with_the_diagonal(n: int, m: int) -> None:
    f, g = np.tile([0.8, 0.2], (n, 1)), np.tile([1.0, 0.0], (m, 1))
    for method in ("auto", "pot", "closed_form"):
        result = toponet.match(f, g, method=method)
        assert len(result.pairs) == n + m
        assert result.cost == pytest.approx(0.18 * n + 0.5 * m)


@pytest.mark.parametrize(
    ("f", "g", "options", "sentence"),
    [
        ([[0.2, 0.9]], [], {}, "birth >= death"),
        ([[np.nan, 0.9]], [], {}, "finite"),
        ([[0.9, np.nan]], [], {}, "finite"),
        ([0.9, 0.1], [], {}, r"shape \(n, 2\), got \(2,\)"),
        ([[1, -np.inf]], [], {}, "got 1 and 0"),
        ([], [], {"matching": "best"}, "'complete', 'wasserstein', 'persistence'"),
        ([], [], {"method": "lp"}, "'auto', 'pot', 'closed_form'"),
        ([], [], {"min_persistence": -1}, "at least 0"),
        ([[1, 0]], [[1, 0], [1, 0.5]], {"method": "closed_form"}, "2 different dots"),
    ],
)
def test_bad_input_gets_one_clear_sentence(
    f: Any, g: Any, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        toponet.match(f, g, **options)


def test_numbers_that_are_not_real_are_refused() -> None:
    with pytest.raises(TypeError, match="real numbers, got complex128"):
        toponet.match([[1j, 0]], [])


def test_a_plan_that_did_not_converge_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """POT only warns, and hands out a partial plan."""
    emd = ot.lp.emd

    def impatient(*args: Any, **options: Any) -> Any:
        return emd(*args, **{**options, "numItermax": 1})

    monkeypatch.setattr(ot.lp, "emd", impatient)
    rng = np.random.default_rng(0)
    f, g = (np.sort(rng.random((30, 2)))[:, ::-1] for _ in range(2))
    with (
        pytest.warns(UserWarning, match="numItermax"),
        pytest.raises(RuntimeError, match="did not converge"),
    ):
        toponet.match(f, g, method="pot")


def test_several_classes_that_never_die_are_matched_in_the_order_of_their_births() -> None:
    """Whatever row they stand in: the order is the cheapest matching."""
    never = -np.inf
    result = toponet.match([[0.25, never], [0.875, never]], [[1.0, never], [0.375, never]])
    assert {tuple(pair) for pair in result.pairs.tolist()} == {(1, 0), (0, 1)}
    assert result.cost == 2 * 0.125**2


def test_dots_of_diagrams_know_their_places_and_values_alone_do_not() -> None:
    """Row and column, in an image that isn't square; NaN in place of the frame."""
    pixels = np.array([[9, 2], [-1, 13]], dtype=np.int32)
    dots = Dots(np.array([[0.9, 0.1], [1.0, 0.3]]), pixels, (3, 7))
    places = dots.rows(np.array([1, 0])).places()
    np.testing.assert_array_equal(places, [[[np.nan, np.nan], [1, 6]], [[1, 2], [0, 2]]])
    with pytest.raises(ValueError, match="values have none; explain_matching"):
        Dots.without_places(dots.values).places()


def test_a_matching_may_depend_on_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest birth pixel, whatever the values: binary targets take the general route, too."""

    def nearest(f: Dots, g: Dots, method: str) -> NDArray[np.int64]:
        steps = f.places()[:, None, 0] - g.places()[None, :, 0]
        partners: NDArray[np.int64] = np.argmin((steps**2).sum(axis=-1), axis=1)
        return partners

    monkeypatch.setattr(matching, "PARTNERS", {**matching.PARTNERS, "nearest": nearest})
    for module in (matching, binary_loss):
        monkeypatch.setattr(module, "MATCHINGS", (*matching.MATCHINGS, "nearest"))
    truth, likelihood = np.zeros((9, 30)), np.zeros((9, 30))
    truth[4, [5, 24]] = 1
    likelihood[4, 24], likelihood[4, 5] = 0.9, 0.6
    f, g = (toponet.persistence(image, frame=True) for image in (likelihood, truth))
    explanation = explain_matching(f, g, truth.shape, dims=(0,), matching="nearest")
    np.testing.assert_array_equal(explanation.pixels[:, 0], explanation.goal_pixels[:, 0])
    options = LossOptions(dims=(0,), matching="nearest")
    losses, _ = diagram_topological_loss(
        likelihood[None], g, whole_images(likelihood[None]), options
    )
    assert losses[0] == pytest.approx(explanation.loss)
    with pytest.raises(ValueError, match="places"):
        toponet.match([[0.9, 0.1]], [[1.0, 0.0]], matching="nearest")
