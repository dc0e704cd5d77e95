"""The pictures that came with alerts: whether each is the one that its alert tells of, and where it lies."""

from __future__ import annotations

import asyncio
import errno
import json
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from agent.control_room.happenings import Happening, UnitKey, What
from agent.control_room.plain_text import plain
from agent.control_room.shares import Shares
from agent.footage.store.incident_files import complete_file
from agent.uplink import still
from agent.uplink.topics import ROOT
from agent.uplink.validation import MessageInvalid

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from agent.clock import Moment
    from agent.control_room.alerts import Alert
    from agent.uplink.publication import Received
    from agent.uplink.still import Still

MOST_EARLY: Final = 32
"""Alerts that are not on the desk whose pictures are remembered, of each unit: a picture may overtake its alert, or be
of one long closed."""
MOST_OF_ALERT: Final = 8
"""Pictures kept of one alert: a snapshot and a strip, and each made again a few times."""
FILE_BYTES: Final = 16 * 1024
"""What a picture counts beside its bytes: its file, its folder, and the words in the journal."""
WAITING_BYTES: Final = 16 * (still.MAX_BYTES + FILE_BYTES)
"""Of one unit, for the disk."""
DAY_BYTES: Final = 32 * 1024 * 1024
"""Of one unit in a day: 440 of the largest pictures, and never more than 2,048 files."""
RESERVE_BYTES: Final = 512 * 1024 * 1024
"""Free space that pictures leave to the journal: without a journal no alert is acknowledged."""
KNOWN: Final = frozenset(map(str, still.PieceName))
SHOWN: Final = 12
"""Digits of the checksum in a file's name: two pictures of one name are two files."""


@dataclass(frozen=True)
class Picture:
    """One picture that came."""

    name: str
    sha256: str
    taken: datetime
    size_bytes: int
    file: Path | None = None
    """Where it lies, once it does; never where no folder was given."""


def is_still(topic: str) -> bool:
    """Whether a picture is what comes there."""
    return topic.removeprefix(f"{ROOT}/").split("/")[2:3] == ["still"]


def as_text(received: Received) -> Received:
    """The message for a journal of text: what it says of itself, without the picture."""
    said = {"attributes": dict(received.user_properties), "sizeBytes": len(received.payload)}
    return replace(received, payload=json.dumps(said).encode())


