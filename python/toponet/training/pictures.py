"""The pictures of a run: one function for each, for the report and for loggers alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from toponet._ground.valid import taken_for_structure
from toponet.data import ImageSet
from toponet.evaluation.protocol import CUT, PERSISTENCE, with_arrow
from toponet.plots import (
    plot_critical_pixels,
    plot_diagram,
    plot_errors,
    plot_losses,
    plot_masks,
    plot_metric,
    plot_segmentation,
)
from toponet.topology.segmentation import SegmentationOptions, segment_images
from toponet.training.config import TrainConfig
from toponet.training.evaluation import THRESHOLD, TRAINING_METRICS
from toponet.training.state import Row
from toponet.training.worst_patches import WorstPatch

EPOCHS_IN_A_ROW = 5
# Weaker pulls have no mark: the noise of a map would hide the rest.
LEAST_FORCE = 0.1

Mask = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture.

    Attributes:
        file: Its name in the run folder.
        caption: What it shows.
        figure: The picture itself.
    """

    file: str
    caption: str
    figure: Figure


def report_pictures(
    config: TrainConfig,
    rows: Sequence[Row],
    data: ImageSet,
    likelihood: NDArray[np.float32],
    masks: Mapping[int, Mask],
    worst: Sequence[WorstPatch],
    options: SegmentationOptions | None = None,
) -> Iterator[Picture]:
    """All that can be made of a run, one at a time.

    Args:
        config: Of the run.
        rows: Of metrics.csv, at least one.
        data: The images that metrics are counted on.
        likelihood: The network's last answer for the first of them.
        masks: Its answers cut at the threshold, by epoch.
        worst: The patches that cost most; may be empty.
        options: Threshold, keep and add that were chosen, if any.
    """
    name = data.names[0]
    kind = config.measured.capitalize()
    last, before = int(rows[-1]["epoch"]), config.topo_start_epoch - 1
    yield Picture(
        "segmentation.png",
        f"{kind} image {name}: image, truth, likelihood, and the likelihood cut at {THRESHOLD}",
        overlay(config, data, likelihood),
    )
    if options is not None:
        yield Picture(
            "persistence.png",
            f"{kind} image {name}: image, truth, the likelihood cut at {THRESHOLD}, and the mask "
            "that persistence decides on",
            both_masks(config, data, likelihood, options),
        )
    if before in masks and last in masks and last > before:
        pair = {
            f"{config.base_label}, epoch {before}": masks[before],
            f"final, epoch {last}": masks[last],
        }
        yield Picture(
            "comparison.png",
            f"{kind} image {name}: image, truth, at the end of the {config.base_label} phase, "
            "and at the end of training",
            _masks_figure(data, pair, config.connectivity, with_image=True),
        )
    if masks:
        chosen = {
            f"epoch {epoch}": masks[epoch] for epoch in spread(sorted(masks), EPOCHS_IN_A_ROW)
        }
        yield Picture(
            "epochs.png",
            f"{kind} image {name}: truth, and the cut likelihood over the epochs",
            _masks_figure(data, chosen, config.connectivity),
        )
    if worst:
        yield Picture(
            "topology.png",
            f"The {config.measured} patches that cost most: truth and errors, "
            f"{what_moves(rows)}, and the diagram with its matching",
            patches_figure(worst, config),
        )
    start = config.topo_start_epoch
    yield Picture(
        "losses.png",
        "Losses by epoch",
        losses_figure(rows, start, config.base_label),
    )
    yield Picture(
        "metrics.png",
        f"Metrics of the {config.measured} images by epoch",
        metrics_figure(rows, start),
    )


def what_moves(rows: Sequence[Row]) -> str:
    """What the marks on critical pixels mean in a run with these rows."""
    if any(row["topo_weight"] > 0 for row in rows):
        return "what the loss moves"
    return "what the topological loss would move (it had no weight in this run)"


def overlay(config: TrainConfig, data: ImageSet, likelihood: NDArray[np.float32]) -> Figure:
    """The first of these images beside truth, likelihood and mask, with wrong topology marked."""
    image, truth, valid = data.images[0], data.masks[0], data.valid[0]
    figure = _row_figure(4, truth.shape)
    plot_segmentation(figure, image, truth, likelihood, config.connectivity, valid=valid)
    return figure


