"""The whole unit takes commands from its own control room and from foreign programs, and outlives the wrong ones.

`MUTATED_COMMANDS=10000 ./dev test tests/system/test_commands.py` sends so many wrong ones instead of a few hundred.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
from typing import TYPE_CHECKING, Any, Self

import pytest

from agent.clock import SystemClock
from agent.control_room import commands
from agent.control_room.command_line import understood
from agent.control_room.commands import CommandRefused
from agent.signals import Category, CommandName, Line, Why
from agent.uplink import messages
from agent.uplink.messages import Kind
from agent.uplink.topics import UnitTopics
from agent.uplink.validation import parse
from fakes.broker import CONTROL_ROOM
from fakes.town import LIMIT_S, ORG, UNIT_ID
from tests.commands.desk import whole
from tests.commands.mutations import CODES, mutated
from tests.system.synced_clock import synced_clock
from tests.uplink.lab import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from agent.control_room.room import ControlRoom
from fakes.town import Town

MUTATED = int(os.environ.get("MUTATED_COMMANDS", "300"))
EACH = 20
"""Of them to one topic."""
TOPICS = UnitTopics(ORG, UNIT_ID)
DARK = {"on_motion": "never"}
FOREIGN = TOPICS.response(CONTROL_ROOM)
"""Where foreign programs hear: they have the same certificate."""


@pytest.fixture(autouse=True)
def patient_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for here is an answer, however busy the machine is."""
    monkeypatch.setattr(commands, "ANSWER_WITHIN_S", LIMIT_S)


async def done(room: ControlRoom, line: str) -> list[dict[str, Any]]:
    """Have a command carried out; returns every answer."""
    async with asyncio.timeout(LIMIT_S):
        return [data async for data in room.command(understood(line, room.desk.units))]


def mosquitto(town: Town, program: str, *arguments: str) -> list[str]:
    files = town.credentials
    return [
        *(program, "-V", "5", "-q", "1", "-h", "localhost", "-p", str(town.broker.port)),
        *("--cafile", str(files.ca_file), "--cert", str(files.cert_file), "--key", str(files.key_file)),
        *arguments,
    ]


async def publish(town: Town, topic: str, payloads: Iterable[bytes], *flags: str) -> None:
    """Publish with mosquitto_pub, one message after the other."""
    said = b"".join(payload + b"\n" for payload in payloads)
    properties = ("-D", "publish", "response-topic", FOREIGN, "-D", "publish", "message-expiry-interval", "30")
    program = mosquitto(town, "mosquitto_pub", "-t", topic, "-l", *flags, *properties)
    process = await asyncio.create_subprocess_exec(*program, stdin=subprocess.PIPE)
    await process.communicate(said)
    assert process.returncode == 0


class Listener:
    """mosquitto_sub, and what it heard."""

    def __init__(self, town: Town, *topics: str) -> None:
        filters = [word for topic in topics for word in ("-t", topic)]
        # stdbuf: what it says of its subscription would else wait in a buffer for more.
        self._program = ["stdbuf", "-oL", *mosquitto(town, "mosquitto_sub", *filters, "-F", "%t %p", "-d")]
        self.heard: list[tuple[str, str]] = []
        self._process: asyncio.subprocess.Process | None = None
        self._subscribed = asyncio.Event()
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._program, stdout=subprocess.PIPE, limit=1 << 20, env={**os.environ, "LC_ALL": "C"}
        )
        self._reading = asyncio.create_task(self._read())
        async with asyncio.timeout(LIMIT_S):
            await self._subscribed.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            words = line.decode().rstrip("\n")
            if words.startswith("Subscribed"):
                self._subscribed.set()
            if words.startswith(TOPICS.prefix):
                topic, _, payload = words.partition(" ")
                self.heard.append((topic, payload))
                self._news.set()

    def on(self, topic: str) -> list[str]:
        return [payload for where, payload in self.heard if where == topic]

    async def until(self, holds: Callable[[], bool], limit_s: float) -> None:
        async with asyncio.timeout(limit_s):
            while not holds():
                self._news.clear()
                await self._news.wait()