class Album:
    """Keeps pictures as files below a folder: `<org>/<unit>/<alert>/<name>-<sha256>.jpg`."""

    def __init__(self, folder: Path | None, alerts: dict[str, Alert], tell: Callable[[Happening], None]) -> None:
        """An empty album.

        Args:
            folder: Where pictures are kept; None: their checksums alone are.
            alerts: The desk's alerts, by their id.
            tell: Hears what came and what could not be kept.
        """
        self._folder = folder
        self._alerts = alerts
        self._tell = tell
        self._early: dict[str, tuple[UnitKey, dict[str, Picture]]] = {}
        self._checksums: dict[str, tuple[UnitKey, frozenset[str]]] = {}
        """Of all pictures of each alert in `_early`, also of those in whose place another one came."""
        self._shares = Shares(waiting_bytes=WAITING_BYTES, day_bytes=DAY_BYTES)
        self._to_keep: asyncio.Queue[tuple[UnitKey, Still, Moment]] = asyncio.Queue()  # its units' shares are its bound
        self.unkept = 0
        """Pictures that the disk did not take, or that were too many."""

    def take(self, received: Received, now: Moment) -> None:
        """A picture came at this moment: show it at once, keep it soon.

        Raises:
            MessageInvalid: it cannot be believed; the text says why.
        """
        unit = UnitKey(*received.topic.removeprefix(f"{ROOT}/").split("/")[:2])
        picture, source = still.read(received)
        if source != f"/safepoint/{unit.org}/units/{unit.unit}":
            msg = f"the still says it is from {source}"
            raise MessageInvalid(msg)
        if picture.name not in KNOWN:
            msg = f"{unit} sent a picture {picture.name}, which this console does not know"
            raise MessageInvalid(msg)
        alert = self._alerts.get(picture.alert_id)
        if alert is not None and alert.unit != unit:
            msg = f"{unit} sent a picture of an alert of {alert.unit}"
            raise MessageInvalid(msg)
        if self._shares.take(unit, _cost_bytes(picture), now.monotonic_s):
            if not self._is_one_too_many(unit, picture):
                self._remember(unit, picture.alert_id, _described(picture))
                self._to_keep.put_nowait((unit, picture, now))
                return
            self._shares.done(unit, _cost_bytes(picture))
        self._lose(unit, picture, now, "the unit sends too many")

    def _is_one_too_many(self, unit: UnitKey, picture: Still) -> bool:
        """Whether as many pictures of its alert came as are kept; one that comes again is the same file."""
        owner, checksums = self._checksums.get(picture.alert_id, (unit, frozenset()))
        if owner != unit:
            checksums = frozenset()
        if picture.sha256 not in checksums and len(checksums) >= MOST_OF_ALERT:
            return True
        self._checksums[picture.alert_id] = (unit, checksums | {picture.sha256})
        return False

    def of(self, alert: Alert) -> dict[str, Picture]:
        """The pictures of an alert that came, by name."""
        unit, pictures = self._early.get(alert.alert_id, (alert.unit, {}))
        return pictures if unit == alert.unit else {}

    def standing(self, alert: Alert, name: str) -> str | None:
        """How a picture stands beside what its alert tells: "here", "not the one told", or None while it is away."""
        picture = self.of(alert).get(name)
        if picture is None:
            return None
        told = ((alert.latest.data.get("evidence") or {}).get(name) or {}).get("sha256")
        return "here" if told in {None, picture.sha256} else "NOT THE ONE TOLD"

    async def run(self) -> None:
        """Keep what comes until cancelled."""
        while True:
            unit, picture, came = await self._to_keep.get()
            try:
                await self._keep(unit, picture, came)
            finally:
                self._shares.done(unit, _cost_bytes(picture))
                self._to_keep.task_done()

    async def finished(self) -> None:
        """Wait until everything that came is dealt with."""
        await self._to_keep.join()

    async def _keep(self, unit: UnitKey, picture: Still, came: Moment) -> None:
        words = f"{unit} {picture.name} of {picture.alert_id}, {len(picture.jpeg)} bytes"
        if self._folder is None:
            self._tell(Happening(What.PICTURE_CAME, plain(words), unit, picture.alert_id))
            return
        try:
            file = await asyncio.to_thread(_store, self._folder, unit, picture)
        except OSError as error:
            self._lose(unit, picture, came, error.strerror or str(error))
            return
        owner, pictures = self._early.get(picture.alert_id, (unit, {}))
        shown = pictures.get(picture.name)
        if owner == unit and shown is not None and shown.sha256 == picture.sha256:  # none came in its place meanwhile
            pictures[picture.name] = replace(shown, file=file)
        self._tell(Happening(What.PICTURE_CAME, plain(f"{words}: {file}"), unit, picture.alert_id))

    def _lose(self, unit: UnitKey, picture: Still, now: Moment, why: str) -> None:
        """Count a picture that is not kept, and tell it where that is news."""
        self.unkept += 1
        if self._shares.is_news(unit, now.monotonic_s):
            words = f"{unit} {picture.name} of {picture.alert_id}, {len(picture.jpeg)} bytes, cannot be kept: {why}"
            self._tell(Happening(What.PICTURE_LOST, plain(words), unit, picture.alert_id))

    def _remember(self, unit: UnitKey, alert_id: str, picture: Picture) -> None:
        owner, pictures = self._early.pop(alert_id, (unit, {}))
        if owner != unit:  # two units, one alert that nobody knows yet: each speaks for itself only
            pictures = {}
        self._early[alert_id] = (unit, {**pictures, picture.name: picture})
        strangers = [each for each, (whose, _) in self._early.items() if whose == unit and each not in self._alerts]
        for forgotten in strangers[: max(0, len(strangers) - MOST_EARLY)]:
            del self._early[forgotten]
            self._checksums.pop(forgotten, None)


def _cost_bytes(picture: Still) -> int:
    return len(picture.jpeg) + FILE_BYTES


def _described(picture: Still) -> Picture:
    return Picture(picture.name, picture.sha256, picture.taken, len(picture.jpeg))


def _store(folder: Path, unit: UnitKey, picture: Still) -> Path:
    """Write a picture, whole or not at all; the topic's levels are safe as names, the schema saw to the alert's id.

    Raises:
        OSError: the disk does not take it, or has no more room than the journal may need.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # of people in danger: its owner's alone
    if shutil.disk_usage(folder).free < RESERVE_BYTES:
        raise OSError(errno.ENOSPC, "the rest of the disk is for the journal")
    home = folder / unit.org / unit.unit / picture.alert_id
    home.mkdir(parents=True, exist_ok=True)
    target = home / f"{picture.name}-{picture.sha256[:SHOWN]}.jpg"
    with complete_file(target) as part:
        part.write_bytes(picture.jpeg)
    return target
