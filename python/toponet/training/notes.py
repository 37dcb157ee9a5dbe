"""What a reader of a run's numbers and pictures has to know."""

from __future__ import annotations

from toponet.training.config import TrainConfig
from toponet.training.state import TrainingState


def run_notes(config: TrainConfig, state: TrainingState, has_choice: bool) -> list[str]:
    """Sentences for the end of the run and for its reports.

    Args:
        config: Of the run.
        state: After its last epoch.
        has_choice: Whether the end of the run is shown twice, by a cut and by persistence.
    """
    notes = []
    if not config.holds_out:
        notes.append(
            "No image was held out: the metrics are those of the training images themselves, and "
            "say nothing about new ones."
        )
    if has_choice:
        notes.append(
            "The two columns of the end can be compared with each other: both are masks of the "
            "same network."
        )
    phase = config.topo_start_epoch - 1
    if state.before is not None and phase < state.epoch:
        notes.append(_on_the_phase(config, phase, state.epoch))
    if config.holds_out and len(state.rows) > 1:
        notes.append(
            f"The best epoch was picked by its {config.best_metric} on the held-out images "
            "themselves: on other images it will be a little worse."
        )
    if config.term.what_it_moves is None:
        notes.append(
            "No critical pixels and worst patches are shown: the topological loss of this run, "
            f"{config.topo_loss}, has none."
        )
    return notes


def _on_the_phase(config: TrainConfig, phase: int, epochs: int) -> str:
    """Its column tempts to a comparison that it doesn't bear."""
    note = (
        f"The column of the {config.base_label} phase can't be compared with the others: it shows "
        f"the network after {phase} of {epochs} epochs."
    )
    if config.topo_weight:
        note += (
            " What the topological loss adds is seen beside a run of the same length with "
            "--topo-weight 0."
        )
    return note