async def test_an_operators_commands_are_carried_out_and_audited(town_with: Callable[..., Town], folder: Path) -> None:
    async with town_with(lamp=DARK) as town:
        await town.start_unit()
        room = town.control_room
        answers = await done(room, f"{UNIT_ID} light forS=0.5 -- somebody fell")
        assert [each["status"] for each in answers] == ["accepted", "running", "done"]
        assert [change.lit for change in town.street.lamp_history][-2:] == [True, False]
        report = (await done(room, f"{UNIT_ID} config-report"))[-1]["result"]
        assert report["configuration"]["profile"] == "safe-space"
        assert "is daniel in today" not in json.dumps(report)
        assert (await done(room, f"{UNIT_ID} self-test"))[-1]["result"]["state"] == "ok"
        raised = (await done(room, f"{UNIT_ID} test-alert"))[-1]["result"]["alertId"]
        assert raised == (await town.alert(Category.TEST)).alert_id
        for line, why in (
            ("unset", "has no right to unset"),
            ("still", "no camera"),
            ("announce message=welcome", "no stored message welcome"),
            ("upload file=incidents/a/clip.mp4 url=https://example.org/a", "names no host: name the hosts"),
            ("quiet-cause cause=panic-1 forS=60", "never quiet"),
        ):
            with pytest.raises(CommandRefused, match=why):
                await done(room, f"{UNIT_ID} {line}")

        def records() -> list[dict[str, Any]]:
            lines = (folder / "messages.jsonl").read_text(encoding="utf-8").splitlines()
            said = [json.loads(line) for line in lines if line]
            return [each["payload"]["data"] for each in said if each["topic"] == TOPICS.audit]

        await room.wait_for(lambda _: sum(each.get("code") == "never-help" for each in records()), LIMIT_S)
        assert whole(records()) == len(records())
        assert records()[1]["reason"] == "somebody fell"
        assert room.refused == 0, "every answer and every record keeps its schema"


async def test_a_message_is_spoken_at_the_scene(town_with: Callable[..., Town], folder: Path) -> None:
    from agent.hw.lines import line_path  # noqa: PLC0415 - any short recording

    stored = folder / "help-is-coming.wav"
    stored.write_bytes(line_path(Line.HEARD).read_bytes())
    async with town_with(lamp=DARK, speaker={"enabled": True, "messages": {"coming": str(stored)}}) as town:
        await town.start_unit()
        answers = await done(town.control_room, f"{UNIT_ID} announce message=coming")
        assert [each["status"] for each in answers] == ["accepted", "running", "done"]
        assert [spoken.line for spoken in town.street.spoken] == ["help-is-coming"]


HUNG = """
import pathlib, threading, traceback
from pathlib import Path
def hangs(step):
    def stepped(path, *args, **kwargs):
        if "no-answer" in path.parts:
            Path({log!r}).open("a").write(threading.current_thread().name + chr(10))
            threading.Event().wait()
        return step(path, *args, **kwargs)
    return stepped
for name in ("is_file", "is_symlink", "resolve", "stat"):
    setattr(Path, name, hangs(getattr(Path, name)))
"""
"""A unit whose footage disk answers nothing about one incident; it writes down which threads asked."""


async def test_an_upload_from_a_disk_that_hangs_holds_up_no_button(
    town_with: Callable[..., Town], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = folder / "asked"
    (folder / "hung").mkdir()
    (folder / "hung" / "sitecustomize.py").write_text(HUNG.format(log=str(asked)), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder / "hung"), os.environ.get("PYTHONPATH", "")]))
    async with town_with(lamp=DARK, uplink={"uploads": {"hosts": ["example.org"]}}) as town:
        await town.start_unit()
        line = f"{UNIT_ID} upload file=incidents/no-answer/clip.mp4 url=https://example.org/a"
        command = asyncio.create_task(done(town.control_room, line))
        await until(asked.exists, "the disk was asked")
        await town.street.press("panic-1")
        assert await town.alert(Category.HELP)
        assert {*asked.read_text(encoding="utf-8").split()} == {"media-disk"}
        command.cancel()
        await asyncio.gather(command, return_exceptions=True)


