"""The pictures that came with alerts: whether each is the one that its alert tells of, and where it lies."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from agent.control_room.happenings import Happening, UnitKey, What
from agent.control_room.plain_text import plain
from agent.footage.store.incident_files import complete_file
from agent.uplink import still
from agent.uplink.topics import ROOT
from agent.uplink.validation import MessageInvalid

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from agent.control_room.alerts import Alert
    from agent.uplink.publication import Received
    from agent.uplink.still import Still

MOST_EARLY: Final = 256
"""Pictures without an alert that are remembered: a picture may overtake its alert, or be of one long closed."""
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
        self._to_keep: asyncio.Queue[tuple[UnitKey, Still]] = asyncio.Queue()
        self.unkept = 0
        """Pictures that the disk did not take."""

    def take(self, received: Received) -> None:
        """A picture came: show it at once, keep it soon.

        Raises:
            MessageInvalid: it cannot be believed; the text says why.
        """
        unit = UnitKey(*received.topic.removeprefix(f"{ROOT}/").split("/")[:2])
        picture, source = still.read(received)
        if source != f"/safepoint/{unit.org}/units/{unit.unit}":
            msg = f"the still says it is from {source}"
            raise MessageInvalid(msg)
        alert = self._alerts.get(picture.alert_id)
        if alert is not None and alert.unit != unit:
            msg = f"{unit} sent a picture of an alert of {alert.unit}"
            raise MessageInvalid(msg)
        self._remember(unit, picture.alert_id, _described(picture))
        self._to_keep.put_nowait((unit, picture))

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
            unit, picture = await self._to_keep.get()
            try:
                await self._keep(unit, picture)
            finally:
                self._to_keep.task_done()

    async def finished(self) -> None:
        """Wait until everything that came is dealt with."""
        await self._to_keep.join()

    async def _keep(self, unit: UnitKey, picture: Still) -> None:
        words = f"{unit} {picture.name} of {picture.alert_id}, {len(picture.jpeg)} bytes"
        if self._folder is None:
            self._tell(Happening(What.PICTURE_CAME, plain(words), unit, picture.alert_id))
            return
        try:
            file = await asyncio.to_thread(_store, self._folder, unit, picture)
        except OSError as error:
            self.unkept += 1
            words = f"{words}, cannot be kept: {error.strerror}"
            self._tell(Happening(What.PICTURE_LOST, plain(words), unit, picture.alert_id))
            return
        self._remember(unit, picture.alert_id, replace(_described(picture), file=file))
        self._tell(Happening(What.PICTURE_CAME, plain(f"{words}: {file}"), unit, picture.alert_id))

    def _remember(self, unit: UnitKey, alert_id: str, picture: Picture) -> None:
        owner, pictures = self._early.pop(alert_id, (unit, {}))
        if owner != unit:  # two units, one alert that nobody knows yet: each speaks for itself only
            pictures = {}
        self._early[alert_id] = (unit, {**pictures, picture.name: picture})
        strangers = [each for each in self._early if each not in self._alerts]
        for forgotten in strangers[: max(0, len(strangers) - MOST_EARLY)]:
            del self._early[forgotten]


def _described(picture: Still) -> Picture:
    return Picture(picture.name, picture.sha256, picture.taken, len(picture.jpeg))


def _store(folder: Path, unit: UnitKey, picture: Still) -> Path:
    """Write a picture, whole or not at all; the topic's levels are safe as names, the schema saw to the alert's id.

    Raises:
        OSError: the disk does not take it.
    """
    home = folder / unit.org / unit.unit / picture.alert_id
    home.mkdir(parents=True, exist_ok=True)
    target = home / f"{picture.name}-{picture.sha256[:SHOWN]}.jpg"
    with complete_file(target) as part:
        part.write_bytes(picture.jpeg)
    return target
