"""What the commands share: options from a dataclass, and one line for a caller's mistake."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, TypeVar

from jsonargparse import ArgumentError, ArgumentParser, Namespace

Config = TypeVar("Config")

# What a caller's mistake raises. RecursionError: YAML that refers to itself.
MISTAKES = (ArgumentError, ValueError, TypeError, OSError, RecursionError)


def parse(
    program: str,
    description: str,
    config: type[Config],
    arguments: Sequence[str] | None,
) -> Config:
    """A configuration from the command line: its fields without default are positional.

    Dashes and underscores in options are the same. ``--config`` names a YAML file.

    Args:
        program: Its name.
        description: One sentence, for ``--help``.
        config: A dataclass; sequences among its fields are tuples.
        arguments: Those of the command line; None = the process's own.
    """
    parser = ArgumentParser(prog=program, description=description, exit_on_error=False)
    parser.add_argument("--config", action="config", help="YAML file with any of the options below")
    parser.add_class_arguments(config, None, as_positional=True)
    given = sys.argv[1:] if arguments is None else arguments
    chosen: Namespace = parser.parse_args([_underscored(a) for a in given])
    options = chosen.as_dict()
    options.pop("config", None)
    return config(**{name: _tuple(value) for name, value in options.items()})


def complain(program: str, message: str, exit_code: int = 2) -> int:
    """One line on stderr; the exit code is handed on."""
    print(f"{program}: " + " ".join(message.split()), file=sys.stderr)
    return exit_code


def _underscored(argument: str) -> str:
    """``--batch-size=8`` is ``--batch_size=8``; values stay as they are."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument.partition("=")
    return "--" + name[2:].replace("-", "_") + equals + value


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
