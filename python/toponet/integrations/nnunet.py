"""What a trainer of nnU-Net v2 needs to train with the topological loss.

nnU-Net isn't imported here. The trainers that it finds by ``-tr NAME`` lie in the folder
``nnunet_trainers``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch

from toponet._ground.validation import check_number, check_whole, thread_count
from toponet.integrations.nnunet_loss import Labels, LossWithTopology

# In the first group of the optimiser's parameters: nnU-Net's checkpoints keep the optimiser, and
# nothing of the loss.
KEPT_WEIGHT = "topo_weight"


class WithTopology:
    """Adds the topological loss to a trainer of nnU-Net v2, which is the next base of a class.

    nnU-Net's own loss stays what the other base makes it. The topological loss joins it at the
    start epoch, for the full-resolution output of the network.

    Labels are classes or regions, with or without an ignore label, whose pixels count nowhere.
    Images or volumes are compared as the configuration has them: 2d, 3d_fullres, 3d_lowres and the
    like.

    Attributes:
        topo_start_epoch: First epoch with the topological loss, counted from 0 as nnU-Net counts;
            None = the one half-way through the training.
        topo_weight: Weight (lambda) of the topological loss, eq. 2.1; "auto" = it follows from
            ``topo_ratio``, and nnU-Net's checkpoints keep it.
        topo_ratio: For "auto": ratio of the norms of the topological gradient and the gradient of
            nnU-Net's own loss, with respect to the full-resolution logits. Both norms are means
            over the first eight steps with topology, or over the first epoch if it is shorter.
        topo_options: Arguments of :class:`toponet.TopologicalLoss`, but for ``sigmoid``,
            ``softmax`` and ``include_background``, which follow from the labels.

    Raises:
        ValueError: When nnU-Net makes the loss: if an option can't be used.
        TypeError: Likewise, if an option has the wrong type or is unknown.
    """

    topo_start_epoch: int | None = None
    topo_weight: float | Literal["auto"] = "auto"
    topo_ratio: float = 10.0
    topo_options: ClassVar[Mapping[str, Any]] = {"patch_size": 65}

    # nnU-Net's own.
    configuration_manager: Any
    current_epoch: int
    is_ddp: bool
    label_manager: Any
    loss: Any
    num_epochs: int
    optimizer: Any
    print_to_log_file: Any

    def _build_loss(self) -> LossWithTopology:
        """nnU-Net asks for its loss."""
        self._check_options()
        return LossWithTopology(
            super()._build_loss(),  # type: ignore[misc]
            Labels(self.label_manager.has_regions, self.label_manager.ignore_label),
            {
                "num_threads": self._threads(),
                "spatial_dims": len(self.configuration_manager.patch_size),
                **self.topo_options,
            },
            None if self.topo_weight == "auto" else float(self.topo_weight),
            self.topo_ratio,
        )

    def on_train_epoch_start(self) -> None:
        """nnU-Net begins an epoch."""
        super().on_train_epoch_start()  # type: ignore[misc]
        start = self.num_epochs // 2 if self.topo_start_epoch is None else self.topo_start_epoch
        self.loss.active = self.current_epoch >= start
        kept = self.optimizer.param_groups[0].get(KEPT_WEIGHT)
        if self.topo_weight == "auto" and kept is not None:
            self.loss.settle(kept)

    def on_train_epoch_end(self, train_outputs: list[dict[str, Any]]) -> None:
        """nnU-Net ends the training steps of an epoch."""
        super().on_train_epoch_end(train_outputs)  # type: ignore[misc]
        mean = self.loss.take_mean()
        if mean is None:
            return
        self.print_to_log_file(f"topological loss {mean:.4f}, weight {self.loss.weight:.4g}")
        self.optimizer.param_groups[0][KEPT_WEIGHT] = self.loss.weight

    def _check_options(self) -> None:
        if self.topo_start_epoch is not None:
            check_whole("topo_start_epoch", self.topo_start_epoch, least=0)
        if self.topo_weight != "auto":
            check_number("topo_weight", self.topo_weight, least=0)
        check_number("topo_ratio", self.topo_ratio, least=0)

    def _threads(self) -> int:
        """nnU-Net's ranks run on one machine, and nothing else says how many they are."""
        ranks = torch.distributed.get_world_size() if self.is_ddp else 1
        return max(1, thread_count(None) // ranks)
