"""Inspects a data set, and writes the report, the contact sheet and cleaned labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console

from toponet._ground.reading import within_memory
from toponet._ground.reporting import check_absent, progress_bar, whole_folder
from toponet.data import Case, open_data
from toponet.data.source import unused_files
from toponet.inspection.config import InspectConfig
from toponet.inspection.sheet import MOST_IMAGES, save_contact_sheet
from toponet.inspection.statistics import ImageStatistics, image_statistics
from toponet.inspection.survey import Survey
from toponet.topology.cleaning import clean_mask


def run_inspection(config: InspectConfig, console: Console | None = None) -> Survey:
    """Looks at every pair, writes what is asked for and shows what is found.

    Each of the two folders is written whole or not at all.

    Raises:
        ValueError: If there is no data set, no pair of it can be used, or a folder to write exists.
        OSError: If something can't be written.
    """
    console = console or Console()
    check_absent(config.out, "--out")
    check_absent(config.clean, "--clean")
    problems: list[str] = []
    cases = {case.name: case for case in open_data(config.data, problems=problems)}
    survey = _survey(config, cases, problems, console)
    if config.out is not None:
        with whole_folder(config.out, "--out") as folder:
            survey.write(folder)
            _save_sheet(folder / "contact_sheet.png", survey, cases)
    cleaned = None
    if config.clean is not None:
        with whole_folder(config.clean, "--clean") as folder:
            cleaned = _save_clean(folder, survey, cases, console)
    for table in (survey.overview(), survey.topology(), survey.sizes()):
        console.print(table.rich())
    lines = survey.sentences()
    if config.out is not None:
        lines.append(f"Everything is in {config.out}")
    if cleaned is not None:
        lines.append(cleaned)
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return survey


def _survey(
    config: InspectConfig, cases: Mapping[str, Case], problems: list[str], console: Console
) -> Survey:
    found: list[ImageStatistics] = []
    with progress_bar(console) as progress:
        for name, case in progress.track(cases.items(), description="images"):
            try:
                with within_memory(name):
                    found.append(image_statistics(case.read(), config.min_size))
            except ValueError as error:
                problems.append(str(error))
    if not found:
        first = f"; the first of {len(problems)} problems: {problems[0]}" if problems else ""
        raise ValueError(f"{config.data} holds no pair of image and label that can be used{first}")
    usual = Counter(image.shape[0] for image in found).most_common(1)[0][0]
    problems += [
        f"{image.name} has {image.shape[0]} channel(s), most images have {usual}"
        for image in found
        if image.shape[0] != usual
    ]
    usable = [image for image in found if image.shape[0] == usual]
    return Survey(config, usable, problems, unused_files(config.data))


def _save_sheet(path: Path, survey: Survey, cases: Mapping[str, Case]) -> None:
    """Draws images at equal distances, the first and the last among them."""
    count = len(survey.images)
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_IMAGES)).round().astype(int))
    samples = [cases[survey.images[i].name].read() for i in chosen]
    title = f"{len(samples)} of {count} images"
    save_contact_sheet(path, samples, title, survey.connectivity, survey.config.min_size)


def _save_clean(folder: Path, survey: Survey, cases: Mapping[str, Case], console: Console) -> str:
    """Writes the cleaned labels and returns a sentence on what has changed."""
    (folder / "labels").mkdir()
    changed = pixels = 0
    with progress_bar(console) as progress:
        for image in progress.track(survey.images, description="cleaning"):
            sample = cases[image.name].read()
            mask = sample.mask
            cleaned = clean_mask(mask, survey.connectivity, survey.config.min_size, sample.valid)
            Image.fromarray(cleaned * 255).save(folder / "labels" / f"{image.name}.png")
            changed += int((cleaned != mask).sum())
            pixels += mask.size
    return (
        f"Labels without holes and specks of less than {survey.config.min_size} pixels "
        f"(connectivity {survey.connectivity}) are in {folder / 'labels'}: {changed} pixels "
        f"changed, {100 * changed / pixels:.3f} %"
    )