def both_masks(
    config: TrainConfig,
    data: ImageSet,
    likelihood: NDArray[np.float32],
    options: SegmentationOptions,
) -> Figure:
    """The first of these images beside truth, plain cut, and mask by persistence."""
    counted = taken_for_structure(likelihood, data.valid[0])
    settled = segment_images(counted, options, connectivity=config.connectivity)
    masks = {CUT: likelihood >= THRESHOLD, PERSISTENCE: settled.mask}
    plain = {title: mask.astype(np.uint8) for title, mask in masks.items()}
    return _masks_figure(data, plain, config.connectivity, with_image=True)


def losses_figure(
    rows: Sequence[Row], topo_start_epoch: int, base_loss: str = "cross-entropy"
) -> Figure:
    """The paper's figure 6(b)."""
    figure = _figure(6, 3.6)
    losses = {name: [row[name] for row in rows] for name in ("bce", "topo", "total")}
    plot_losses(
        figure.subplots(),
        _epochs(rows),
        **losses,
        topo_start_epoch=topo_start_epoch,
        base_loss=base_loss,
    )
    return figure


def metrics_figure(rows: Sequence[Row], topo_start_epoch: int) -> Figure:
    """One panel for each metric."""
    figure = _figure(14, 3)
    for axes, name in zip(figure.subplots(1, len(TRAINING_METRICS)), TRAINING_METRICS, strict=True):
        values = [row[name] for row in rows]
        plot_metric(axes, _epochs(rows), values, topo_start_epoch, with_arrow(name))
    return figure


def patches_figure(worst: Sequence[WorstPatch], config: TrainConfig) -> Figure:
    """The paper's figure 4, a row for each patch, at least one."""
    figure = _figure(14, 5.6 * len(worst))
    for part, patch in zip(
        figure.subfigures(len(worst), 1, squeeze=False)[:, 0], worst, strict=True
    ):
        part.suptitle(_patch_caption(patch), fontsize=11)
        axes = part.subplots(1, 3)
        prediction = patch.likelihood >= THRESHOLD
        # As the loss sees the patch; metrics, and losses that don't choose, have a frame.
        frame = config.term_options.get("frame", True)
        options: dict[str, Any] = {"frame": frame, "valid": patch.valid}
        plot_errors(axes[0], prediction, patch.truth, config.connectivity, **options)
        _legend_below(axes[0])
        plot_critical_pixels(axes[1], patch.likelihood, patch.explanation, min_force=LEAST_FORCE)
        plot_diagram(axes[2], patch.explanation)
        titles = (
            "truth; missed pixels red, invented ones blue",
            f"likelihood; larger marks are pulled harder, below {LEAST_FORCE:g} none",
            "diagram and matching",
        )
        for panel, title in zip(axes, titles, strict=True):
            panel.set_title(title, fontsize=10)
    return figure


def spread(values: Sequence[int], count: int) -> list[int]:
    """Up to ``count`` of the values, evenly from the first to the last."""
    if len(values) <= count:
        return list(values)
    return [values[k] for k in np.linspace(0, len(values) - 1, count).round().astype(int)]


def _masks_figure(
    data: ImageSet, masks: Mapping[str, Mask], connectivity: int, with_image: bool = False
) -> Figure:
    """Truth and masks of the first of these images."""
    truth, image = data.masks[0], data.images[0] if with_image else None
    figure = _row_figure(1 + len(masks) + with_image, truth.shape)
    plot_masks(figure, truth, masks, connectivity, image=image, valid=data.valid[0])
    return figure


def _patch_caption(patch: WorstPatch) -> str:
    plain = patch.to_plain()
    dots = ", ".join(f"{count} {fate}" for fate, count in plain["dots"].items())
    return (
        f"{patch.image}, row {plain['row']}, column {plain['column']}: loss {plain['loss']:.2f} "
        f"(components {plain['components']:.2f}, holes {plain['holes']:.2f}); dots: {dots}"
    )


def _legend_below(axes: Any) -> None:
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, fontsize=8, frameon=False,
        columnspacing=1, handletextpad=0.4,
    )  # fmt: skip


def _row_figure(panels: int, shape: tuple[int, ...]) -> Figure:
    """Panels side by side for images of this shape; very long or wide ones get margins."""
    width = 3.5 if panels <= 4 else 2.8
    return _figure(width * panels, width * float(np.clip(shape[0] / shape[1], 0.4, 1.8)) + 0.7)


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), dpi=110, layout="constrained")


def _epochs(rows: Sequence[Row]) -> list[int]:
    return [int(row["epoch"]) for row in rows]
