"""A disk that gives its programs only when it is told to: a real file system over FUSE, so that the kernel hangs.

It speaks as little of the kernel's FUSE protocol as it takes to start a program from it (fuse(4), linux/fuse.h).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import threading
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOOKUP, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT = 1, 3, 14, 15, 18, 25, 26
UNANSWERED: Final = {2, 36, 42}
"""FORGET, INTERRUPT and BATCH_FORGET: the kernel wants no answer."""
ENOENT, ENOSYS = 2, 38
HEADER = struct.Struct("<IIQQIIII")
MNT_DETACH: Final = 2
ROOT: Final = 1
VALID_S: Final = 3600


class NoHungDisk(Exception):
    """This machine lets nobody mount one: it needs root and /dev/fuse."""


class HungDisk:
    """A mounted folder of programs. Use it in `with`; it answers until `hang`."""

    def __init__(self, folder: Path, programs: Mapping[str, bytes]) -> None:
        """Mount it.

        Args:
            folder: Where; made if need be.
            programs: What lies on it, by name.

        Raises:
            NoHungDisk: nobody may here.
        """
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._files = [*programs.items()]
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._answers = threading.Event()
        self._answers.set()
        self.asked = threading.Event()
        """Set once it was asked for a program while it hung."""
        try:
            self._fd = os.open("/dev/fuse", os.O_RDWR)
        except OSError as error:
            raise NoHungDisk(str(error)) from error
        options = f"fd={self._fd},rootmode=40755,user_id=0,group_id=0,allow_other"
        if self._libc.mount(b"hung", bytes(folder), b"fuse.hung", 0, options.encode()):
            os.close(self._fd)
            raise NoHungDisk(os.strerror(ctypes.get_errno()))
        self._readers: list[threading.Thread] = []
        self._server = threading.Thread(target=self._serve, name="hung-disk")
        self._server.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.answer()
        self._libc.umount2(bytes(self._folder), MNT_DETACH)
        self._server.join()
        for reader in self._readers:
            reader.join()
        os.close(self._fd)

    def hang(self) -> None:
        """Give nothing any more."""
        self.asked.clear()
        self._answers.clear()

    def answer(self) -> None:
        """Give what was asked for, and all that will be."""
        self._answers.set()

    def _serve(self) -> None:
        while True:
            try:
                request = os.read(self._fd, 1 << 20)
            except OSError:
                return  # it is not mounted any more
            _, what, unique, node, *_ = HEADER.unpack_from(request)
            body = request[HEADER.size :]
            if what == READ:  # each may hang for itself
                reader = threading.Thread(target=self._read, args=(unique, node, body), name="hung-disk-read")
                self._readers.append(reader)
                reader.start()
            elif what not in UNANSWERED:
                self._reply(unique, self._answer_to(what, node, body))

    def _answer_to(self, what: int, node: int, body: bytes) -> bytes | int:
        """What to say, or which error."""
        if what == LOOKUP:
            names = [name for name, _ in self._files]
            if (name := body.rstrip(b"\0").decode()) not in names:
                return ENOENT
            found = names.index(name) + ROOT + 1
            return struct.pack("<4Q2I", found, 1, VALID_S, VALID_S, 0, 0) + self._attributes(found)
        answers = {
            INIT: struct.pack("<4I2HI", 7, 19, 65536, 0, 0, 0, 4096),
            OPEN: struct.pack("<Q2I", 0, 0, 0),
            RELEASE: b"",
            FLUSH: b"",
        }
        if what == GETATTR:
            return struct.pack("<Q2I", VALID_S, 0, 0) + self._attributes(node)
        return answers.get(what, ENOSYS)

    def _attributes(self, node: int) -> bytes:
        size, mode = (0, 0o040755) if node == ROOT else (len(self._files[node - ROOT - 1][1]), 0o100755)
        return struct.pack("<6Q10I", node, size, size // 512 + 1, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def _read(self, unique: int, node: int, body: bytes) -> None:
        if not self._answers.is_set():
            self.asked.set()
            self._answers.wait()
        _, offset, size = struct.unpack_from("<QQI", body)
        self._reply(unique, self._files[node - ROOT - 1][1][offset : offset + size])

    def _reply(self, unique: int, answer: bytes | int) -> None:
        data, error = (b"", -answer) if isinstance(answer, int) else (answer, 0)
        with contextlib.suppress(OSError):  # who asked was killed meanwhile
            os.write(self._fd, struct.pack("<IiQ", 16 + len(data), error, unique) + data)
