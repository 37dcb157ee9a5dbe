"""What the loss does to one image, dot by dot, for any two diagrams."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toponet._ground.validation import check_choice
from toponet.topology.diagram_checks import check_holes_die
from toponet.topology.diagrams import PersistenceDiagrams
from toponet.topology.matching import Dots, checked_values, match_dots

FATES = ("matched", "removed", "ignored", "missing")


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """The matching behind one image's topological loss: one row per dot.

    The rows are the dots of the likelihood, in the order of its diagram, then the dots of the
    target that have no partner. (Those of an in-place loss are listed by the faults and features;
    see :meth:`toponet.TopologicalLoss.explain`.)

    Attributes:
        shape: Height and width of the image (or patch) in pixels; of a volume depth, height and
            width.
        dimensions: (n,) int8. 0 = component, 1 = hole (of a volume: tunnel), 2 = cavity.
        fates: (n,) str. "matched": matched with a dot of the target. "removed": noise, matched with
            the diagonal. "ignored": left alone because of ``min_persistence``. "missing": a dot of
            the target for which the likelihood has no dot.
        dots: (n, 2) float64. Birth and death in the likelihood; NaN for "missing". A class that
            never dies has death -inf.
        goals: (n, 2) float64. Where the loss wants the dot to be. "matched": at its partner.
            "removed": at its projection on the diagonal. "ignored": where it is. "missing": the dot
            of the target.
        pixels: (n, 2) int32. Birth and death pixel, flat indices into H x W (D x H x W); -1 = none.
        goal_pixels: (n, 2) int32. Birth and death pixel of the dot of the target, for "matched" and
            "missing"; otherwise -1.
        costs: (n,) float64. What each row adds to the loss, dimension weights included.
        forces: (n, 2) float64. The gradient of the loss with respect to the value of each critical
            pixel; gradient descent moves the pixel the other way.
        corner: Row and column of the patch's upper left pixel in its image; of a volume plane, row
            and column.
    """

    shape: tuple[int, ...]
    dimensions: NDArray[np.int8]
    fates: NDArray[np.str_]
    dots: NDArray[np.float64]
    goals: NDArray[np.float64]
    pixels: NDArray[np.int32]
    goal_pixels: NDArray[np.int32]
    costs: NDArray[np.float64]
    forces: NDArray[np.float64]
    corner: tuple[int, ...] = (0, 0)

    @property
    def loss(self) -> float:
        """The image's topological loss."""
        return float(self.costs.sum())

    def share(self, dimension: int) -> float:
        """Part of the loss that comes from one dimension, in [0, 1]; 0 if the loss is 0."""
        check_choice("dimension", dimension, self._dims)
        loss = self.loss
        return float(self.costs[self.dimensions == dimension].sum()) / loss if loss else 0.0

    def count(self, fate: str, dimension: int) -> int:
        """How many dots of a dimension have one of the fates."""
        check_choice("fate", fate, FATES)
        check_choice("dimension", dimension, self._dims)
        return int(np.count_nonzero((self.fates == fate) & (self.dimensions == dimension)))

    def gradient(self) -> NDArray[np.float64]:
        """In the image's shape: the force on each pixel; forces on one pixel are summed."""
        gradient = np.zeros(math.prod(self.shape))
        used = self.pixels >= 0
        np.add.at(gradient, self.pixels[used], self.forces[used])
        return gradient.reshape(self.shape)

    @property
    def _dims(self) -> tuple[int, ...]:
        return tuple(range(len(self.shape)))

    def __repr__(self) -> str:
        """A line for each dimension."""
        lines = [
            f"  dimension {d}: "
            + ", ".join(f"{self.count(fate, d)} {fate}" for fate in FATES)
            + f"; {self.share(d):.0%} of the loss"
            for d in self._dims
        ]
        return "\n".join([f"Explanation(loss {self.loss:.6g}", *lines]) + ")"


