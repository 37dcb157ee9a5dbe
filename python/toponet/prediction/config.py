"""The configuration of a prediction; the command line is made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from toponet._ground.validation import check_choice, check_flag, check_whole
from toponet.prediction.device import DEVICES
from toponet.segmentation import SegmentationNumbers, SegmentationOptions

Output = Literal["likelihood", "mask", "cells", "overlay", "decisions"]
OUTPUTS: tuple[Output, ...] = get_args(Output)
FORMATS = ("tif", "h5")


def check_outputs(outputs: Sequence[Output], likelihood_format: str) -> None:
    """Raises ValueError if no kind of file is asked for, or one that there isn't."""
    if not outputs:
        raise ValueError(f"outputs must be some of {', '.join(OUTPUTS)}")
    for output in outputs:
        check_choice("outputs", output, OUTPUTS)
    check_choice("likelihood_format", likelihood_format, FORMATS)


@dataclass(frozen=True)
class PredictConfig(SegmentationNumbers):
    """Which network predicts which images, and which files it writes.

    An image NAME becomes NAME_likelihood.tif (float32), NAME_mask.png (0 and 255), NAME_cells.tif
    (the background's components from 1 on, structure 0) and NAME_overlay.png; the pages of a TIFF
    stack and the slices of an HDF5 data set become the pages of one TIFF file each. An image whose
    files are there already is left out: give the same command again to go on after a stop.

    Mask, cells and overlay show what persistence decides by threshold, keep and add. Numbers that
    are left to the default are those that training chose; a checkpoint without such a choice has
    the plain cut at its threshold. NAME_decisions.csv lists what was changed for them, and isn't
    written for a plain cut. The likelihood stays the network's own.

    Images must have the grey scale of the training images: 8 bit stays 8 bit. A warning tells which
    images have another one. A network trained with --normalisation image takes any grey scale.

    Attributes:
        checkpoint: Checkpoint of toponet-train, or a run folder: its checkpoints/last.ckpt.
        inputs: Image files (PNG, TIFF, JPEG, GIF, BMP), TIFF stacks, FILE.h5:DATASET (slices
            first), folders of images (or with images/ in them), or NAME:PATH of a data set in its
            official layout.
        out: Folder for the predictions; predict.json in it says how they came about.
        held_out: Predict the images that the checkpoint's run held out for validation. If the run's
            data have moved, one input says where they are now.
        outputs: What to write: likelihood, mask, cells, overlay and decisions, or some of them.
        likelihood_format: "tif", or "h5" (one data set named likelihood).
        min_size: Specks of structure of less than this many pixels are removed, and then cells
            likewise. The likelihood stays as it is. 1 = nothing is removed.
        flips: Average the likelihood over the eight turns and flips of the image. This takes eight
            times as long.
        device: "auto", "cpu", "cuda" or "mps".
        num_threads: CPU threads of network and kernel; empty = all cores.
        overwrite: Replace the files that are there already.
    """

    checkpoint: str
    inputs: tuple[str, ...] = ()
    out: str = ""
    held_out: bool = False
    outputs: tuple[Output, ...] = OUTPUTS
    likelihood_format: str = "tif"
    min_size: int = 1
    flips: bool = False
    device: str = "auto"
    num_threads: int | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuses values that no prediction could use. Files are checked later."""
        for name in ("held_out", "flips", "overwrite"):
            check_flag(name, getattr(self, name))
        if not self.out:
            raise ValueError("--out must name the folder for the predictions")
        if self.held_out and len(self.inputs) > 1:
            raise ValueError(
                f"--held-out takes at most one input, the run's data, got {len(self.inputs)}"
            )
        if not self.held_out and not self.inputs:
            raise ValueError("expected images after the checkpoint, or --held-out")
        check_outputs(self.outputs, self.likelihood_format)
        check_choice("device", self.device, DEVICES)
        self.or_default(SegmentationOptions())
        check_whole("min_size", self.min_size, least=1)
        if self.num_threads is not None:
            check_whole("num_threads", self.num_threads, least=1)
