"""The general matching of two diagrams as a transport problem, solved by POT."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Pairs = NDArray[np.int64]


def diagonal_cost(dots: Values) -> Values:
    """(n,) Squared distance of each dot to the diagonal."""
    return (dots[:, 0] - dots[:, 1]) ** 2 / 2


def partners_by_transport(f: Values, g: Values, matching: str) -> Pairs:
    """The partner in g of each dot of f, by optimal transport; -1 = the diagonal.

    The problem has n + 1 rows and m + 1 columns. The last row and the last column stand for the
    diagonal, and carry the spare mass.
    """
    if matching == "persistence":
        chosen = np.sort(np.argsort(f[:, 1] - f[:, 0], kind="stable")[: len(g)])
        partner = np.full(len(f), -1)
        partner[chosen] = partners_by_transport(f[chosen], g, "complete")
        return partner
    n, m = len(f), len(g)
    spare_f, spare_g = (m, n) if matching == "wasserstein" else (max(m - n, 0), max(n - m, 0))
    cost = np.zeros((n + 1, m + 1))
    cost[:n, :m] = ((f[:, None] - g[None]) ** 2).sum(axis=2)
    cost[:n, m] = diagonal_cost(f)
    cost[n, :m] = diagonal_cost(g)
    mass_f, mass_g = np.append(np.ones(n), spare_f), np.append(np.ones(m), spare_g)
    plan = _transport_plan(mass_f, mass_g, cost)
    partner = np.argmax(plan[:n], axis=1)
    return np.where(partner == m, -1, partner)


def _transport_plan(mass_f: Values, mass_g: Values, cost: Values) -> Values:
    """The plan of ``ot.emd``. Raises where POT itself returns a wrong plan without an error.

    POT does so if a cost is NaN, and if it reaches its limit of iterations. Rows and columns
    without mass are left out, because a mass of 0 lies at the limit of what POT's checks accept.
    """
    import ot  # Imported here, because it takes longer than all the rest of the package.

    if not np.isfinite(cost).all():
        raise ValueError("the costs of a matching must be finite")
    rows, columns = np.flatnonzero(mass_f), np.flatnonzero(mass_g)
    # POT compares costs with an absolute epsilon, to which costs of 1e-14 would all be equal.
    cost = cost / (cost.max() or 1.0)
    plan = np.zeros(cost.shape)
    solved, log = ot.lp.emd(
        mass_f[rows],
        mass_g[columns],
        np.ascontiguousarray(cost[np.ix_(rows, columns)]),
        numItermax=10_000_000,
        log=True,
    )
    if log["warning"] is not None:
        raise RuntimeError(f"optimal transport did not converge: {log['warning']}")
    plan[np.ix_(rows, columns)] = solved
    return plan
