"""The ways to train that are compared, in sets."""

from __future__ import annotations

from dataclasses import replace

from comparison.strong import (
    AT_A_CONSTANT_RATE,
    COMMON_TRAININGS,
    SCEPTIC,
    SCEPTIC_FINE_TUNINGS,
)
from comparison.variant import Variant


def _method(name: str, label: str, twin: str | None = None) -> Variant:
    network = "dive" if name in ("dive", "toponet") else "unet"
    return Variant(name, label, network, ("--preset", name), twin)


METHODS = (
    _method("dive", "DIVE"),
    _method("toponet", "TopoNet (DIVE + topology)", "dive"),
    _method("unet", "U-Net"),
    _method("mosin", "Mosin. (U-Net + VGG features)", "unet"),
    _method("unet_toponet", "U-Net + topology", "unet"),
    _method("unet_cldice", "U-Net + clDice", "unet"),
)


def _ablation(name: str, label: str, *options: str, start: float = 0.5) -> Variant:
    base = ("--preset", "unet_toponet", "--dims", "[0, 1]", "--topo-weight", "auto",
            "--topo-ratio", "30", "--matching", "complete", "--frame", "true")  # fmt: skip
    return Variant(name, label, "unet", (*base, *options), "unet", start)


def _in_place(ratio: int, weight: str) -> Variant:
    name = f"in_place_{ratio}" + ("" if weight == "persistence" else f"_{weight}")
    return _ablation(
        name, f"{ratio}, in place, weight {weight}", "--topo-ratio", str(ratio),
        "--matching", "in_place", "--in-place-weight", weight,
    )  # fmt: skip


# The weight, then one option at a time with the weight of ratio 30, on the small U-Net; then two
# that were tried because each part had looked good; at last the loss that matches nothing.
ABLATIONS = (
    Variant("unet", "cross-entropy alone", "unet", ("--preset", "unet")),
    _ablation("ratio_3", "gradient ratio 3", "--topo-ratio", "3"),
    _ablation("ratio_10", "gradient ratio 10", "--topo-ratio", "10"),
    _ablation("ratio_30", "gradient ratio 30"),
    _ablation("ratio_100", "gradient ratio 100", "--topo-ratio", "100"),
    _ablation("start_early", "30, after 1/4 of the epochs (others: 1/2)", start=0.25),
    _ablation("start_late", "30, after 5/8 of the epochs", start=0.625),
    _ablation("ramp", "30, ramp of 2 epochs", "--topo-ramp-epochs", "2"),
    _ablation("holes", "30, dims 1", "--dims", "[1]"),
    _ablation("components", "30, dims 0", "--dims", "[0]"),
    _ablation("wasserstein", "30, matching wasserstein", "--matching", "wasserstein"),
    _ablation("persistence", "30, matching persistence", "--matching", "persistence"),
    _ablation("no_frame", "30, no frame", "--frame", "false"),
    _ablation("patch_33", "30, patches of 33", "--topo-patch-size", "33"),
    _ablation("patch_128", "30, patches of 128", "--topo-patch-size", "128"),
    _ablation(
        "early_wasserstein", "30, after 1/4, wasserstein",
        "--matching", "wasserstein", start=0.25,
    ),
    _ablation(
        "early_wasserstein_no_frame", "30, after 1/4, wasserstein, no frame",
        "--matching", "wasserstein", "--frame", "false", start=0.25,
    ),
    *(
        _ablation(f"betti_{ratio}", f"{ratio}, matching betti", "--matching", "betti",
                  "--topo-ratio", ratio)
        for ratio in ("3", "10", "30")
    ),
    *(_in_place(ratio, weight) for weight in ("persistence", "one") for ratio in (3, 10, 30)),
    _ablation(
        "in_place_30_extremes", "30, in place, extremes too",
        "--matching", "in_place", "--in-place-extremes", "true",
    ),
)  # fmt: skip


def _with_dice(name: str, label: str, *options: str) -> Variant:
    """A matching beside cross-entropy + Dice; its twin is that base loss alone."""
    base = ("--base-loss", "cross_entropy_dice")
    if not options:
        return Variant(name, label, "unet", ("--preset", "unet", *base))
    matched = _ablation(name, f"{label}, with Dice", *base, *options)
    return replace(matched, twin="unet_dice")


# The matchings again, at the ratios that suited them beside cross-entropy.
DICE = (
    _with_dice("unet_dice", "cross-entropy + Dice alone"),
    _with_dice("ratio_30_dice", "gradient ratio 30", "--topo-ratio", "30"),
    _with_dice("wasserstein_dice", "30, matching wasserstein", "--matching", "wasserstein"),
    _with_dice("betti_10_dice", "10, matching betti", "--matching", "betti", "--topo-ratio", "10"),
    _with_dice("in_place_10_dice", "10, in place, weight persistence", "--matching", "in_place",
               "--in-place-weight", "persistence", "--topo-ratio", "10"),
)  # fmt: skip

# 48 epochs, in which cross-entropy converges, then 10 from there at a constant rate.
CONVERGED = 48 / 58


def _fine_tuned(name: str, label: str, *options: str) -> Variant:
    base = ("--preset", "unet", *AT_A_CONSTANT_RATE)
    return Variant(name, label, "unet", (*base, *options), "unet", CONVERGED)


def _matched(matching: str, ratio: str, *options: str) -> tuple[str, ...]:
    return ("--topo-loss", "persistence", "--matching", matching, "--dims", "[0, 1]", "--frame",
            "true", "--topo-weight", "auto", "--topo-ratio", ratio, *options)  # fmt: skip


FINE_TUNINGS = (
    Variant("unet", "cross-entropy to convergence", "unet", ("--preset", "unet"),
            length=CONVERGED),
    _fine_tuned("on", "10 more epochs of cross-entropy"),
    *(
        _fine_tuned(f"{matching}_{ratio}", f"10 epochs with {matching}, ratio {ratio}",
                    *_matched(matching, ratio))
        for matching in ("complete", "wasserstein", "persistence", "betti", "in_place")
        for ratio in ("3", "10", "30")
    ),
    *(
        _fine_tuned(f"in_place_{ratio}_one", f"10 epochs with in_place, weight 1, ratio {ratio}",
                    *_matched("in_place", ratio, "--in-place-weight", "one"))
        for ratio in ("3", "10", "30")
    ),
)  # fmt: skip

# The matchings at the ratios that suit them, among the ablations.
_MATCHINGS = (
    "unet", "ratio_30", "wasserstein", "persistence", "betti_10", "betti_30",
    "in_place_3", "in_place_10", "in_place_30", "in_place_30_one",
)  # fmt: skip

SETS = {
    "methods": METHODS,
    "ablation": ABLATIONS,
    "matchings": tuple(v for v in ABLATIONS if v.name in _MATCHINGS),
    "dice": DICE,
    "fine_tuning": FINE_TUNINGS,
    "common_training": COMMON_TRAININGS,
    "sceptic_ratios": SCEPTIC,
    "sceptic": SCEPTIC,
    "sceptic_fine_tuning": SCEPTIC_FINE_TUNINGS,
}
# Options are compared on inner splits: nothing is chosen on a fold that is reported.
INNER_SETS = (
    "ablation", "matchings", "dice", "fine_tuning", "common_training", "sceptic_ratios",
)  # fmt: skip
