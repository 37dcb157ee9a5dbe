"""Timing by the rules of benchmarks/README.md: interleaved rounds, medians, spread."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Timing(NamedTuple):
    """Seconds of one call: median over the rounds, half the interquartile range, the least."""

    median: float
    spread: float
    least: float


def interleaved(
    candidates: Mapping[str, Callable[[], object]],
    rounds: int,
    least_seconds: float = 0.0,
    in_a_row: int = 1,
) -> dict[str, Timing]:
    """Times the candidates in turn (A B A B ...), so that a change of clock meets all alike.

    Each is called once unmeasured. A candidate whose rounds together have taken ``least_seconds``
    isn't called again once it has three. ``in_a_row`` calls make one round of a candidate: with 1,
    each call finds the caches as another candidate left them.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for call in candidates.values():
        call()
    for _ in range(rounds):
        for name, call in candidates.items():
            spent = seconds[name]
            if least_seconds and len(spent) >= 3 and sum(spent) > least_seconds:
                continue
            began = time.perf_counter()
            for _ in range(in_a_row):
                call()
            spent.append((time.perf_counter() - began) / in_a_row)
    return {name: _summary(spent) for name, spent in seconds.items()}


def machine() -> str:
    """Processor, cores, and the versions that matter."""
    import os

    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":")[1].strip() if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {version(name)}" for name in ("toponet", "numpy", "torch"))
    python = f"{platform.system()}, Python {platform.python_version()}"
    return f"{model}, {cores} cores, {python}, {versions}"


def _summary(seconds: list[float]) -> Timing:
    low, median, high = np.percentile(seconds, (25, 50, 75))
    return Timing(float(median), float(high - low) / 2, min(seconds))
