"""Reads YAML files of options before the parser does, so that errors can name the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import get_origin, get_type_hints

import yaml

from toponet._ground.reading import read_text
from toponet.cli._arguments import given_type, list_items


@dataclass(frozen=True)
class OptionsFile:
    """A file of options, checked.

    Attributes:
        names: The options in it.
        text: YAML in which each list is written as a list.
    """

    names: list[str]
    text: str


def read_options(path: Path, config: type) -> OptionsFile:
    """Reads a file and refuses what the parser would ignore or misread.

    Args:
        path: The YAML file.
        config: The dataclass whose fields are the options. Lists may be written as on the command
            line: ``dims: 1`` or ``dims: 0,1``.

    Raises:
        ValueError: If the file can't be read, isn't a mapping, has an unknown or repeated option,
            or a value that is neither a single value nor a list of them.
    """
    known = [field.name for field in fields(config)]
    root = _mapping(path)
    names: list[str] = []
    for key, value in root.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        check_option(name, known, f"{path} has the unknown option {name!r}")
        if name in names:  # YAML would take the last one without a word.
            raise ValueError(f"{path} has the option {name!r} twice")
        names.append(name)
        items = value.value if isinstance(value, yaml.SequenceNode) else [value]
        if not all(isinstance(item, yaml.ScalarNode) for item in items):
            raise ValueError(f"{path}: {name} must be one value or a list of values")
    hints = get_type_hints(config)
    root.value = [
        (key, _as_list(value) if get_origin(given_type(hints[key.value])) is tuple else value)
        for key, value in root.value
    ]
    return OptionsFile(names, yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True))


def check_option(
    name: str, known: Iterable[str], complaint: str, spell: Callable[[str], str] = str
) -> None:
    """Raises ValueError with the complaint and the nearest name if ``name`` isn't known.

    Args:
        name: An option.
        known: All of them.
        complaint: What to say of an unknown one.
        spell: Writes the nearest name as it has to be written.
    """
    choices = list(known)
    if name not in choices:
        near = get_close_matches(name, choices, n=1)
        hint = f"did you mean {spell(near[0])}?" if near else "--help lists all options"
        raise ValueError(f"{complaint}; {hint}")


def _mapping(path: Path) -> yaml.MappingNode:
    try:
        root = yaml.compose(read_text(path), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ValueError(f"can't read {path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{path} isn't YAML: {error}") from None
    except RecursionError:
        raise ValueError(f"{path} is nested too deeply; expected 'name: value' lines") from None
    if not isinstance(root, yaml.MappingNode):
        raise ValueError(f"{path} must hold options, one 'name: value' a line")
    return root


def _as_list(value: yaml.Node) -> yaml.Node:
    """Makes a list of a single value. An empty value stays as it is: the parser refuses it."""
    if not isinstance(value, yaml.ScalarNode) or value.tag == "tag:yaml.org,2002:null":
        return value
    return yaml.compose(yaml.safe_dump(list_items(value.value)), yaml.SafeLoader) or value
