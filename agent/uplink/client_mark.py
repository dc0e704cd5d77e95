"""What makes a client id one that nobody can guess.

A broker gives a client id to whoever asks for it and throws the one before out, whatever certificate either has. So a
certificate that was stolen from one unit could hold any other client off, if it knew its id. The mark is 128 bits
of chance behind the name; only the client itself and the broker ever see it.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

import structlog

from agent.apart import apart
from agent.durable import put_whole

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()

FILE_NAME: Final = "client-mark"
BYTES: Final = 16
RECALLED_WITHIN_S: Final = 3.0
"""As long as the start waits for the outbox's disk (`agent.uplink.storage`), and at the same time."""
_MARK = re.compile(rf"[0-9a-f]{{{2 * BYTES}}}")


class ClientMark:
    """A mark of this run, until the one of the runs before is recalled."""

    def __init__(self) -> None:
        self._text = secrets.token_hex(BYTES)

    def on(self, name: str) -> str:
        """The client id of this name."""
        return f"{name}-{self._text}"

    async def recall(self, file: Path) -> None:
        """Go on with the mark that is kept there, so that the broker knows the next run as the same client.

        Where there is none this one is kept. With a disk that fails or hangs this one will do, but what the broker has
        kept for the run before is not heard.
        """
        try:
            self._text = await apart(lambda: _kept(file, self._text), name="client-mark", within_s=RECALLED_WITHIN_S)
        except (OSError, TimeoutError) as error:
            log.warning("client_mark_not_kept", file=str(file), reason=str(error) or "the disk does not answer")


def _kept(file: Path, fresh: str) -> str:
    """The mark in this file; the fresh one is put there when there is none.

    Raises:
        OSError: it can be neither read nor written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        kept = file.read_bytes().decode(errors="replace").strip()
    except FileNotFoundError:
        kept = ""
    if _MARK.fullmatch(kept):
        return kept
    put_whole(file, fresh.encode())
    return fresh
