"""What a run shows of itself: where it goes, how far it is, and how its numbers are to be read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from toponet._ground.reporting import progress_bar
from toponet.training import TrainConfig, Trainer
from toponet.training.base_losses import BASE_LOSSES
from toponet.training.config import PRECISIONS
from toponet.training.notes import run_notes
from toponet.training.progress import introduction, show_losses, summary, tell
from toponet.training.state import COLUMNS, EpochSums, TrainingState

LONGEST_LABEL = max((loss.label for loss in BASE_LOSSES.values()), key=len)


def config(**options: Any) -> TrainConfig:
    few = {
        "data": "synthetic:membranes,count=4,size=40", "patch_size": 17, "num_threads": 1,
        "device": "cpu", "segmentation_metric": "none",
    }  # fmt: skip
    return TrainConfig(**{**few, **options})


def introduced(tmp_path: Path, **options: Any) -> dict[str, str]:
    """The lines of a run's beginning by their first words."""
    made = config(out=str(tmp_path / "run"), **options)
    trainer = Trainer(made, Console(quiet=True))
    lines = introduction(trainer.run, trainer.threads)
    assert max(map(len, lines[1:])) <= 80
    trainer.folder.discard()
    return dict(line.split(": ", 1) for line in lines)


def test_a_run_says_where_it_goes_and_what_works_on_what(tmp_path: Path) -> None:
    assert introduced(tmp_path) == {
        "run folder": str(tmp_path / "run"),
        "device": "cpu, 1 CPU thread, 32-true",
        "network": "dive, 196,301 weights",  # By hand, of the paper's layers.
        "images": "2 to train on, 2 held out",
    }


def test_what_a_run_says_of_itself_follows_its_options(tmp_path: Path) -> None:
    lines = introduced(tmp_path, folds=4, network="unet", num_threads=2, precision=PRECISIONS[2])
    assert lines["device"] == f"cpu, 2 CPU threads, {PRECISIONS[2]}"
    assert lines["network"].startswith("unet, ")
    assert lines["images"] == "3 to train on, 1 held out"
    assert introduced(tmp_path, folds=1)["images"] == "4 to train on, none held out"


def test_a_run_that_goes_on_says_where(tmp_path: Path) -> None:
    trainer = Trainer(config(out=str(tmp_path / "run"), epochs=5), Console(quiet=True))
    trainer.run.state.epoch = 3
    first = introduction(trainer.run, 1)[0]
    assert first == f"run folder: {tmp_path / 'run'}, after 3 of 5 epochs"
    trainer.folder.release()


def test_the_lines_of_an_epoch_fit_80_columns_and_hold_all_its_numbers() -> None:
    row = {
        "epoch": 1000, "bce": 0.58361, "topo": 123456.0, "topo_seconds": 1234.56, "accuracy": 0.753,
        "ari": 0.0282, "voi": 6.4203, "betti_error_0": 12.3, "betti_error_1": 123.4, "seconds": 9e4,
    }  # fmt: skip
    lines = summary(row, 1000, LONGEST_LABEL).splitlines()
    assert lines == [
        f"epoch 1000/1000  {LONGEST_LABEL} 0.5836  topological 1.235e+05 (1234.6 s)",
        "  accuracy 0.7530  ari 0.0282  voi 6.4203  betti errors 12.300 123.400  90000 s",
    ]
    assert max(map(len, lines)) <= 80


def test_the_bar_of_an_epoch_shows_steps_and_time_left_in_80_columns() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    with progress_bar(console) as progress:
        task = progress.add_task("", total=250)
        sums = EpochSums(steps=100, looks=100, bce=58.3, topo=12345.6)
        show_losses(progress, task, "12/100", LONGEST_LABEL, sums)
        with console.capture() as captured:
            console.print(progress.get_renderable())
    (line,) = (text for text in captured.get().splitlines() if "100/250" in text)
    assert f"epoch 12/100  {LONGEST_LABEL} 0.583  topological 123.5" in line
    assert line.rstrip().endswith("100/250 --:--")
    assert "…" not in line


def test_long_sentences_are_broken_between_words() -> None:
    console = Console(file=io.StringIO(), width=30)
    sentence = "a sentence with [brackets] and --an-option-with-dashes that doesn't fit its line"
    tell(console, sentence)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 30
    assert " ".join(lines) == sentence


def notes(before: bool = True, choice: bool = True, epochs: int = 12, **options: Any) -> str:
    row = dict.fromkeys(COLUMNS, 0.5)
    state = TrainingState(epoch=epochs, rows=[row] * epochs, before=row if before else None)
    return " ".join(run_notes(config(epochs=epochs, **options), state, choice))


def test_a_run_without_options_says_which_of_its_columns_can_be_compared() -> None:
    """Its cross-entropy phase is half as long as the whole, and its best epoch was picked."""
    shown = notes()
    assert "two columns of the end can be compared" in shown
    assert "the cross-entropy phase can't be compared" in shown
    assert "after 6 of 12 epochs" in shown
    assert "a run of the same length with --topo-weight 0" in shown
    assert "picked by its voi on the held-out images themselves" in shown


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"choice": False}, "two columns of the end"),
        ({"before": False}, "can't be compared"),
        ({"topo_start_epoch": 13}, "can't be compared"),
        ({"topo_weight": 0.0}, "--topo-weight 0"),
        ({"epochs": 1}, "was picked"),
        ({"folds": 1}, "was picked"),
    ],
    ids=str,
)
def test_what_does_not_hold_of_a_run_is_not_said(options: dict[str, Any], words: str) -> None:
    assert words in notes()
    assert words not in notes(**options)


def test_the_notes_name_the_runs_own_base_loss_and_metric() -> None:
    shown = notes(base_loss="cross_entropy_dice", best_metric="ari", topo_start_epoch=4)
    assert "cross-entropy + Dice phase can't be compared" in shown
    assert "after 3 of 12 epochs" in shown
    assert "picked by its ari" in shown
