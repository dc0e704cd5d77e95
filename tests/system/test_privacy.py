"""What people say stays in the street (design rule 4): what the unit writes or sends holds neither voice nor words.

There is no retention of sound in this software, so the rule has no exception: not even an open help call keeps any.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from agent.signals import Category, Outcome
from agent.uplink.topics import UnitTopics
from fakes import SPEECH
from fakes.sound import StreetSound
from fakes.town import LIMIT_S, ORG, UNIT_ID, Town
from tests.privacy.layers import Artefact, sound_tracks, table_columns, with_layers
from tests.privacy.sound_search import RESEMBLES_SCORE, SoundSearch
from tests.privacy.spoken import PHRASE, SENTENCES, TALK_BEFORE, TALK_DURING, UNKNOWN_SPEECH, recording
from tests.privacy.syscalls import Calls
from tests.privacy.word_search import WordSearch
from tests.uplink.lab import until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.control_room.alerts import Alert
    from agent.control_room.room import ControlRoom

TOPICS = UnitTopics(ORG, UNIT_ID)
STATUS = TOPICS.status.encode()
SNR_DB = 20.0
VOICE = {
    "enabled": True,
    "phrases": [{"say": SENTENCES[PHRASE], "label": "phrase-1"}],
    "decoys": ["the police station", "the weather"],
    "meter": {"enabled": True},
}
CAMERA = {"enabled": True, "width_px": 320, "height_px": 180, "bitrate_kbps": 200}
BY_HAND = {"mode": "manual", "windows": []}
FOOTAGE = {"pre_event_s": 2, "post_event_s": 1, "segment_s": 2}
SMALL_BYTES = 100_000
"""Three seconds of sound: what is longer needs no joining to be found."""


class Wire:
    """Every message that passes the broker on any topic, byte for byte, whoever may read it: heard by mosquitto_sub."""

    def __init__(self, town: Town, folder: Path) -> None:
        port = town.broker.plain_port
        assert port
        self._heard = folder / "wire"
        where = ("-V", "5", "-h", "127.0.0.1", "-p", str(port), "-t", "#")
        # -d, so that it tells when it has subscribed; stdbuf, so that it does not keep that until more comes.
        self._program = ["stdbuf", "-oL", "mosquitto_sub", "-d", *where, "-F", "%t %P %C %D %R %x"]
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        with self._heard.open("wb") as heard:
            environment = {**os.environ, "LC_ALL": "C"}
            self._process = await asyncio.create_subprocess_exec(*self._program, stdout=heard, env=environment)
        await until(lambda: any(line.startswith(b"Subscribed") for line in self._lines()), "mosquitto_sub hears")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process
        self._process.terminate()
        await self._process.wait()

    @property
    def messages(self) -> list[tuple[bytes, bytes]]:
        """What is around each payload, its topic and properties, and the payload."""
        heard = [line.rpartition(b" ") for line in self._lines() if not line.startswith((b"Subscribed", b"Client "))]
        return [(around, bytes.fromhex(payload.decode())) for around, _, payload in heard]

    def _lines(self) -> list[bytes]:
        """Those that are whole."""
        return self._heard.read_bytes().rpartition(b"\n")[0].splitlines()

    async def has_heard_the_end(self) -> None:
        """Wait for the good-bye of the unit."""
        await until(
            lambda: any(around.startswith(STATUS) and b'"stopped"' in said for around, said in self.messages), "it ends"
        )

    def artefacts(self) -> tuple[Artefact, Artefact]:
        """All payloads, one after the other, and all that was around them."""
        around, payloads = zip(*self.messages, strict=True)
        return Artefact("payloads", b"".join(payloads)), Artefact("topics", b"\n".join(around))


def files(folder: Path) -> list[Artefact]:
    """Every file below a folder as it is now; one that goes meanwhile was seen or is seen later under another name."""
    found = []
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink():
                found.append(Artefact(str(path.relative_to(folder.parent)), path.read_bytes()))
    return found


def core_limit(pid: int) -> list[str]:
    """Soft and hard limit of a process's core dump."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line.split()[4:6] for line in lines if line.startswith("Max core file size"))


class Household:
    """The folders that the unit is given: all that it may write to."""

    def __init__(self, folder: Path) -> None:
        self.home, self.temp = folder / "home", folder / "tmp"
        self.home.mkdir()
        self.temp.mkdir()
        self._folder = folder

    @property
    def environment(self) -> dict[str, str]:
        """What sends a program's own files there."""
        temp = dict.fromkeys(("TMPDIR", "SQLITE_TMPDIR", "XDG_RUNTIME_DIR"), str(self.temp))
        return {**temp, "HOME": str(self.home), "XDG_CACHE_HOME": str(self.home), "XDG_STATE_HOME": str(self.home)}

    def written(self, town: Town) -> list[Artefact]:
        """Everything in them now, with the log."""
        logged = Artefact("log", town.unit.log.encode())
        return [*files(town.state_folder), *files(self.home), *files(self.temp), logged]

    def outside(self, town: Town, paths: Iterable[str]) -> set[str]:
        """Those of these files that are not in them."""
        mine = (town.state_folder, self.home, self.temp)
        log = str(self._folder / "unit.log")
        return {path for path in paths if path != log and not any(Path(path).is_relative_to(each) for each in mine)}


