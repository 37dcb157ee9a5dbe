"""What a finished run shows: a table, a page and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.table import Table

from toponet.data import ImageSet
from toponet.losses import TopologicalLoss
from toponet.plots import (
    plot_critical_pixels,
    plot_diagram,
    plot_losses,
    plot_masks,
    plot_metric,
    plot_segmentation,
)
from toponet.training.config import TrainConfig
from toponet.training.evaluation import METRIC_NAMES
from toponet.training.state import Row

HIGHER_IS_BETTER = ("accuracy", "ari")
EPOCHS_IN_A_ROW = 5
PICTURES = {
    "segmentation.png": "First held-out image: image, truth, likelihood, and what is wrong",
    "comparison.png": "Its mask at the end of the cross-entropy phase and at the end",
    "epochs.png": "Its mask over the epochs",
    "topology.png": "The patch that costs most, what the loss moves there, and its diagram",
    "losses.png": "Losses by epoch",
    "metrics.png": "Metrics by epoch",
}


def metrics_table(before: Row | None, after: Row) -> Table:
    """Metrics at the end of the cross-entropy phase (if there was one) and at the end."""
    table = Table(title="Held-out images (↑ higher is better, ↓ lower is better)")
    table.add_column("metric")
    table.add_column("end of cross-entropy phase", justify="right")
    table.add_column("end of training", justify="right")
    for row in _metric_rows(before, after):
        table.add_row(*row)
    return table


def save_report_page(path: Path, report: Mapping[str, Any]) -> None:
    """``report.md``: the table, the conventions and the pictures that are there."""
    rows = _metric_rows(report["cross_entropy_phase"], report["final"])
    lines = [
        f"# {report['config']['data']}",
        "",
        "| held-out images | end of cross-entropy phase | end of training |",
        "|---|---|---|",
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
        *(f"- **{name}**: {meaning}" for name, meaning in report["conventions"].items()),
        "",
        f"Topological weight {report['topo_weight']}; toponet {report['toponet']}; the "
        "configuration is in `config.yaml`, every epoch's numbers in `metrics.csv`.",
    ]
    for picture, caption in PICTURES.items():
        if (path.parent / picture).exists():
            lines += ["", f"{caption}:", "", f"![{caption}]({picture})"]
    path.write_text("\n".join(lines) + "\n")


def save_pictures(
    folder: Path,
    config: TrainConfig,
    rows: list[Row],
    validation: ImageSet,
    likelihood: NDArray[np.float32],
    masks: Mapping[int, NDArray[np.uint8]],
) -> None:
    """All of ``PICTURES`` that can be made, of the first held-out image.

    Args:
        folder: Written into.
        config: Of the run.
        rows: Of metrics.csv.
        validation: The held-out images.
        likelihood: The network's last answer for the first of them.
        masks: Its answers cut at the threshold, by epoch.
    """
    image, truth = validation.images[0], validation.masks[0]
    epochs = [int(row["epoch"]) for row in rows]
    start = config.topo_start_epoch

    figure = _figure(14, 4.3)
    plot_segmentation(figure, image, truth, likelihood, config.connectivity)
    figure.savefig(folder / "segmentation.png")

    figure = _figure(6, 3.6)
    losses = {name: [row[name] for row in rows] for name in ("bce", "topo", "total")}
    plot_losses(figure.subplots(), epochs, **losses, topo_start_epoch=start)
    figure.savefig(folder / "losses.png")

    figure = _figure(14, 3)
    for axes, name in zip(figure.subplots(1, len(METRIC_NAMES)), METRIC_NAMES, strict=True):
        plot_metric(axes, epochs, [row[name] for row in rows], start, _with_arrow(name))
    figure.savefig(folder / "metrics.png")

    chosen = sorted(masks)
    if len(chosen) > EPOCHS_IN_A_ROW:
        places = np.linspace(0, len(chosen) - 1, EPOCHS_IN_A_ROW).round().astype(int)
        chosen = [chosen[place] for place in places]
    figure = _figure(3 * (1 + len(chosen)), 3.6)
    plot_masks(figure, truth, {f"epoch {k}": masks[k] for k in chosen}, config.connectivity)
    figure.savefig(folder / "epochs.png")

    if start - 1 in masks and epochs[-1] > start - 1:
        figure = _figure(11, 4.2)
        pair = {"cross-entropy": masks[start - 1], "with topology": masks[epochs[-1]]}
        plot_masks(figure, truth, pair, config.connectivity)
        figure.savefig(folder / "comparison.png")

    _save_topology(folder / "topology.png", config, validation, likelihood)


def _save_topology(
    path: Path, config: TrainConfig, validation: ImageSet, likelihood: NDArray[np.float32]
) -> None:
    truth, valid = validation.masks[0], validation.valid[0]
    loss = TopologicalLoss(**config.loss_options, patch_size=config.patch_size)
    patches = loss.explain(
        torch.from_numpy(likelihood)[None],
        torch.from_numpy(truth)[None],
        valid=None if valid is None else torch.from_numpy(valid)[None],
    )
    if not patches:
        return
    worst = max(patches, key=lambda patch: patch.loss)
    (row, column), (height, width) = worst.corner, worst.shape
    part = np.s_[row : row + height, column : column + width]
    figure = _figure(14, 5.2)
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


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), dpi=110, layout="constrained")


def _with_arrow(name: str) -> str:
    return f"{name} {'↑' if name in HIGHER_IS_BETTER else '↓'}"


def _metric_rows(before: Row | None, after: Row) -> list[tuple[str, str, str]]:
    return [
        (_with_arrow(name), "-" if before is None else f"{before[name]:.4f}", f"{after[name]:.4f}")
        for name in METRIC_NAMES
    ]
