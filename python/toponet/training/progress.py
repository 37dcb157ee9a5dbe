"""What a run shows while it goes on."""

from __future__ import annotations

import textwrap

import torch
from rich.console import Console
from rich.progress import Progress, TaskID

from toponet.training.run import Run
from toponet.training.state import EpochSums, Row


def say(console: Console, sentence: str) -> None:
    """One sentence as it is, for those with a path: neither coloured nor broken into lines."""
    console.print(sentence, highlight=False, markup=False, soft_wrap=True)


def tell(console: Console, sentence: str) -> None:
    """One sentence, broken between words where the terminal's line ends."""
    say(console, textwrap.fill(sentence, console.width, break_on_hyphens=False))


def introduction(run: Run, threads: int) -> list[str]:
    """Four lines: where the run goes, and what works on what.

    Args:
        run: Before its first epoch, or where it goes on.
        threads: CPU threads of network and kernel.
    """
    config, state, device = run.config, run.state, run.fabric.device
    goes_on = f", after {state.epoch} of {config.epochs} epochs" if state.epoch else ""
    name = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    ranks = run.fabric.world_size
    share = f"{ranks} ranks, each with " if ranks > 1 else ""
    weights = sum(parameter.numel() for parameter in run.network.parameters())
    held_out = len(run.validation) if config.holds_out else "none"
    return [
        f"run folder: {run.folder.path}{goes_on}",
        f"device: {device.type}{name}, {share}{threads} CPU thread{'s' * (threads != 1)}, "
        f"{config.precision}",
        f"network: {config.network}, {weights:,} weights",
        f"images: {len(run.training)} to train on, {held_out} held out",
    ]


def show_losses(
    progress: Progress, task: TaskID, epoch: str, base_loss: str, sums: EpochSums
) -> None:
    """One step further; the means so far."""
    progress.update(
        task,
        completed=sums.steps,
        description=f"epoch {epoch}  {base_loss} {sums.bce / sums.looks:.3f}  topological "
        f"{sums.topo / sums.looks:.4g}",
    )


def summary(row: Row, epochs: int, base_loss: str) -> str:
    """Two lines an epoch: how it trained, and what it reached; times of the topology and of all."""
    return (
        f"epoch {int(row['epoch'])}/{epochs}  {base_loss} {row['bce']:.4f}  topological "
        f"{row['topo']:.4g} ({row['topo_seconds']:.1f} s)\n"
        f"  accuracy {row['accuracy']:.4f}  ari {row['ari']:.4f}  voi {row['voi']:.4f}  betti "
        f"errors {row['betti_error_0']:.3f} {row['betti_error_1']:.3f}  {row['seconds']:.0f} s"
    )
