"""Optimal matchings between persistence diagrams (paper, eq. 2.2). numpy only; POT when needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toponet import _core
from toponet._ground.validation import check_choice, check_min_persistence
from toponet.topology.diagram_checks import dot_array
from toponet.topology.diagrams import PersistenceDiagrams
from toponet.topology.induced_matching import BETTI
from toponet.topology.transport import Pairs, Values, diagonal_cost, partners_by_transport

METHODS = ("auto", "pot", "closed_form")

LARGEST = 1e150


@dataclass(frozen=True, eq=False)
class Dots:
    """The dots of one dimension of one image.

    Attributes:
        values: (n, 2) float64. Births and deaths.
        pixels: (n, 2) int32. Birth and death pixels, flat indices into the image or patch; -1 = the
            frame, or a death that never comes. All -1 if ``shape`` is None.
        shape: Height and width of the image or patch; None = the places aren't known, as in
            :func:`match`, which gets values alone.
    """

    values: Values
    pixels: NDArray[np.int32]
    shape: tuple[int, ...] | None

    @classmethod
    def without_places(cls, values: Values) -> Dots:
        """Dots whose pixels aren't known."""
        return cls(values, np.full(values.shape, -1, dtype=np.int32), None)

    def places(self) -> NDArray[np.float64]:
        """(n, 2, 2) Row and column of the birth pixel and of the death pixel; NaN = the frame.

        Raises:
            ValueError: If the places aren't known.
        """
        if self.shape is None:
            raise ValueError(
                "this matching depends on places, and values have none; explain_matching() takes "
                "diagrams, which know their pixels"
            )
        rows, columns = np.divmod(self.pixels.astype(np.int64), self.shape[1])
        places = np.stack([rows, columns], axis=-1).astype(np.float64)
        places[self.pixels < 0] = np.nan
        return places

    def finite(self) -> Pairs:
        """The row numbers of the dots that die."""
        return np.flatnonzero(np.isfinite(self.values[:, 1]))

    def rows(self, rows: Pairs) -> Dots:
        """Some of the dots."""
        return Dots(self.values[rows], self.pixels[rows], self.shape)


@dataclass(frozen=True, eq=False)
class Matching:
    """A matching between the dots of two diagrams.

    Attributes:
        pairs: (k, 2) int64. Rows of the first and of the second diagram. (i, -1) and (-1, j) are
            pairs of a dot and the diagonal. A dot that is left alone because of
            ``min_persistence`` is in no pair.
        cost: Sum of the squared distances over the pairs. The squared distance to the diagonal is
            (birth - death)^2 / 2. A pair of essential classes costs the squared difference of
            their births.
    """

    pairs: Pairs
    cost: float


def match(
    values_f: ArrayLike,
    values_g: ArrayLike,
    *,
    matching: str = "complete",
    min_persistence: float = 0.0,
    method: str = "auto",
) -> Matching:
    r"""Optimal matching of two diagrams, of f and of g: one dimension of one image each.

    Each mode minimises the sum of squared distances over the matchings that it allows:

    - ``"complete"``: every dot of g has a partner as long as f has dots (the paper's bijection).
      Only the surplus of the larger diagram goes to the diagonal.
    - ``"wasserstein"``: any dot may go to the diagonal (2-Wasserstein distance, squared).
    - ``"persistence"``: the k most persistent dots of f are matched with the k dots of g. All other
      dots of f go to the diagonal (the rule that the paper's authors released).

    Essential classes (death -inf) are matched with each other in the order of their births.

    Args:
        values_f: (n, 2) births and deaths, birth >= death.
        values_g: (m, 2) births and deaths, birth >= death.
        matching: One of the three modes.
        min_persistence: A dot of f without a partner in g is left alone if its persistence is at
            most this number: it is in no pair and costs nothing. Which dots are partners doesn't
            depend on this number.
        method: "closed_form" needs targets that coincide (all dots of g are equal, as in binary
            images): O(n) on average. "pot" solves the transport problem: O((n + m)^3). "auto" takes
            the closed form if the targets coincide.

    Returns:
        The matching: essential pairs first, then pairs ordered by the dot of f, then (-1, j).

    Raises:
        TypeError: If an argument isn't an array of real numbers.
        ValueError: If an array isn't (n, 2), holds NaN or a birth below its death; if the numbers
            of essential classes differ; if an option is unknown; if the targets of "closed_form"
            don't coincide.
        RuntimeError: If POT did not converge.

    Source: Hu et al., NeurIPS 2019, section 2.2; Cohen-Steiner et al., "Lipschitz functions have
    L_p-stable persistence" (2010).

    Example:
        >>> import toponet
        >>> toponet.match([[0.9, 0.2], [0.5, 0.4]], [[1.0, 0.0]]).pairs
        array([[ 0,  0],
               [ 1, -1]])
    """
    if isinstance(matching, str) and matching == BETTI:
        raise ValueError(
            f"matching {BETTI!r} looks at whole images, and diagrams don't have them; "
            "toponet.betti_matching takes images"
        )
    check_choice("matching", matching, MATCHINGS)
    check_choice("method", method, METHODS)
    check_min_persistence(min_persistence)
    for name, values in (("values_f", values_f), ("values_g", values_g)):
        if isinstance(values, PersistenceDiagrams):
            raise TypeError(
                f"{name} must be an (n, 2) array of numbers, got PersistenceDiagrams; take "
                "diagrams[i, d].values, of one image and one dimension"
            )
    return match_dots(
        Dots.without_places(checked_values("values_f", values_f)),
        Dots.without_places(checked_values("values_g", values_g)),
        matching=matching,
        min_persistence=min_persistence,
        method=method,
    )


