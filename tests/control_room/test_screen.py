"""The whole command in a terminal of 80 x 24, against a real broker and a unit driven by hand."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from structlog.testing import capture_logs

from agent.clock import SystemClock
from agent.control_room import drawing, screen
from agent.control_room.room import ControlRoom
from agent.control_room.screen import LOOK_S, Screen
from agent.uplink.endpoint import Endpoint
from agent.uplink.messages import Answer
from fakes.broker import CONTROL_ROOM
from tests.control_room.hand_unit import SOON_S, HandUnit, Town
from tests.control_room.terminal import Terminal
from tests.control_room.wires import COLUMN, after, alert
from tests.uplink.lab import until

if TYPE_CHECKING:
    from pathlib import Path

MAIN_SCREEN, CURSOR_SHOWN = "\x1b[?1049l", "\x1b[?25h"


def command(town: Town, *more: str) -> list[str]:
    files = town.authority.issue_client(CONTROL_ROOM)
    paths = ("--ca", str(files.ca_file), "--cert", str(files.cert_file), "--key", str(files.key_file))
    return ["control-room", "--broker", town.broker.url, *paths, "--operator", "op-7", *more]


async def test_an_operator_sees_an_alert_and_acknowledges_it_by_key(town: Town) -> None:
    async with HandUnit(town, "hk-001").connected() as unit, Terminal(command(town)) as terminal:
        await terminal.shows("street/hk-001", "No alerts.")
        await unit.say(unit.alert(headline="Help call, \x1b[2Jby the clock"))
        await terminal.shows("1 waiting", "HELP", "Help call, ·[2Jby the clock", "NEW")
        await unit.heard("receiver", 1)
        terminal.type("a")
        assert (await unit.heard("operator", 1))["operatorRef"] == "op-7"
        await terminal.shows("0 waiting", "seen op-7")
        terminal.type("q")
        assert await terminal.ended() == 0
        assert terminal.is_as_before()
        assert terminal.output.rindex(MAIN_SCREEN) > terminal.output.rindex("op-7")
        assert CURSOR_SHOWN in terminal.output


async def test_each_outcome_has_its_key_and_a_false_alert_and_a_test_have_their_cause(town: Town) -> None:
    async with HandUnit(town, "hk-001").connected() as unit, Terminal(command(town)) as terminal:
        await terminal.shows("street/hk-001")
        for alert_id, keys, outcome, note in (
            ("A1", "g", "genuine", None),
            ("A2", "t\r \rweekly drill\r", "test", "weekly drill"),
            ("A3", "fa dogx\x7f\r", "false", "a dog"),
        ):
            await unit.say(unit.alert(alert_id=alert_id, headline=f"call {alert_id}"))
            await terminal.shows(f"call {alert_id}", "1 waiting")
            terminal.type(keys)
            closed = await unit.heard("closed", 1, alert_id)
            assert (closed["outcome"], closed["note"]) == (outcome, note)
            await terminal.shows(outcome.upper(), "0 waiting")
        terminal.type("\x04")
        assert await terminal.ended() == 0


async def test_the_arrows_select_and_the_selection_sticks_to_its_alert(town: Town) -> None:
    async with HandUnit(town, "hk-001").connected() as unit, Terminal(command(town)) as terminal:
        await terminal.shows("street/hk-001")
        await unit.say(unit.alert(alert_id="A1", headline="call one"))
        await terminal.shows("call one")
        await unit.say(unit.alert(alert_id="A2"), unit.alert(alert_id="A3", category="intruder"))
        await terminal.shows("3 waiting")
        for keys, alert_id in (("a", "A1"), ("\x1b[Ba", "A3"), ("k\x1b[Aa", "A2")):
            terminal.type(keys)
            await unit.heard("operator", 1, alert_id)
        terminal.terminate()
        assert await terminal.ended() == 0
        assert terminal.is_as_before()


async def test_a_key_that_is_held_down_closes_no_caller_whom_nobody_looked_at(town: Town) -> None:
    async with HandUnit(town, "hk-001").connected() as unit, Terminal(command(town)) as terminal:
        await terminal.shows("street/hk-001")
        await unit.say(*(unit.alert(alert_id=f"A{number}", headline=f"call {number}") for number in range(1, 5)))
        await terminal.shows("4 waiting")
        terminal.type("g")
        await terminal.shows("GENUINE", "3 waiting")
        for _ in range(15):  # as a keyboard repeats
            terminal.type("g")
            await asyncio.sleep(1 / 30)
        await terminal.shows("Another alert is selected now", "3 waiting")
        await asyncio.sleep(LOOK_S)
        terminal.type("g")
        await terminal.shows("2 waiting")
        terminal.type("q")
        assert await terminal.ended() == 0


async def test_a_lost_broker_is_shown_and_nothing_pretends_to_be_sent(town: Town) -> None:
    async with HandUnit(town, "hk-001").connected() as unit, Terminal(command(town)) as terminal:
        await terminal.shows("street/hk-001")
        await unit.say(unit.alert())
        await terminal.shows("1 waiting")
        await town.broker.stop()
        await terminal.shows("NO BROKER")
        terminal.type("a")
        await terminal.shows("NOT SENT", "1 waiting")
        await town.broker.start()
        await terminal.shows_no("NO BROKER")
        terminal.type("q")
        assert await terminal.ended() == 0


async def test_without_a_terminal_it_prints_lines_until_its_input_ends(town: Town, tmp_path: Path) -> None:
    journal = tmp_path / "messages.jsonl"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agent.cli.main",
        *command(town, "--journal", str(journal)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(SOON_S), HandUnit(town, "hk-001").connected() as unit:
        while b"unit-online" not in await process.stdout.readline():
            continue
        await unit.say(unit.alert(headline="Help call, \x1b[2Jby the clock"))
        while b"alert-raised" not in (line := await process.stdout.readline()):
            continue
        assert "HELP r1 Help call, ·[2Jby the clock" in line.decode()
        await unit.heard("receiver", 1)
        process.stdin.close()
        _, errors = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert any("/alert/help" in json.loads(line)["topic"] for line in journal.read_text(encoding="utf-8").splitlines())


async def test_it_ends_when_nobody_reads_its_lines_any_more(town: Town) -> None:
    reading, writing = os.pipe()
    program = (sys.executable, "-m", "agent.cli.main", *command(town))
    async with HandUnit(town, "hk-001").connected() as unit:
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*program, stdin=pipe, stdout=writing, stderr=nothing)
        os.close(writing)
        assert await asyncio.to_thread(os.read, reading, 1)
        os.close(reading)
        await unit.say(unit.alert())
        async with asyncio.timeout(SOON_S):
            assert await process.wait() == 0


async def test_an_operator_types_a_command(town: Town) -> None:
    async with HandUnit(town, "hk-001").connected() as unit, Terminal(command(town)) as terminal:
        unit.later_answers = [Answer.DONE]
        await terminal.shows("street/hk-001", "No alerts.")
        terminal.type(":hk-001 test-alert\r")
        await terminal.shows("street/hk-001 test-alert done")
        assert unit.commands == ["test-alert"]
        terminal.type("q")
        assert await terminal.ended() == 0


async def test_without_a_terminal_each_line_of_the_input_is_a_command(town: Town) -> None:
    async with HandUnit(town, "hk-001").connected() as unit:
        unit.later_answers = [Answer.DONE]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "agent.cli.main", *command(town)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate(b"street/hk-001 set\nstreet/hk-001 lite\n")
    assert process.returncode == 0
    assert unit.commands == ["set"]
    assert "street/hk-001 set done: as you wish" in output.decode()
    assert "NOT SENT: there is no command lite" in output.decode()


async def test_a_console_cannot_call_itself_otherwise_than_its_certificate_does(town: Town) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent.cli.main", *command(town, "--name", "supervisor")),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert f"{CONTROL_ROOM}, and units obey no other one: leave --name out" in errors.decode()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--broker", "nonsense"), "'nonsense' is not a URL"),
        (("--broker", "mqtt://localhost:1"), "without TLS"),
        (("--broker", "mqtts://localhost:1"), "give --cert and --key"),
        (("--broker", "mqtts://localhost:1", "--cert", "nowhere", "--key", "nowhere"), "nowhere cannot be read"),
        (("--broker", "mqtt://localhost:1", "--insecure-lab", "--journal", "nowhere/x"), "nowhere/x cannot be written"),
        (("--broker", "mqtt://localhost:1", "--insecure-lab", "--name", "a b"), "--name 'a b'"),
        (("--broker", "mqtt://localhost:1", "--insecure-lab", "--org", "A/B"), "--org 'A/B'"),
        (("--broker", "mqtt://localhost:1", "--insecure-lab", "--operator", ""), "--operator"),
        ((), "--broker"),
    ],
)
async def test_bad_input_is_one_sentence(arguments: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agent.cli.main",
        "control-room",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=tmp_path,
    )
    output, errors = await process.communicate()
    assert (process.returncode, output) == (2, b"")
    assert sentence in errors.decode()
    assert errors.count(b"\n") == 1


async def test_a_desk_that_cannot_be_drawn_ends_no_console_and_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    broken = True
    drawn = 0

    def draw(*args: object) -> object:
        nonlocal drawn
        drawn += 1
        if broken:
            msg = "a fault of ours"
            raise ValueError(msg)
        return drawing.draw(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(screen, "draw", draw)
    with os.fdopen(slave) as terminal, capture_logs() as logs:
        monkeypatch.setattr(sys, "stdin", terminal)
        paper = StringIO()
        room = ControlRoom(Endpoint("localhost", 1, None), "console-1", SystemClock())
        room.desk.alert(COLUMN, alert(headline="Help call one"), after(0))
        showing = Screen(room, SystemClock(), Console(file=paper, width=80, height=24, force_terminal=True))
        running = asyncio.create_task(showing.run())
        await until(lambda: drawn > 2 or running.done(), "it was tried again")
        assert "THE DESK CANNOT BE DRAWN (ValueError)" in paper.getvalue()
        assert "1 alerts are on it" in paper.getvalue()
        broken = False
        await until(lambda: "Help call one" in paper.getvalue() or running.done(), "the desk is drawn again")
        os.write(master, b"q")
        await running
    os.close(master)
    assert [each["event"] for each in logs] == ["desk_not_drawn", "desk_drawn_again"]
