"""The paper's figures 5 and 7 for finished runs, and what the topological loss did over them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from comparison.fates import mean_fates
from comparison.results import epochs_of
from toponet.data import ImageSet, load_data
from toponet.plots import plot_masks
from toponet.prediction import load_model
from toponet.training.evaluation import THRESHOLD
from toponet.training.pictures import spread
from toponet.training.run_folder import RunFolder, read_config
from toponet.training.worst_patches import counted

EPOCHS_IN_A_ROW = 5
PANEL = 3.0
# Columns of metrics.csv.
COURSES = {
    "bce": "cross-entropy",
    "topo": "topological loss, unweighted",
    "gradient_ratio": "gradients: topological / cross-entropy",
    "accuracy": "accuracy",
    "voi": "VOI",
    "betti_error_1": "Betti error, holes",
}

Fates = dict[str, dict[str, float]]


@dataclass(frozen=True, eq=False)
class Finished:
    """A run that is done, with its held-out images.

    Attributes:
        label: In pictures.
        folder: Its run folder.
        data: The images that it held out.
        connectivity: Of the structure.
        topo_start_epoch: First epoch with the topological loss.
    """

    label: str
    folder: Path
    data: ImageSet
    connectivity: int
    topo_start_epoch: int

    @classmethod
    def read(cls, label: str, folder: Path) -> Finished:
        """From its folder; the data is where it was in training."""
        config = read_config(folder)
        data = load_data(config.data, seed=config.seed)
        held_out = data.subset(config.split(len(data))[1])
        return cls(label, folder, held_out, config.connectivity, config.topo_start_epoch)

    def likelihoods(
        self, checkpoint: str, images: Sequence[int] | None = None
    ) -> list[NDArray[np.float32]]:
        """Of a checkpoint by name, for all held-out images or those of some numbers."""
        path = self.folder / "checkpoints" / f"{checkpoint}.ckpt"
        model = load_model(path, torch.device("cpu"))
        numbers = range(len(self.data)) if images is None else images
        return [counted(model.likelihood(self.data.images[k]), self.data.valid[k]) for k in numbers]

    @property
    def truths(self) -> list[NDArray[np.bool_]]:
        """Of the held-out images."""
        return [
            counted(mask > 0, valid)
            for mask, valid in zip(self.data.masks, self.data.valid, strict=True)
        ]


def methods_figure(runs: Sequence[Finished], image: int) -> Figure:
    """Figure 5: a held-out image, its truth, and what each method makes of it, errors marked."""
    masks = {run.label: run.likelihoods("last", [image])[0] >= THRESHOLD for run in runs}
    figure = _figure(2 + len(masks), 1)
    truth = runs[0].truths[image]
    plot_masks(figure, truth, masks, runs[0].connectivity, image=runs[0].data.images[image])
    return figure


def epochs_figure(runs: Sequence[Finished]) -> Figure:
    """Figure 7: the first held-out image over the epochs, a row for each run."""
    figure = _figure(1 + EPOCHS_IN_A_ROW, len(runs))
    rows = figure.subfigures(len(runs), 1, squeeze=False)[:, 0]
    for run, part in zip(runs, rows, strict=True):
        masks = RunFolder(read_config(run.folder), run.folder, write=False).read_masks()
        valid = run.data.valid[0]
        chosen = {
            f"epoch {epoch}": counted(masks[epoch], valid)
            for epoch in spread(sorted(masks), EPOCHS_IN_A_ROW)
        }
        part.suptitle(run.label, fontsize=11)
        plot_masks(part, run.truths[0], chosen, run.connectivity)
    return figure


def fates_by_epoch(run: Finished, advance: Callable[[], None]) -> dict[int, Fates]:
    """Of the held-out images, at each epoch that a checkpoint was kept of."""
    names = sorted(path.stem for path in (run.folder / "checkpoints").glob("epoch_*.ckpt"))
    found = {}
    for name in names:
        fates = mean_fates(run.likelihoods(name), run.truths, run.connectivity)
        found[int(name.removeprefix("epoch_"))] = fates
        advance()
    return found


def course_figure(
    runs: Sequence[Finished], fates: Mapping[str, Mapping[int, Fates]], kinds: Sequence[str]
) -> Figure:
    """Losses, the ratio of their gradients and metrics by epoch; dots of some kinds and their cost.

    Args:
        runs: Each a line in every panel.
        fates: Of each run by label, by epoch.
        kinds: Of dots, as :func:`comparison.fates.kind_name` names them.
    """
    rows = {run.label: epochs_of(run.folder) for run in runs}
    panels: list[tuple[str, dict[str, list[tuple[float, float]]]]] = [
        (
            title,
            {label: [(r["epoch"], r[column]) for r in of_run] for label, of_run in rows.items()},
        )
        for column, title in COURSES.items()
    ]
    for kind, number in itertools.product(kinds, ("dots", "cost")):
        lines = {
            label: [(float(epoch), found[kind][number]) for epoch, found in of_run.items()]
            for label, of_run in fates.items()
        }
        panels.append((f"{kind}, held-out: {number} a patch", lines))
    columns = -(-len(panels) // 2)
    figure = Figure(figsize=(PANEL * columns, 5.6), dpi=110, layout="constrained")
    grid = figure.subplots(2, columns).T.flat
    for axes, (title, lines) in zip(grid, panels, strict=False):
        for label, points in lines.items():
            axes.plot(*zip(*points, strict=True), "o-", markersize=3, label=label)
        axes.axvline(runs[-1].topo_start_epoch - 0.5, color="0.6", linewidth=1)
        axes.set_title(title, fontsize=9)
    marks, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(marks, labels, loc="outside lower center", ncols=len(runs), frameon=False)
    return figure


def _figure(columns: int, rows: int) -> Figure:
    size = (PANEL * columns, (PANEL + 0.5) * rows + 0.4)
    return Figure(figsize=size, dpi=110, layout="constrained")
