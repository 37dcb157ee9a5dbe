"""All that needs a GPU, in one command: tests marked cuda, throughput, long trainings.

    python benchmarks/on_gpu.py --data isbi12=PATH

Writes throughput.json and throughput.png to --out, and the tables of the trainings to --out/tables.
Needs no network. The trainings stop after --minutes; the same command goes on with them.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from comparison.plan import BUDGETS
from comparison.variants import SETS
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from timing import interleaved, machine
from torch.profiler import ProfilerActivity, profile
from training_step import NETWORKS, TrainingStep

HERE = Path(__file__).parent
PRECISIONS = ("float32", "bfloat16")
# What the table calls each number of a row.
COLUMNS = {
    "network": "network",
    "precision": "precision",
    "batch_size": "patches",
    "without_ms": "without",
    "with_ms": "with",
    "loss_ms": "loss",
    "patches_per_second": "patches/s",
    "busy_without": "busy",
    "busy_with": "busy, with",
}


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", metavar="NAME[=PATH]", default=["synthetic_membranes"])
    parser.add_argument("--stages", nargs="+", choices=tuple(STAGES), default=list(STAGES))
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[8, 16, 32, 64, 128, 256])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--warm-up", type=int, default=20, help="training steps before timing")
    parser.add_argument("--set", choices=tuple(SETS), default="methods")
    parser.add_argument("--budget", choices=tuple(BUDGETS), default="hours")
    parser.add_argument("--variants", nargs="+",
                        default=["dive", "toponet", "unet", "unet_toponet"])  # fmt: skip
    parser.add_argument("--folds", nargs="+", default=["0", "1", "2"])
    parser.add_argument("--seeds", nargs="+", default=["0"])
    parser.add_argument("--processes", type=int, default=4, help="trainings at once on the GPU")
    parser.add_argument("--minutes", type=float, default=25, help="for all stages together")
    parser.add_argument("--out", type=Path, default=Path("runs/on_gpu"))
    parser.add_argument("--device", default="cuda", help="cpu: to try the command without a GPU")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        print(
            "on_gpu.py: PyTorch sees no CUDA device; --device cpu tries the command",
            file=sys.stderr,
        )
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    options.until = time.monotonic() + 60 * options.minutes
    console = Console()
    console.print(description(options.device), highlight=False)
    failed = [name for name in options.stages if not STAGES[name](options, console)]
    for name in failed:
        print(f"on_gpu.py: {name} failed: see above", file=sys.stderr)
    return int(bool(failed))


def description(device: str) -> str:
    """Of the machine."""
    name = torch.cuda.get_device_name() if device == "cuda" else "no GPU"
    return f"{name}; {machine()}"


def tests(options: argparse.Namespace, console: Console) -> bool:
    """The tests that skip where there is no GPU."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", str(HERE.parent / "tests")]
    return subprocess.run(command, check=False).returncode == 0


def throughput(options: argparse.Namespace, console: Console) -> bool:
    """One step of each network at each batch size, with and without the topological loss."""
    rows = []
    title = f"one training step on {options.device}: ms without and with topology"
    table = Table(*COLUMNS.values(), title=title, box=None)
    for name in NETWORKS:
        for precision in PRECISIONS:
            for batch_size in options.batch_sizes:
                row = measured(name, precision, batch_size, options)
                rows.append(row)
                table.add_row(*(shown(row[column]) for column in COLUMNS))
                console.print(f"{name}, {precision}, {batch_size} patches: measured")
    console.print(table)
    page = {"machine": description(options.device), "rows": rows}
    (options.out / "throughput.json").write_text(json.dumps(page, indent=1))
    plot(rows).savefig(options.out / "throughput.png", dpi=120)
    return True


def measured(
    name: str, precision: str, batch_size: int, options: argparse.Namespace
) -> dict[str, Any]:
    """A row of the table: milliseconds, patches a second with topology, and busy shares."""
    step = TrainingStep(name, batch_size, options.device, precision)
    for _ in range(options.warm_up):
        step.call(topology=False)

    def without() -> None:
        step.call(topology=False)

    def with_topology() -> None:
        step.call(topology=True)

    calls = {"without": without, "with": with_topology, "loss": step.topological_loss()}
    times = interleaved(calls, options.rounds)
    busy = {call.__name__: busy_share(call, options) for call in (without, with_topology)}
    return {
        "network": name,
        "precision": precision,
        "batch_size": batch_size,
        **{f"{key}_ms": 1e3 * timing.median for key, timing in times.items()},
        "patches_per_second": batch_size / times["with"].median,
        "busy_without": busy["without"],
        "busy_with": busy["with_topology"],
    }


def busy_share(call: Callable[[], None], options: argparse.Namespace) -> float | None:
    """Time in kernels of the GPU over the time that passed; None without a GPU."""
    if options.device != "cuda":
        return None
    with profile(activities=[ProfilerActivity.CUDA], acc_events=True) as profiler:
        began = time.perf_counter()
        for _ in range(options.rounds):
            call()
        seconds = time.perf_counter() - began
    events = profiler.key_averages()
    return float(sum(event.self_device_time_total for event in events) / 1e6 / seconds)


def shown(value: object) -> str:
    """A cell of the table."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def plot(rows: Sequence[dict[str, Any]]) -> Figure:
    """Milliseconds a patch against the batch size, an axes a network."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, name in zip(
        figure.subplots(1, len(NETWORKS), squeeze=False)[0], NETWORKS, strict=True
    ):
        for colour, precision in zip(("#0072B2", "#D55E00"), PRECISIONS, strict=True):
            of_line = [r for r in rows if (r["network"], r["precision"]) == (name, precision)]
            sizes = [row["batch_size"] for row in of_line]
            for style, key, label in (("--", "without_ms", ""), ("-", "with_ms", " with topology")):
                axes.plot(sizes, [row[key] / row["batch_size"] for row in of_line], style,
                          color=colour, label=precision + label)  # fmt: skip
        axes.set(xscale="log", yscale="log", title=name, xlabel="patches a batch",
                 ylabel="ms a patch, one training step")  # fmt: skip
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.legend()
    return figure


def trainings(options: argparse.Namespace, console: Console) -> bool:
    """The runs of ``tables.py``, several at once, until the time is over."""
    process = subprocess.Popen([sys.executable, str(HERE / "tables.py"), *for_tables(options)])
    try:
        return process.wait(max(1.0, options.until - time.monotonic())) == 0
    except subprocess.TimeoutExpired:
        console.print("the time is over: the trainings save their state")
        process.send_signal(signal.SIGINT)
        process.wait()
        return True


def for_tables(options: argparse.Namespace) -> list[str]:
    """What ``tables.py`` is given."""
    device = "0" if options.device == "cuda" else "cpu"
    return [
        "--data", *options.data, "--set", options.set, "--variants", *options.variants,
        "--budget", options.budget, "--folds", *options.folds, "--seeds", *options.seeds,
        "--devices", *[device] * options.processes,
        "--out", str(options.out / "runs"), "--results", str(options.out / "tables"),
    ]  # fmt: skip


STAGES = {"tests": tests, "throughput": throughput, "trainings": trainings}

if __name__ == "__main__":
    sys.exit(main())
