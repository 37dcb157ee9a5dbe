"""What all commands share: how they run, and what they say when something goes wrong."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields
from typing import TypeVar

from toponet._ground.reading import within_memory
from toponet.cli._arguments import with_option_first

Config = TypeVar("Config")

# What is too large for the memory, where no file can be named.
ASKED = "what is asked for"

# Exit codes. Those above 128 are 128 plus a signal's number, by the shell's convention.
MISTAKE = 2
INTERRUPTED = 130
NOBODY_READS = 141

# Of these it is certain that something was to be written.
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


class CommandError(Exception):
    """A command stops with this sentence.

    Attributes:
        exit_code: What the process returns.
    """

    def __init__(self, message: str, exit_code: int = MISTAKE) -> None:
        """Keeps the sentence for stderr."""
        super().__init__(message)
        self.exit_code = exit_code


def run_command(
    program: str,
    description: str,
    config: type[Config],
    work: Callable[[Config], int],
    arguments: Sequence[str] | None,
    more: str | None = None,
) -> int:
    """Parses the command line, does the work and returns the exit code.

    Args:
        program: Its name.
        description: One sentence, for ``--help``.
        config: A dataclass, whose fields are the options.
        work: Does what the configuration says and returns the exit code.
        arguments: The command line; None = the process's own.
        more: The list option that takes further positional arguments; None = there is none.
    """
    from toponet.cli._options import parse

    def act() -> int:
        return work(parse(program, description, config, arguments, more=more))

    return finish(program, act, [field.name for field in fields(config)])  # type: ignore[arg-type]


def finish(program: str, work: Callable[[], int], options: Sequence[str] = ()) -> int:
    """Does the work and returns the exit code. A caller's mistake is one line on stderr.

    An error that no caller can cause is a bug. It goes through, with its traceback.

    Args:
        program: Its name.
        work: Returns the exit code.
        options: Names of its options, for errors that begin with one.
    """
    try:
        try:
            with within_memory(ASKED):
                return work()
        finally:
            sys.stdout.flush()  # A closed pipe is noticed here and not when Python exits.
    except KeyboardInterrupt as error:
        return complain(program, "; ".join(filter(None, ["interrupted", str(error)])), INTERRUPTED)
    except CommandError as error:
        return complain(program, str(error), error.exit_code)
    except (Exception, SystemExit) as error:
        if _nobody_reads(error):
            return _write_to_nobody()
        if not _is_mistake(error):
            raise
        return complain(program, with_option_first(sentence(error), options))


def sentence(error: BaseException) -> str:
    """What an error says. An error of the operating system names its file."""
    if isinstance(error, OSError) and error.strerror:
        verb = "write" if error.errno in _DISK_ERRORS else "use"
        return f"can't {verb} {error.filename or 'a file'}: {error.strerror}"
    if isinstance(error, RecursionError):
        return f"{ASKED} is nested too deeply"
    if _is_torchs(error):
        return "torch: " + next(iter(str(error).strip().splitlines()), type(error).__name__)
    return str(error)


def complain(program: str, message: str, exit_code: int = MISTAKE) -> int:
    """Prints one line on stderr and hands the exit code on."""
    print(f"{program}: " + " ".join(message.split()), file=sys.stderr)
    return exit_code


def _is_mistake(error: BaseException) -> bool:
    """Whether a caller, a file or a device is to blame. RecursionError is a file nested deeply."""
    kinds = (ValueError, TypeError, OSError, RecursionError)
    return isinstance(error, kinds) or _is_torchs(error)


def _is_torchs(error: BaseException) -> bool:
    """Whether torch has a class of its own for it, such as for a device that failed."""
    return isinstance(error, RuntimeError) and type(error).__module__.partition(".")[0] == "torch"


def _nobody_reads(error: BaseException) -> bool:
    """Whether stdout was closed, as ``| head`` does. rich makes a SystemExit of it."""
    cause = error.__context__ if isinstance(error, SystemExit) else error
    return isinstance(cause, BrokenPipeError) and cause.filename is None


def _write_to_nobody() -> int:
    """Keeps Python from writing the rest to the closed pipe when it exits."""
    with suppress(OSError, ValueError):  # A stdout that isn't a file has no number.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return NOBODY_READS
