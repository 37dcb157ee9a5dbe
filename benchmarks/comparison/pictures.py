"""The paper's figures 5 and 7 for finished runs, and what the topological loss did over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from comparison.fates import kind_name, mean_fates
from comparison.likelihoods import likelihoods_of, truths_of
from comparison.results import epochs_of
from toponet.data import ImageSet, load_data
from toponet.plots import plot_masks
from toponet.training.evaluation import THRESHOLD, TRAINING_METRICS
from toponet.training.pictures import spread
from toponet.training.run_folder import RunFolder, read_config

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
PLAIN = ("bce", *TRAINING_METRICS)
# Dots and what is shown of them. All true holes are matched, in each run.
FATES = (
    (kind_name(1, "matched"), "cost"),
    (kind_name(1, "removed"), "cost"),
    (kind_name(1, "removed"), "dots"),
    (kind_name(0, "removed"), "cost"),
)

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
        persistence: Whether that is the one of persistent homology.
    """

    label: str
    folder: Path
    data: ImageSet
    connectivity: int
    topo_start_epoch: int
    persistence: bool

    @classmethod
    def read(cls, label: str, folder: Path) -> Finished:
        """From its folder; the data is where it was in training."""
        config = read_config(folder)
        data = load_data(config.data, seed=config.seed)
        held_out = data.subset(config.split(len(data))[1])
        return cls(
            label, folder, held_out, config.connectivity, config.topo_start_epoch,
            config.topo_loss == "persistence" and config.topo_weight != 0,
        )  # fmt: skip

    def checkpoint(self, name: str) -> Path:
        """One of its checkpoints."""
        return self.folder / "checkpoints" / f"{name}.ckpt"


def methods_figure(runs: Sequence[Finished], image: int) -> Figure:
    """Figure 5: a held-out image, its truth, and what each method makes of it, errors marked."""
    data = runs[0].data.subset([image])
    masks = {
        run.label: likelihoods_of(run.checkpoint("last"), data)[0] >= THRESHOLD for run in runs
    }
    figure = _figure(2 + len(masks), 1)
    plot_masks(
        figure,
        data.masks[0],
        masks,
        runs[0].connectivity,
        image=data.images[0],
        valid=data.valid[0],
    )
    return figure


def epochs_figure(runs: Sequence[Finished]) -> Figure:
    """Figure 7: the first held-out image over the epochs, a row for each run."""
    figure = _figure(1 + EPOCHS_IN_A_ROW, len(runs))
    rows = figure.subfigures(len(runs), 1, squeeze=False)[:, 0]
    for run, part in zip(runs, rows, strict=True):
        masks = RunFolder(read_config(run.folder), run.folder, write=False).read_masks()
        first = run.data.subset([0])
        chosen = {
            f"epoch {epoch}": masks[epoch] for epoch in spread(sorted(masks), EPOCHS_IN_A_ROW)
        }
        part.suptitle(run.label, fontsize=11)
        plot_masks(part, first.masks[0], chosen, run.connectivity, valid=first.valid[0])
    return figure


def fates_by_epoch(run: Finished, advance: Callable[[], None]) -> dict[int, Fates]:
    """Of the held-out images, at each epoch that a checkpoint was kept of."""
    names = sorted(path.stem for path in (run.folder / "checkpoints").glob("epoch_*.ckpt"))
    found = {}
    for name in names:
        likelihoods = likelihoods_of(run.checkpoint(name), run.data)
        fates = mean_fates(likelihoods, truths_of(run.data), run.connectivity)
        found[int(name.removeprefix("epoch_"))] = fates
        advance()
    return found


def course_figure(runs: Sequence[Finished], fates: Mapping[str, Mapping[int, Fates]]) -> Figure:
    """Losses, the ratio of their gradients and metrics by epoch; dots of some kinds and their cost.

    Args:
        runs: Each a line in every panel.
        fates: Of each run by label, by epoch.
    """
    rows = {run.label: epochs_of(run.folder) for run in runs}
    with_persistence = [run.label for run in runs if run.persistence]
    panels: list[tuple[str, dict[str, list[tuple[float, float]]]]] = []
    for column, title in COURSES.items():
        lines = {
            # Elsewhere the topological loss is another one, or logged only and of larger patches.
            label: [(r["epoch"], r[column]) for r in of_run]
            for label, of_run in rows.items()
            if column in PLAIN or label in with_persistence
        }
        panels.append((title, lines))
    for kind, number in FATES:
        lines = {
            label: [(float(epoch), found[kind][number]) for epoch, found in of_run.items()]
            for label, of_run in fates.items()
        }
        panels.append((f"{kind}, held-out: {number} a patch", lines))
    columns = -(-len(panels) // 2)
    figure = Figure(figsize=(PANEL * columns, 5.6), dpi=110, layout="constrained")
    grid = figure.subplots(2, columns).T.flat
    for axes, (title, lines) in zip(grid, panels, strict=True):
        for label, points in lines.items():
            colour = f"C{list(rows).index(label)}"
            axes.plot(*zip(*points, strict=True), "o-", color=colour, markersize=3, label=label)
        for start in {run.topo_start_epoch for run in runs}:
            axes.axvline(start - 0.5, color="0.6", linewidth=1)
        axes.set_title(title, fontsize=8)
    marks, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(marks, labels, loc="outside lower center", ncols=len(runs), frameon=False)
    return figure


def _figure(columns: int, rows: int) -> Figure:
    size = (PANEL * columns, (PANEL + 0.5) * rows + 0.4)
    return Figure(figsize=size, dpi=110, layout="constrained")
