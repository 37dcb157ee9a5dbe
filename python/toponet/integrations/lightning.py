"""A face for Lightning: a callback that starts the topological loss late and watches its pull."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from toponet._ground.validation import check_number, check_whole
from toponet.losses import TopoNetLoss
from toponet.losses.balance import balancing_weight, pull
from toponet.training.schedule import topo_factor

Norms = tuple[float, float]


class TopologyCallback(Callback):
    """Starts the topological loss late, ramps its weight, and logs how strongly it pulls.

    The module has one :class:`toponet.TopoNetLoss`, which its ``training_step`` calls. The callback
    sets the ``topo_weight`` of this loss at the beginning of each epoch. Before ``start_epoch`` it
    is 0, and the topological loss costs no time.

    At some steps the callback compares the gradients of both losses with respect to the logits, and
    logs:

    - ``topology/weight``: the weight of the topological loss;
    - ``topology/gradient_ratio``: the norm of its weighted gradient, divided by that of the base
      loss; 0 before the start;
    - ``topology/balancing_weight``: the weight at which this ratio would be ``topo_ratio``.

    Args:
        topo_weight: The weight when it is whole. "auto" = the weight at which the topological
            gradient is ``topo_ratio`` times the other one. It is chosen once, from the norms of the
            epoch before the start, as means over the steps that are compared and over the ranks.
        start_epoch: First epoch with the topological loss; like Lightning's epochs it counts from
            0. At least 1 if the weight is "auto".
        ramp_epochs: Number of epochs from the start on in which the weight grows.
        topo_ratio: See ``topo_weight``.
        every_n_steps: How often the gradients are compared: at the first step of each epoch, and
            after so many steps again. A comparison costs about as much as the topological loss.

    Raises:
        TypeError: If an option has the wrong type.
        ValueError: If an option is out of range; when training begins, if the module has no such
            loss or several; at the start, if the loss wasn't called in the epoch before.

    Example:
        >>> from toponet.integrations.lightning import TopologyCallback
        >>> callback = TopologyCallback("auto", start_epoch=50, ramp_epochs=5)
    """

    def __init__(
        self,
        topo_weight: float | str = "auto",
        *,
        start_epoch: int,
        ramp_epochs: int = 0,
        topo_ratio: float = 30.0,
        every_n_steps: int = 20,
    ) -> None:
        """Checks the options."""
        if topo_weight != "auto":
            check_number("topo_weight", topo_weight, least=0)
        self.start_epoch = check_whole("start_epoch", start_epoch, least=int(topo_weight == "auto"))
        self.ramp_epochs = check_whole("ramp_epochs", ramp_epochs, least=0)
        self.topo_ratio = check_number("topo_ratio", topo_ratio, least=0)
        self.every_n_steps = check_whole("every_n_steps", every_n_steps, least=1)
        self.topo_weight = topo_weight
        self.chosen = None if topo_weight == "auto" else float(topo_weight)
        self._norms: list[Norms] = []  # Of this epoch, one for each comparison.
        self._look = False

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Finds the loss, and looks at what it is called with from now on."""
        losses = [each for each in pl_module.modules() if isinstance(each, TopoNetLoss)]
        if len(losses) != 1:
            raise ValueError(
                "TopologyCallback expects a module with one TopoNetLoss, "
                f"{type(pl_module).__name__} has {len(losses)}"
            )
        (self._criterion,) = losses
        self._hook = self._criterion.register_forward_hook(self._compare, with_kwargs=True)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leaves the loss with its last weight."""
        self._hook.remove()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Sets the weight of this epoch, and chooses it if it is time."""
        epoch = trainer.current_epoch
        factor = topo_factor(epoch, self.start_epoch, self.ramp_epochs)
        if factor and self.chosen is None:
            self.chosen = self._balanced(trainer, pl_module)
        self._norms = []
        self._criterion.topo_weight = factor * (self.chosen or 0.0)

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Decides whether this step is looked at."""
        self._look = batch_idx % self.every_n_steps == 0

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Logs what was seen in this step."""
        looked, self._look = self._look, False
        if not looked or not self._norms:
            return
        base, topo = self._norms[-1]
        weight = self._criterion.topo_weight
        pl_module.log_dict(
            {
                "topology/weight": weight,
                "topology/gradient_ratio": weight * topo / base if base else 0.0,
                "topology/balancing_weight": balancing_weight(base, topo, self.topo_ratio),
            }
        )

    def state_dict(self) -> dict[str, Any]:
        """The weight that was chosen, for a training that goes on later."""
        return {"chosen": self.chosen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up the weight that was chosen; a given weight stays as it was given."""
        if self.topo_weight == "auto":
            self.chosen = state_dict["chosen"]

    def _compare(
        self, criterion: TopoNetLoss, args: tuple[Tensor, ...], kwargs: dict[str, Any], _: Tensor
    ) -> None:
        """Keeps the norms of both gradients at the logits that the loss was called with."""
        if not self._look:
            return
        given = dict(zip(("logits", "target"), args, strict=False)) | kwargs
        logits = given.pop("logits")
        diagrams = given.pop("target_diagrams", None)
        base = pull(lambda leaf: criterion.base_term(leaf, **given).sum(), logits)
        given["target_diagrams"] = diagrams
        topo = pull(lambda leaf: criterion.topological_term(leaf, **given).sum(), logits)
        norms = torch.stack([each.gradient.float().norm() for each in (base, topo)]).tolist()
        self._norms.append((norms[0], norms[1]))

    def _balanced(self, trainer: Trainer, pl_module: LightningModule) -> float:
        """The weight that the norms of the last epoch ask for."""
        if not self._norms:
            raise ValueError(
                "TopologyCallback can't choose the weight: the TopoNetLoss wasn't called in epoch "
                f"{trainer.current_epoch - 1}, the one before start_epoch"
            )
        norms = torch.tensor(self._norms, device=pl_module.device).mean(dim=0)
        base, topo = trainer.strategy.reduce(norms, reduce_op="mean").tolist()
        return balancing_weight(base, topo, self.topo_ratio)
