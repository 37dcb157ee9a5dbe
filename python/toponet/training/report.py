"""What a finished run shows: a table and two pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.table import Table

from toponet.plots import plot_losses, plot_segmentation
from toponet.training.evaluation import METRIC_NAMES

HIGHER_IS_BETTER = ("accuracy", "ari")


def metrics_table(before: dict[str, float] | None, after: dict[str, float]) -> Table:
    """Metrics at the end of the cross-entropy phase (if there was one) and at the end."""
    table = Table(title="Held-out images (↑ higher is better, ↓ lower is better)")
    table.add_column("metric")
    table.add_column("end of cross-entropy phase", justify="right")
    table.add_column("end of training", justify="right")
    for name in METRIC_NAMES:
        arrow = "↑" if name in HIGHER_IS_BETTER else "↓"
        first = "-" if before is None else f"{before[name]:.4f}"
        table.add_row(f"{name} {arrow}", first, f"{after[name]:.4f}")
    return table


def save_loss_picture(path: Path, rows: list[dict[str, float]], topo_start_epoch: int) -> None:
    """``losses.png``: the paper's figure 6(b)."""
    figure = Figure(figsize=(6, 3.6), dpi=150, layout="constrained")
    columns = {name: [row[name] for row in rows] for name in ("bce", "topo", "total")}
    epochs = [int(row["epoch"]) for row in rows]
    plot_losses(figure.subplots(), epochs, **columns, topo_start_epoch=topo_start_epoch)
    figure.savefig(path)


def save_segmentation_picture(
    path: Path,
    image: NDArray[np.float32],
    truth: NDArray[np.uint8],
    likelihood: NDArray[np.float32],
    connectivity: int,
) -> None:
    """``segmentation.png``: image, truth, likelihood and mask with wrong topology marked."""
    figure = Figure(figsize=(14, 4.3), dpi=110, layout="constrained")
    plot_segmentation(figure, image, truth, likelihood, connectivity)
    figure.savefig(path)
