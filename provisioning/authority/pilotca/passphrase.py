"""The passphrase of the authority's keys: typed at the terminal, or read from a file descriptor. Never an argument."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Final

from pilotca.errors import Refused

FEWEST: Final = 20
"""Characters of a new one: five words picked by dice are 64 bits, and have more."""
MOST: Final = 1024


def passphrase(fd: int | None, whose: str, *, new: bool = False) -> bytes:
    """Get it.

    Args:
        fd: Where it can be read, up to the end of a line or of the file; None asks at the terminal.
        whose: What it opens, for the question.
        new: It is chosen now: asked for twice, and must be long enough.

    Raises:
        Refused: there is none, or it is too short.
    """
    text = _typed(whose, new=new) if fd is None else _read(fd)
    if new and len(text) < FEWEST:
        msg = f"a new passphrase must have at least {FEWEST} characters: take five words or more, picked by dice"
        raise Refused(msg)
    if not text:
        msg = f"the passphrase of {whose} is empty"
        raise Refused(msg)
    return text.encode()


def _typed(whose: str, *, new: bool) -> str:
    if not sys.stdin.isatty():
        msg = "there is no terminal to ask for the passphrase: give --passphrase-fd"
        raise Refused(msg)
    text = getpass.getpass(f"Passphrase of {whose}: ")
    if new and getpass.getpass("The same again: ") != text:
        msg = "the two passphrases differ: begin again"
        raise Refused(msg)
    return text


def _read(fd: int) -> str:
    try:
        content = b""
        while len(content) <= MOST and b"\n" not in content and (more := os.read(fd, MOST)):
            content += more
    except OSError as error:
        msg = f"--passphrase-fd {fd} cannot be read: {error.strerror}"
        raise Refused(msg) from error
    line = content.split(b"\n", 1)[0].removesuffix(b"\r")
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        msg = f"--passphrase-fd {fd} holds no text"
        raise Refused(msg) from error
    if len(line) > MOST:
        msg = f"a passphrase has at most {MOST} bytes"
        raise Refused(msg)
    return text
