"""Files of one name in two folders: an image and its truth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from toponet._ground.reading import check_regular
from toponet.data.files import FILE_FORMATS

IMAGE_SUFFIXES = tuple(FILE_FORMATS)
LABEL_SUFFIXES = tuple(suffix for suffix, kind in FILE_FORMATS.items() if not kind.lossy)

_ENDINGS = re.compile(r"(?<=.)(_(likelihood|mask|label))+$")

# Somebody's home may lie beside the images; it isn't searched to its end for the sake of a count.
MOST_LOOKED_AT = 10_000


def image_stem(path: Path) -> str:
    """What an image and its truth have in common: the name without suffix, .ome.tif being one."""
    stem = path.stem
    return stem[:-4] if stem.lower().endswith(".ome") and len(stem) > 4 else stem


def name_and_form(name: str) -> tuple[str, str]:
    """A name without _likelihood, _mask and _label at its end, and the last of these; "" = none."""
    ending = _ENDINGS.search(name)
    return (name[: ending.start()], ending[2]) if ending else (name, "")


def bare_name(name: str) -> str:
    """What a prediction and a label have in common: a name without such endings."""
    return name_and_form(name)[0]


def files_by_name(
    folder: Path,
    expected: str,
    suffixes: Sequence[str] = IMAGE_SUFFIXES,
    name_of: Callable[[Path], str] = image_stem,
    deep: bool = False,
    problems: list[str] | None = None,
) -> dict[str, Path]:
    """Files of these suffixes in a folder, sorted by name.

    Args:
        folder: Where they are.
        expected: What an error says after the missing part.
        suffixes: In lower case.
        name_of: What an image and its truth have in common.
        deep: Whether folders inside the folder are searched too.
        problems: Gets a sentence for each file whose name is there already, and the first one is
            kept; None = two files of one name are an error.

    Raises:
        ValueError: If there is no such folder or file, or two of one name.
    """
    files: dict[str, Path] = {}
    for path in image_files(folder, expected, suffixes, deep):
        name = name_of(path)
        if name not in files:
            files[name] = path
        elif problems is None:
            raise ValueError(same_name(path, files[name]))
        else:
            problems.append(same_name(path, files[name]))
    return dict(sorted(files.items()))


def image_files(
    folder: Path, expected: str, suffixes: Sequence[str] = IMAGE_SUFFIXES, deep: bool = False
) -> list[Path]:
    """Files of these suffixes in a folder, sorted; hidden ones are left out.

    Raises:
        ValueError: If there is no such folder, or no such file in it.
    """
    if not folder.is_dir():
        check_regular(folder)
        raise ValueError(f"{folder} is not a folder; {expected}")
    files = [
        path
        for path in sorted(folder.rglob("*") if deep else folder.iterdir())
        if path.suffix.lower() in suffixes and not path.name.startswith(".") and not path.is_dir()
    ]
    if not files:
        kinds = list(dict.fromkeys(FILE_FORMATS[suffix].name for suffix in suffixes))
        listed = " or ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))
        others = "".join(f"; {sentence}" for sentence in unused_in(folder, ()))
        lossy = any(_is_lossy(path.suffix.lower()) for path in folder.iterdir())
        hint = "; JPEG changes values, so that no mask can be kept in it" if lossy else ""
        raise ValueError(f"{folder} holds no {listed} file{others}{hint}")
    return files


def unused_in(folder: Path, used: Iterable[Path]) -> list[str]:
    """One sentence that counts and names what lies in a folder beside ``used``; none if nothing.

    Hidden files aren't mentioned. Of a folder inside, the images in it are counted.
    """
    known = set(used)
    rest = [
        path
        for path in sorted(folder.iterdir())
        if path not in known and not path.name.startswith(".")
    ]
    if not rest:
        return []
    shown = [_described(path) for path in rest[:5]] + ["..."] * (len(rest) > 5)
    return [f"not read in {folder} ({len(rest)}): {', '.join(shown)}"]


def _described(path: Path) -> str:
    if not path.is_dir():
        return path.name
    inside = list(islice(path.rglob("*"), MOST_LOOKED_AT))
    images = sum(inner.suffix.lower() in FILE_FORMATS for inner in inside)
    least = "at least " if len(inside) == MOST_LOOKED_AT else ""
    return f"{path.name}/ ({least}{images} image file{'s' * (images != 1)})"


def same_name(path: Path | str, other: Path | str) -> str:
    """The sentence for two files of which it is unknown which one is meant."""
    return f"{path} and {other} have the same name; keep one of them"


def check_partners(here: Mapping[str, Path], there: Mapping[str, Path], folder: Path) -> None:
    """Raises ValueError unless each file ``here`` has one ``there``, which is ``folder``."""
    for sentence in without_partner(here, there, folder):
        raise ValueError(sentence)


def without_partner(here: Mapping[str, Path], there: Mapping[str, Path], folder: Path) -> list[str]:
    """A sentence for each file ``here`` without one ``there``, which is ``folder``."""
    return [
        f"{here[name]} has no partner of that name in {folder}"
        for name in sorted(set(here) - set(there))
    ]


def _is_lossy(suffix: str) -> bool:
    return suffix in FILE_FORMATS and FILE_FORMATS[suffix].lossy
