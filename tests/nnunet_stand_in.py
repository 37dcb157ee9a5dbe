"""A trainer with the methods of nnU-Net's that the integration overrides, and what they use.

nnU-Net itself trains in `.ci/nnunet`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn


class DeepSquares(nn.Module):
    """In place of nnU-Net's loss: it looks at all resolutions, and its gradient is known."""

    def forward(self, output: list[Tensor], target: list[Tensor]) -> Tensor:
        return torch.stack([o.float().square().mean() for o in output]).sum()


class StandIn:
    """Begins and ends epochs, and has an optimiser of one weight."""

    def __init__(
        self,
        ignore_label: int | None = None,
        regions: bool = False,
        patch_size: Sequence[int] = (32, 48),
    ) -> None:
        self.label_manager = SimpleNamespace(has_regions=regions, ignore_label=ignore_label)
        self.configuration_manager = SimpleNamespace(patch_size=list(patch_size))
        self.num_epochs = 10
        self.current_epoch = 0
        self.is_ddp = False
        self.optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
        self.log: list[str] = []
        self.loss: Any = self._build_loss()

    def _build_loss(self) -> Any:
        return DeepSquares()

    def on_train_epoch_start(self) -> None:
        self.log.append(f"epoch {self.current_epoch}")

    def on_train_epoch_end(self, train_outputs: list[dict[str, Any]]) -> None:
        self.log.append(f"{len(train_outputs)} steps")

    def print_to_log_file(self, *words: object) -> None:
        self.log.append(" ".join(map(str, words)))
