"""The dialogue with the engineer: plain lines of at most 80 columns, keyboard only, as an SSH session has them.

Each question has a key; what an answers file says under it is taken, and shown, instead of being asked ("skip: REASON"
skips the step). At every question `quit` leaves (the session goes on next time), and where that is allowed `skip` skips
the step for a reason.
"""

from __future__ import annotations

import asyncio
import os
import textwrap
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from agent.commission.papers import NotSo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Answer = TypeVar("Answer")

WIDTH: Final = 78
LEAST_REASON: Final = 4
MOST_REASON: Final = 200
QUIT: Final = "quit"
SKIP: Final = "skip"


class Left(Exception):
    """The engineer left; what was done is kept."""


class SkipWanted(Exception):
    """The engineer wants to skip the step; the text is the reason."""


class Terminal(Protocol):
    """Where lines go, and where they come from."""

    def write(self, line: str) -> None:
        """Show a line."""
        ...

    async def read(self) -> str | None:
        """The next line, without its end; None: there are no more."""
        ...


class Talk:
    """Says things and asks questions."""

    def __init__(self, terminal: Terminal, answers: Mapping[str, str]) -> None:
        """Nothing said yet.

        Args:
            terminal: To whom.
            answers: What need not be asked, by key.
        """
        self._terminal = terminal
        self._answers = dict(answers)
        self.skippable = False
        """Whether `skip` is understood now."""

    def tell(self, text: str = "", indent: str = "  ") -> None:
        """Say something, in as many lines as it takes."""
        after = " " * len(indent)
        wrapped = textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=after, break_on_hyphens=False)
        for line in wrapped or [""]:
            self._terminal.write(line)

    async def ask(self, key: str, question: str, of: Callable[[str], Answer]) -> Answer:
        """Ask until the answer can be so.

        Args:
            key: Under which an answers file has it.
            question: What to ask.
            of: Makes of what is typed what is meant, or raises `NotSo`.

        Raises:
            Left: the engineer leaves.
            SkipWanted: the engineer skips the step.
        """
        self.tell(question, "? ")
        if (ready := self._answers.pop(key, None)) is not None:
            self._terminal.write(f"> {ready}"[:WIDTH])
            word, _, reason = ready.partition(":")
            if word.strip().lower() == SKIP and self.skippable and len(reason.strip()) >= LEAST_REASON:
                raise SkipWanted(reason.strip()[:MOST_REASON])
            try:
                return of(ready)
            except NotSo as why:
                self.tell(f"The answers file is wrong here: {why}.")
        while True:
            typed = await self._terminal.read()
            if typed is None or typed.strip().lower() == QUIT:
                raise Left
            if typed.strip().lower() == SKIP and self.skippable:
                raise SkipWanted(await self._reason())
            try:
                return of(typed.strip())
            except NotSo as why:
                self.tell(f"{why}." if typed.strip() else "Type an answer, or quit to go on another time.")

    async def yes(self, key: str, question: str) -> bool:
        """Ask for a yes or a no."""
        return await self.ask(key, f"{question} [yes/no]", _yes)

    async def _reason(self) -> str:
        self.tell("For what reason? It stands on the sheet.", "? ")
        while True:
            typed = await self._terminal.read()
            if typed is None or typed.strip().lower() == QUIT:
                raise Left
            if len(typed.strip()) >= LEAST_REASON:
                return typed.strip()[:MOST_REASON]
            self.tell("A reason is needed, in a few words.")


def _yes(text: str) -> bool:
    if text.lower() not in {"y", "yes", "n", "no", "true", "false"}:
        msg = "yes or no"
        raise NotSo(msg)
    return text.lower() in {"y", "yes", "true"}


class PlainTerminal:
    """Standard output and input, without anything that a serial console or a log could not show."""

    def __init__(self) -> None:
        self._rest = b""
        self._ended = False

    def write(self, line: str) -> None:
        """Show a line. When nobody reads any more, what is being measured is measured all the same."""
        try:
            os.write(1, f"{line}\n".encode("utf-8", "replace"))
        except OSError:
            self._ended = True  # the next question finds nobody

    async def read(self) -> str | None:
        """The next line that is typed."""
        while b"\n" not in self._rest and not self._ended:
            came = await self._come()
            self._ended = not came
            self._rest += came
        line, end, self._rest = self._rest.partition(b"\n")
        return line.decode("utf-8", "replace") if line or end else None

    async def _come(self) -> bytes:
        loop = asyncio.get_running_loop()
        typed = asyncio.Event()
        try:
            loop.add_reader(0, typed.set)
        except PermissionError:  # epoll takes no files, which never make anybody wait
            return os.read(0, 4096)
        try:
            await typed.wait()
        finally:
            loop.remove_reader(0)
        try:
            return os.read(0, 4096)
        except OSError:  # the terminal is gone
            return b""
