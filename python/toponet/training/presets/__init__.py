"""Configurations with a name, one for each data set: the YAML files in this folder and below it.

Each holds options of :class:`~toponet.training.TrainConfig`. Its first line says what it is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

# Extension modules can't be imported from archives, so an installed package is always a folder.
FOLDER = Path(str(files(__name__)))


def find_presets() -> Mapping[str, Path]:
    """By name: those of data sets first, then folder by folder.

    Raises:
        ValueError: If two have the same name.
    """
    found: dict[str, Path] = {}
    for path in sorted(FOLDER.rglob("*.yaml"), key=lambda path: (str(path.parent), path.stem)):
        if path.stem in found:
            raise ValueError(f"two presets are named {path.stem}: {found[path.stem]} and {path}")
        found[path.stem] = path
    return found


def find_preset(name: str) -> Path:
    """The file of a preset.

    Raises:
        ValueError: If there is none of this name; those that exist are listed.
    """
    presets = find_presets()
    if name not in presets:
        raise ValueError(f"there is no preset {name!r}; there are " + ", ".join(presets))
    return presets[name]


def describe_presets() -> str:
    """One line for each: its name and its first comment, grouped by folder."""
    presets = find_presets()
    width = max(map(len, presets))
    lines: list[str] = []
    group: Path | None = None
    for name, path in presets.items():
        if path.parent != group:
            group = path.parent
            below = group.relative_to(FOLDER).as_posix()
            lines.append("presets (--preset NAME):" if below == "." else f"presets for {below}:")
        summary = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("#").strip()
        lines.append(f"  {name:{width}}  {summary}")
    return "\n".join(lines)
