"""What a finished run leaves behind: a table, ``report.json``, ``report.md`` and its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from toponet._ground.reporting import Table, progress_bar
from toponet._ground.writing import written_whole
from toponet.data import ImageSet
from toponet.evaluation.protocol import CUT, PERSISTENCE, badness, with_arrow
from toponet.segmentation import SegmentationChoice
from toponet.training.config import TrainConfig
from toponet.training.evaluation import (
    MEASURED,
    TRAINING_METRICS,
    by_persistence,
    conventions,
    means,
    measured_in,
    score_images,
)
from toponet.training.notes import run_notes
from toponet.training.pictures import report_pictures
from toponet.training.progress import say, tell
from toponet.training.run import Run
from toponet.training.run_folder import RunFolder
from toponet.training.run_page import Measured, run_page
from toponet.training.state import Row, TrainingState
from toponet.training.worst_patches import WorstPatch, worst_patches

WORST_PATCHES = 3


def make_report(
    config: TrainConfig,
    state: TrainingState,
    measured: Measured,
    choice: SegmentationChoice | None = None,
) -> dict[str, Any]:
    """The numbers of a run, for ``report.json``; pictures and worst patches come when it's saved.

    Args:
        config: Of the run.
        state: After its last epoch.
        measured: The images that metrics are counted on, with their scores.
        choice: Threshold, keep and add that were chosen, if any.
    """
    best = _best(state.rows, config.best_metric)
    return {
        "toponet": version("toponet"),
        "base_loss": config.base_label,
        "epochs": state.epoch,
        "seconds": sum(row["seconds"] for row in state.rows),
        "held_out": list(measured.data.names) if config.holds_out else [],
        "notes": run_notes(config, state, choice is not None),
        "cross_entropy_phase": state.before,
        "final": measured_in(state.rows[-1]),
        "final_by_persistence": means(measured.scores[PERSISTENCE]) if choice else None,
        "best": {"epoch": int(best["epoch"]), "by": config.best_metric, **measured_in(best)},
        "images": measured.rows(),
        "topo_weight": state.topo_weight,
        "segmentation": choice.to_plain() if choice else None,
        "conventions": {**conventions(config.protocol), **_words_on_choice(config, choice)},
        "config": config.to_plain(),
    }


def _words_on_choice(config: TrainConfig, choice: SegmentationChoice | None) -> dict[str, str]:
    """What "by persistence" means in the table, if it is there."""
    if choice is None:
        return {}
    words = conventions(by_persistence(config.protocol, choice.options))["all"]
    return {
        PERSISTENCE: f"{words}; numbers chosen by {choice.metric} on {choice.images} training "
        f"images, {choice.score:.3f} there ({CUT}: {choice.cut_score:.3f})"
    }


def result_table(report: Mapping[str, Any], names: Sequence[str] = TRAINING_METRICS) -> Table:
    """Metrics at the end of the phase with the base loss alone, at the end, and best.

    Without such a phase, its column is empty. The end has a second column for masks that
    persistence decides on, if threshold, keep and add were chosen.

    Args:
        report: Of :func:`make_report`.
        names: The metrics to show, a row for each.
    """
    best, settled = report["best"], report["final_by_persistence"]
    line = " " if settled is None else "\n"  # Five columns in one line are too wide.
    end = f"end (epoch {report['epochs']})"
    columns: dict[str, Row | None] = {
        f"{report['base_loss']}{line}phase": report["cross_entropy_phase"],
        end if settled is None else f"{end},\n{CUT}": report["final"],
        **({} if settled is None else {f"end,\n{PERSISTENCE}": settled}),
        f"best {best['by']}{line}(epoch {best['epoch']})": best,
    }
    measured = "Held-out" if report["held_out"] else "Training"
    return Table(
        f"{measured} images (↑ higher is better, ↓ lower is better)",
        ("metric", *columns),
        [
            (
                with_arrow(name),
                *(
                    f"{row[name]:.4f}" if row is not None and name in row else "-"
                    for row in columns.values()
                ),
            )
            for name in names
        ],
    )


def finish_report(run: Run, likelihoods: Sequence[NDArray[np.float32]]) -> dict[str, Any]:
    """Writes the report of a run that has all its epochs, shows its table, and returns it.

    Args:
        run: After its last epoch.
        likelihoods: The network's last answers for the images that metrics are counted on.
    """
    measured = measure(run.config, run.validation, likelihoods, run.choice)
    report = make_report(run.config, run.state, measured, run.choice)
    if run.fabric.is_global_zero:
        save_report(run.folder, run.config, run.state.rows, report, measured, run.console)
    run.console.print(result_table(report).rich())
    for note in report["notes"]:
        tell(run.console, note)
    say(run.console, f"Everything is in {run.folder.path}")
    return report


def measure(
    config: TrainConfig,
    data: ImageSet,
    likelihoods: Sequence[NDArray[np.float32]],
    choice: SegmentationChoice | None,
) -> Measured:
    """Scores each image, for the plain cut and for the masks of the chosen numbers."""
    options = None if choice is None else choice.options
    protocols = {CUT: config.protocol}
    if options is not None:
        protocols[PERSISTENCE] = by_persistence(config.protocol, options)
    scores = {
        way: score_images(likelihoods, data.masks, protocol, data.valid)
        for way, protocol in protocols.items()
    }
    return Measured(data, likelihoods, scores, options)


def save_report(
    folder: RunFolder,
    config: TrainConfig,
    rows: Sequence[Row],
    report: dict[str, Any],
    measured: Measured,
    console: Console,
) -> None:
    """Writes pictures and pages, and last ``report.json``: where it is, the report is complete.

    Args:
        folder: Written into.
        config: Of the run.
        rows: Of metrics.csv.
        report: Of :func:`make_report`; "worst_patches" and "pictures" are added.
        measured: The images that metrics are counted on.
        console: Where progress is shown.
    """
    data, likelihoods = measured.data, measured.likelihoods
    with progress_bar(console) as progress:
        task = progress.add_task("report: worst patches", total=len(likelihoods))
        worst = worst_patches(
            config,
            data,
            likelihoods,
            WORST_PATCHES,
            lambda done: progress.update(task, completed=done),
        )
        progress.update(task, description="report: pictures")
        captions = {}
        pictures = report_pictures(
            config, rows, data, likelihoods[0], folder.read_masks(), worst, measured.options
        )
        for picture in pictures:
            with written_whole(folder.path / picture.file) as file:
                picture.figure.savefig(file, format="png")
            captions[picture.file] = picture.caption
        progress.update(task, description="report: page")
        tables = [result_table(report, MEASURED), *([_worst_table(worst)] if worst else [])]
        page = run_page(config, rows, report, measured, _summary(report), tables)
        page.write(folder.path / "report.html")
    report["worst_patches"] = [patch.to_plain() for patch in worst]
    report["pictures"] = captions
    with written_whole(folder.path / "report.md") as file:
        file.write(report_page(report, worst).encode())
    folder.write_report(report)


def report_page(report: Mapping[str, Any], worst: Sequence[WorstPatch]) -> str:
    """``report.md``: the tables, the conventions and the pictures that are there."""
    parts = [
        f"# {report['config']['data']}\n",
        *(f"{note}\n" for note in report["notes"]),
        result_table(report, MEASURED).markdown(),
        *(f"- **{name}**: {text}" for name, text in report["conventions"].items()),
        f"\n{_summary(report, code='`')}\n",
    ]
    for file, caption in report["pictures"].items():
        parts.append(f"{caption}:\n\n![{caption}]({file})\n")
    if worst:
        parts.append(_worst_table(worst).markdown())
    return "\n".join(parts)


def _summary(report: Mapping[str, Any], code: str = "") -> str:
    """What was done, and which file holds what; names of files stand between ``code``."""
    weight = report["topo_weight"]
    config, metrics, folder, last, best = (
        f"{code}{name}{code}"
        for name in ("config.yaml", "metrics.csv", "checkpoints/", "last.ckpt", "best.ckpt")
    )
    return (
        f"{report['epochs']} epochs, {report['seconds']:.0f} s, "
        f"{len(report['held_out']) or 'no'} images held out; "
        f"base loss {report['base_loss']}; "
        f"topological weight {'not in use' if weight is None else f'{weight:g}'}; "
        f"toponet {report['toponet']}. The configuration is in {config}, every epoch's "
        f"numbers are in {metrics}, the weights in {folder}: {last} is the end of "
        f"training, {best} the best {report['best']['by']}."
    )


def _worst_table(worst: Sequence[WorstPatch]) -> Table:
    rows = []
    for patch in map(WorstPatch.to_plain, worst):
        place = (str(patch[name]) for name in ("row", "column"))
        losses = (f"{patch[name]:.3f}" for name in ("loss", "components", "holes"))
        rows.append((patch["image"], *place, *losses))
    return Table(
        "Patches that cost most", ("image", "row", "column", "loss", "components", "holes"), rows
    )


def _best(rows: Sequence[Row], metric: str) -> Row:
    """The first of the best: that of ``best.ckpt``."""
    return min(rows, key=lambda row: badness(metric, row[metric]))