async def test_a_command_is_not_carried_out_twice_though_the_unit_is_killed(town_with: Callable[..., Town]) -> None:
    async with town_with(lamp=DARK) as town, Listener(town, FOREIGN) as listener:
        await town.start_unit()
        command = messages.command(
            TOPICS, CONTROL_ROOM, SystemClock().now().wall, CommandName.TEST_ALERT, operator_ref="op-1"
        )
        payload = command.publication().payload
        await publish(town, command.topic, [payload])
        await listener.until(lambda: len(listener.on(FOREIGN)) == 2, LIMIT_S)
        town.unit.kill()
        await town.unit.ended()
        await town.start_unit()
        await publish(town, command.topic, [payload])
        await listener.until(lambda: len(listener.on(FOREIGN)) == 3, LIMIT_S)
        answers = [parse(Kind.RESPONSE, each.encode())["data"] for each in listener.on(FOREIGN)]
        assert [each["status"] for each in answers] == ["accepted", "done", "done"]
        assert answers[1] == answers[2]


async def good_one(town: Town, listener: Listener) -> str:
    """Have a foreign program give a command that is right; returns its id once it is done."""
    command = messages.command(
        TOPICS, CONTROL_ROOM, SystemClock().now().wall, CommandName.CONFIG_REPORT, operator_ref="op-1"
    )
    await publish(town, command.topic, [command.publication().payload])
    await listener.until(lambda: any('"done"' in said for said in listener.on(TOPICS.audit)), LIMIT_S)
    await listener.until(lambda: any('"done"' in said for said in listener.on(FOREIGN)), LIMIT_S)
    return str(command.document["id"])


async def test_foreign_programs_see_valid_events_and_no_wrong_command_is_followed(
    town_with: Callable[..., Town], folder: Path
) -> None:
    limit_s = LIMIT_S + MUTATED / 5
    chance, now = random.Random(5), lambda: SystemClock().now().wall
    async with town_with(lamp=DARK) as town, Listener(town, f"{TOPICS.prefix}/#") as listener:
        await town.start_unit(**synced_clock(folder))
        pid, lit = town.unit.pid, len(town.street.lamp_history)
        used_id, sent = await good_one(town, listener), 0
        right = len(listener.on(FOREIGN))
        for volley in mutated(chance, TOPICS, now, EACH, console=CONTROL_ROOM, used_id=used_id):
            await publish(town, volley.topic, volley.payloads, *(["-r"] if volley.retain else []))
            sent += len(volley.payloads)
            # All that is there after less than the broker keeps for one client.
            await listener.until(lambda: len(listener.on(FOREIGN)) >= right + sent, limit_s)  # noqa: B023 - read at once
            if sent >= MUTATED:
                break
        answers = [parse(Kind.RESPONSE, each.encode())["data"] for each in listener.on(FOREIGN)[right:]]
        assert {each["status"] for each in answers} == {"refused"}
        assert len(answers) >= sent, "a broker may deliver twice; what has no id cannot be known again"
        assert all(each["code"] and each["detail"] for each in answers)
        assert {each["code"] for each in answers} == {*CODES, Why.CLOCK}

        def refused() -> list[dict[str, Any]]:
            records = [parse(Kind.AUDIT, each.encode())["data"] for each in listener.on(TOPICS.audit)]
            return [each for each in records if each["what"] == "refused"]

        await listener.until(lambda: len(refused()) >= sent, limit_s)
        assert whole(json.loads(each)["data"] for each in listener.on(TOPICS.audit)) > sent
        assert (town.unit.pid, len(town.street.lamp_history)) == (pid, lit), "unharmed, and dark"
        assert [each["status"] for each in await done(town.control_room, f"{UNIT_ID} light forS=0.2")][-1] == "done"
        kinds = {
            "status": Kind.STATUS,
            "heartbeat": Kind.HEARTBEAT,
            "rsp": Kind.RESPONSE,
            "audit": Kind.AUDIT,
        }
        for topic, payload in listener.heard:
            if (level := topic.split("/")[4]) in kinds:
                parse(kinds[level], payload.encode())
