"""How nnU-Net v2 finds trainers outside its own package, and whether it finds ours."""

from __future__ import annotations

import importlib
import os
import shlex
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import metadata
from io import StringIO
from pathlib import Path
from typing import Any

# Folders that nnU-Net searches after its own, with the separator of PATH between them.
VARIABLE = "nnUNet_extTrainer"
TRAINERS = (
    "nnUNetTrainerTopology",
    "nnUNetTrainerTopology_250epochs",
    "nnUNetTrainerTopologyBetti",
    "nnUNetTrainerTopologyInPlace",
)
FIRST_VERSION = "2.8"  # Of nnU-Net, that reads the variable.


@dataclass(frozen=True)
class SearchConfig:
    """What nnU-Net v2 needs to find the trainers.

    Attributes:
        check: Whether to look if nnU-Net finds the trainers, instead of printing what to set.
    """

    check: bool = False


def trainer_folder() -> Path:
    """The folder that nnU-Net is to search. Nothing else lies in it: nnU-Net imports all of it."""
    return Path(__file__).with_name("nnunet_trainers")


def searched_folders(value: str | None) -> list[str]:
    """The folders that a value of the variable names; none if it isn't set."""
    return [folder for folder in (value or "").split(os.pathsep) if folder.strip()]


def value_to_set(value: str | None) -> str:
    """The variable's value with our folder first, and with the others that it names already."""
    ours = str(trainer_folder())
    others = [folder for folder in searched_folders(value) if folder != ours]
    return os.pathsep.join([ours, *others])


def shell_line(value: str | None, windows: bool) -> str:
    """The line that sets the variable: for PowerShell on Windows, for POSIX shells elsewhere.

    Args:
        value: What the variable is now; None = not set.
        windows: Whether it is for PowerShell.
    """
    new = value_to_set(value)
    if windows:
        quoted = new.replace("'", "''")
        return f"$env:{VARIABLE} = '{quoted}'"
    return f"export {VARIABLE}={shlex.quote(new)}"


def check_search(value: str | None) -> str:
    """Whether nnU-Net finds the trainers as things are, in a sentence.

    Args:
        value: What the variable is now; None = not set.

    Raises:
        ValueError: If it doesn't. The sentence says why, and what helps.
    """
    try:
        version = metadata.version("nnunetv2")
    except metadata.PackageNotFoundError:
        raise ValueError("nnU-Net isn't installed here: pip install 'toponet[nnunet]'") from None
    find = _search_of(version)
    if str(trainer_folder()) not in searched_folders(value):
        found = "isn't set" if value is None else f"is {value!r}"
        raise ValueError(
            f"{VARIABLE} {found} and doesn't name {trainer_folder()}: run eval "
            '"$(toponet-nnunet)", in every shell that trains or predicts'
        )
    for name in TRAINERS:
        _check_trainer(find, name, version)
    return f"nnU-Net {version} finds {', '.join(TRAINERS)}"


def _search_of(version: str) -> Callable[[str], Any]:
    try:
        objects = importlib.import_module("nnunetv2.utilities.find_objects")
    except ModuleNotFoundError as error:
        if error.name != "nnunetv2.utilities.find_objects":
            raise ValueError(f"nnU-Net {version} can't be imported: {error}") from error
        raise ValueError(
            f"nnU-Net {version} has no {VARIABLE}; it needs {FIRST_VERSION} or later: "
            "pip install --upgrade nnunetv2"
        ) from None
    find: Callable[[str], Any] = objects.recursive_find_trainer_class_by_name
    return find


def _check_trainer(find: Callable[[str], Any], name: str, version: str) -> None:
    """nnU-Net imports all of its own trainers on the way, and whatever they need."""
    try:
        with redirect_stdout(StringIO()):
            trainer = find(name)
    except (ImportError, RuntimeError) as error:
        raise ValueError(f"nnU-Net {version} can't find {name}: {error}") from error
    if not hasattr(trainer, "topo_options"):
        raise ValueError(f"nnU-Net {version} finds another {name}, in {trainer.__module__}")
