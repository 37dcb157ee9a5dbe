"""A configuration from the command line and from YAML files of options."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from jsonargparse import ArgumentError, ArgumentParser, DefaultHelpFormatter

from toponet.cli._arguments import as_options, in_words, with_dashes, with_options
from toponet.cli._files import check_option, read_options

Config = TypeVar("Config")
FindPreset = Callable[[str], Path]


def parse(
    program: str,
    description: str,
    config: type[Config],
    arguments: Sequence[str] | None,
    find_preset: FindPreset | None = None,
    epilog: str = "",
    more: str | None = None,
    idle: Callable[[Mapping[str, Any]], Sequence[str]] | None = None,
) -> Config:
    """Makes a configuration of the command line. Fields without default are positional.

    Dashes and underscores in options are the same. Values come from the files of ``--preset``,
    then from those of ``--config``, then from the options, wherever they stand on the command line.
    A later value replaces an earlier one.

    Args:
        program: Its name.
        description: One sentence, for ``--help``.
        config: A dataclass; sequences among its fields are tuples.
        arguments: The command line; None = the process's own.
        find_preset: Finds the YAML file of ``--preset NAME``; None = there are no presets.
        epilog: The end of ``--help``, line by line as it is.
        more: The list option that takes further positional arguments; None = there is none.
        idle: Names the options that have no effect beside these values. What presets say of such an
            option isn't heard.

    Raises:
        ValueError: If an option or a file can't be used. The sentence names it.
        TypeError: If the configuration refuses the type of a value.
    """
    given = as_options(sys.argv[1:] if arguments is None else arguments, config, more)
    names = [field.name for field in fields(config)]  # type: ignore[arg-type]
    own = ["config", "help", "print_config", "version", *(["preset"] if find_preset else [])]
    for name in _names_of(given):
        check_option(name, [*names, *own], f"unknown option {with_dashes(name)}", with_dashes)
    parser = _parser(program, description, config, find_preset is not None, epilog)
    presets, files, options = _files_and_options(given, find_preset)
    read = {path: read_options(path, config) for path in [*presets, *files]}
    origin = {name: path for path in read for name in read[path].names}
    try:
        values = _values(parser, [read[path].text for path in [*presets, *files]], options)
        if idle and presets and (unheard := idle(values)):
            without_presets = _values(parser, [read[path].text for path in files], options)
            values |= {name: without_presets[name] for name in unheard}
        return config(**{name: _tuple(values[name]) for name in names})
    except (ArgumentError, TypeError, ValueError) as error:
        message = _in_plain_words(error, config)
        named = next((name for name in names if message.startswith(f"{with_dashes(name)} ")), "")
        if named in origin and named not in _names_of(options):
            message = f"{origin[named]}: {message}"
        raise ValueError(message) from None


def _parser(
    program: str, description: str, config: type, has_presets: bool, epilog: str
) -> ArgumentParser:
    """Knows the fields of the configuration and the options that every command has."""
    parser = ArgumentParser(
        prog=program,
        description=textwrap.fill(description, 80),
        epilog=epilog,
        formatter_class=_HelpFormatter,
        exit_on_error=False,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"{program} {version('toponet')}", help="Print it."
    )
    if has_presets:
        # For --help alone: what is given becomes a --config before the parser sees it.
        parser.add_argument(
            "--preset",
            metavar="NAME",
            default=argparse.SUPPRESS,
            help="Options by name (see below); may be given several times, the last one wins",
        )
    parser.add_argument(
        "--config",
        action="config",
        help="YAML file with any of the options below; wins over presets, and options over it; "
        "may be given several times",
    )
    parser.add_class_arguments(config, None, as_positional=True)
    return parser


class _HelpFormatter(DefaultHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the epilog, and spells options as in the documentation."""

    def format_help(self) -> str:
        """Puts dashes for underscores. Both have the same width, so no line is broken anew."""
        text: str = super().format_help()
        names = "|".join(map(re.escape, self._underscored))
        return re.sub(rf"\b({names})\b", _dashed, text) if names else text

    def add_argument(self, action: argparse.Action) -> None:
        """Notes the options that have underscores in their names."""
        self._underscored += [o.lstrip("-") for o in action.option_strings if "_" in o]
        super().add_argument(action)

    @cached_property
    def _underscored(self) -> list[str]:
        return []


def _dashed(match: re.Match[str]) -> str:
    return match[0].replace("_", "-")


def _in_plain_words(error: Exception, config: type) -> str:
    """Says what an option takes and what came, without the parser's words for types."""
    message = " ".join(str(error).split())
    found = re.match(r'Parser key "(\w+)": .*(?:Got|Given) value: (.*)$', message)
    if not found:
        return with_options(message, [field.name for field in fields(config)])
    name, value = found.groups()
    value = re.sub(r"^\[(.*)\]$", r"\1", value).replace("'", "")  # A list of one item.
    hint = get_type_hints(config)[name]
    return f"{with_dashes(name)} must be {in_words(hint)}, got {value}"


def _names_of(options: Sequence[str]) -> list[str]:
    """The options among arguments such as ``--name=value``."""
    return [option[2:].partition("=")[0] for option in options if option.startswith("--")]


def _files_and_options(
    arguments: list[str], find_preset: FindPreset | None
) -> tuple[list[Path], list[Path], list[str]]:
    """Returns the files of presets, those of ``--config``, and the rest of the command line."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for option in ("--preset", "--config"):
        parser.add_argument(option, action="append", default=[])
    try:
        found, options = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise ValueError(str(error)) from None
    presets = [find_preset(name) for name in found.preset] if find_preset else []
    return presets, [Path(file) for file in found.config], options


def _values(parser: ArgumentParser, files: list[str], options: list[str]) -> dict[str, Any]:
    """Returns all values by name. A file wins over the one before, options win over all files.

    Args:
        parser: Knows the options.
        files: The content of YAML files.
        options: Arguments such as ``--name=value``.
    """
    values: dict[str, Any] = parser.parse_args(
        [*(f"--config={f}" for f in files), *options]
    ).as_dict()
    return values


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
