"""The configuration of a training run; the command line is made from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from toponet._ground.validation import (
    check_choice,
    check_flag,
    check_number,
    check_whole,
    thread_count,
)
from toponet.data import fold_split
from toponet.data.augmentation import AUGMENTATIONS
from toponet.data.intensity import check_intensity
from toponet.evaluation import Protocol
from toponet.evaluation.protocol import THRESHOLD, TRAINING_METRICS
from toponet.metrics.conventions import betti_convention
from toponet.prediction.device import DEVICES
from toponet.training.base_losses import BASE_LOSSES
from toponet.training.schedule import LR_SCHEDULES
from toponet.training.topology_terms import (
    TERMS,
    TermOptions,
    options_of_others,
    owners,
)
from toponet.training.topology_terms.term import TopologyTerm

NORMALISATIONS = ("training", "image")
LOGGERS = ("none", "tensorboard", "wandb")
PRECISIONS = ("32-true", "16-mixed", "bf16-mixed")
SEGMENTATION_METRICS = ("voi", "ari", "betti", "accuracy", "none")


@dataclass(frozen=True)
class TrainConfig(TermOptions):
    """What to train on, how long, and how much topology counts.

    The options of each topological loss come from its own module in ``topology_terms``. An option
    that belongs to another loss than ``topo_loss`` is None; one that is given is refused.

    Attributes:
        data: "synthetic" (membranes made on the fly), a folder with images/ and labels/, or
            NAME:PATH of a data set in its official layout.
        channels: Channels that the images must have, 1 or 3; empty = any.
        out: New folder for the run; empty = a fresh one under runs/.
        network: "dive" (the paper's), "unet" (a small one of MONAI's) or "unet_wide" (twice as
            wide).
        epochs: Number of epochs.
        iterations_per_epoch: Optimiser steps in an epoch.
        batch_size: Patches in a step, over all ranks.
        accumulate: Each rank splits its patches of a step into this many parts. The parts are
            computed one after the other, which needs less memory. The step stays the same, with one
            exception: batch normalisation (in the U-Net) takes its means over a part.
        patch_size: Side of a patch of truth, in pixels.
        normalisation: Source of the mean and the standard deviation that normalise each
            channel. "training": from all training images together; images for prediction must then
            have the same grey scale. "image": from each image itself, for scales or exposures that
            differ.
        brightness: Largest random change of a training patch's brightness, up or down, in
            deviations of the normalised images; 0 = none.
        contrast: Largest random change of a training patch's contrast, up or down, as a part of it,
            below 1; 0 = none.
        augmentation: What else is changed at random in training patches: "none"; "intensity" =
            noise, blur and gamma; "all" = these, and patches are turned by any angle, scaled and
            bent (structure of less than three pixels may break by that).
        base_loss: Name of the loss that is minimised beside the topological loss; the names stand
            below.
        topo_loss: Name of the topological loss; the names stand below. Options that belong to one
            of them say so.
        topo_weight: Weight (lambda) of the topological loss, eq. 2.1; or "auto": it is chosen at
            topo_start_epoch, such that the topological gradient is topo_ratio times as long as the
            gradient of the base loss.
        topo_ratio: For topo_weight "auto": ratio of the norms of the two gradients with respect to
            the logits, above 0. (On synthetic membranes the default weight of 0.05 has about 10.)
        topo_start_epoch: First epoch (from 1) with the topological loss; the epochs before it have
            the base loss alone.
        topo_ramp_epochs: Epochs from the start on over which the weight grows linearly.
        connectivity: Of the structure, 8 or 4; for loss and metrics.
        metric_patch_size: Side of the patches that Betti errors are counted in.
        metric_patches: Number of random patches an image, for Betti errors.
        validation: Images to validate on instead of a fold, as data takes them; all images of
            data are then for training.
        folds: Number of contiguous blocks that the images are divided into; 1 = train on all
            images, hold none out, and measure on the training images themselves.
        fold: The block held out for validation, from 0.
        inner_fold: For choosing options without the images that are reported. The block ``fold`` is
            left out altogether. The other images are divided into ``folds`` blocks again, and the
            block ``inner_fold`` of these is held out for validation.
        lr: Learning rate of Adam in the first epoch.
        lr_schedule: "cosine" (from lr to near 0 along half a cosine) or "constant".
        clip_norm: Largest norm of the gradient; empty = any.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "32-true", "16-mixed" or "bf16-mixed"; the topological loss is always float32.
        compile: Compile the network by torch.compile.
        num_threads: CPU threads of network and kernel; empty = all cores.
        seed: Of weights, patches and synthetic images.
        best_metric: What best.ckpt goes by: accuracy, ari, voi, betti_error_0 or betti_error_1.
        segmentation_metric: At the end of the run, threshold, keep and add of toponet-predict are
            chosen on training images, such that this metric of the masks is best: "voi", "ari",
            "betti" (Betti error) or "accuracy". "none" = nothing is chosen, masks are cut at 0.5.
        save_every: Number of epochs from one kept checkpoint to the next; empty = none is kept
            beside last, best and the end of the first phase.
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
    augmentation: str = "none"
    base_loss: str = "cross_entropy"
    topo_loss: str = "persistence"
    topo_weight: float | Literal["auto"] = 0.05
    topo_ratio: float = 10.0
    topo_start_epoch: int = 7
    topo_ramp_epochs: int = 0
    connectivity: int = 8
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
    segmentation_metric: str = "voi"
    save_every: int | None = None
    logger: str = "none"
    start_from: str | None = None

    def __post_init__(self) -> None:
        """Refuses what no run could use; files are looked at later."""
        for name in ("epochs", "iterations_per_epoch", "batch_size", "accumulate", "patch_size",
                     "topo_start_epoch", "metric_patch_size", "metric_patches"):  # fmt: skip
            check_whole(name, getattr(self, name), least=1, most=2**20)
        check_whole("topo_ramp_epochs", self.topo_ramp_epochs, least=0, most=2**20)
        if self.save_every is not None:
            check_whole("save_every", self.save_every, least=1, most=2**20)
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
        check_choice("augmentation", self.augmentation, AUGMENTATIONS)
        check_choice("lr_schedule", self.lr_schedule, LR_SCHEDULES)
        check_choice("device", self.device, DEVICES)
        check_choice("precision", self.precision, PRECISIONS)
        check_choice("best_metric", self.best_metric, TRAINING_METRICS)
        check_choice("segmentation_metric", self.segmentation_metric, SEGMENTATION_METRICS)
        check_choice("logger", self.logger, LOGGERS)
        check_flag("compile", self.compile)
        thread_count(self.num_threads)
        self._check_losses()
        self._check_network()

    def _check_network(self) -> None:
        from toponet.models import NETWORKS  # Torch comes with them; --help does without.

        check_choice("network", self.network, tuple(NETWORKS))

    def _check_losses(self) -> None:
        """Refuses options of other losses; gives the own ones of the loss their defaults."""
        check_choice("base_loss", self.base_loss, tuple(BASE_LOSSES))
        check_choice("topo_loss", self.topo_loss, tuple(TERMS))
        if self.topo_weight != "auto":
            check_number("topo_weight", self.topo_weight, least=0)
        check_choice("connectivity", self.connectivity, (4, 8))
        for name in options_of_others(self.topo_loss):
            if getattr(self, name) is not None:
                raise ValueError(
                    f"{name} must be left out: it belongs to topo_loss "
                    f"{' and '.join(owners(name))}, and topo_loss is {self.topo_loss}"
                )
        for name, default in self.term.defaults.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, default)  # Frozen for all others.
        self.term.check(self.term_options, self.connectivity)

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
    def base_label(self) -> str:
        """What the base loss is called in sentences and pictures."""
        return BASE_LOSSES[self.base_loss].label

    @property
    def term(self) -> TopologyTerm:
        """The topological loss's entry in the registry."""
        return TERMS[self.topo_loss]

    @property
    def term_options(self) -> dict[str, Any]:
        """The topological loss's own options."""
        return {name: getattr(self, name) for name in self.term.defaults}

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
        """For YAML, JSON and checkpoints: every option by its name, tuples as lists."""
        plain = asdict(self)
        return {
            name: list(plain[name]) if isinstance(plain[name], tuple) else plain[name]
            for name in _own_first(list(plain))
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> TrainConfig:
        """Returns the configuration that :meth:`to_plain` gave.

        Raises:
            TypeError: If it is something else.
            ValueError: If an option is unknown or missing: no default may stand in for what a run
                was made with.
        """
        if not isinstance(plain, dict):
            raise TypeError(f"expected options with their values, got {plain!r}")
        names = _own_first([field.name for field in fields(cls)])
        for problem, found in (
            ("has unknown options", [str(name) for name in plain if name not in names]),
            ("lacks options", [name for name in names if name not in plain]),
        ):
            if found:
                raise ValueError(f"the configuration {problem}: {', '.join(found)}")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in plain.items()
        }
        return cls(**values)


def _own_first(names: list[str]) -> list[str]:
    """The names of options in their order; those of topological losses come last."""
    return sorted(names, key=lambda name: bool(owners(name)))
