"""Pictures at the control room: beside their alert, whichever was first, and believed only for its sake."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from agent.config.settings import UnitSettings
from agent.control_room import album
from agent.control_room.album import DAY_BYTES, FILE_BYTES, MOST_EARLY, MOST_OF_ALERT, Album, as_text
from agent.control_room.desk import Desk
from agent.control_room.happenings import Happening, What
from agent.control_room.plain_text import plain
from agent.control_room.shares import DAY_S
from agent.uplink import still
from agent.uplink.publication import Received
from agent.uplink.validation import MessageInvalid
from tests.alongside import alongside
from tests.control_room.wires import COLUMN, SHOP, after, alert

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.control_room.happenings import UnitKey


def picture(
    alert_id: str = "A1",
    unit: UnitKey = COLUMN,
    text: bytes = b"street",
    source: UnitKey | None = None,
    name: str = "snapshot",
) -> Received:
    """A picture as it comes from the broker."""
    jpeg = still.JPEG_BEGINS + text
    settings = UnitSettings(id=unit.unit, org=unit.org, name="HK-001", location="by the clock")
    sent = still.publication(
        settings, still.Still(alert_id, name, after(0).wall, hashlib.sha256(jpeg).hexdigest(), jpeg)
    )
    said = dict(sent.user_properties)
    if source is not None:
        said["source"] = f"/safepoint/{source.org}/units/{source.unit}"
    return Received(sent.topic, sent.payload, content_type=sent.content_type, user_properties=tuple(said.items()))


class Room:
    """A desk and its album."""

    def __init__(self, folder: Path | None = None) -> None:
        self.desk = Desk()
        self.told: list[Happening] = []
        self.album = Album(folder, self.desk.alerts, self.told.append)

    def raised(self, **data: Any) -> None:  # noqa: ANN401 - JSON
        """An alert comes."""
        self.desk.alert(COLUMN, alert(**data), after(1))

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """The album at work, until everything is kept."""
        async with alongside(self.album.run()):
            yield
            await self.album.finished()


def files_in(folder: Path) -> list[Path]:
    return [*folder.rglob("*.jpg")]


def evidence(sha256: str) -> dict[str, Any]:
    return {"snapshot": {"status": "ready", "sha256": sha256}}


async def test_a_picture_is_kept_as_it_came_and_told(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.raised()
    async with room.keeping():
        room.album.take(picture(), after(2))
    kept = room.album.of(room.desk.alerts["A1"])["snapshot"].file
    assert kept is not None
    assert kept.read_bytes() == picture().payload
    assert kept.relative_to(tmp_path).parts[:3] == (COLUMN.org, COLUMN.unit, "A1")
    assert [happening.what for happening in room.told] == [What.PICTURE_CAME]
    assert plain(room.told[0].text) == room.told[0].text


@pytest.mark.parametrize("alert_first", [True, False])
def test_a_picture_is_the_one_that_its_alert_tells_whichever_comes_first(*, alert_first: bool) -> None:
    room, sha256 = Room(), hashlib.sha256(picture().payload).hexdigest()
    if alert_first:
        room.raised(evidence=evidence(sha256))
    room.album.take(picture(), after(2))
    if not alert_first:
        room.raised(evidence=evidence(sha256))
    assert room.album.standing(room.desk.alerts["A1"], "snapshot") == "here"
    assert room.album.standing(room.desk.alerts["A1"], "strip") is None


def test_a_picture_that_its_alert_does_not_tell_of_is_marked() -> None:
    room = Room()
    room.raised(evidence=evidence("0" * 64))
    room.album.take(picture(), after(2))
    assert room.album.standing(room.desk.alerts["A1"], "snapshot") == "NOT THE ONE TOLD"


def test_no_unit_can_put_a_picture_beside_anothers_alert() -> None:
    room = Room()
    room.raised()
    with pytest.raises(MessageInvalid, match="alert of"):
        room.album.take(picture(unit=SHOP), after(2))
    with pytest.raises(MessageInvalid, match="says it is from"):
        room.album.take(picture(source=SHOP), after(2))
    early = Room()
    early.album.take(picture(unit=SHOP), after(2))  # before anybody knows whose alert it is
    early.raised()
    assert early.album.of(early.desk.alerts["A1"]) == {}


def test_pictures_of_alerts_that_nobody_knows_are_few() -> None:
    room = Room()
    room.raised()
    room.album.take(picture(), after(2))
    for number in range(MOST_EARLY + 10):
        room.album.take(picture(f"B{number}"), after(2))
    assert len(room.album._early) == MOST_EARLY + 1
    assert "snapshot" in room.album.of(room.desk.alerts["A1"])


def test_a_picture_of_a_name_that_nobody_knows_is_refused() -> None:
    with pytest.raises(MessageInvalid, match="does not know"):
        Room().album.take(picture(name="holiday-7"), after(2))


async def test_an_alert_has_few_pictures_and_one_that_comes_again_is_the_same(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.raised()
    async with room.keeping():
        for number in [*range(MOST_OF_ALERT + 3), 0, 0]:
            room.album.take(picture(text=b"%d" % number), after(2))
    assert len(files_in(tmp_path)) == MOST_OF_ALERT
    assert room.album.unkept == 3
    assert [happening.what for happening in room.told].count(What.PICTURE_LOST) == 1


async def test_a_flood_of_one_unit_leaves_the_others_their_pictures_and_the_disk_its_room(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.raised()
    async with room.keeping():
        for number in range(10_000):
            room.album.take(picture(f"B{number}", unit=SHOP), after(2))
            if number % 50 == 0:
                await room.album.finished()
        room.album.take(picture(), after(3))
    theirs = files_in(tmp_path / SHOP.org / SHOP.unit)
    assert len(theirs) <= DAY_BYTES // FILE_BYTES
    assert len(room.album._early) == len(room.album._checksums) == MOST_EARLY + 1
    assert room.album.unkept == 10_000 - len(theirs)
    assert [happening.what for happening in room.told].count(What.PICTURE_LOST) == 1
    assert room.album.standing(room.desk.alerts["A1"], "snapshot") == "here"
    async with room.keeping():  # a day later it may send again
        room.album.take(picture("C1", unit=SHOP), after(2 + DAY_S))
    assert len(files_in(tmp_path / SHOP.org / SHOP.unit)) == len(theirs) + 1


async def test_what_the_journal_may_need_of_the_disk_no_picture_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(album, "RESERVE_BYTES", shutil.disk_usage(tmp_path).total + 1)
    room = Room(tmp_path)
    async with room.keeping():
        room.album.take(picture(), after(2))
    assert not files_in(tmp_path)
    assert "for the journal" in room.told[0].text


async def test_pictures_are_for_their_owners_eyes_only(tmp_path: Path) -> None:
    room = Room(tmp_path / "pictures")
    async with room.keeping():
        room.album.take(picture(), after(2))
    assert (tmp_path / "pictures").stat().st_mode & 0o077 == 0


async def test_a_picture_that_the_disk_does_not_take_is_told(tmp_path: Path) -> None:
    (tmp_path / COLUMN.org).write_text("a file where the folder should be", encoding="utf-8")
    room = Room(tmp_path)
    async with room.keeping():
        room.album.take(picture(), after(2))
    assert [happening.what for happening in room.told] == [What.PICTURE_LOST]
    assert room.album.unkept == 1


def test_the_journal_gets_words_about_a_picture_and_not_the_picture() -> None:
    said = json.loads(as_text(picture()).payload)
    assert said["attributes"]["correlationid"] == "A1"
    assert said["sizeBytes"] == len(picture().payload)
