"""Somebody at a terminal: types a line whenever a command waits for one."""

from __future__ import annotations

import os
import pty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence

PROMPT = "] > "
CTRL_C, CTRL_D = "\x03", "\x04"
AT_TERMINAL = ("/usr/bin/env", "--default-signal=INT", "/usr/bin/setsid", "--ctty")
"""Before a command: its terminal's Ctrl-C reaches it, also where the tests run in the background, which ignores one."""


def converse(start: Callable[[int], subprocess.Popen[bytes]], typed: Sequence[str]) -> tuple[int, str]:
    """Type a line at each prompt; the terminal hangs up when there is none left.

    Args:
        start: the command, with this terminal as its input and output.
        typed: the lines.

    Returns:
        How it ended, and all that the terminal showed.
    """
    ours, theirs = pty.openpty()
    try:
        with start(theirs) as process:
            os.close(theirs)
            text, left = "", list(typed)
            while read := _read(ours):
                text += read
                if text.count(PROMPT) > len(typed) - len(left):
                    if not left:
                        process.kill()
                        break
                    os.write(ours, f"{left.pop(0)}\n".encode())
    finally:
        os.close(ours)
    return process.returncode, text


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 65_536).decode(errors="replace")
    except OSError:  # EIO: nobody has the other end any more
        return ""
