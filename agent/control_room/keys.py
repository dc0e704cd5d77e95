"""Single keys from a terminal, without a thread and without waiting for Enter."""

from __future__ import annotations

import asyncio
import codecs
import os
import re
import termios
import tty
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Key(StrEnum):
    """Keys that are no character of their own."""

    UP = "up"
    DOWN = "down"
    ENTER = "enter"
    BACKSPACE = "backspace"
    ESCAPE = "escape"
    END = "end"
    """The terminal is gone, or somebody pressed control-D."""


NAMED = {
    "\x1b[A": Key.UP,
    "\x1bOA": Key.UP,
    "\x1b[B": Key.DOWN,
    "\x1bOB": Key.DOWN,
    "\r": Key.ENTER,
    "\n": Key.ENTER,
    "\x7f": Key.BACKSPACE,
    "\x08": Key.BACKSPACE,
    "\x1b": Key.ESCAPE,
    "\x04": Key.END,
}
_ONE_KEY = re.compile(r"\x1b[\[O][0-9;]*[A-Za-z~]|.", re.DOTALL)
"""An escape sequence counts as one key, known or not: its letters must never act as keys of ours."""


def keys_of(typed: str) -> Iterator[str]:
    """The keys in what was typed: a `Key`, or the character itself. What is neither is left out.

    Terminals send an escape sequence in one piece, so an escape character at the end is the Escape key.
    """
    for match in _ONE_KEY.finditer(typed):
        key = NAMED.get(match.group(), match.group())
        if isinstance(key, Key) or key.isprintable():
            yield key


@contextmanager
def keyboard(fd: int, on_key: Callable[[str], None]) -> Iterator[None]:
    """Report each key of this terminal while the context is open; then give the terminal back as it was.

    Args:
        fd: A terminal's descriptor, usually standard input.
        on_key: Called on the running event loop; `Key.END` once, when nothing more will come.
    """
    loop = asyncio.get_running_loop()
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def read() -> None:
        try:
            typed = os.read(fd, 1024)
        except OSError:  # EIO: the terminal was closed
            typed = b""
        if not typed:
            loop.remove_reader(fd)
            on_key(Key.END)
        for key in keys_of(decoder.decode(typed)):
            on_key(key)

    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    flowing = termios.tcgetattr(fd)
    flowing[0] &= ~termios.IXON  # Ctrl-S would stop the terminal, and with it the console's loop
    termios.tcsetattr(fd, termios.TCSADRAIN, flowing)
    loop.add_reader(fd, read)
    try:
        yield
    finally:
        loop.remove_reader(fd)
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
