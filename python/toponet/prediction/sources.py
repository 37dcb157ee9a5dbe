"""What a caller names, as images that are read when their turn comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toponet.data import fold_split, open_data
from toponet.data.series import Series, series_of_case
from toponet.data.source import open_images, unused_files, with_seed


def find_sources(inputs: Sequence[str], out: Path) -> list[Series]:
    """All sources, in the order in which they are named.

    Args:
        inputs: As on the command line.
        out: Where predictions will be; it can't be the folder of an image, since they would be
            taken for images the next time.

    Raises:
        ValueError: If an input doesn't exist, holds no image, is ``out``, or two have one name.
    """
    sources = [source for text in inputs for source in _sources_of(text, out)]
    return named_once(sources)


def unused_inputs(inputs: Sequence[str]) -> list[str]:
    """What lies in folders among the inputs but isn't predicted, counted and named.

    Args:
        inputs: Those of :func:`find_sources`, which didn't refuse them.
    """
    return [sentence for text in inputs for sentence in unused_files(text, "images")]


def held_out_sources(config: Mapping[str, Any], data: str | None) -> list[Series]:
    """The images that a run held out for validation.

    Args:
        config: Of the run.
        data: Where its data are now; None = where they were.

    Raises:
        ValueError: If the configuration doesn't say which these are, or the data aren't there.
    """
    try:
        spec, folds, fold, seed = (config[name] for name in ("data", "folds", "fold", "seed"))
    except KeyError as error:
        raise ValueError(f"the checkpoint doesn't say which {error} its run had") from None
    validation = config.get("validation")
    if validation is None and folds == 1:
        raise ValueError("the run held no image out: it was trained on all images of its data")
    spec = spec if validation is None else validation
    try:
        cases = open_data(data or spec, seed=seed)
    except ValueError as error:
        hint = "" if data else "; if the run's data have moved, name them after the checkpoint"
        raise ValueError(f"{error}{hint}") from None
    if validation is None:
        _, held_out = fold_split(len(cases), folds, fold, config.get("inner_fold"))
    else:
        held_out = list(range(len(cases)))
    named = with_seed(data or spec, seed)
    return named_once([series_of_case(cases[i], named) for i in held_out])


def _sources_of(text: str, out: Path) -> list[Series]:
    sources = open_images(text)
    refuse_own_folder(sources, out)
    return sources


def refuse_own_folder(sources: Sequence[Series], out: Path) -> None:
    """Raises ValueError if a source lies in the folder that is to be written into."""
    for folder in {source.file.parent for source in sources if source.file is not None}:
        # What lies beside an image may have the name of a prediction, and be overwritten.
        if folder.resolve() == out.resolve():
            raise ValueError(f"{out} holds the images themselves; choose another --out")


def named_once(sources: list[Series]) -> list[Series]:
    """The same sources.

    Raises:
        ValueError: If two have one name.
    """
    first: dict[str, Series] = {}
    for source in sources:
        if source.name in first:
            raise ValueError(
                f"{source.origin} and {first[source.name].origin} have the same name, so that "
                "their predictions would, too"
            )
        first[source.name] = source
    return sources
