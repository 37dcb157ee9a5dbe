"""The configuration of an evaluation; the command line is made from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from toponet._ground.validation import check_choice, check_whole
from toponet.evaluation.predictions import KINDS
from toponet.evaluation.protocol import THRESHOLD, Protocol
from toponet.metrics.conventions import betti_convention
from toponet.segmentation import SegmentationNumbers, SegmentationOptions

LABELS_ARE = ("mask", "instances")


@dataclass(frozen=True)
class EvaluateConfig(SegmentationNumbers):
    """Which files are compared, and how.

    Files are paired by name without suffix and without the endings _likelihood, _mask and _label.
    Where a prediction is there in several forms, NAME_likelihood comes before NAME, and that before
    NAME_mask, but the other way round if predictions are masks; NAME_cells and NAME_overlay are
    left alone. Two single files are a pair whatever their names.

    Predictions that toponet-predict made of a data set NAME:PATH are compared with the truths of
    the same images only: those of another seed or volume are refused.

    Threshold, keep and add make masks of likelihoods. Numbers that are left to the default are
    those of the plain cut at 0.5. Masks have no persistence, so keep and add are refused for them.

    Attributes:
        predictions: Folder with masks or likelihoods (PNG, TIFF, BMP, GIF), or one such file.
        labels: Folder with masks, or one mask; or a data set: a folder with labels/ and perhaps
            valid/ (pixels that count), or NAME:PATH as toponet-train takes it.
        predictions_are: "mask" (0 and one of 1, 255, 65535), "likelihood" (floating point from 0 to
            1; or 8 or 16 bit, where 255 or 65535 stands for 1), or "auto": a file is a mask if it
            can be one, else a likelihood. "auto" refuses integers that look like classes or
            instances: they use less than half of their range, or number regions.
        labels_are: "mask", or "instances": numbered regions in any integer type, 0 = between them.
            Their borders are the true structure then, and the regions that the predicted structure
            encloses are compared with the instances by number as well.
        connectivity: Connectivity of the structure, 8 or 4, for all metrics; empty = 8.
        patch_size: Side of the Betti error's patches in pixels; empty = 65.
        patches: Number of random patches in each image, "grid" or "whole"; empty = 100.
        seed: Seed of the random patches; empty = 0.
        frame: Whether Betti numbers are counted with a frame of structure around each patch and
            image (true, false), or with their "rim" overwritten; empty = true.
        convention: Name of a convention, which fixes some options: "toponet", "toponet-authors",
            "whole-image", "topomortar" or "betti-matching".
        missing: What to do about labels without prediction: "error" or "skip".
        bootstrap: Number of resamples for the 95 % intervals over images; 0 = no intervals.
        bootstrap_seed: Seed of the resamples.
        out: New folder for report.json, report.md, report.html, images.csv and pictures; empty =
            nothing is written.
        pictures: Of how many images the worst places are drawn, those with the largest first.
    """

    predictions: str
    labels: str
    predictions_are: str = "auto"
    labels_are: str = "mask"
    connectivity: int | None = None
    patch_size: int | None = None
    patches: int | str | None = None
    seed: int | None = None
    frame: bool | str | None = None
    convention: str | None = None
    missing: str = "error"
    bootstrap: int = 1000
    bootstrap_seed: int = 0
    out: str | None = None
    pictures: int = 10

    def __post_init__(self) -> None:
        """Refuses values that no evaluation could use. Files are checked later."""
        check_choice("predictions_are", self.predictions_are, KINDS)
        check_choice("labels_are", self.labels_are, LABELS_ARE)
        check_choice("missing", self.missing, ("error", "skip"))
        check_whole("bootstrap", self.bootstrap, least=0, most=100_000)
        check_whole("bootstrap_seed", self.bootstrap_seed, least=0)
        check_whole("pictures", self.pictures, least=0)
        chosen = self.or_default(SegmentationOptions.cut(THRESHOLD))
        for name, value in asdict(chosen).items():
            object.__setattr__(self, name, value)  # Frozen for all others.
        if self.predictions_are == "mask" and (chosen.keep, chosen.add) != (0, None):
            raise ValueError(
                "--keep and --add need likelihoods: leave them out with --predictions-are mask"
            )
        _ = self.protocol

    @property
    def protocol(self) -> Protocol:
        """The part of the configuration that says how to compare."""
        return Protocol(
            betti_convention(
                convention=self.convention,
                patch_size=self.patch_size,
                patches=self.patches,
                seed=self.seed,
                connectivity=self.connectivity,
                frame=self.frame,
            ),
            **asdict(self.or_default(SegmentationOptions.cut(THRESHOLD))),
            instances=self.labels_are == "instances",
        )
