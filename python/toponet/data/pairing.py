"""Files of one name in two folders: an image and its truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from toponet.data.files import SUFFIXES

KINDS = {
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".gif": "GIF",
    ".bmp": "BMP",
}


def files_by_name(
    folder: Path,
    expected: str,
    suffixes: Sequence[str] = SUFFIXES,
    name_of: Callable[[Path], str] = lambda path: path.stem,
    deep: bool = False,
) -> dict[str, Path]:
    """Files of these suffixes in a folder, sorted by name.

    Args:
        folder: Where they are.
        expected: What an error says after the missing part.
        suffixes: In lower case.
        name_of: What an image and its truth have in common.
        deep: Whether folders inside the folder are searched too.

    Raises:
        ValueError: If there is no such folder or file, or two of one name.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; {expected}")
    files: dict[str, Path] = {}
    for path in sorted(folder.rglob("*") if deep else folder.iterdir()):
        if path.suffix.lower() not in suffixes or path.name.startswith("."):
            continue
        name = name_of(path)
        if name in files:
            raise ValueError(f"{path} and {files[name]} have the same name")
        files[name] = path
    if not files:
        kinds = " or ".join(dict.fromkeys(KINDS[suffix] for suffix in suffixes))
        raise ValueError(f"{folder} holds no {kinds} file")
    return dict(sorted(files.items()))


def check_partners(here: dict[str, Path], there: dict[str, Path], folder: Path) -> None:
    """Raises ValueError unless each file ``here`` has one ``there``, which is ``folder``."""
    lonely = sorted(set(here) - set(there))
    if lonely:
        raise ValueError(f"{here[lonely[0]]} has no partner of that name in {folder}")
