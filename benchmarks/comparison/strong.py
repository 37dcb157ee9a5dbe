"""What a sceptic asks for: one strong training, which all methods share, and tuned weights."""

from __future__ import annotations

import itertools
from dataclasses import replace

from comparison.variant import Variant
from toponet.data.augmentation import AUGMENTATIONS

BASE_LOSSES = {"cross_entropy": "cross-entropy", "cross_entropy_dice": "cross-entropy + Dice"}
NETWORKS = {"unet": "U-Net", "unet_wide": "wide U-Net"}


def _training(network: str, base_loss: str, augmentation: str) -> tuple[str, ...]:
    return ("--network", network, "--base-loss", base_loss, "--augmentation", augmentation)


# Chosen on inner splits by accuracy and VOI alone, before any topology is looked at.
COMMON_TRAININGS = tuple(
    Variant(
        f"{network}-{base_loss}-{augmentation}",
        f"{NETWORKS[network]}, {BASE_LOSSES[base_loss]}, augmentation {augmentation}",
        "unet",
        ("--preset", "unet", *_training(network, base_loss, augmentation)),
    )
    for network, base_loss, augmentation in itertools.product(NETWORKS, BASE_LOSSES, AUGMENTATIONS)
)

# The one of them that all methods below share.
COMMON = _training("unet", "cross_entropy_dice", "intensity")
RATIOS = ("3", "10", "30")
# By name: label, preset and what it takes beside the weight. "complete" is the paper's matching.
TERMS = {
    "cldice": ("clDice", "unet_cldice", ()),
    "complete": ("topology, the paper's matching", "unet_toponet", ("--matching", "complete")),
    "in_place": ("topology, in place", "unet_toponet",
                 ("--matching", "in_place", "--in-place-weight", "persistence")),
}  # fmt: skip

# The weight of each method is chosen alike: the same ratios of gradients, on the same inner splits.
SCEPTIC = (
    Variant("common", "common training alone", "unet", ("--preset", "unet", *COMMON)),
    *(
        Variant(
            f"{name}_{ratio}",
            f"{label}, ratio {ratio}",
            "unet",
            ("--preset", preset, *COMMON, "--topo-weight", "auto", "--topo-ratio", ratio, *options),
            "common",
        )
        for name, (label, preset, options) in TERMS.items()
        for ratio in RATIOS
    ),
)

# 40 of the 45 epochs of the budget "long", in which the common training converges. The fine-tunings
# take the other five, at a constant rate.
COMMON_CONVERGED = 40 / 45
AT_A_CONSTANT_RATE = ("--lr", "3e-4", "--lr-schedule", "constant")
_common, *_methods = SCEPTIC
SCEPTIC_FINE_TUNINGS = (
    replace(_common, label="common training to convergence", length=COMMON_CONVERGED),
    *(
        replace(variant, options=(*variant.options, *AT_A_CONSTANT_RATE), start=COMMON_CONVERGED)
        for variant in (
            replace(_common, name="on", label="common training, five epochs more", twin="common"),
            *_methods,
        )
    ),
)
