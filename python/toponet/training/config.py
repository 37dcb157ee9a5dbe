"""The configuration of a training run; the command line is made from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from toponet._ground.validation import check_choice, check_flag, check_number, check_whole
from toponet.data import fold_split
from toponet.data.intensity import check_intensity
from toponet.evaluation import Protocol
from toponet.evaluation.protocol import THRESHOLD
from toponet.losses import TopoNetLoss
from toponet.metrics.conventions import betti_convention
from toponet.models import NETWORKS
from toponet.prediction.device import DEVICES
from toponet.training.evaluation import METRIC_NAMES
from toponet.training.schedule import LR_SCHEDULES

TOPO_LOSSES = ("persistence", "cldice", "vgg")
NORMALISATIONS = ("training", "image")
LOGGERS = ("none", "tensorboard", "wandb")
PRECISIONS = ("32-true", "16-mixed", "bf16-mixed")


@dataclass(frozen=True)
class TrainConfig:
    """What to train on, how long, and how much topology counts.

    Attributes:
        data: "synthetic" (membranes made on the fly), a folder with images/ and labels/, or
            NAME:PATH of a data set in its official layout.
        channels: Channels that the images must have, 1 or 3; empty = any.
        out: New folder for the run; empty = a fresh one under runs/.
        network: "dive" (the paper's) or "unet" (a small one of MONAI's).
        epochs: Number of epochs.
        iterations_per_epoch: Optimiser steps in an epoch.
        batch_size: Patches in a step, over all ranks.
        accumulate: Parts that a rank computes its patches of a step in, one after the other: less
            memory, the same step, but for batch normalisation (in the U-Net), which takes the mean
            of a part.
        patch_size: Side of a patch of truth, in pixels.
        normalisation: Whose mean is subtracted from the grey values of a channel, and by whose
            standard deviation they are divided. "training": those of all training images together;
            images for prediction must then have the same grey scale. "image": those of each image
            itself, for scales or exposures that differ.
        brightness: Largest random change of a training patch's brightness, up or down, in
            deviations of the normalised images; 0 = none.
        contrast: Largest random change of a training patch's contrast, up or down, as a part of it,
            below 1; 0 = none.
        topo_loss: "persistence" (the paper's), "cldice" (MONAI's soft clDice) or "vgg" (squared
            differences of VGG19's features, Mosinska et al.). What is said of the topological loss
            below holds for each; dims, matching and topo_patch_size belong to the first.
        topo_patch_size: Patches of about this side, in a grid, that the topological loss cuts the
            training patch into; empty = the training patch as a whole.
        vgg_weights: For topo_loss "vgg": file of VGG19 in torchvision's layout; empty = the one in
            torch.hub's cache.
        topo_weight: Weight (lambda) of the topological loss, eq. 2.1; or "auto": at its start
            epoch, such that its gradient is topo_ratio times the cross-entropy's.
        topo_ratio: For topo_weight "auto": ratio of the norms of the two gradients with respect to
            the logits, above 0. (On synthetic membranes the default weight of 0.05 has about 10.)
        topo_start_epoch: First epoch (from 1) with the topological term; before it, cross-entropy
            alone.
        topo_ramp_epochs: Epochs from the start on over which the weight grows linearly.
        connectivity: Of the structure, 8 or 4; for loss and metrics.
        dims: Dimensions in the loss: 0 = components, 1 = holes.
        matching: "complete", "wasserstein" or "persistence".
        frame: Whether the loss surrounds each patch by a frame of structure; metrics always do.
        metric_patch_size: Side of the patches that Betti errors are counted in.
        metric_patches: Random patches an image that they are counted in.
        validation: Images to validate on instead of a fold, as data takes them; all images of
            data are then for training.
        folds: Number of contiguous blocks that the images are divided into; 1 = train on all
            images, hold none out, and measure on the training images themselves.
        fold: The block held out for validation, from 0.
        inner_fold: Leave the block ``fold`` out altogether, and hold out this one of as many blocks
            of the others: to choose options without a look at what is reported.
        lr: Learning rate of Adam in the first epoch.
        lr_schedule: "cosine" (from lr to near 0 along half a cosine) or "constant".
        clip_norm: Largest norm of the gradient; empty = any.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "32-true", "16-mixed" or "bf16-mixed"; the topological loss is always float32.
        compile: Compile the network by torch.compile.
        num_threads: CPU threads of network and kernel; empty = all cores.
        seed: Of weights, patches and synthetic images.
        best_metric: What best.ckpt goes by: accuracy, ari, voi, betti_error_0 or betti_error_1.
        save_every: Keep a checkpoint of every so many epochs; empty = of none.
        logger: "none" (metrics.csv alone), "tensorboard" or "wandb", which show it with pictures.
        start_from: A checkpoint to go on from: its weights, optimiser, epoch and normalisation.
            Everything else is as given here.
    """

    data: str = "synthetic"
    channels: int | None = None
    out: str | None = None
    network: str = "dive"
    epochs: int = 12
    iterations_per_epoch: int = 25
    batch_size: int = 8
    accumulate: int = 1
    patch_size: int = 65
    normalisation: str = "training"
    brightness: float = 0.0
    contrast: float = 0.0
    topo_loss: str = "persistence"
    topo_patch_size: int | None = None
    vgg_weights: str | None = None
    topo_weight: float | Literal["auto"] = 0.05
    topo_ratio: float = 10.0
    topo_start_epoch: int = 7
    topo_ramp_epochs: int = 0
    connectivity: int = 8
    dims: tuple[int, ...] = (0, 1)
    matching: str = "complete"
    frame: bool = True
    metric_patch_size: int = 65
    metric_patches: int = 100
    validation: str | None = None
    folds: int = 3
    fold: int = 0
    inner_fold: int | None = None
    lr: float = 1e-3
    lr_schedule: str = "cosine"
    clip_norm: float | None = None
    device: str = "auto"
    precision: str = "32-true"
    compile: bool = False
    num_threads: int | None = None
    seed: int = 0
    best_metric: str = "voi"
    save_every: int | None = None
    logger: str = "none"
    start_from: str | None = None

    def __post_init__(self) -> None:
        """Refuses what no run could use; files are looked at later."""
        for name in ("epochs", "iterations_per_epoch", "batch_size", "accumulate", "patch_size",
                     "topo_start_epoch", "metric_patch_size", "metric_patches"):  # fmt: skip
            check_whole(name, getattr(self, name), least=1, most=2**20)
        check_whole("topo_ramp_epochs", self.topo_ramp_epochs, least=0, most=2**20)
        for name in ("save_every", "topo_patch_size"):
            if getattr(self, name) is not None:
                check_whole(name, getattr(self, name), least=1, most=2**20)
        for name in ("lr", "topo_ratio", "clip_norm"):
            value = getattr(self, name)
            if value is not None and check_number(name, value) <= 0:
                raise ValueError(f"{name} must be above 0 and finite, got {value}")
        check_whole("seed", self.seed, least=0, most=2**63 - 1)
        if not isinstance(self.data, str):
            raise TypeError(f"data must be 'synthetic' or a folder, got {self.data!r}")
        if self.channels is not None:
            check_choice("channels", check_whole("channels", self.channels, least=1), (1, 3))
        self._check_split()
        check_choice("normalisation", self.normalisation, NORMALISATIONS)
        check_intensity(self.brightness, self.contrast)
        check_choice("network", self.network, tuple(NETWORKS))
        check_choice("topo_loss", self.topo_loss, TOPO_LOSSES)
        check_choice("lr_schedule", self.lr_schedule, LR_SCHEDULES)
        check_choice("device", self.device, DEVICES)
        check_choice("precision", self.precision, PRECISIONS)
        check_choice("best_metric", self.best_metric, METRIC_NAMES)
        check_choice("logger", self.logger, LOGGERS)
        check_flag("compile", self.compile)
        weight = 1.0 if self.topo_weight == "auto" else self.topo_weight
        # The constructor checks what belongs to the loss.
        TopoNetLoss(weight, **self.loss_options, num_threads=self.num_threads)

    def _check_split(self) -> None:
        """Refuses folds where the images aren't divided, for they would be ignored."""
        check_whole("folds", self.folds, least=1)
        if self.validation is not None and not isinstance(self.validation, str):
            raise TypeError(f"validation must name images as data does, got {self.validation!r}")
        if self.validation is not None and self.validation == self.data:
            raise ValueError(
                f"validation names the same images as data, {self.data}; to train on all images "
                "and measure on them, use --folds 1 alone"
            )
        undivided = "--validation" if self.validation is not None else "--folds 1"
        divided = self.validation is None and self.folds > 1
        if not divided and (self.fold != 0 or self.inner_fold is not None):
            raise ValueError(
                f"with {undivided} the images aren't divided: leave out --fold and --inner-fold"
            )

    @property
    def holds_out(self) -> bool:
        """Whether the images that metrics are counted on are kept out of training."""
        return self.validation is not None or self.folds > 1

    @property
    def measured(self) -> str:
        """What the images are that metrics are counted on."""
        return "held-out" if self.holds_out else "training"

    @property
    def shows_critical_pixels(self) -> bool:
        """Whether the run's topological loss is the one that moves critical pixels."""
        return self.topo_loss == "persistence"

    def split(self, count: int) -> tuple[list[int], list[int]]:
        """Of ``count`` images of ``data``: those for training, and those held out for metrics.

        With one fold the second are the first; with ``validation`` there are none.

        Raises:
            ValueError: If there are fewer images than folds, or no such fold.
        """
        everything = list(range(count))
        if self.validation is not None:
            return everything, []
        if self.folds == 1:
            return everything, everything
        if count < self.folds:
            raise ValueError(
                f"{self.data} has {count} image(s), fewer than --folds {self.folds}: use fewer, "
                "--folds 1 to train on all images, or --validation for images of their own"
            )
        return fold_split(count, self.folds, self.fold, self.inner_fold)

    @property
    def loss_options(self) -> dict[str, Any]:
        """What of this the topological loss is made of."""
        return {
            "dims": self.dims,
            "connectivity": self.connectivity,
            "matching": self.matching,
            "frame": self.frame,
        }

    @property
    def protocol(self) -> Protocol:
        """How held-out images are scored."""
        convention = betti_convention(
            patch_size=self.metric_patch_size,
            patches=self.metric_patches,
            connectivity=self.connectivity,
        )
        return Protocol(convention, THRESHOLD)

    def to_plain(self) -> dict[str, Any]:
        """For YAML, JSON and checkpoints."""
        return {**asdict(self), "dims": list(self.dims)}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> TrainConfig:
        """Of what :meth:`to_plain` gave.

        Raises:
            TypeError: If it is something else.
            ValueError: If an option is unknown or missing: no default may stand in for what a run
                was made with.
        """
        if not isinstance(plain, dict):
            raise TypeError(f"expected options with their values, got {plain!r}")
        names = [field.name for field in fields(cls)]
        for problem, found in (
            ("has unknown options", [str(name) for name in plain if name not in names]),
            ("lacks options", [name for name in names if name not in plain]),
        ):
            if found:
                raise ValueError(f"the configuration {problem}: {', '.join(found)}")
        if not isinstance(plain["dims"], list):
            raise TypeError(f"dims must be a list such as [0, 1], got {plain['dims']!r}")
        return cls(**{**plain, "dims": tuple(plain["dims"])})
