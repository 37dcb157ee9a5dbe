"""Predicts images with a checkpoint and writes the files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from toponet._ground.validation import thread_count
from toponet.data.series import Series
from toponet.prediction.config import PredictConfig
from toponet.prediction.conventions import Conventions
from toponet.prediction.device import choose_device, cpu_threads
from toponet.prediction.likelihood import mean_over_symmetries
from toponet.prediction.model import TrainedModel, checkpoint_path, load_model
from toponet.prediction.record import Record, plan
from toponet.prediction.segmentation import Segmentation
from toponet.prediction.sources import find_sources, held_out_sources, unused_inputs
from toponet.prediction.work import kinds_to_write, pages_written, write_all
from toponet.segmentation import SegmentationOptions


@dataclass(frozen=True)
class Outcome:
    """What became of the images.

    Attributes:
        written: Names of those that were predicted.
        skipped: Names of those whose files were there already.
        problems: One sentence for each file that can't be used.
        strange: A few words on each file whose grey values lie far from the training images'.
    """

    written: Sequence[str]
    skipped: Sequence[str]
    problems: Sequence[str]
    strange: Sequence[str] = ()

    def warnings(self) -> Iterator[str]:
        """Yields one warning at most, because a wrong scale is mostly that of all images."""
        if self.strange:
            yield (
                f"warning: {len(self.strange)} of {len(self.written)} have other grey values than "
                f"the training images, the first is {self.strange[0]}; their likelihoods may be "
                "nonsense: bring the images to the training images' scale and type, or train with "
                "--normalisation image"
            )


def run_prediction(config: PredictConfig, console: Console | None = None) -> Outcome:
    """Predicts all images that can be used and aren't done yet, and lists the others.

    Raises:
        ValueError: If checkpoint or device can't be used, an input isn't there, or the folder holds
            other predictions. All this is checked before anything is written.
        OSError: If something can't be written.
        KeyboardInterrupt: As it came. After predictions have begun, it says how to go on.
    """
    with cpu_threads(thread_count(config.num_threads)):
        return _run(config, console or Console())


def _run(config: PredictConfig, console: Console) -> Outcome:
    device = choose_device(config.device)
    path = checkpoint_path(config.checkpoint)
    model = load_model(path, device)
    options = config.or_default(model.segmentation)
    conventions = Conventions(
        options.threshold, model.connectivity, config.min_size, options.keep, options.add
    )
    config = replace(config, outputs=kinds_to_write(config.outputs, options.is_cut))
    out = Path(config.out)
    if config.held_out:
        sources = held_out_sources(model.config, config.inputs[0] if config.inputs else None)
    else:
        sources = find_sources(config.inputs, out)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    settings = {"sha256": digest, "flips": config.flips, **conventions.settings()}
    work, record = plan(config, Record(str(path), settings), sources)
    predictor = Predictor(config, model, conventions, record)
    outcome = Outcome(*write_all(predictor.predict, work, console, config.overwrite))
    for line in (
        f"{len(outcome.written)} predicted, {len(outcome.skipped)} done before, "
        f"{len(outcome.problems)} left out; {conventions.describe()}, flips "
        f"{'on' if config.flips else 'off'}, on {device.type}",
        *_words_on_numbers(config, model, options),
        *outcome.warnings(),
        *(f"problem: {problem}" for problem in outcome.problems),
        *([] if config.held_out else unused_inputs(config.inputs)),
        f"Everything is in {out}",
    ):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return outcome


def _words_on_numbers(
    config: PredictConfig, model: TrainedModel, options: SegmentationOptions
) -> Iterator[str]:
    """Yields sentences: where threshold, keep and add come from, and what they don't change."""
    given = config.numbers_given
    if model.chosen and not given:
        yield "threshold, keep and add are those that training chose"
    elif not model.chosen and options.is_cut and not given:
        yield (
            f"masks are plain cuts, likelihood >= {options.threshold}: the checkpoint has no "
            "choice of keep and add; with --keep and --add, persistence decides"
        )
    if not options.is_cut and "likelihood" in config.outputs:
        yield "likelihood files are the network's own; persistence decides on all else"


@dataclass(frozen=True)
class Predictor:
    """Writes the predictions of one source after the other.

    Attributes:
        config: What is asked for.
        model: The network.
        conventions: Of masks and cells.
        record: Of the folder.
    """

    config: PredictConfig
    model: TrainedModel
    conventions: Conventions
    record: Record

    def predict(self, source: Series, kinds: Sequence[str], progress: Progress) -> str | None:
        """Writes files of these kinds.

        Returns:
            What of its grey values would mislead the network, if anything.

        Raises:
            ValueError: If the source can't be used; nothing is written of it.
            OSError: If a file can't be written.
        """
        pages = source.open()
        strange = None
        with pages_written(self.config, source, kinds, pages, progress) as add:
            for i in range(pages.count):
                image = pages.read(i)
                add(Segmentation(image, self._likelihood(image, source), self.conventions))
                strange = strange or self.model.strangeness(image, pages.dtype)
            # Recorded before the files get their names, so that no file lacks its record.
            self.record.note(Path(self.config.out), source, image)
        return strange and f"{source.origin} ({strange})"

    def _likelihood(self, image: NDArray[np.float32], source: Series) -> NDArray[np.float32]:
        channels = len(self.model.normalisation.mean)
        if len(image) != channels:
            raise ValueError(
                f"{source.origin} has {len(image)} channel(s), the network was trained on "
                f"{channels}"
            )
        predict = self.model.unchecked_likelihood
        # Enormous grey values become infinite here. The check below finds them.
        with np.errstate(over="ignore", invalid="ignore"):
            likelihood = (
                mean_over_symmetries(predict, image) if self.config.flips else predict(image)
            )
        if np.isnan(likelihood).any():
            raise ValueError(f"the network's answer to {source.origin} holds NaN")
        return likelihood
