"""The footage of an incident through the whole unit: filmed, cut, told, and true to the frame."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from agent.control_room import commands
from agent.control_room.command_line import understood
from agent.control_room.commands import CommandRefused
from agent.footage.show.stills import MAX_BYTES
from agent.signals import Category, Media
from agent.uplink.media.request import PieceOf, UploadRequest
from agent.uplink.media.web.job import Job, Shelf
from fakes.authority import Authority
from fakes.town import UNIT_ID
from tests.footage.film import clocks
from tests.system.two_ways import both_up, two_ways
from tests.uplink.chaos.rough_network import End, Fault
from tests.uplink.media.upload_server import upload_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from agent.control_room.album import Picture
    from agent.control_room.alerts import Alert, Arrival
    from agent.control_room.room import ControlRoom
    from fakes.town import Town
    from tests.uplink.media.upload_server import Site

LIMIT_S = 60.0
PRE_S, POST_S, SEGMENT_S = 2, 1, 2
CAMERA = {"enabled": True, "width_px": 320, "height_px": 180, "bitrate_kbps": 500}
FOOTAGE = {"pre_event_s": PRE_S, "post_event_s": POST_S, "segment_s": SEGMENT_S}


class ClipToSend(NamedTuple):
    """What a clip that is to leave the unit belongs to, and what is told of it."""

    town: Town
    site: Site
    alert: Alert
    clip: dict[str, Any]


async def piece(town: Town, alert: Alert, name: str, *, other_than: str | None = None) -> dict[str, Any]:
    """Wait until this piece of the alert is told as ready, with another checksum than this one."""

    def look(_: object) -> dict[str, Any] | None:
        facts: dict[str, Any] = alert.latest.data["evidence"][name]
        return facts if facts["status"] == "ready" and facts["sha256"] != other_than else None

    return await town.control_room.wait_for(look, LIMIT_S) or {}


def revisions_of_an_upload(alert: Alert) -> list[Arrival] | None:
    """The revisions that tell of an upload of the clip, once the last of them tells that it is done."""
    told = sorted((each for each in alert.arrivals if "upload" in each.data["evidence"]["clip"]), key=_revision)
    return told if told and told[-1].data["evidence"]["clip"]["upload"]["status"] == "done" else None


def _revision(arrival: Arrival) -> int:
    return arrival.revision


def shown(path: Path) -> tuple[float, float]:
    """When the first and the last picture of a clip were taken, by the clock in the picture; none may be missing."""
    film = clocks(path)
    assert [clock.number for clock in film] == list(range(film[0].number, film[-1].number + 1))
    return film[0].taken_ms / 1000, film[-1].taken_ms / 1000


async def has_filmed(town: Town, seconds: int) -> None:
    """Wait until so much is on the unit's disk, as anybody can see who looks there."""
    segments = town.config.footage_folder / "segments"
    async with asyncio.timeout(LIMIT_S):
        while len(list(segments.glob("*.ts"))) <= seconds // SEGMENT_S:  # noqa: ASYNC110 - no folder has an event
            await asyncio.sleep(0.1)


async def test_a_break_in_is_told_with_pictures_and_its_clip_grows_until_the_door_is_shut(
    town_with: Callable[..., Town],
) -> None:
    async with town_with(camera=CAMERA, footage=FOOTAGE) as town:
        await town.start_unit()
        await has_filmed(town, PRE_S)
        opened_s = await town.street.open()
        alert = await town.alert(Category.TAMPER)
        assert {alert.first.data["evidence"][name]["status"] for name in ("snapshot", "strip", "clip")} == {"pending"}
        folder = town.config.footage_folder / "incidents" / alert.alert_id

        short = await piece(town, alert, "clip")
        first_s, last_s = shown(folder / "clip.mp4")
        assert (first_s <= opened_s - PRE_S, last_s >= opened_s + POST_S - 0.001) == (True, True)

        shut_s = await town.street.shut()
        long = await piece(town, alert, "clip", other_than=short["sha256"])
        first_s, last_s = shown(folder / "clip.mp4")
        assert (first_s <= opened_s - PRE_S, last_s >= shut_s + POST_S - 0.001) == (True, True)
        assert datetime.fromisoformat(long["start"]) <= datetime.fromisoformat(short["start"])

        still, strip = await piece(town, alert, "snapshot"), await piece(town, alert, "strip")
        apart = datetime.fromisoformat(strip["end"]) - datetime.fromisoformat(strip["start"])
        assert abs(apart - timedelta(seconds=4)) < timedelta(seconds=0.2)
        for facts, name in ((still, "still.jpg"), (strip, "strip.jpg"), (long, "clip.mp4")):
            stored = (folder / name).read_bytes()
            assert (hashlib.sha256(stored).hexdigest(), len(stored)) == (facts["sha256"], facts["sizeBytes"])
        assert max(still["sizeBytes"], strip["sizeBytes"]) <= MAX_BYTES

        def both_came(room: ControlRoom) -> dict[str, Picture] | None:
            pictures = room.album.of(alert)
            return pictures if len([each for each in pictures.values() if each.file]) > 1 else None

        came = await town.control_room.wait_for(both_came, LIMIT_S) or {}
        assert {name: picture.sha256 for name, picture in came.items()} == {
            "snapshot": still["sha256"],
            "strip": strip["sha256"],
        }
        kept = came["snapshot"].file
        assert kept is not None
        assert kept.read_bytes() == (folder / "still.jpg").read_bytes()
        assert town.control_room.album.standing(alert, "snapshot") == "here"