def match_dots(
    dots_f: Dots, dots_g: Dots, *, matching: str, min_persistence: float, method: str = "auto"
) -> Matching:
    """:func:`match` for dots whose pixels may be known, and whose values are checked.

    Raises:
        ValueError: If the numbers of essential classes differ, or "closed_form" is asked for
            targets that don't coincide.
        RuntimeError: If POT did not converge.
    """
    finite_f, finite_g = dots_f.finite(), dots_g.finite()
    essential, essential_cost = _match_essential(dots_f.values, dots_g.values)

    f, g = dots_f.values[finite_f], dots_g.values[finite_g]
    partner = PARTNERS[matching](dots_f.rows(finite_f), dots_g.rows(finite_g), method)
    matched = partner >= 0
    kept = np.flatnonzero(matched | (f[:, 0] - f[:, 1] > min_persistence))
    unmatched_g = np.setdiff1d(np.arange(len(g)), partner)
    cost = (
        np.sum((f[matched] - g[partner[matched]]) ** 2)
        + np.sum(diagonal_cost(f[kept[~matched[kept]]]))
        + np.sum(diagonal_cost(g[unmatched_g]))
    )
    rows_g = np.append(finite_g, -1)  # Partner -1, the diagonal, stays -1.
    pairs = np.concatenate(
        [
            essential,
            np.stack([finite_f[kept], rows_g[partner[kept]]], axis=1),
            np.stack([np.full(len(unmatched_g), -1), finite_g[unmatched_g]], axis=1),
        ]
    )
    return Matching(pairs.astype(np.int64), float(cost + essential_cost))


def checked_values(name: str, values: ArrayLike) -> Values:
    """(n, 2) births and deaths as float64, or the errors of :func:`match`."""
    dots = dot_array(name, values).astype(np.float64)
    if (np.abs(dots[np.isfinite(dots)]) > LARGEST).any():
        raise ValueError(f"{name} must hold numbers up to {LARGEST:g}: their squares are summed")
    return dots


def _match_essential(dots_f: Values, dots_g: Values) -> tuple[Pairs, float]:
    """Matches the classes that never die by their births, in sorted order: this is the optimum."""
    rows_f = np.flatnonzero(np.isneginf(dots_f[:, 1]))
    rows_g = np.flatnonzero(np.isneginf(dots_g[:, 1]))
    if len(rows_f) != len(rows_g):
        raise ValueError(
            "both diagrams must have the same number of classes that never die (same frame and "
            f"dims on both sides), got {len(rows_f)} and {len(rows_g)}"
        )
    rows_f = rows_f[np.argsort(-dots_f[rows_f, 0], kind="stable")]
    rows_g = rows_g[np.argsort(-dots_g[rows_g, 0], kind="stable")]
    cost = float(np.sum((dots_f[rows_f, 0] - dots_g[rows_g, 0]) ** 2))
    return np.stack([rows_f, rows_g], axis=1), cost


def _partners_by_value(f: Dots, g: Dots, method: str, matching: str) -> Pairs:
    """The partner in g of each dot of f, by the values alone; -1 = the diagonal."""
    coincide = bool((g.values == g.values[:1]).all())
    if method == "closed_form" and not coincide:
        different = len(np.unique(g.values, axis=0))
        raise ValueError(
            f"method 'closed_form' needs targets that coincide, got {different} different dots; "
            "use 'auto' or 'pot'"
        )
    if len(f.values) == 0 or len(g.values) == 0:
        return np.full(len(f.values), -1)
    if method == "pot" or not coincide:
        return partners_by_transport(f.values, g.values, matching)
    birth, death = g.values[0]
    chosen = _core.choose_dots(
        np.ascontiguousarray(f.values),
        target=(birth, death),
        targets=len(g.values),
        matching=matching,
    )
    partner = np.full(len(f.values), -1)
    partner[chosen] = np.arange(np.count_nonzero(chosen))
    return partner


# Matchings that look at values alone: of targets that coincide, the kernel needs the number only.
BY_VALUE = ("complete", "wasserstein", "persistence")

# The matchings by name. Each gets the dots that die, and the method that match() was asked for,
# which it may ignore. It returns the partner in g of each dot of f; -1 = the diagonal. What never
# dies, min_persistence and the costs are not its business.
PARTNERS: Mapping[str, Callable[[Dots, Dots, str], Pairs]] = MappingProxyType(
    {name: partial(_partners_by_value, matching=name) for name in BY_VALUE}
)
MATCHINGS = tuple(PARTNERS)
