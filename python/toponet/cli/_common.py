"""What the commands share: options from a dataclass, and one line for a caller's mistake."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from jsonargparse import ArgumentError, ArgumentParser, DefaultHelpFormatter, Namespace

from toponet.cli._arguments import as_options, in_words, with_dashes
from toponet.cli._files import check_option, check_options_file

Config = TypeVar("Config")

# What is too large for the memory, where no file can be named.
ASKED = "what is asked for"

# What a caller's mistake raises. RecursionError: YAML that refers to itself.
MISTAKES = (ArgumentError, ValueError, TypeError, OSError, RecursionError)


def parse(
    program: str,
    description: str,
    config: type[Config],
    arguments: Sequence[str] | None,
    find_preset: Callable[[str], Path] | None = None,
    epilog: str = "",
    more: str | None = None,
) -> Config:
    """A configuration from the command line: its fields without default are positional.

    Dashes and underscores in options are the same. Files come first, whatever the order on the
    command line: those of ``--preset``, then those of ``--config``, each over the one before; the
    options win over all of them.

    Args:
        program: Its name.
        description: One sentence, for ``--help``.
        config: A dataclass; sequences among its fields are tuples.
        arguments: Those of the command line; None = the process's own.
        find_preset: Finds the YAML file of ``--preset NAME``; None = there are no presets.
        epilog: The end of ``--help``, line by line as it is.
        more: The list that places beyond the positional ones belong to.
    """
    parser = ArgumentParser(
        prog=program,
        description=textwrap.fill(description, 80),
        epilog=epilog,
        formatter_class=_HelpFormatter,
        exit_on_error=False,
        allow_abbrev=False,
    )
    names = [field.name for field in fields(config)]  # type: ignore[arg-type]
    own = ["config", "help", "print_config", "version"]
    parser.add_argument(
        "--version", action="version", version=f"{program} {version('toponet')}", help="Print it."
    )
    if find_preset:
        own.append("preset")
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
    given = as_options(sys.argv[1:] if arguments is None else arguments, config, more)
    for argument in given:
        if argument.startswith("--"):
            name = argument[2:].partition("=")[0]
            check_option(name, [*names, *own], f"unknown option {with_dashes(name)}")
    files, options = _files_and_options(given, find_preset)
    for file in files:
        check_options_file(file, names)
    try:
        chosen: Namespace = parser.parse_args([*(f"--config={f}" for f in files), *options])
    except ArgumentError as error:
        raise _in_plain_words(error, config) from None
    values = chosen.as_dict()
    return config(**{name: _tuple(values[name]) for name in names})


def complain(program: str, message: str, exit_code: int = 2) -> int:
    """One line on stderr; the exit code is handed on."""
    print(f"{program}: " + " ".join(message.split()), file=sys.stderr)
    return exit_code


def sentence(error: BaseException) -> str:
    """What an error says; for one of the operating system, of which file."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"can't use {error.filename}: {error.strerror}"
    return str(error)


class _HelpFormatter(DefaultHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """With the epilog's own lines, and options spelled as in the documentation."""

    def format_help(self) -> str:
        """Of equal length, so that no line has to be broken anew."""
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


def _in_plain_words(error: ArgumentError, config: type) -> Exception:
    """What an option takes and what came, without the parser's words for types."""
    message = " ".join(str(error).split())
    found = re.match(r'Parser key "(\w+)": .*(?:Got|Given) value: (.*)$', message)
    if not found:
        return error
    name, value = found.groups()
    hint = get_type_hints(config)[name]
    return ValueError(f"{with_dashes(name)} must be {in_words(hint)}, got {value}")


def _files_and_options(
    arguments: list[str], find_preset: Callable[[str], Path] | None
) -> tuple[list[Path], list[str]]:
    """The files, the least first, and what is left of the command line."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for option in ("--preset", "--config"):
        parser.add_argument(option, action="append", default=[])
    found, options = parser.parse_known_args(arguments)
    presets = [find_preset(name) for name in found.preset] if find_preset else []
    return [*presets, *map(Path, found.config)], options


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
