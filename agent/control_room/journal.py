"""Every message the control room saw, one JSON object a line: `topic`, `received_at`, `payload`."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from agent.uplink.jsonable import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from agent.uplink.publication import Received


def journal_line(received: Received, at: datetime) -> bytes:
    """The line of one message. A payload that is no JSON is kept as text, with what is no UTF-8 marked in it."""
    text = received.payload.decode(errors="replace")
    line = {"topic": received.topic, "received_at": timestamp(at)}
    try:
        whole = json.dumps({**line, "payload": json.loads(text)}, ensure_ascii=False)
    except (ValueError, RecursionError):  # of the latter some can be read and, a level deeper, not be written
        whole = json.dumps({**line, "payload": text}, ensure_ascii=False)
    return whole.encode(errors="replace") + b"\n"


class Journal:
    """Appends lines so that they outlast a power cut."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises:
            OSError: it cannot be written.
        """
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)  # it tells of people
        self._file = os.fdopen(opened, "ab", buffering=0)  # what a full disk does not take must not wait in a buffer
        self._torn = _ends_torn(path)

    def keep(self, lines: Sequence[bytes]) -> None:
        """Append lines; they are on the disk when this returns. Blocks for the disk, so call it from a thread.

        Raises:
            OSError: they are not kept, or not all of them.
        """
        rest = memoryview((b"\n" if self._torn else b"") + b"".join(lines))
        self._torn = True  # until all of it is written: what follows must not be glued to half a line
        while rest:
            rest = rest[self._file.write(rest) :]
        self._torn = False
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _ends_torn(path: Path) -> bool:
    """Whether a crash cut the last line."""
    if path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
