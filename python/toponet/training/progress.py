"""What a run shows while it goes on."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress, TaskID

from toponet.training.state import EpochSums, Row


def say(console: Console, sentence: str) -> None:
    """One sentence as it is: neither coloured nor broken into lines."""
    console.print(sentence, highlight=False, markup=False, soft_wrap=True)


def show_losses(
    progress: Progress, task: TaskID, epoch: str, base_loss: str, sums: EpochSums
) -> None:
    """One step further; the means so far."""
    progress.update(
        task,
        completed=sums.steps,
        description=f"epoch {epoch}  {base_loss} {sums.bce / sums.looks:.3f}  topological "
        f"{sums.topo / sums.looks:.2f}",
    )


def summary(row: Row, epochs: int, base_loss: str) -> str:
    """One line an epoch."""
    return (
        f"epoch {int(row['epoch'])}/{epochs}  {base_loss} {row['bce']:.4f}  topological "
        f"{row['topo']:.3f}  accuracy {row['accuracy']:.4f}  ari {row['ari']:.4f}  voi "
        f"{row['voi']:.4f}  betti errors {row['betti_error_0']:.3f} {row['betti_error_1']:.3f}  "
        f"({row['seconds']:.0f} s, topology {row['topo_seconds']:.2f} s)"
    )
