"""Likelihoods that have labels: some to choose threshold, keep and add on, others to report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from toponet._ground.reading import within_memory
from toponet._ground.reporting import progress_bar
from toponet.data import Case
from toponet.data.series import Pages, Series
from toponet.data.source import open_truths
from toponet.data.volumes import truth_pages


@dataclass(frozen=True)
class LabelledImage:
    """One image, (H, W) each.

    Attributes:
        name: Of the image; of a stack with the number of its page.
        file: The name of the file that its likelihood is from.
        likelihood: In [0, 1].
        truth: 1 = structure.
        valid: The pixels that count; None = all.
    """

    name: str
    file: str
    likelihood: NDArray[np.float32]
    truth: NDArray[np.uint8]
    valid: NDArray[np.bool_] | None


def labelled_images(
    sources: Sequence[Series], labels: str, console: Console
) -> list[LabelledImage]:
    """Reads the likelihoods that have a label, with their labels.

    The label of a stack is a stack of as many pages, or for each page a label with its number, as
    the slices of data sets have it: NAME_000.

    Args:
        sources: Likelihoods.
        labels: What :func:`toponet.data.source.open_truths` takes. Two single files are a pair
            whatever their names.
        console: Where a progress bar is shown.

    Raises:
        ValueError: If a file can't be used, sizes or numbers of pages differ, or there are fewer
            than two such images.
    """
    truths = open_truths(labels)
    if len(sources) == 1 and Path(labels).expanduser().is_file():
        truths = {sources[0].name: next(iter(truths.values()))}
    found: list[LabelledImage] = []
    with progress_bar(console) as progress:
        for source in progress.track(sources, description="labels"):
            with within_memory(source.origin):
                found += _images_of(source, truths)
    if len(found) < 2:
        raise ValueError(
            "--labels needs at least two labelled images, one to choose the numbers on and one to "
            f"report, but {'one' if found else 'none'} of the likelihoods has a label in {labels}"
        )
    return found


def divided(
    images: Sequence[LabelledImage], share: float, seed: int
) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Those to choose on, and those held out; at least one each.

    Whole files are held out where there are several, since pages of one stack are alike.

    Args:
        images: At least two.
        share: Of the files, or of the pages of the only file, that are held out.
        seed: Of the draw.
    """
    several = len({image.file for image in images}) > 1
    units = [image.file if several else image.name for image in images]
    names = list(dict.fromkeys(units))
    count = min(max(1, round(share * len(names))), len(names) - 1)
    drawn = np.random.default_rng(seed).permutation(len(names))[:count]
    held_out = {names[k] for k in drawn}
    parts: tuple[list[LabelledImage], list[LabelledImage]] = ([], [])
    for image, unit in zip(images, units, strict=True):
        parts[unit in held_out].append(image)
    return parts


def _images_of(source: Series, truths: Mapping[str, Case]) -> Iterator[LabelledImage]:
    case = truths.get(source.name)
    if case is None and not any(name.startswith(f"{source.name}_") for name in truths):
        return
    pages = source.open()
    if case is not None:
        cases = truth_pages(case)
        if len(cases) != pages.count:
            raise ValueError(
                f"{source.origin} has {pages.count} page(s), its label {case.origin} has "
                f"{len(cases)}"
            )
        pairs = dict(enumerate(cases))
    else:
        numbered = {i: f"{source.name}_{i:03d}" for i in range(pages.count)}
        pairs = {i: truths[name] for i, name in numbered.items() if name in truths}
    for i, truth in pairs.items():
        yield _labelled(source, pages, i, truth)


def _labelled(source: Series, pages: Pages, i: int, case: Case) -> LabelledImage:
    likelihood = pages.read(i)[0]
    truth, valid = case.read_truth()
    for kind, partner in (("label", truth), ("valid mask", valid)):
        if partner is not None and partner.shape != likelihood.shape:
            raise ValueError(
                f"{source.origin} has {likelihood.shape[0]} x {likelihood.shape[1]} pixels, its "
                f"{kind} {partner.shape[0]} x {partner.shape[1]}"
            )
    name = f"{source.name}_{i:03d}" if pages.stack else source.name
    return LabelledImage(
        name, source.name, likelihood, truth, None if valid is None else valid != 0
    )
