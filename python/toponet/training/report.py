"""What a finished run shows: a table and three pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.table import Table

from toponet.losses import TopologicalLoss
from toponet.plots import plot_critical_pixels, plot_diagram, plot_losses, plot_segmentation
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


def save_topology_picture(
    path: Path, truth: NDArray[np.uint8], likelihood: NDArray[np.float32], loss: TopologicalLoss
) -> None:
    """``topology.png``: the patch that costs most, what the loss moves there, and its diagram."""
    patches = loss.explain(torch.from_numpy(likelihood)[None], torch.from_numpy(truth)[None])
    worst = max(patches, key=lambda patch: patch.loss)
    (row, column), (height, width) = worst.corner, worst.shape
    part = np.s_[row : row + height, column : column + width]
    figure = Figure(figsize=(14, 5.2), dpi=110, layout="constrained")
    axes = figure.subplots(1, 3)
    axes[0].imshow(1 - 0.85 * truth[part], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes[0].set_axis_off()
    plot_critical_pixels(axes[1], likelihood[part], worst, min_force=0.02)
    plot_diagram(axes[2], worst)
    titles = (
        f"truth of the worst patch (row {row}, column {column})",
        f"likelihood, loss {worst.loss:.2f}",
        "diagram and matching",
    )
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title, fontsize=10)
    figure.savefig(path)