async def test_the_still_of_a_call_comes_by_the_other_path_when_the_first_is_cut(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(camera=CAMERA, footage=FOOTAGE)
    async with two_ways(town, heartbeat_s=2.0) as first, town:
        await town.start_unit()
        await has_filmed(town, PRE_S)
        await both_up(town, LIMIT_S)
        first.always = Fault(end=End.RESET, end_after=0)
        first.strike(End.RESET)
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)
        still = await piece(town, call, "snapshot")
        came = await town.control_room.wait_for(lambda room: room.album.of(call).get("snapshot"), LIMIT_S)
        assert came is not None
        assert came.sha256 == still["sha256"]
        assert town.control_room.album.standing(call, "snapshot") == "here"


@asynccontextmanager
async def clip_to_send(
    town_with: Callable[..., Town],
    folder: Path,
    **more: Any,  # noqa: ANN401 - of a YAML file
) -> AsyncIterator[ClipToSend]:
    """A door was opened, its clip is ready, and there is a web server to which the unit may send it."""
    authority = Authority(folder / "authority")
    with upload_server(authority.issue_server()) as site:
        uploads = {"uploads": {"ca_file": str(authority.ca_file), "hosts": [site.place], **more}}
        async with town_with(camera=CAMERA, footage=FOOTAGE, uplink=uploads) as town:
            await town.start_unit()
            await has_filmed(town, PRE_S)
            await town.street.open()
            alert = await town.alert(Category.TAMPER)
            yield ClipToSend(town, site, alert, await piece(town, alert, "clip"))


async def test_a_clip_gets_off_the_unit_through_a_restart_and_its_alert_says_so(
    town_with: Callable[..., Town], tmp_path: Path
) -> None:
    async with clip_to_send(town_with, tmp_path) as (town, site, alert, clip):
        town.unit.kill()
        await town.unit.ended()
        request = UploadRequest("up-1", PieceOf(alert.alert_id, Media.CLIP), site.url)
        Shelf(town.state_folder / "media" / "uploads").keep(Job(request, datetime.now(UTC)))
        await town.start_unit()

        def sent(_: object) -> dict[str, Any] | None:
            told: dict[str, Any] = alert.latest.data["evidence"]["clip"].get("upload") or {}
            return told if told.get("status") == "done" else None

        told = await town.control_room.wait_for(sent, LIMIT_S) or {}
        (held,) = site.files.values()
        assert told == {
            "status": "done",
            "host": "localhost",
            "sha256": clip["sha256"],
            "confirmed": "chunks",
            "reason": None,
        }
        assert hashlib.sha256(held).hexdigest() == clip["sha256"]


async def test_a_command_sends_a_clip_off_the_unit_and_its_alert_says_so(
    town_with: Callable[..., Town], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "ANSWER_WITHIN_S", LIMIT_S)
    async with clip_to_send(town_with, tmp_path) as (town, site, alert, clip):
        file = f"incidents/{alert.alert_id}/clip.mp4"
        room = town.control_room
        wanted = understood(f"{UNIT_ID} upload file={file} url={site.url}?key=secret", room.desk.units)
        async with asyncio.timeout(LIMIT_S):
            answers = [answer async for answer in room.command(wanted)]
        statuses = [answer["status"] for answer in answers]
        assert (statuses[0], {*statuses[1:-1]}, statuses[-1]) == ("accepted", {"running"}, "done")
        assert answers[-1]["result"]["sha256"] == clip["sha256"]
        revised = [
            each.data["evidence"]["clip"]["upload"]
            for each in await room.wait_for(lambda _: revisions_of_an_upload(alert), LIMIT_S) or []
        ]
        assert revised[0] == {"status": "running", "host": "localhost", "sentPercent": 0}
        told = revised[-1]
        (held,) = site.files.values()
        assert told["sha256"] == clip["sha256"] == hashlib.sha256(held).hexdigest()
        elsewhere = understood(f"{UNIT_ID} upload file={file} url=https://elsewhere.example/x", room.desk.units)
        with pytest.raises(CommandRefused, match="none of the hosts"):
            async with asyncio.timeout(LIMIT_S):
                _ = [answer async for answer in room.command(elsewhere)]
