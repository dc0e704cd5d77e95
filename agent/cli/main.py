"""`safepoint`: finds the commands, and turns what goes wrong into one sentence and an exit code.

A command is a file in this folder with two functions: `add(subparsers)`, which describes it and sets `func` to its
`run`, and `run(args)`, which does it and returns the exit code. Heavy imports belong inside `run`.
"""

from __future__ import annotations

import argparse
import os
import pkgutil
import platform
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

import agent
from agent import cli
from agent.cli.errors import UsageError
from agent.config.problems import ConfigInvalid
from agent.software.release import release_of
from agent.support import SUPPORTED_UNTIL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse names no public type

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells count."""
EXIT_NO_READER = 141
"""128 + SIGPIPE: whoever read our output has gone."""


class Command(Protocol):
    """A module of this folder that is a command."""

    def add(self, subparsers: Subparsers, /) -> None:
        """Describe the command's arguments."""
        ...


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one sentence, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments.

        Raises:
            UsageError: always.
        """
        sentence = f"{message} (see {self.prog} --help)"
        raise UsageError(sentence)


def commands() -> Iterator[Command]:
    """The commands there are."""
    for found in pkgutil.iter_modules(cli.__path__):
        module = import_module(f"{cli.__name__}.{found.name}")
        if hasattr(module, "add"):
            yield module


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top: argparse.ArgumentParser = Parser(prog="safepoint", description=agent.__doc__, allow_abbrev=False)
    built = f"safepoint {agent.__version__} (Python {platform.python_version()}, {platform.machine()})"
    if (release := release_of(Path(sys.prefix))) is not None:
        built = f"{built}, {release}"
    version = f"{built}, security updates until {SUPPORTED_UNTIL}"
    top.add_argument("--version", action="version", version=version)
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in commands():
        command.add(subparsers)
    for each in subparsers.choices.values():
        # Scripts that shorten an option would break on the next option with the same beginning.
        each.allow_abbrev = False
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        args = parser().parse_args(argv)
        run: Callable[[argparse.Namespace], int] = args.func
        code = run(args)
        sys.stdout.flush()
    except UsageError as error:
        sys.stderr.write(f"safepoint: {error}\n")
        return EXIT_BAD_INPUT
    except ConfigInvalid as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # What is still buffered would fail again, with a traceback, when the interpreter flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_NO_READER
    return code


if __name__ == "__main__":
    sys.exit(main())
