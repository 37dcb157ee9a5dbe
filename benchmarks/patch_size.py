"""Time of the topological loss against patch size: the paper's figure 6(a), and peers beside it.

    python benchmarks/patch_size.py [--quick] [--peers] [--out FOLDER]

Writes ``patch_size.csv`` and ``patch_size.png`` (log-log, with fitted exponents), with ``--peers``
``peers.csv`` as well. One thread throughout. Each result is checked before it is timed.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import maps
import numpy as np
import peers
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from timing import Timing, interleaved, machine

import toponet
from toponet.losses.binary_loss import LossOptions, binary_topological_loss, whole_images

SIZES = (17, 33, 65, 129, 257, 513)
QUICK_SIZES = (17, 33, 65, 129)
IN_A_ROW = 5  # Peers are called so often before the next one has its turn.
SLOW = 60.0  # Seconds for one patch: larger ones are left out for an algorithm that takes longer.
OPTIONS = LossOptions(num_threads=1)
Array = NDArray[Any]
Row = dict[str, Any]


def patches_in_a_call(size: int) -> int:
    """About a quarter of a million pixels a call, at least one patch."""
    return max(1, 2**18 // size**2)


def union_find_parts(likelihood: Array, truth: Array) -> Iterator[tuple[str, Callable[[], object]]]:
    """Calls whose times, or differences of times, are the parts of the loss."""
    masks = truth.astype(np.uint8)
    whole = whole_images(likelihood)
    betti = toponet.betti_numbers(masks, frame=True, num_threads=1)
    known = np.column_stack([betti, np.zeros(len(betti))])
    f = torch.from_numpy(likelihood).requires_grad_()
    g = torch.from_numpy(masks)
    loss = toponet.TopologicalLoss(num_threads=1)
    diagrams = toponet.persistence(likelihood, frame=True, num_threads=1)
    cost = toponet.match(*(
        toponet.persistence(x[0], dims=(1,), frame=True).values for x in (likelihood, truth)
    )).cost + toponet.match(*(
        toponet.persistence(x[0], dims=(0,), frame=True).values for x in (likelihood, truth)
    )).cost  # fmt: skip
    if not np.isclose(loss(f[:1], g[:1]).item(), cost, rtol=1e-4):
        raise AssertionError("the loss differs from the cost of the matching")
    if len(diagrams) != len(likelihood):
        raise AssertionError("a diagram is missing")
    yield "prediction", lambda: toponet.persistence(likelihood, frame=True, num_threads=1)
    yield "truth", lambda: toponet.betti_numbers(masks, frame=True, num_threads=1)
    yield "loss", lambda: binary_topological_loss(likelihood, None, whole, OPTIONS, dots=known)
    yield "forward", lambda: loss(f, g)
    yield "forward + backward", lambda: loss(f, g).backward()


def measure_union_find(kind: str, size: int, rounds: int) -> list[Row]:
    """Per patch: persistence of the prediction, of the truth, matching, gradient."""
    count = patches_in_a_call(size)
    likelihood, truth = maps.KINDS[kind](count, size)
    times = interleaved(dict(union_find_parts(likelihood, truth)), rounds)
    median = {name: timing.median for name, timing in times.items()}
    parts = {
        "persistence of the prediction": median["prediction"],
        "topology of the truth": median["truth"],
        "matching": median["loss"] - median["prediction"],
        "gradient (backward)": median["forward + backward"] - median["forward"],
        "loss, forward + backward": median["forward + backward"],
    }
    return [
        {"map": kind, "algorithm": "union_find", "size": size, "part": part,
         "microseconds": 1e6 * seconds / count}
        for part, seconds in parts.items()
    ]  # fmt: skip


def measure_reduction(kind: str, size: int, rounds: int) -> tuple[list[Row], float]:
    """Per patch: persistence of the prediction and of the truth; and the seconds it took."""
    likelihood, truth = maps.KINDS[kind](1, size)
    began = time.perf_counter()
    slow = toponet.persistence(likelihood, frame=True, algorithm="reduction", num_threads=1)
    seconds = time.perf_counter() - began
    fast = toponet.persistence(likelihood, frame=True, num_threads=1)
    np.testing.assert_array_equal(slow.pixels, fast.pixels)
    calls: Mapping[str, Callable[[], object]] = {
        part: lambda x=x: toponet.persistence(  # type: ignore[misc]
            x, frame=True, algorithm="reduction", num_threads=1
        )
        for part, x in (("persistence of the prediction", likelihood),
                        ("topology of the truth", truth))
    }  # fmt: skip
    times = interleaved(calls, rounds if seconds < 1 else 1)
    rows = [
        {"map": kind, "algorithm": "reduction", "size": size, "part": part,
         "microseconds": 1e6 * timing.median}
        for part, timing in times.items()
    ]  # fmt: skip
    return rows, seconds


def measure_curve(sizes: tuple[int, ...], rounds: int, slow: float, console: Console) -> list[Row]:
    """All maps, sizes and algorithms; reduction until a patch takes ``slow`` seconds."""
    rows: list[Row] = []
    work = [(kind, size) for kind in maps.KINDS for size in sizes]
    too_slow: set[str] = set()
    for kind, size in track(work, "time against patch size", console=console):
        rows += measure_union_find(kind, size, rounds)
        if kind not in too_slow:
            more, seconds = measure_reduction(kind, size, rounds)
            rows += more
            # The next size has four times the pixels, and takes at least 16 times as long.
            if 16 * seconds > slow:
                too_slow.add(kind)
    return rows


def measure_peers(rounds: int, console: Console) -> list[Row]:
    """65 x 65 patches, both dimensions, one thread: microseconds a patch and ratio to ours."""
    rows: list[Row] = []
    installed = {
        name: make
        for name, (module, make) in peers.PEERS.items()
        if importlib.util.find_spec(module) is not None
    }
    for kind in track(list(maps.KINDS), "peers", console=console):
        count = patches_in_a_call(65)
        likelihood, _ = maps.KINDS[kind](count, 65)
        flat = likelihood.reshape(count, -1)
        candidates: dict[str, Callable[[], object]] = {
            "toponet": lambda x=likelihood: toponet.persistence(x, num_threads=1),  # type: ignore[misc]
            "np.sort of the pixels": lambda x=flat: np.sort(x, axis=1),  # type: ignore[misc]
        }
        for name, make in installed.items():
            calls = [make(image) for image in likelihood]
            if peers.dots_of(name, calls[0]()) != peers.toponet_dots(likelihood[0]):
                raise AssertionError(f"{name} finds another diagram")
            candidates[name] = lambda calls=calls: [call() for call in calls]  # type: ignore[misc]
        times = interleaved(candidates, rounds, least_seconds=4.0, in_a_row=IN_A_ROW)
        rows += ratios(kind, "persistence", times, count)
    if importlib.util.find_spec("topolosses") is not None:
        rows += measure_peer_loss(rounds)
    return rows + measure_matchings(rounds)


def measure_matchings(rounds: int) -> list[Row]:
    """Our loss with each matching, forward and backward, for 16 network-like patches of 65 x 65."""
    f, g = (torch.from_numpy(x)[:, None] for x in maps.network_like(16, 65))
    f.requires_grad_()
    candidates: dict[str, Callable[[], object]] = {}
    for name in ("complete", "wasserstein", "persistence", "betti", "in_place"):
        loss = toponet.TopologicalLoss(num_threads=1, matching=name)
        if not np.isclose(loss(f, g).item(), np.mean([e.loss for e in loss.explain(f, g)])):
            raise AssertionError(f"the loss with {name} differs from its explanation")
        candidates["toponet" if name == "complete" else f"toponet, {name}"] = (
            lambda loss=loss: loss(f, g).backward()  # type: ignore[misc]
        )
    times = interleaved(candidates, rounds, least_seconds=4.0, in_a_row=IN_A_ROW)
    return ratios("network-like", "our loss by its matching, forward + backward", times, 16)


def measure_peer_loss(rounds: int) -> list[Row]:
    """Loss, forward and backward, for 16 network-like patches of 65 x 65."""
    hutopo = importlib.import_module("topolosses.losses").HutopoLoss(
        sigmoid=False, use_base_loss=False, include_background=True
    )
    f, g = (torch.from_numpy(x)[:, None] for x in maps.network_like(16, 65))
    f.requires_grad_()
    loss = toponet.TopologicalLoss(num_threads=1)
    candidates = {
        "toponet": lambda: loss(f, g).backward(),
        "topolosses HutopoLoss": lambda: hutopo(f, g).backward(),
    }
    rows = []
    for in_a_row, work in ((1, "one call each in turn"), (IN_A_ROW, "five calls in a row")):
        times = interleaved(candidates, rounds, least_seconds=4.0, in_a_row=in_a_row)
        rows += ratios("network-like", f"loss, forward + backward, {work}", times, 16)
    return rows


def ratios(kind: str, work: str, times: Mapping[str, Timing], count: int) -> list[Row]:
    """One row a candidate; the ratio is its time over ours."""
    return [
        {"map": kind, "work": work, "candidate": name,
         "microseconds": 1e6 * timing.median / count, "spread": 1e6 * timing.spread / count,
         "ratio to toponet": timing.median / times["toponet"].median}
        for name, timing in times.items()
    ]  # fmt: skip


def exponent(points: list[tuple[int, float]]) -> float:
    """Slope of log time over log number of pixels."""
    size, seconds = np.log(np.array(points)).T
    return float(np.polyfit(2 * size, seconds, 1)[0]) if len(points) > 1 else float("nan")


def plot_curve(rows: list[Row], path: Path) -> None:
    """One panel for each kind of map."""
    figure = Figure(figsize=(12, 4.2), dpi=130, layout="constrained")
    lines = [
        ("reduction", "persistence of the prediction", "#D55E00", "s"),
        ("union_find", "loss, forward + backward", "#000000", "D"),
        ("union_find", "persistence of the prediction", "#0072B2", "o"),
        ("union_find", "topology of the truth", "#009E73", "v"),
        ("union_find", "matching", "#CC79A7", "^"),
    ]
    for axes, kind in zip(figure.subplots(1, 3, sharey=True), maps.KINDS, strict=True):
        for algorithm, part, colour, marker in lines:
            points = [
                (row["size"], row["microseconds"])
                for row in rows
                if (row["map"], row["algorithm"], row["part"]) == (kind, algorithm, part)
                and row["microseconds"] > 0
            ]
            if points:
                label = f"{algorithm}: {part}, n^{exponent(points):.2f}"
                axes.loglog(*zip(*points, strict=True), color=colour, marker=marker, ms=4,
                            label=label)  # fmt: skip
        axes.set_title(f"{kind} maps", fontsize=10)
        axes.set_xlabel("patch size (pixels a side; n = its square)")
        axes.legend(fontsize=6.5)
        axes.grid(alpha=0.3)
        ticks = sorted({row["size"] for row in rows})
        axes.set_xticks(ticks, map(str, ticks))
        axes.minorticks_off()
    figure.axes[0].set_ylabel("microseconds a patch, one thread")
    figure.savefig(path)


def show(rows: list[Row], title: str, console: Console) -> None:
    """Prints rows of equal keys as a table."""
    table = Table(title=title)
    for name in rows[0]:
        table.add_column(name, justify="left" if isinstance(rows[0][name], str) else "right")
    for row in rows:
        table.add_row(*(f"{v:.2f}" if isinstance(v, float) else str(v) for v in row.values()))
    console.print(table)


def write_csv(rows: list[Row], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer sizes and rounds: a minute")
    parser.add_argument("--peers", action="store_true", help="also time the peers installed")
    parser.add_argument("--out", type=Path, help="new folder; default: a fresh one under runs/")
    options = parser.parse_args()
    out: Path = options.out or Path("runs") / time.strftime("patch_size-%Y%m%d-%H%M%S")
    if out.exists():
        parser.error(f"{out} exists already and is never overwritten; choose another --out")
    torch.set_num_threads(1)
    console = Console()
    console.print(machine(), highlight=False)
    sizes, rounds, slow = (QUICK_SIZES, 7, 2.0) if options.quick else (SIZES, 25, SLOW)
    rows = measure_curve(sizes, rounds, slow, console)
    peer_rows = measure_peers(rounds, console) if options.peers else []
    out.mkdir(parents=True)
    write_csv(rows, out / "patch_size.csv")
    plot_curve(rows, out / "patch_size.png")
    show(rows, "microseconds a patch, one thread", console)
    if peer_rows:
        write_csv(peer_rows, out / "peers.csv")
        show(peer_rows, "65 x 65 patches, one thread", console)
    console.print(f"Everything is in {out}", highlight=False)


if __name__ == "__main__":
    main()
