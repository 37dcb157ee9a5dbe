"""Which runs the comparison consists of: variants, data sets, folds, seeds and their length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from comparison.variant import Variant
from toponet.cli.train import parse
from toponet.training import TrainConfig

# Epochs and iterations an epoch, by network.
BUDGETS = {
    "minutes": {"dive": (8, 40), "unet": (8, 200)},
    "twice": {"dive": (16, 40), "unet": (16, 200)},
    "converged": {"unet": (58, 200)},
    "long": {"unet": (45, 400)},
    # On one core: twenty times the steps of "minutes".
    "hour": {"unet": (40, 800)},
    "hours": {"dive": (20, 250), "unet": (20, 1000)},
    # As many epochs as in the paper's figure 7.
    "full": {"dive": (50, 1000), "unet": (50, 1000)},
}


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        data: Name of the data set, which is a preset.
        variant: What is trained.
        budget: One of ``BUDGETS``.
        config: All options.
    """

    data: str
    variant: Variant
    budget: str
    config: TrainConfig

    @property
    def folder(self) -> Path:
        """Its run folder."""
        assert self.config.out is not None
        return Path(self.config.out)

    @property
    def key(self) -> dict[str, str | int | bool]:
        """What tells it from other runs."""
        return {
            "data": self.data,
            "variant": self.variant.name,
            "budget": self.budget,
            "inner": self.config.inner_fold is not None,
            "fold": self.config.fold,
            "seed": self.config.seed,
        }


def make_chain(
    data: str, spec: str, variants: Sequence[Variant], budget: str, fold: int, seed: int,
    inner: bool, out: Path, extra: Sequence[str] = (),
) -> list[Run]:  # fmt: skip
    """Runs of one data set, fold and seed, twins first: the others start within the twin's run.

    Args:
        data: Name of the preset.
        spec: Where the data is, as ``--data`` takes it.
        variants: Those asked for.
        budget: One of ``BUDGETS``.
        fold: Held out.
        seed: Of the runs.
        inner: Leave the fold out altogether and hold out the inner fold of the same number.
        out: Folder of all runs.
        extra: More options of toponet-train, which come last.

    Raises:
        ValueError: If a twin is missing, the budget has no length for a network, or toponet-train
            would refuse an option.
    """
    runs: dict[str, Run] = {}
    place = f"fold{fold}-seed{seed}"
    if inner:
        place, extra = f"inner-{place}", ("--inner-fold", str(fold), *extra)
    for variant in sorted(variants, key=lambda v: v.twin is not None):
        if variant.network not in BUDGETS[budget]:
            raise ValueError(f"the budget {budget} has no length for {variant.name}: leave it out")
        epochs, iterations = BUDGETS[budget][variant.network]
        begin, length = round(epochs * variant.start) + 1, round(epochs * variant.length)
        config = parse([
            "--preset", data, *variant.options, "--data", spec, "--epochs", str(length),
            "--iterations-per-epoch", str(iterations), "--topo-start-epoch", str(begin),
            "--fold", str(fold), "--seed", str(seed), "--metric-patches", "1000",
            "--segmentation-metric", "none",
            # Each epoch is kept: others begin there, and figures are made of them.
            "--save-every", "1", "--out", str(out / data / variant.name / place), *extra,
        ])  # fmt: skip
        if not 0 <= fold < config.folds:
            raise ValueError(f"fold must be from 0 to {config.folds - 1}, got {fold}")
        if variant.twin is not None:
            if variant.twin not in runs:
                raise ValueError(f"{variant.name} needs its twin {variant.twin}: add it")
            checkpoints = runs[variant.twin].folder / "checkpoints"
            before = checkpoints / f"epoch_{begin - 1:04d}.ckpt"
            config = replace(config, start_from=str(before))
        runs[variant.name] = Run(data, variant, budget, config)
    return list(runs.values())


def still_to_do(chains: Sequence[Sequence[Run]], kept: Callable[[Run], bool]) -> list[list[Run]]:
    """The runs that aren't kept, with the twins that they start within; no empty chain."""
    found = []
    for chain in chains:
        missing = [run for run in chain if not kept(run)]
        twins = {run.variant.twin for run in missing}
        found.append([run for run in chain if run in missing or run.variant.name in twins])
    return [chain for chain in found if chain]