def explain_matching(
    likelihood: PersistenceDiagrams,
    target: PersistenceDiagrams,
    shape: tuple[int, ...],
    *,
    dims: Sequence[int] = (0, 1),
    matching: str = "complete",
    min_persistence: float = 0.0,
    dim_weights: Sequence[float] = (1.0, 1.0),
) -> Explanation:
    """Matches the diagrams of one image, each dimension apart.

    Args:
        likelihood: The diagram of one image.
        target: The diagram of its target, with the same frame and dims. Its values may be any, not
            only 0 and 1.
        shape: Height and width of the image.
        dims: Dimensions that count. Dots of other dimensions are left out.
        matching: See :func:`toponet.match`.
        min_persistence: See :func:`toponet.match`.
        dim_weights: Factors of dimension 0 and 1.

    Raises:
        ValueError: For the reasons of :func:`toponet.match`; if a hole never dies.

    Cost: that of two matchings, which is O((n + m)^3) if the dots of the target don't coincide.
    """
    check_holes_die("likelihood", likelihood.values, likelihood.dimensions)
    check_holes_die("target", target.values, target.dimensions)
    parts = []
    for dimension in sorted(dims):
        dots = dots_of("likelihood", likelihood, dimension, shape)
        wanted = dots_of("target", target, dimension, shape)
        result = match_dots(dots, wanted, matching=matching, min_persistence=min_persistence)
        part = dot_rows(dots, wanted, result.pairs)
        part["dimensions"] = np.full(len(part["dots"]), dimension, dtype=np.int8)
        part["costs"] = part["costs"] * dim_weights[dimension]
        part["forces"] = part["forces"] * dim_weights[dimension]
        parts.append(part)
    return joined_explanation(parts, shape)


def joined_explanation(
    parts: Sequence[dict[str, NDArray[Any]]], shape: tuple[int, ...]
) -> Explanation:
    """The explanation of one image from the rows of its dimensions."""
    joined: dict[str, Any] = {
        name: np.concatenate([part[name] for part in parts]) for name in parts[0]
    }
    # The dots of the likelihood come first: callers read them beside its diagram.
    order = np.argsort(joined["fates"] == "missing", kind="stable")
    return Explanation(shape=shape, **{name: column[order] for name, column in joined.items()})


def dots_of(
    name: str, diagrams: PersistenceDiagrams, dimension: int, shape: tuple[int, ...]
) -> Dots:
    """The dots of one dimension of one image; ``name`` is for errors."""
    rows = diagrams.dimensions == dimension
    return Dots(checked_values(name, diagrams.values[rows]), diagrams.pixels[rows], shape)


def dot_rows(found: Dots, targets: Dots, pairs: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Fates, goals, costs and forces: of all dots, then of the targets without a partner."""
    dots, wanted = found.values, targets.values
    unmatched = pairs[pairs[:, 0] < 0, 1]
    pairs = pairs[pairs[:, 0] >= 0]
    matched, removed = pairs[pairs[:, 1] >= 0], pairs[pairs[:, 1] < 0, 0]
    fates = np.full(len(dots) + len(unmatched), "ignored")
    fates[len(dots) :] = "missing"
    fates[matched[:, 0]] = "matched"
    fates[removed] = "removed"
    goals = np.concatenate([dots, wanted[unmatched]])
    goals[matched[:, 0]] = wanted[matched[:, 1]]
    goals[removed] = dots[removed].mean(axis=1, keepdims=True)
    residuals = np.zeros(goals.shape)
    finite = np.isfinite(dots)  # A death that never happens has no pixel to move.
    residuals[: len(dots)][finite] = dots[finite] - goals[: len(dots)][finite]
    costs = (residuals**2).sum(axis=1)
    costs[len(dots) :] = (wanted[unmatched, 0] - wanted[unmatched, 1]) ** 2 / 2
    nowhere = np.full((len(unmatched), 2), np.nan)
    no_pixels = np.full((len(unmatched), 2), -1, dtype=np.int32)
    goal_pixels = np.full(goals.shape, -1, dtype=np.int32)
    goal_pixels[matched[:, 0]] = targets.pixels[matched[:, 1]]
    goal_pixels[len(dots) :] = targets.pixels[unmatched]
    return {
        "fates": fates,
        "dots": np.concatenate([dots, nowhere]),
        "goals": goals,
        "pixels": np.concatenate([found.pixels, no_pixels]),
        "goal_pixels": goal_pixels,
        "costs": costs,
        "forces": 2 * residuals,
    }
