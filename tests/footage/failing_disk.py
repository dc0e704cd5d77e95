"""A disk for segments that can be filled, broken and healed, under the real writer."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


class FailingDisk:
    """Stands between the segment writer and the kernel; everything but segment files passes unseen."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._on_write: int | None = None
        self._on_sync: int | None = None
        self._on_open: int | None = None
        self._answers = threading.Event()
        self._answers.set()
        self._asked = threading.Event()
        self._write, self._fsync, self._open = os.write, os.fsync, os.open
        monkeypatch.setattr(os, "write", self._watched_write)
        monkeypatch.setattr(os, "fsync", self._watched_fsync)
        monkeypatch.setattr(os, "open", self._watched_open)

    def fill(self) -> None:
        """Not one byte more fits."""
        self._on_write = errno.ENOSPC

    def wear_out(self) -> None:
        """Writing seems to work, but nothing can be made safe."""
        self._on_sync = errno.EIO

    def go_read_only(self) -> None:
        """The kernel found an error and protects what there is."""
        self._on_write = self._on_open = errno.EROFS

    @contextlib.contextmanager
    def hanging(self) -> Iterator[threading.Event]:
        """It answers nothing until the block ends; the event says that somebody waits for it."""
        self._answers.clear()
        try:
            yield self._asked
        finally:
            self._answers.set()

    def heal(self) -> None:
        """Everything works again."""
        self._on_write = self._on_sync = self._on_open = None

    def _watched_write(self, fd: int, data: bytes) -> int:
        self._fail(self._on_write, fd)
        return self._write(fd, data)

    def _watched_fsync(self, fd: int) -> None:
        if not self._answers.is_set():
            self._asked.set()
            self._answers.wait()
        self._fail(self._on_sync, fd)
        self._fsync(fd)

    def _watched_open(self, path: str | Path, flags: int, mode: int = 0o777) -> int:
        if self._on_open is not None and Path(path).suffix == ".ts":
            raise OSError(self._on_open, os.strerror(self._on_open), str(path))
        return self._open(path, flags, mode)

    def _fail(self, code: int | None, fd: int) -> None:
        if code is not None and Path(f"/proc/self/fd/{fd}").readlink().suffix == ".ts":
            raise OSError(code, os.strerror(code))
