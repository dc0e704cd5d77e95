"""In which order the boots of a unit recorded: a rebuilt table cannot learn it from clocks that may have been wrong."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from agent.footage.store.segments import SegmentName, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BOOT = re.compile(r"^[0-9a-f]{8}$", re.MULTILINE)


class BootOrder:
    """A file with a line for each boot that recorded, safe on the disk before its first segment is known.

    It is never shortened: a unit that boots each hour adds 80 kB a year.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._places: dict[str, int] = {}

    def read(self) -> None:
        """Learn what the file says; a line that was cut off says nothing.

        Raises:
            OSError: the disk refuses.
        """
        try:
            text = self._file.read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            text = ""
        self._places = {}
        for boot in BOOT.findall(text):
            self._places.setdefault(boot, len(self._places))

    def note(self, boot: str) -> None:
        """This boot records now.

        Raises:
            OSError: the disk refuses.
        """
        if boot in self._places:
            return
        fd = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            os.write(fd, f"\n{boot}\n".encode())  # whatever was cut off before is a line of its own
            os.fsync(fd)
        finally:
            os.close(fd)
        sync_folder(self._file.parent)
        self._places[boot] = len(self._places)

    def sort(self, names: Iterable[SegmentName]) -> list[SegmentName]:
        """Segments in the order of their recording. Boots that nobody noted come first, by the last they wrote."""
        names = list(names)
        last: dict[str, str] = {}
        for name in names:
            last[name.start.boot_id] = max(last.get(name.start.boot_id, ""), str(name))

        def place(name: SegmentName) -> tuple[int, str, float]:
            boot = name.start.boot_id
            noted = self._places.get(boot)
            return (-1, last[boot], name.start.monotonic_s) if noted is None else (noted, "", name.start.monotonic_s)

        return sorted(names, key=place)
