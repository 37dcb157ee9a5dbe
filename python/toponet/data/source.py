"""The front door: what a specification names.

Training, prediction, evaluation and inspection all come in here, so that one specification means
the same images and truths to each of them. It is NAME:PATH with a name of
:data:`toponet.data.catalogue.FORMATS`, ``synthetic``, or the path of a folder. Whoever needs only
images, or only truths, may also name a file or a folder that holds nothing else. What looks like a
name is one: a folder called ``synthetic`` is ``./synthetic``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from toponet.data.catalogue import resolve
from toponet.data.folder import (
    LABEL_TRUTHS,
    folder_images,
    folder_truths,
    paired_case,
    unused_by_images,
    unused_by_truths,
    unused_in_folder,
)
from toponet.data.image_set import ImageSet
from toponet.data.pairing import bare_name, image_stem, same_name
from toponet.data.samples import Case, collect
from toponet.data.series import Series, series_of_case, series_of_file, series_of_volume
from toponet.data.synthetic import DEFAULT_FAMILY
from toponet.data.volumes import HDF5_SUFFIXES, volume_of


def open_data(spec: str, seed: int = 0, problems: list[str] | None = None) -> Sequence[Case]:
    """Finds the images with truths that ``spec`` names, and reads as few of them as possible.

    Args:
        spec: ``NAME:PATH`` with a name of :data:`FORMATS`, and for some ``,option=value``; or a
            folder, as in ``folder:PATH``; or ``synthetic``.
        seed: Of synthetic images; those in files don't depend on it.
        problems: Gets a sentence for each file in a folder that lacks its partner, and the pairs
            are found; None = such a file is an error.

    Raises:
        TypeError: If ``spec`` isn't text.
        ValueError: If the name or an option is unknown, the data aren't there, or two images have
            one name.
    """
    asked = resolve(spec, seed)
    more = {} if asked.kind.labels is None else {"problems": problems}
    cases = asked.kind.cases(asked.where, **asked.options, **more)
    return list(_by_name(cases, lambda name: name).values())


def open_images(spec: str, seed: int = 0) -> list[Series]:
    """Finds the images that ``spec`` names; they need no truths.

    Args:
        spec: As for :func:`open_data`; or a folder of images, an image file, a TIFF stack, or
            FILE.h5:DATASET.
        seed: Of synthetic images.

    Raises:
        ValueError: As :func:`open_data`, or if there is no image.
    """
    asked = resolve(spec, seed)
    data = with_seed(spec, seed) if asked.named else None
    if asked.kind.labels is None:
        return [series_of_case(case, data) for case in open_data(spec, seed)]
    path = asked.path
    if path.is_dir():
        return [series_of_file(file, data) for file in folder_images(path)]
    if path.exists():
        if path.suffix.lower() in HDF5_SUFFIXES:
            raise ValueError(f"{path} needs the name of its data set: {path}:DATASET")
        return [series_of_file(path)]
    if volume := volume_of(asked.where):
        return [series_of_volume(*volume)]
    raise ValueError(f"{path} does not exist")


def open_truths(spec: str, seed: int = 0) -> dict[str, Case]:
    """Finds the truths that ``spec`` names, which need no images.

    Args:
        spec: As for :func:`open_data`; or a folder of masks, or one mask.
        seed: Of synthetic images.

    Returns:
        By name without suffix and endings such as _label.

    Raises:
        ValueError: As :func:`open_data`, or if there is no truth.
    """
    asked = resolve(spec, seed)
    path, labels = asked.path, asked.kind.labels
    if labels is None:
        cases = open_data(spec, seed)
    elif path.is_dir():
        cases = folder_truths(path, labels)
    elif path.exists():
        cases = [paired_case(image_stem(path), None, path, truth=LABEL_TRUTHS[labels])]
    else:
        raise ValueError(f"{path} does not exist")
    return _by_name(cases, bare_name)


def load_data(
    spec: str, seed: int = 0, progress: Callable[[int, int], None] | None = None
) -> ImageSet:
    """Reads all images that ``spec`` names, with their truths.

    Args:
        spec: As for :func:`open_data`.
        seed: Of synthetic images; those in files don't depend on it.
        progress: Called with (images read, images in all) after each.

    Raises:
        TypeError: If ``spec`` isn't text.
        ValueError: If the name or an option is unknown, the data aren't there or can't be used.
            The file is named.
    """
    return collect(open_data(spec, seed), progress)


def with_seed(spec: str, seed: int) -> str:
    """``spec`` with the seed that :func:`open_data` would use, where one matters.

    Raises:
        ValueError: If the name or an option is unknown.
    """
    asked = resolve(spec)
    if "seed" not in asked.kind.options or "seed" in asked.options:
        return spec
    name, _, rest = spec.partition(":")
    return f"{name}:{rest or DEFAULT_FAMILY},seed={seed}"


def unused_files(spec: str, part: Literal["pairs", "images", "truths"] = "pairs") -> list[str]:
    """What lies in the folder that ``spec`` names but isn't read, counted and named.

    Args:
        spec: As for the function below, which didn't refuse it.
        part: What is read: "pairs" by :func:`open_data`, "images" by :func:`open_images`, "truths"
            by :func:`open_truths`.
    """
    asked = resolve(spec)
    path, labels = asked.path, asked.kind.labels
    if labels is None or not path.is_dir():
        return []
    if part == "images":
        return unused_by_images(path)
    if part == "truths":
        return unused_by_truths(folder_truths(path, labels))
    return unused_in_folder(path, labels)


def _by_name(cases: Sequence[Case], name_of: Callable[[str], str]) -> dict[str, Case]:
    """In the same order.

    Raises:
        ValueError: If two have one name.
    """
    found: dict[str, Case] = {}
    for case in cases:
        first = found.setdefault(name_of(case.name), case)
        if first is not case:
            raise ValueError(same_name(case.origin, first.origin))
    return found
