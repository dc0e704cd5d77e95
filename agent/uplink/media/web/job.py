"""An upload as it stands on the disk: enough to go on after a power cut, and nothing once it is over."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - pydantic reads the types of remembered uploads
from typing import TYPE_CHECKING, Final

import structlog
from pydantic import TypeAdapter, ValidationError

from agent.footage.store.segments import sync_folder
from agent.uplink.media.request import UploadRequest, Way  # noqa: TC001 - pydantic reads the types
from agent.uplink.media.web.source import Print  # noqa: TC001 - pydantic reads the types

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = structlog.get_logger()


@dataclass
class Job:
    """One upload and how far it came."""

    request: UploadRequest
    begun: datetime
    print: Print | None = None
    """Of the file that `sha256` is of."""
    sha256: str | None = None
    way: Way | None = None
    """How it really goes, once that is known."""
    place: str | None = None
    """What a tus server called it."""
    place_sums: bool = False
    """That server says that it compares a SHA-256 of each chunk."""
    compared_bytes: int = 0
    """So much from the first byte on went in chunks with a SHA-256 that the server answered for in full."""
    knows_ranges: bool = False
    """It asked for the rest of this file once: what it calls done is no empty file that it took for the whole."""
    etags: list[str] = field(default_factory=list)
    """Of the parts that the server has."""
    sent_bytes: int = 0
    """What the server has, as far as it says, and as far as that can be."""
    offered_bytes: int = 0
    """So far the file can have gone out: no server has more of it. After a power cut the end of the chunk that was
    under way, else where the last byte went."""
    doubts: int = 0
    """So often the server said what cannot be, and it was sent again."""

    def begin_anew(self) -> None:
        """What was sent is of no use: another file, or a server that forgot it."""
        self.place, self.place_sums, self.etags = None, False, []
        self.sent_bytes = self.offered_bytes = self.compared_bytes = 0
        self.knows_ranges = False


_JOB: Final = TypeAdapter(Job)


class Shelf:
    """The folder of remembered uploads: a file each, which nobody else can read, since URLs carry rights."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, job: Job) -> None:
        """Write how it stands; it is on the disk when this returns.

        Raises:
            OSError: the disk does not take it.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = self._file(job)
        part = target.with_suffix(".part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_JOB.dump_json(job))
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
        sync_folder(self._folder)

    def forget(self, job: Job) -> None:
        """It is over.

        Raises:
            OSError: the disk refuses.
        """
        self._file(job).unlink(missing_ok=True)

    def remembered(self) -> Iterator[Job]:
        """What earlier lives left, oldest first. A file that cannot be read is told and left alone."""
        found: list[Job] = []
        for file in self._folder.glob("*.json"):
            try:
                found.append(_JOB.validate_json(file.read_bytes()))
            except (OSError, ValidationError) as error:
                kind = type(error).__name__  # the text of a validation error quotes what is secret
                log.warning("remembered_upload_refused", file=str(file), reason=kind)
        yield from sorted(found, key=lambda job: job.begun)

    def _file(self, job: Job) -> Path:
        return self._folder / f"{job.request.upload_id}.json"
