"""The configuration of a segmentation of likelihoods; the command line is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from toponet._ground.validation import (
    check_choice,
    check_connectivity,
    check_dims,
    check_flag,
    check_number,
    check_whole,
)
from toponet.data.likelihoods import Reading
from toponet.prediction.config import OUTPUTS, Output, check_outputs
from toponet.prediction.conventions import Conventions
from toponet.segmentation import SegmentationNumbers, SegmentationOptions

Logits = Literal["sigmoid", "softmax"]
Metric = Literal["voi", "ari", "betti", "accuracy"]


@dataclass(frozen=True)
class SegmentConfig(SegmentationNumbers):
    """Which likelihoods are segmented by persistence, and which files it writes.

    Likelihoods may come from any tool: PNG and TIFF (floating point from 0 to 1, or 8 or 16 bit,
    which are divided by 255 or 65535), NPY, NPZ and HDF5. The NPZ files of nnU-Net and the HDF5
    files of ilastik say which axis is which. Elsewhere (H, W) are rows and columns, and (N, H, W)
    are slices; with --channel the first axis is that of the channels.

    A likelihood NAME becomes NAME_mask.png (0 and 255), NAME_cells.tif (the background's components
    from 1 on, structure 0), NAME_overlay.png (on the likelihood in grey, or with --images on the
    image) and NAME_decisions.csv (what persistence changed; not for a plain cut). The slices of a
    stack become the pages of one TIFF file each. A likelihood whose files are there already is left
    out: give the same command again to go on after a stop.

    Numbers that are left to the default are threshold 0.5, keep 0.5 and add 0.3. With --labels they
    are those that do best on a part of the labelled images. On the others, which had no part in the
    choice, the metrics of the cut at 0.5 and of the chosen numbers are reported side by side.

    Attributes:
        inputs: Files, folders of them, or FILE.h5:DATASET.
        out: Folder for the results; predict.json in it says how they came about, and report.html
            shows them.
        channel: The channel of the structure, from 0; needed where a file has several.
        dataset: The data set of HDF5 files or the array of NPZ files; needed where there are
            several.
        axes: A letter for each axis in its order (t time, z slices, y rows, x columns, c channels),
            such as czyx; empty = as the file says.
        scale: What stands for 1; empty = 1, and in 8 or 16 bit 255 or 65535. With it whole numbers
            are taken for likelihoods even if they look like classes.
        logits: "sigmoid" or "softmax" (over the channels) of files that hold logits; empty = they
            hold probabilities.
        images: What overlays are drawn on: a folder of images, an image or stack, or a data set;
            paired by name, of nnU-Net's images without _0000. Empty = on the likelihoods.
        labels: Masks that threshold, keep and add are chosen on: a folder, or a data set as
            toponet-train takes it; paired by name, without _likelihood, _probabilities, _mask and
            _label. These three are left out then.
        metric: What the choice is judged by: "voi", "ari", "betti" or "accuracy".
        accuracy_loss: The most pixel accuracy that the choice may lose against the cut at 0.5.
        held_out_share: Share of the labelled images that are reported, and that the choice doesn't
            see; whole stacks, if there are several.
        seed: Seed of the draw of these images.
        outputs: What to write: mask, cells, overlay, decisions and likelihood (float32, as it was
            read), or some of them.
        likelihood_format: "tif", or "h5" (one data set named likelihood).
        dims: What persistence decides on: 0 pieces, 1 holes, or both.
        connectivity: Connectivity of the structure, 8 or 4; cells have the other one.
        frame: Surround images by a frame of structure, so that cells cut by the border are holes.
        min_size: Specks of structure of less than this many pixels are removed afterwards, and then
            cells likewise. 1 = nothing is removed.
        num_threads: CPU threads; empty = all cores.
        overwrite: Replace the files that are there already.
    """

    inputs: tuple[str, ...] = ()
    out: str = ""
    channel: int | None = None
    dataset: str | None = None
    axes: str | None = None
    scale: float | None = None
    logits: Logits | None = None
    images: str | None = None
    labels: str | None = None
    metric: Metric = "voi"
    accuracy_loss: float = 0.001
    held_out_share: float = 0.3
    seed: int = 0
    outputs: tuple[Output, ...] = tuple(kind for kind in OUTPUTS if kind != "likelihood")
    likelihood_format: str = "tif"
    dims: tuple[int, ...] = (0, 1)
    connectivity: int = 8
    frame: bool = True
    min_size: int = 1
    num_threads: int | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuses values that no segmentation could use. Files are checked later."""
        for name in ("frame", "overwrite"):
            check_flag(name, getattr(self, name))
        if not self.inputs:
            raise ValueError("expected likelihoods: files, or folders of them")
        if not self.out:
            raise ValueError("--out must name the folder for the results")
        _ = self.reading
        self.or_default(SegmentationOptions())
        check_choice("metric", self.metric, get_args(Metric))
        check_number("accuracy_loss", self.accuracy_loss, least=0)
        if not 0 < check_number("held_out_share", self.held_out_share) < 1:
            raise ValueError(
                f"held_out_share must lie between 0 and 1, both excluded, got {self.held_out_share}"
            )
        check_whole("seed", self.seed, least=0)
        check_outputs(self.outputs, self.likelihood_format)
        check_dims(self.dims)
        check_connectivity(self.connectivity)
        check_whole("min_size", self.min_size, least=1)
        if self.num_threads is not None:
            check_whole("num_threads", self.num_threads, least=1)
        if self.images is not None and "overlay" not in self.outputs:
            raise ValueError("images must be left out if no overlay is among --outputs")
        self._check_what_is_chosen()

    def _check_what_is_chosen(self) -> None:
        if self.labels is not None:
            if self.numbers_given:
                raise ValueError(
                    f"{self.numbers_given[0]} must be left out with --labels, which chooses it"
                )
            return
        for field in ("metric", "accuracy_loss", "held_out_share", "seed"):
            if getattr(self, field) != type(self).__dataclass_fields__[field].default:
                raise ValueError(f"{field} must be left out without --labels: nothing is chosen")

    def conventions(self, options: SegmentationOptions) -> Conventions:
        """Of the masks, with these numbers."""
        return Conventions(
            options.threshold, self.connectivity, self.min_size, options.keep, options.add,
            self.dims, self.frame,
        )  # fmt: skip

    @property
    def reading(self) -> Reading:
        """How the files are read."""
        return Reading(self.channel, self.dataset, self.axes, self.scale, self.logits)
