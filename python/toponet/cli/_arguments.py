"""Rewrites a command line as people write it into the form that jsonargparse takes.

jsonargparse knows no flags without a value and no lists without brackets. Nor does it know commands
that take any number of positional arguments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import yaml

TRUTHS = ("true", "false")
WITHOUT_VALUE = ("-h", "--help", "--print_config", "--version")
_WHOLE = re.compile(r"[+-]?\d+")
_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
}


def as_options(arguments: Sequence[str], config: type, more: str | None = None) -> list[str]:
    """Returns the same command line with one argument for each option: ``--name=value``.

    ``CHECKPOINT A B --flips --outputs mask cells`` becomes ``CHECKPOINT --flips=true
    --outputs=["mask", "cells"] --inputs=["A", "B"]``, whatever the order.

    Args:
        arguments: The command line. Dashes and underscores in options are the same.
        config: The dataclass of the options; fields without default are positional.
        more: The list option that takes further positional arguments; None = there is none.
    """
    hints = get_type_hints(config)
    required = [f for f in fields(config) if f.default is MISSING]
    places: list[str] = []
    options: list[str] = []
    left = list(arguments)
    while left:
        argument = left.pop(0)
        if argument == "--":
            places += left
            break
        if argument.startswith("-") and not _is_number(argument):
            options.append(_option(argument, left, hints))
        else:
            places.append(argument)
    if more is not None and places[len(required) :]:
        options.append(f"--{more}=" + json.dumps(places[len(required) :]))
        places = places[: len(required)]
    return [*places, *options]


def in_words(hint: Any) -> str:
    """Says what an option takes, for a sentence."""
    if get_origin(hint) is Literal:
        return " or ".join(repr(choice) for choice in get_args(hint))
    if get_origin(hint) is tuple:
        (item, _) = get_args(hint)
        if get_origin(item) is Literal:
            return "some of " + ", ".join(map(repr, get_args(item)))
        return f"a list, each of it {in_words(item)}"
    choices = [choice for choice in get_args(hint) if choice is not type(None)]
    words = list(map(in_words, choices)) if choices else [_WORDS[hint]]
    return " or ".join([*words, "null"] if _null_is_a_value(hint) else words)


def with_dashes(name: str) -> str:
    """Spells an option as on the command line and in the documentation."""
    return "--" + name.replace("_", "-")


def list_items(text: str) -> list[Any]:
    """The items of a list that is written as ``[0, 1]``, ``0,1``, ``0 1`` or ``0``."""
    if text.startswith("["):
        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError:
            return [text]
        return found if isinstance(found, list) else [text]
    parts = filter(None, re.split(r"[,\s]+", text) if "," in text or _is_whole(text) else [text])
    return [int(part) if _WHOLE.fullmatch(part) else part for part in parts]


def with_option_first(message: str, names: Sequence[str]) -> str:
    """A message such as "batch_size must be above 0", with the option spelled with dashes."""
    name, must, rest = message.partition(" must ")
    return with_dashes(name) + must + rest if must and name in names else message


def with_options(message: str, names: Sequence[str]) -> str:
    """The message with all options that have underscores spelled with dashes."""
    message = with_option_first(message, names)
    underscored = "|".join(name for name in names if "_" in name)
    if not underscored:
        return message
    # Not within a path or a quoted value; where the dashes are there already, they stay.
    pattern = rf"(?<![\w./'\"-])(?:--)?({underscored})(?![\w/-]|\.\w)"
    return re.sub(pattern, lambda found: with_dashes(found[1]), message)


def _option(argument: str, left: list[str], hints: dict[str, Any]) -> str:
    """Adds an option's value to it, which is taken from the arguments that are ``left``."""
    option, equals, value = argument.partition("=")
    if not option.startswith("--"):
        return argument
    option = "--" + option[2:].replace("-", "_")
    if option in WITHOUT_VALUE:
        return option + equals + value
    hint = given_type(hints.get(option[2:]))
    if hint is bool and not equals:
        value = left.pop(0) if left and left[0].lower() in TRUTHS else "true"
    elif not equals:
        if not left or (left[0].startswith("-") and not _is_number(left[0])):
            return option  # The parser says that a value is missing.
        value = left.pop(0)
    if hint is bool:
        value = value.lower()
    if _null_is_a_value(hint) and value.lower() == "none":
        value = "null"
    if get_origin(hint) is tuple:
        items = list_items(value)
        while not equals and not value.startswith("[") and left and _is_item(left[0], hint):
            items += list_items(left.pop(0))
        value = json.dumps(items)
    return f"{option}={value}"


def given_type(hint: Any) -> Any:
    """The type of what is given for an option that may also be left empty."""
    choices = [choice for choice in get_args(hint) if choice is not type(None)]
    return choices[0] if get_origin(hint) is UnionType and len(choices) == 1 else hint


def _null_is_a_value(hint: Any) -> bool:
    """Whether null says something. Where a word stands for the default, null doesn't."""
    choices = get_args(hint)
    return type(None) in choices and any(get_origin(choice) is Literal for choice in choices)


def _is_whole(text: str) -> bool:
    return all(_WHOLE.fullmatch(part) for part in text.split())


def _is_item(text: str, hint: Any) -> bool:
    """Whether the text is one more item of a list."""
    (item, _) = get_args(hint)
    if item is int:
        return all(_WHOLE.fullmatch(part) for part in text.split(",") if part)
    return all(part in get_args(item) for part in text.split(",") if part)


def _is_number(text: str) -> bool:
    """Whether the text is a number. A negative number begins with a dash, as options do."""
    return re.match(r"-\.?\d", text) is not None