async def an_evening_with_a_call(town: Town, household: Household) -> list[Artefact]:
    """Talk, the phrase, talk while help is on its way, the call's end, talk; returns what was there in its middle."""

    async def says(name: str) -> None:
        await town.street.say(SPEECH / f"{name}.wav", SNR_DB)

    async def has(alert: Alert, piece: str) -> None:
        def look(_: ControlRoom) -> bool:
            return bool(alert.latest.data["evidence"][piece]["status"] == "ready")

        await town.control_room.wait_for(look, LIMIT_S)

    await says(TALK_BEFORE)
    await says(PHRASE)
    alert = await town.alert(Category.HELP)
    assert "phrase-1" in str(alert.first.data), "it was not the voice that called: this test shows nothing"
    await says(TALK_DURING)
    await has(alert, "snapshot")
    await has(alert, "clip")
    in_the_middle = household.written(town)
    await town.control_room.acknowledge(alert.alert_id, "op-1")
    await town.control_room.close_alert(alert.alert_id, Outcome.GENUINE, None, "op-1")
    await town.control_room.wait_for(lambda _: alert.latest.data["state"] == "closed", LIMIT_S)
    await says(TALK_BEFORE)
    return in_the_middle


async def test_nothing_that_is_written_or_sent_holds_what_was_said(folder: Path) -> None:
    household = Household(folder)
    changed = {"voice": VOICE, "camera": CAMERA, "footage": FOOTAGE, "arming": BY_HAND}
    town = Town(folder, "safe-space", changed, journal=folder / "messages.jsonl", overheard=True)
    calls = Calls(folder)
    town.unit.under = calls.under
    async with town, Wire(town, folder) as wire:
        await town.unit.start(**household.environment)
        await town.unit.ready()
        await town.street.connected("microphone")
        await town.street.connected("camera")
        helpers = town.unit.children()
        assert set(helpers) == {"listener", "recorder"}
        for pid in (town.unit.pid, *helpers.values()):
            assert core_limit(pid) == ["0", "0"]
        artefacts = await an_evening_with_a_call(town, household)
        town.unit.terminate()
        assert await town.unit.ended() == 0
        await wire.has_heard_the_end()
        await until(lambda: calls.ended, "all that was handed to the kernel is written down")
        left = household.written(town)
    assert household.outside(town, calls.written()) == set()
    assert household.outside(town, calls.ways_past()) == set()
    assert calls.ports() == {town.broker.port}
    seen = [*artefacts, *left]
    kinds = {Path(each.where).suffix for each in seen}
    assert {".ts", ".mp4", ".jpg"} <= kinds, "there is no footage: this test shows nothing"
    assert any(each.data.startswith(b"SQLite format 3") for each in seen)
    heard = {around.split()[0].decode().removeprefix(TOPICS.prefix).split("/")[1] for around, _ in wire.messages}
    assert heard >= {"status", "heartbeat", "alert", "incident", "still", "ack"}, "nobody hears what is sent"
    assert [track.where for each in seen for track in sound_tracks(each)] == [], "footage has no sound"

    columns = [column for each in left for column in table_columns(each)]
    to_files, to_each_other = calls.artefacts()
    # what did not change between the two looks, such as finished segments, is searched once
    whole = {each.data: each for each in (*seen, *in_a_row(seen), *columns, *wire.artefacts(), *to_files)}.values()
    layers = [layer for each in whole for layer in with_layers(each)]
    assert list(WordSearch(SENTENCES.values(), [UNKNOWN_SPEECH]).find(layers)) == []
    # The unit's processes tell each other what to listen for, so only sound is looked for in that.
    layers += [layer for each in to_each_other for layer in with_layers(each)]
    search = SoundSearch({name: recording(name) for name in SENTENCES})
    found = search.find([*layers, microphone_sound()], RESEMBLES_SCORE)
    assert {each.where for each in found} == {"the microphone"}, found


def in_a_row(artefacts: Iterable[Artefact]) -> Iterable[Artefact]:
    """Small files of a kind, one after the other: sound could be written a block a file."""
    by_kind: dict[str, list[bytes]] = {}
    for each in artefacts:
        if len(each.data) < SMALL_BYTES:
            by_kind.setdefault(Path(each.where).suffix, []).append(each.data)
    return (Artefact(f"all {kind} files", b"".join(data)) for kind, data in by_kind.items() if len(data) > 1)


def microphone_sound() -> Artefact:
    """What the search must find in the same run: the phrase as this street's microphone hears it."""
    street = StreetSound()
    street.play(SPEECH / f"{PHRASE}.wav", SNR_DB)
    return Artefact("the microphone", b"".join(street.next_block() for _ in range(20)))
