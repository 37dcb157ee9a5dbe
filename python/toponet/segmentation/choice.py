"""Threshold, keep and add of a segmentation by persistence, chosen on labelled images."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from toponet._ground.reporting import progress_bar
from toponet._ground.validation import check_choice, check_flag, check_number
from toponet.metrics.conventions import betti_convention
from toponet.metrics.inputs import Masks
from toponet.segmentation.grid import ADDS, KEEPS, THRESHOLDS, Grid, least_change
from toponet.segmentation.scores import METRICS, Scorer, labelled_images
from toponet.topology.segmentation import SegmentationOptions

if TYPE_CHECKING:
    from rich.console import Console

# Rounding of a mean accuracy; a pixel of thousands of large images is more.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Trial:
    """One combination that was tried.

    Attributes:
        options: Threshold, keep and add.
        score: By the metric, mean over the images.
        accuracy: Share of pixels that are right, mean over the images.
        eligible: Whether its accuracy was high enough.
    """

    options: SegmentationOptions
    score: float
    accuracy: float
    eligible: bool

    def to_plain(self) -> dict[str, Any]:
        """For JSON, YAML and checkpoints."""
        plain = asdict(self)
        return {**plain.pop("options"), **plain}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Trial:
        """What :meth:`to_plain` gave."""
        numbers = (plain[name] for name in ("threshold", "keep", "add"))
        rest = (plain[name] for name in ("score", "accuracy", "eligible"))
        return cls(SegmentationOptions(*numbers), *rest)


@dataclass(frozen=True)
class SegmentationChoice:
    """Threshold, keep and add that were best on labelled images, and what else was tried.

    Attributes:
        options: The chosen numbers.
        metric: "voi", "ari", "betti" or "accuracy".
        score: By the metric, of the chosen numbers; mean over the images.
        accuracy: Pixel accuracy of the chosen numbers.
        cut_score: Score of the plain cut at 0.5.
        cut_accuracy: Pixel accuracy of the plain cut at 0.5.
        images: Number of images.
        tried: Everything that was tried, in this order.
        convention: How the metric was counted, in words.
    """

    options: SegmentationOptions
    metric: str
    score: float
    accuracy: float
    cut_score: float
    cut_accuracy: float
    images: int
    tried: tuple[Trial, ...]
    convention: str

    def describe(self, images: str = "labelled images") -> str:
        """One line: the numbers, their score, and that of the cut at 0.5.

        Args:
            images: What the images are called, such as "training images".
        """
        options = self.options
        add = "none" if options.add is None else f"{options.add:g}"
        label = METRICS[self.metric].label
        return (
            f"threshold {options.threshold:g}, keep {options.keep:g}, add {add}: {label} "
            f"{self.score:.3f} on {self.images} {images}; cut at 0.5: {self.cut_score:.3f}"
        )

    def to_plain(self) -> dict[str, Any]:
        """For JSON, YAML and checkpoints."""
        plain = asdict(self)
        return {**plain, "tried": [trial.to_plain() for trial in self.tried]}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> SegmentationChoice:
        """The choice that :meth:`to_plain` gave.

        Raises:
            TypeError: If it is something else.
            ValueError: If a part is unknown, missing or out of range.
        """
        if not isinstance(plain, Mapping):
            raise TypeError(f"expected a choice of numbers for a segmentation, got {plain!r}")
        names = {field.name for field in fields(cls)}
        if set(plain) != names:
            wrong = ", ".join(sorted(map(str, names.symmetric_difference(plain))))
            raise ValueError(f"the choice of a segmentation has unknown or missing parts: {wrong}")
        check_choice("metric", plain["metric"], tuple(METRICS))
        try:
            options = SegmentationOptions(**plain["options"])
            tried = tuple(map(Trial.from_plain, plain["tried"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"the choice of a segmentation is damaged: {error}") from None
        return cls(**{**plain, "options": options, "tried": tried})


def choose_segmentation(
    likelihoods: Sequence[Masks],
    truths: Sequence[Masks],
    *,
    metric: str = "voi",
    accuracy_loss: float = 0.001,
    valid: Sequence[Masks | None] | None = None,
    thresholds: Sequence[float] = THRESHOLDS,
    keeps: Sequence[float] = KEEPS,
    adds: Sequence[float | None] = ADDS,
    dims: Sequence[int] = (0, 1),
    connectivity: int = 8,
    frame: bool = True,
    patch_size: int | None = None,
    patches: int | str | None = None,
    seed: int | None = None,
    num_threads: int | None = None,
    progress: bool | Console = False,
) -> SegmentationChoice:
    """Finds threshold, keep and add of :func:`toponet.segment` on labelled images.

    Of the combinations that were tried, it takes those whose pixel accuracy is at most
    ``accuracy_loss`` below that of the plain cut at 0.5, and among them the one with the best
    score. If several are best, it takes the one that changes least: the smallest ``keep``, then
    the largest ``add``, then the threshold nearest to 0.5. Accuracy and score are means over the
    images.

    Not all combinations are tried. The search begins with the plain cuts (``keep=0, add=None``) at
    0.5 and at all thresholds, and with every ``keep`` and ``add`` at the threshold nearest to 0.5.
    Then it tries what is at most one step of the grid away from the best combination so far in each
    number, and what differs from it in one number only, until the best one stays the best. So it
    may miss the best of all combinations, by little: with the default grid it tries about a third
    of them. ``tried`` of the result lists what was tried.

    The numbers fit the images that chose them. Report scores of other images.

    Args:
        likelihoods: (H, W) each, whose sizes may differ, or (B, H, W): probabilities of the
            structure in [0, 1]; numpy arrays or tensors of any float type, on any device.
        truths: A mask of the same shape for each, 1 = structure.
        metric: "voi": variation of information (split + merge); "ari": adapted Rand F-score;
            "betti": Betti error of patches, summed over ``dims``; "accuracy": pixel accuracy.
        accuracy_loss: How much pixel accuracy may be lost against the cut at 0.5.
        valid: For each image a mask, 1 where a pixel counts, or None if all its pixels count;
            None = all pixels of all images. A pixel that doesn't count is taken for structure in
            likelihood and truth. An image in which no pixel counts is left out.
        thresholds: To be combined. The cut at 0.5 is tried even if 0.5 isn't among them.
        keeps: To be combined.
        adds: To be combined.
        dims: Which features to settle: holes (1,), pieces (0,) or both.
        connectivity: Of the structure, 8 or 4; the background has the other one.
        frame: Surround images and patches by a frame of structure.
        patch_size: Of "betti": side of the patches; None = 65.
        patches: Of "betti": random patches in each image, "grid" or "whole"; None = 100. All
            combinations are judged by the same patches.
        seed: Of "betti": seed of the random patches; None = 0.
        num_threads: CPU threads, over which the images are distributed; None = all cores.
        progress: True, or a console of rich, shows a progress bar; it is hidden if the output
            isn't a terminal.

    Returns:
        The chosen numbers with their score, and all combinations that were tried.

    Raises:
        TypeError: If a likelihood has no float type, or an option has the wrong type.
        ValueError: If there is no image, the numbers or shapes of likelihoods and truths differ, a
            value is out of range, or an option has no meaning for the metric.

    Warns:
        UserWarning: If there is one image only: the numbers fit this image then, not others.

    Cost: some hundred segmentations of every image, each with its score; with the default grid
    about a minute for 14 images of 512 x 512 on two cores.

    Example:
        >>> import numpy as np, toponet
        >>> truth = np.tile([0, 0, 1, 0, 0], (2, 5, 1))
        >>> likelihood = np.where(truth, 0.8, 0.1)
        >>> likelihood[:, 2, 2] = 0.4
        >>> choice = toponet.choose_segmentation(likelihood, truth, metric="betti")
        >>> print(choice.describe())
        threshold 0.4, keep 0, add none: Betti error 0.000 on 2 labelled images; cut at 0.5: 1.000
    """
    check_choice("metric", metric, tuple(METRICS))
    check_number("accuracy_loss", accuracy_loss, least=0)
    check_flag("frame", frame)
    if metric != "betti":
        for name, value in (("patch_size", patch_size), ("patches", patches), ("seed", seed)):
            if value is not None:
                raise ValueError(f"{name} has no meaning for metric={metric!r}: leave it out")
    convention = betti_convention(
        patch_size=patch_size, patches=patches, seed=seed, connectivity=connectivity, frame=frame,
        dims=dims,
    )  # fmt: skip
    console = _console(progress)
    grid = Grid(thresholds, keeps, adds)
    images = labelled_images(likelihoods, truths, valid)
    if len(images) == 1:
        warnings.warn(
            "threshold, keep and add are chosen on a single image: they will fit it, not others",
            stacklevel=2,
        )
    scorer = Scorer(images, METRICS[metric], convention, num_threads)
    tried = _search(grid, scorer, accuracy_loss, console)
    cut, best = tried[0], _best(tried, scorer.metric.sign)
    return SegmentationChoice(
        options=best.options,
        metric=metric,
        score=best.score,
        accuracy=best.accuracy,
        cut_score=cut.score,
        cut_accuracy=cut.accuracy,
        images=len(images),
        tried=tuple(tried),
        convention=scorer.metric.describe(convention),
    )


def _console(progress: bool | Console) -> Console:
    """Where the progress bar is shown; a quiet console if none is asked for."""
    from rich.console import Console

    if isinstance(progress, Console):
        return progress
    if not isinstance(progress, bool):
        raise TypeError(f"progress must be True, False or a console of rich, got {progress!r}")
    return Console(quiet=not progress, stderr=True)


def _search(grid: Grid, scorer: Scorer, accuracy_loss: float, console: Console) -> list[Trial]:
    """All trials; the first one is the plain cut at 0.5."""
    tried: dict[SegmentationOptions, Trial] = {}
    least_accuracy = None
    todo = grid.start()
    with progress_bar(console) as bar:
        task = bar.add_task("threshold, keep and add", total=None)
        while todo:
            bar.update(task, total=len(tried) + len(todo))
            for options in todo:
                score, accuracy = scorer.means(options)
                if least_accuracy is None:
                    least_accuracy = accuracy - accuracy_loss - _ROUNDING
                tried[options] = Trial(options, score, accuracy, accuracy >= least_accuracy)
                bar.advance(task)
            best = _best(list(tried.values()), scorer.metric.sign)
            todo = [each for each in grid.around(best.options) if each not in tried]
    return list(tried.values())


def _best(tried: Sequence[Trial], sign: int) -> Trial:
    """The best eligible trial; among equals the one that changes least."""
    eligible = (trial for trial in tried if trial.eligible)
    return min(eligible, key=lambda trial: (-sign * trial.score, *least_change(trial.options)))
