"""YAML files of options: read before the parser does, for sentences that name the file."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

import yaml

from toponet._ground.reading import read_text


def check_options_file(path: Path, known: Iterable[str]) -> None:
    """Refuses what would be ignored or misread; the values are the parser's to check.

    Raises:
        ValueError: If the file can't be read, isn't a mapping, or has an unknown or repeated key.
    """
    try:
        root = yaml.compose(read_text(path), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ValueError(f"can't read {path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{path} isn't YAML: {error}") from None
    if not isinstance(root, yaml.MappingNode):
        raise ValueError(f"{path} must hold options, one 'name: value' a line")
    names = [key.value if isinstance(key, yaml.ScalarNode) else "?" for key, _ in root.value]
    for name in names:
        check_option(name, known, f"{path} has the unknown option {name!r}")
        if names.count(name) > 1:  # YAML would take the last one without a word.
            raise ValueError(f"{path} has the option {name!r} twice")


def check_option(name: str, known: Iterable[str], complaint: str) -> None:
    """Raises ValueError with the complaint, and the nearest name, if ``name`` isn't known."""
    choices = list(known)
    if name not in choices:
        near = get_close_matches(name, choices, n=1)
        hint = f"did you mean {near[0]}?" if near else "--help lists all options"
        raise ValueError(f"{complaint}; {hint}")
