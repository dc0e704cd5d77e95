"""The screen as lines of text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from agent.control_room.desk import Desk
from agent.control_room.drawing import KEYS, Scene, clock_words, draw, in_order
from agent.life import Life
from agent.signals import AckLevel, Outcome
from tests.control_room.wires import COLUMN, SHOP, ack, after, alert, heartbeat, status

HOSTILE = "\x1b[2J\x1b]0;pwned\x07[bold red]all is well[/]\r\n\u202egnp.exe"


def shown(scene: Scene, width: int = 80, height: int = 24, *, colour: bool = False) -> list[str]:
    """The lines as a terminal of this size gets them."""
    colours: Literal["truecolor"] | None = "truecolor" if colour else None
    console = Console(file=StringIO(), width=width, height=height, force_terminal=colour, color_system=colours)
    with console.capture() as capture:
        console.print(draw(scene, width, height))
    return capture.get().splitlines()


def text_of(scene: Scene) -> str:
    return "\n".join(shown(scene))


def a_busy_desk() -> Desk:
    desk = Desk()
    desk.status(SHOP, status("lost"), after(0))
    desk.heartbeat(COLUMN, heartbeat(faults=("recorder",), pending=3), after(0))
    desk.alert(COLUMN, alert(alert_id="T1", test=True, headline="Test from the engineer"), after(1))
    desk.alert(COLUMN, alert(alert_id="I1", category="intruder", at_s=5, headline="Somebody in the yard"), after(5))
    desk.alert(COLUMN, alert(alert_id="A1", at_s=2, late=True, headline="Help call one"), after(60))
    desk.alert(COLUMN, alert(alert_id="A2", at_s=50, silent=True, headline="Help call two"), after(61))
    desk.alert(COLUMN, alert(alert_id="F1", category="fault", headline="Recorder dead"), after(62))
    desk.alert(COLUMN, alert(alert_id="C1", at_s=70, headline="Closed long ago"), after(70))
    desk.acknowledgement(COLUMN, ack(AckLevel.CLOSED, alert_id="C1", outcome=Outcome.GENUINE), after(71))
    return desk


def test_open_comes_before_closed_then_help_then_unseen_then_new_and_tests_last() -> None:
    desk = a_busy_desk()
    assert [each.alert_id for each in in_order(desk)] == ["A2", "A1", "I1", "F1", "T1", "C1"]
    desk.acknowledgement(COLUMN, ack(AckLevel.OPERATOR, alert_id="A2"), after(72))
    assert [each.alert_id for each in in_order(desk)][:2] == ["A1", "A2"]


@pytest.mark.parametrize(
    ("update", "shown_as"),
    [
        ({"waits": {"version": "1.3.0", "since": "2026-11-29T03:00Z", "why": "a call is open"}}, "update 1.3.0 waits"),
        ({"trial": "1.3.0"}, "update tries 1.3.0"),
        ({"slot": "a"}, None),
    ],
)
def test_a_new_version_that_waits_stands_beside_its_unit(update: dict[str, object], shown_as: str | None) -> None:
    desk = Desk()
    desk.heartbeat(COLUMN, heartbeat(update=update), after(0))
    text = text_of(Scene(desk, after(1)))
    assert shown_as in text if shown_as else "update" not in text


def test_one_screen_tells_it_all() -> None:
    screen = text_of(Scene(a_busy_desk(), after(80), selected="A1", note="something happened"))
    for told in (
        "5 waiting",
        "2 units, 1 lost or quiet",
        "TEST",
        "LATE",
        "SILENT",
        "> ",
        "Help call one",
        "by the clock",
        "GENUINE",
        "ashfield/shop-7   LOST",
        "ashfield/hk-001   ONLINE",
        "recorder dead",
        "3 undelivered",
        "heard 1:20 ago",
        "something happened",
        KEYS,
    ):
        assert told in screen, told


def test_a_unit_that_was_replaced_or_restarted_says_so_for_a_while_in_words() -> None:
    desk = Desk()
    desk.status(COLUMN, status("online", life=Life("boot-1", 12.0, "inst-a", 7)), after(0))
    desk.status(COLUMN, status("online", life=Life("boot-1", 90.0, "inst-a", 8)), after(60))
    desk.status(SHOP, status("online", life=Life("boot-5", 12.0, "inst-s", 7)), after(0))
    desk.status(SHOP, status("online", life=Life("boot-6", 12.0, "inst-t", 1)), after(60))
    desk.heartbeat(COLUMN, heartbeat(life=Life("boot-1", 90.0, "inst-a", 8)), after(61))
    screen = "\n".join(shown(Scene(desk, after(90)), width=160))
    assert "ashfield/hk-001   ONLINE   heard 0:29 ago  its program began anew (start 8), 0:30 ago" in screen
    assert "ashfield/shop-7   REPLACED   another installation (inst-t) answers for it, perhaps on another" in screen
    assert screen.index("shop-7") < screen.index("hk-001"), "the one in trouble comes first"
    assert "began anew" not in text_of(Scene(desk, after(3600)))


def test_a_test_never_looks_like_the_real_thing() -> None:
    frames = []
    for test in (True, False):
        desk = Desk()
        desk.alert(COLUMN, alert(test=test), after(0))
        frames.append(shown(Scene(desk, after(0)), colour=True)[1])
    is_red = ["41m HELP" in frame for frame in frames]
    flashes = ["\x1b[1;7m" in frame for frame in frames]
    assert (is_red, flashes) == ([False, True], [False, True])
    assert " TEST " in frames[0]


@pytest.mark.parametrize(
    ("operator", "state"),
    [
        (None, "NEW"),
        ({"late": False, "escalated": False}, "NEW"),
        ({"late": True, "escalated": False}, "OVERDUE"),
        ({"late": True, "escalated": True}, "ESCALATED"),
    ],
)
def test_an_alert_that_waits_too_long_says_so_until_it_is_seen(operator: dict[str, bool] | None, state: str) -> None:
    desk = Desk()
    desk.alert(COLUMN, alert(operator=operator), after(0))
    assert shown(Scene(desk, after(1)))[1].endswith(f" {state}")
    desk.acknowledgement(COLUMN, ack(AckLevel.OPERATOR), after(2))
    assert shown(Scene(desk, after(3)))[1].endswith(" seen op-9")


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (None, "no pictures"),
        ({"snapshot": {"status": "ready"}, "clip": {"status": "pending"}}, "still ready, clip pending"),
        (
            {
                "snapshot": {"status": "ready", "sha256": "ab"},
                "strip": {"status": "failed", "reason": "no camera"},
                "clip": {"status": "pending", "sha256": "cd"},
            },
            "still ready, strip failed, clip growing",
        ),
    ],
)
def test_the_selected_alert_says_what_can_be_looked_at(evidence: dict[str, object] | None, words: str) -> None:
    desk = Desk()
    desk.alert(COLUMN, alert(evidence=evidence), after(0))
    assert f"; {words}\n" in re.sub(" +\n", "\n", text_of(Scene(desk, after(1), selected="A1")))


def test_no_broker_is_unmistakable() -> None:
    assert "NO BROKER: it cannot be reached" in text_of(Scene(Desk(), after(0), trouble="it cannot be reached"))
    assert "NO BROKER" not in text_of(Scene(Desk(), after(0)))


def test_an_unseen_alert_flashes_and_a_seen_one_does_not() -> None:
    desk = Desk()
    desk.alert(COLUMN, alert(), after(0))

    def frames() -> set[str]:
        moments = (after(10), after(10.5), after(11))
        return {
            shown(Scene(desk, replace(moment, wall=after(0).wall), selected=None), colour=True)[1] for moment in moments
        }

    def styles() -> set[bool]:
        return {"\x1b[1;7m" in frame for frame in frames()}

    assert styles() == {True, False}
    desk.acknowledgement(COLUMN, ack(AckLevel.OPERATOR), after(1))
    assert styles() == {False}


def test_words_from_the_network_only_show() -> None:
    desk = Desk()
    desk.alert(COLUMN, alert(headline=HOSTILE), after(0))
    desk.heartbeat(COLUMN, heartbeat(faults=(HOSTILE,)), after(0))
    scene = Scene(desk, after(0), trouble=HOSTILE, selected="A1", note=HOSTILE)
    lines = shown(scene)
    assert len(lines) == 24
    assert not any(mark in line for line in lines for mark in ("\x1b", "\x07", "\r", "\u202e"))
    assert any("[bold red]all is well[/]" in line for line in lines)


@given(
    width=st.integers(10, 200),
    height=st.integers(1, 60),
    headlines=st.lists(st.text(max_size=120), max_size=30),
)
def test_the_screen_fits_its_terminal(width: int, height: int, headlines: list[str]) -> None:
    desk = a_busy_desk()
    for number, headline in enumerate(headlines):
        desk.alert(COLUMN, alert(alert_id=f"N{number}", headline=headline), after(90))
    lines = shown(Scene(desk, after(100), selected="A1", note="x" * 300), width, height)
    assert len(lines) <= height
    assert all(cell_len(line) <= width for line in lines)


def test_the_selected_alert_is_always_on_the_screen() -> None:
    desk = Desk()
    for number in range(50):
        desk.alert(COLUMN, alert(alert_id=f"N{number}", at_s=number, headline=f"call number {number}"), after(60))
    for number in (0, 25, 49):
        lines = shown(Scene(desk, after(60), selected=f"N{number}"))
        assert any(line.startswith("> ") and f"call number {number} " in line for line in lines)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0:00"), (7, "0:07"), (750, "12:30"), (11_100, "3h05"), (187_300, "2d04h")],
)
def test_ages_read_like_a_clock(seconds: int, words: str) -> None:
    assert clock_words(timedelta(seconds=seconds)) == words
