"""The trainers that nnU-Net v2 finds by ``-tr NAME``.

The only file of the folder that ``nnUNet_extTrainer`` names: nnU-Net imports each file there, as a
module of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.training.nnUNetTrainer.variants.training_length.nnUNetTrainer_Xepochs import (
    nnUNetTrainer_250epochs,
)

from toponet.integrations.nnunet import WithTopology


class nnUNetTrainerTopology(WithTopology, nnUNetTrainer):
    """Half of the epochs as nnU-Net does, then with the paper's topological loss."""


class nnUNetTrainerTopology_250epochs(WithTopology, nnUNetTrainer_250epochs):
    """The same in a quarter of the epochs."""


class nnUNetTrainerTopologyBetti(WithTopology, nnUNetTrainer):
    """Partners are the features that are the same place (Betti matching)."""

    topo_options: ClassVar[Mapping[str, Any]] = {**WithTopology.topo_options, "matching": "betti"}


class nnUNetTrainerTopologyInPlace(WithTopology, nnUNetTrainer):
    """Each critical pixel is pulled to the truth of its own place."""

    topo_options: ClassVar[Mapping[str, Any]] = {
        **WithTopology.topo_options,
        "matching": "in_place",
    }
