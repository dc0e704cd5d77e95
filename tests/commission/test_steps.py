"""Each step fails for what is wrong, in words that say what to do, and leaves nothing in test behind it."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import pytest

from agent.commission.bench import Bench, Patience
from agent.commission.course import Course, Kind, Outcome, Result, Step
from agent.commission.machine import ClockReading, Picture, PictureMissing
from agent.commission.session import opened
from agent.commission.steps import DONE_BY, sound
from agent.commission.steps.countersign import digest_of
from agent.commission.talk import Left, Talk
from agent.config.filming import CameraSettings
from agent.incidents.marks import code_of
from agent.local.messages import AlertAnswered, AlertTold, CameToRest, Hello, RaiseTest, Say, Walk, WentOff
from agent.signals import Category
from tests.commission.test_talk import Typist
from tests.incidents.driven_unit import config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from agent.commission.session import Session
    from agent.config.settings import Config
    from agent.local.client import LocalUnit
    from agent.local.messages import News, Request

NOW = Patience(person_s=0.0, unit_s=0.0, operator_s=0.0, phrase_s=0.0)
"""What does not come at once does not come."""
CODE = code_of("a-1", Category.INTRUDER)
LAST_CODE = code_of("a-9", Category.TEST)
WENT = WentOff("pir-1", "pir", None, 100.0)
TOLD = AlertTold("a-1", 1, "intruder", "active", test=True, sensors=("pir-1",), at_s=100.0)
RECEIVED = AlertAnswered("a-1", 1, "receiver", None, None, None, 100.5)
LAST = AlertTold("a-9", 1, "test", "active", test=True, sensors=("engineer",), at_s=200.0)
LAST_RECEIVED = replace(RECEIVED, alert_id="a-9")
CLOSED = AlertAnswered("a-9", 1, "closed", "op-7", "test", None, 230.0)
WELL = {"faults": [], "paths": [{"id": "primary", "up": True, "provedAgeS": 3.0, "rttMs": 20.0}]}
KEPT = {"daysKept": 31.0, "keepDays": 31.0, "keptBy": "age", "mbPerDay": 16000}


class ScriptedUnit:
    """A unit that has this to tell as soon as it is asked for anything."""

    hello = Hello("ashfield", "hk-001", "1.0", "boot-2", 40.0, cut_off=True)

    def __init__(self, *news: News, facts: Mapping[str, Any] | None = None) -> None:
        self._script = list(news)
        self._facts = {**WELL, **(facts or {})}
        self._first: Mapping[str, Any] | None = None
        self._said: list[Sequence[News]] = []
        self.news: list[News] = []
        self.asked: list[Request] = []

    def hears(self, *each_time: Sequence[News]) -> Self:
        """This comes after each cue in turn."""
        self._said = list(each_time)
        return self

    async def do(self, request: Request) -> Mapping[str, Any]:
        self.asked.append(request)
        if isinstance(request, Say) and self._said:
            self.news += self._said.pop(0)
        if isinstance(request, Say | RaiseTest) and self._script:
            self.news += self._script
            self._script = []
        return {}

    def said_first(self, facts: Mapping[str, Any]) -> Self:
        """This before all else, once."""
        self._first = {**WELL, **facts}
        return self

    async def facts(self) -> Mapping[str, Any]:
        first, self._first = self._first, None
        return first or self._facts

    async def wait_for(self, look: Callable[[ScriptedUnit], object], _within_s: float) -> object:
        return look(self)


class Board:
    """A machine that measures this."""

    def __init__(self, **measured: Any) -> None:  # noqa: ANN401 - by the names of `Machine`
        self._measured = measured

    def clock(self) -> ClockReading:
        return cast("ClockReading", self._measured["clock"])

    def write_speed(self, _folder: Path) -> float:
        return float(self._measured["speed"])

    def boot_id(self) -> str:
        return "boot-2"

    def since_power_up(self, monotonic_s: float) -> float:
        return monotonic_s

    def picture(self) -> Picture:
        if "luma" not in self._measured:
            msg = "nothing was recorded yet"
            raise PictureMissing(msg)
        return Picture(b"\xff\xd8", self._measured["luma"], "2026-11-22T20:00:00+00:00")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[tuple[Session, Config]]:
    settings = config(state_folder=tmp_path, camera=CameraSettings(enabled=True, width_px=640, height_px=360))
    with opened(settings) as (found, _):
        yield found, settings


async def done(
    session: tuple[Session, Config],
    step_id: str,
    unit: ScriptedUnit,
    *typed: str,
    board: Board | None = None,
    settings: Config | None = None,
) -> Result:
    """Do one step, with these answers."""
    found = session[0]
    step = next(step for step in found.course.steps if step.id == step_id)
    there = cast("LocalUnit", unit)
    bench = Bench(settings or session[1], Talk(Typist(*typed), {}), there, board or Board(), found, NOW)
    async with asyncio.timeout(30):
        return await DONE_BY[step.kind](step, bench)


def sharp() -> NDArray[np.uint8]:
    """A chessboard."""
    board: NDArray[np.uint8] = (np.indices((360, 640)).sum(axis=0) // 20 % 2 * 60).astype(np.uint8)
    return board


async def test_a_sensor_whose_code_is_read_back_has_passed(session: tuple[Session, Config]) -> None:
    unit = ScriptedUnit(TOLD, WENT, RECEIVED)
    result = await done(session, "walk.pir-1", unit, f" {CODE[:2]} {CODE[2:]}")
    assert (result.outcome, result.facts["receivedAfterS"]) == (Outcome.PASSED, 0.5)


@pytest.mark.parametrize(
    ("news", "typed", "why"),
    [
        ((), (), "did not go off"),
        ((replace(WENT, sensor="pir-2"), TOLD), (), "did not go off"),
        ((WENT,), (), "no test alert came of it"),
        ((WENT, replace(TOLD, test=False), RECEIVED), (), "no test alert came of it"),
        ((WENT, replace(TOLD, sensors=("door-1",)), RECEIVED), (), "no test alert came of it"),
        ((WENT, TOLD), (), "did not receive"),
        ((WENT, TOLD, replace(RECEIVED, alert_id="a-2")), (), "did not receive"),
        ((WENT, replace(TOLD, revision=2), RECEIVED), (), "did not receive"),
        ((WENT, TOLD, RECEIVED), ("0000", "0001", "0002"), "read back another code"),
    ],
)
async def test_a_sensor_that_the_control_room_does_not_confirm_has_failed(
    session: tuple[Session, Config], news: tuple[News, ...], typed: tuple[str, ...], why: str
) -> None:
    unit = ScriptedUnit(*news)
    result = await done(session, "walk.pir-1", unit, *typed)
    assert result.outcome is Outcome.FAILED
    assert why in result.text
    assert unit.asked[-1] == Walk((), 0.0), "nothing is left in test"


async def test_a_housing_that_stays_open_has_failed(session: tuple[Session, Config]) -> None:
    told = replace(TOLD, category="tamper", sensors=("door-1",))
    news = (replace(WENT, sensor="door-1"), told, RECEIVED)
    code = code_of("a-1", Category.TAMPER)
    assert "did not come to rest" in (await done(session, "walk.door-1", ScriptedUnit(*news), code)).text
    shut = ScriptedUnit(*news, CameToRest("door-1", 120.0))
    assert (await done(session, "walk.door-1", shut, code)).outcome is Outcome.PASSED


async def test_who_leaves_in_the_middle_of_a_walk_leaves_nothing_in_test(session: tuple[Session, Config]) -> None:
    unit = ScriptedUnit(WENT, TOLD, RECEIVED)
    with pytest.raises(Left):
        await done(session, "walk.pir-1", unit, "quit")
    assert unit.asked[-1] == Walk((), 0.0)


@pytest.mark.parametrize(
    ("step", "typed", "outcome", "words"),
    [
        ("dpia", ("DPIA-4", "2099-12-31"), Outcome.PASSED, "until 2099-12-31"),
        ("dpia", ("DPIA-4", "2024-09-30"), Outcome.FAILED, "ended on 2024-09-30"),
        ("urn", ("NP 1", "NP1234", "intruder", "live"), Outcome.PASSED, "NP1234"),
        ("urn", ("NP1234", "both", "withdrawn"), Outcome.FAILED, "withdrawn"),
        ("signage", ("yes", "photo 7", "", "2099-06-30"), Outcome.PASSED, "photo 7, until 2099-06-30"),
        ("signage", ("yes", "photo 7", "2024-09-30"), Outcome.FAILED, "looked over on 2024-09-30"),
        ("signage", ("no",), Outcome.FAILED, "no sign"),
        ("site", ("no",), Outcome.FAILED, "another unit"),
        ("lamp", ("no",), Outcome.FAILED, "not lit"),
    ],
)
async def test_papers_and_eyes(
    session: tuple[Session, Config], step: str, typed: tuple[str, ...], outcome: Outcome, words: str
) -> None:
    result = await done(session, step, ScriptedUnit(), *typed)
    assert result.outcome is outcome
    assert words in result.text


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({}, Outcome.PASSED),
        ({"faults": [{"part": "recorder", "code": "down"}]}, Outcome.FAILED),
        ({"faults": [{"part": "commissioning", "code": "partly"}]}, Outcome.PASSED),
    ],
)
async def test_nothing_may_be_broken_but_the_commissioning_itself(
    session: tuple[Session, Config], facts: dict[str, Any], outcome: Outcome
) -> None:
    assert (await done(session, "faults", ScriptedUnit(facts=facts))).outcome is outcome


async def test_a_configuration_that_makes_every_alert_a_test_is_told(session: tuple[Session, Config]) -> None:
    settings = session[1].model_copy(update={"unit": session[1].unit.model_copy(update={"test": True})})
    assert "unit.test" in (await done(session, "faults", ScriptedUnit(), settings=settings)).text


@pytest.mark.parametrize(
    ("reading", "outcome"),
    [
        (ClockReading(synced=True, source="chrony", offset_ms=-49.0, uncertainty_ms=60.0), Outcome.PASSED),
        (ClockReading(synced=True, source="chrony", offset_ms=-51.0, uncertainty_ms=60.0), Outcome.FAILED),
        (ClockReading(synced=True, source="chrony", offset_ms=40.0, uncertainty_ms=460.0), Outcome.PASSED),
        (ClockReading(synced=True, source="chrony", offset_ms=-40.0, uncertainty_ms=461.0), Outcome.FAILED),
        (ClockReading(synced=True, source="chrony", offset_ms=0.0, uncertainty_ms=16e3), Outcome.FAILED),
        (ClockReading(synced=False, source="unknown", offset_ms=0.0, uncertainty_ms=16e3), Outcome.FAILED),
    ],
)
async def test_a_clock_is_set_and_within_50_ms(
    session: tuple[Session, Config], reading: ClockReading, outcome: Outcome
) -> None:
    result = await done(session, "clock", ScriptedUnit(), board=Board(clock=reading))
    assert result.outcome is outcome
    assert result.facts == {
        "source": reading.source,
        "offsetMs": reading.offset_ms,
        "uncertaintyMs": reading.uncertainty_ms,
    }


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ({"up": True, "provedAgeS": 3.0, "rttMs": None}, Outcome.PASSED),
        ({"up": True, "provedAgeS": 600.0}, Outcome.FAILED),
        ({"up": True, "provedAgeS": None}, Outcome.FAILED),
        ({"up": False, "provedAgeS": 3.0}, Outcome.FAILED),
    ],
)
async def test_a_path_carries_only_what_a_broker_took_lately(
    session: tuple[Session, Config], path: dict[str, Any], outcome: Outcome
) -> None:
    unit = ScriptedUnit(facts={"paths": [{"id": "primary", **path}]})
    assert (await done(session, "path.primary", unit)).outcome is outcome


async def test_of_a_path_that_is_down_already_no_loss_is_measured(session: tuple[Session, Config]) -> None:
    unit = ScriptedUnit(facts={"paths": [{"id": "primary", "up": False}]})
    result = await done(session, "cable.primary", unit, "")
    assert (result.outcome, result.facts) == (Outcome.FAILED, {})
    assert "is down before its cable is pulled" in result.text


@pytest.mark.parametrize(
    ("footage", "speed", "outcome"),
    [
        (KEPT, 40.0, Outcome.PASSED),
        (KEPT, 0.9, Outcome.FAILED),
        ({**KEPT, "keptBy": "budget"}, 40.0, Outcome.PASSED),
        ({**KEPT, "daysKept": 9.0, "keptBy": "disk"}, 40.0, Outcome.FAILED),
        ({}, 40.0, Outcome.FAILED),
    ],
)
async def test_a_disk_is_quick_and_large_enough(
    session: tuple[Session, Config], footage: dict[str, Any], speed: float, outcome: Outcome
) -> None:
    unit = ScriptedUnit(facts={"footage": footage})
    assert (await done(session, "disk", unit, board=Board(speed=speed))).outcome is outcome


AIM = ("", "100,100", "300,100", "1", "5", "recognise")


@pytest.mark.parametrize(("wanted", "outcome"), [("8", Outcome.PASSED), ("8.1", Outcome.FAILED)])
async def test_a_camera_must_show_what_it_is_there_for(
    session: tuple[Session, Config], wanted: str, outcome: Outcome
) -> None:
    result = await done(session, "aim", ScriptedUnit(), *AIM, wanted, board=Board(luma=sharp()))
    assert (result.outcome, result.facts["pxPerM"]) == (outcome, 200.0)
    assert result.facts["reachesM"]["recognise"] == 8.0


async def test_points_that_give_no_scale_are_asked_for_again(session: tuple[Session, Config]) -> None:
    typed = ("", "100,100", "900,100", "1", "5", *AIM[1:], "3")
    assert (await done(session, "aim", ScriptedUnit(), *typed, board=Board(luma=sharp()))).outcome is Outcome.PASSED


async def test_a_camera_that_does_not_record_shows_nothing(session: tuple[Session, Config]) -> None:
    for step, typed in (("aim", ("",)), ("still.day", ()), ("still.night", ("",))):
        assert "there is no picture" in (await done(session, step, ScriptedUnit(), *typed)).text


@pytest.mark.parametrize(
    ("step", "typed", "luma", "outcome"),
    [
        ("still.day", ("yes",), sharp() + np.uint8(80), Outcome.PASSED),
        ("still.day", ("no",), sharp() + np.uint8(80), Outcome.FAILED),
        ("still.day", (), np.full((360, 640), 128, np.uint8), Outcome.FAILED),
        ("still.day", (), np.zeros((360, 640), np.uint8), Outcome.FAILED),
        ("still.night", ("",), np.zeros((360, 640), np.uint8), Outcome.FAILED),
        ("still.night", ("", "yes"), sharp(), Outcome.PASSED),
        ("still.night", ("",), sharp() + np.uint8(120), Outcome.FAILED),
    ],
)
async def test_pictures_are_sharp_by_day_and_dark_by_night(
    session: tuple[Session, Config],
    step: str,
    typed: tuple[str, ...],
    luma: NDArray[np.uint8],
    outcome: Outcome,
) -> None:
    assert (await done(session, step, ScriptedUnit(), *typed, board=Board(luma=luma))).outcome is outcome


async def test_the_power_is_cut_in_one_session_and_measured_in_the_next(session: tuple[Session, Config]) -> None:
    with pytest.raises(Left):
        await done(session, "power", ScriptedUnit(), "")
    assert "not cut" in (await done(session, "power", ScriptedUnit())).text
    session[0].kept.progress["power"] = {"boot": "boot-1", "cut": "2026-11-22T20:00:00+00:00"}
    result = await done(session, "power", ScriptedUnit())
    assert (result.outcome, result.facts["readyAfterS"]) == (Outcome.PASSED, 40.0)


CUT = {"boot": "boot-1", "cut": "2026-11-22T20:00:00+00:00"}


async def test_a_reboot_is_no_power_cut(session: tuple[Session, Config]) -> None:
    unit = ScriptedUnit()
    unit.hello = replace(unit.hello, cut_off=False)
    session[0].kept.progress["power"] = dict(CUT)
    result = await done(session, "power", unit)
    assert result.outcome is Outcome.FAILED
    assert "ended in order, as before a reboot" in result.text
    assert not session[0].kept.progress["power"], "it begins anew"


async def test_a_unit_that_finds_no_way_back_after_a_power_cut_has_failed(session: tuple[Session, Config]) -> None:
    session[0].kept.progress["power"] = dict(CUT)
    unit = ScriptedUnit(facts={"paths": [{"id": "primary", "up": False}, {"id": "alternate", "up": False}]})
    result = await done(session, "power", unit)
    assert result.outcome is Outcome.FAILED
    assert "no path to the control room came back" in result.text


async def test_a_unit_that_takes_too_long_after_a_power_cut_has_failed(session: tuple[Session, Config]) -> None:
    unit = ScriptedUnit()
    unit.hello = replace(unit.hello, ready_s=61.0)
    session[0].kept.progress["power"] = {"boot": "boot-1", "cut": "2026-11-22T20:00:00+00:00"}
    assert (await done(session, "power", unit)).outcome is Outcome.FAILED


LISTENING = {
    "voice": {
        "enabled": True,
        "refractory_s": 0.001,
        "phrases": ({"say": "help me", "label": "help-me"},),
        "self_test": {"enabled": True},
    }
}
HEARD = WentOff("mic-1", "voice", "help-me", 100.0)


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[tuple[Session, Config]]:
    """A unit that hears."""
    settings = config(state_folder=tmp_path, speaker={"enabled": True}, **LISTENING)
    with opened(settings) as (found, _):
        yield found, settings


@pytest.mark.parametrize(
    ("metres", "heard", "outcome"),
    [
        (1, 10, Outcome.PASSED),
        (1, 9, Outcome.PASSED),
        (1, 8, Outcome.FAILED),
        (2, 9, Outcome.PASSED),
        (2, 8, Outcome.FAILED),
        (5, 1, Outcome.PASSED),
        (5, 0, Outcome.PASSED),
    ],
)
async def test_a_phrase_is_counted_and_must_be_heard_nine_times_of_ten_from_near(
    listener: tuple[Session, Config], metres: int, heard: int, outcome: Outcome
) -> None:
    unit = ScriptedUnit().hears(*[(HEARD,)] * heard, *[()] * (10 - heard))
    result = await done(listener, f"phrase.{metres}m", unit, "")
    assert result.outcome is outcome
    assert (result.facts["heard"], result.facts["of"], result.facts["distanceM"]) == (heard, 10, metres)
    assert unit.asked[-1] == Walk((), 0.0), "nothing is left in test"


@pytest.mark.parametrize("other", [replace(HEARD, label="fire"), replace(HEARD, sensor="mic-2")])
async def test_another_phrase_or_another_microphone_is_not_the_phrase(
    listener: tuple[Session, Config], other: WentOff
) -> None:
    unit = ScriptedUnit().hears(*[(HEARD,)] * 8, *[(other,)] * 2)
    result = await done(listener, "phrase.2m", unit, "")
    assert (result.outcome, result.facts["heard"]) == (Outcome.FAILED, 8)


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ({"lastSelfTest": {"time": "then", "ok": False, "attempts": 3}}, "did not hear itself in 3 tries"),
        ({"lastSelfTest": {"time": "before", "ok": True, "attempts": 1}}, "it was not made"),
        ({"selfTestPutOff": "call"}, "it was not made, because of a call that goes on"),
    ],
)
async def test_a_unit_that_does_not_hear_itself_has_failed(
    listener: tuple[Session, Config], monkeypatch: pytest.MonkeyPatch, after: dict[str, Any], words: str
) -> None:
    monkeypatch.setattr(sound, "LOOP_WITHIN_S", 0.0)
    before = {"lastSelfTest": {"time": "before", "ok": True, "attempts": 1}}
    unit = ScriptedUnit(facts={**before, **after}).said_first(before)
    result = await done(listener, "loop", unit)
    assert result.outcome is Outcome.FAILED
    assert words in result.text


@pytest.mark.parametrize(
    ("gone_s", "outcome"), [(30.0, Outcome.PASSED), (90.0, Outcome.PASSED), (91.0, Outcome.FAILED)]
)
async def test_a_loss_that_the_unit_knows_after_90_s_is_known_too_late(
    session: tuple[Session, Config], monkeypatch: pytest.MonkeyPatch, gone_s: float, outcome: Outcome
) -> None:
    times = [(True, 0.0), (True, gone_s), (True, 4.0)]

    async def facts_until(_bench: Bench, _look: object, _within_s: float) -> tuple[bool, float]:
        return times.pop(0)

    monkeypatch.setattr(Bench, "facts_until", facts_until)
    result = await done(session, "cable.primary", ScriptedUnit(), "")
    assert (result.outcome, result.facts) == (outcome, {"knownToUnitAfterS": gone_s, "backAfterS": 4.0})
    assert f"known to the unit as lost after {gone_s:.0f} s" in result.text


async def test_a_cable_that_takes_the_engineers_own_session_with_it_is_measured_all_the_same(
    session: tuple[Session, Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    hung_up: list[int] = []
    times = [(True, 0.0), (True, 30.0), (True, 4.0)]

    async def facts_until(_bench: Bench, _look: object, _within_s: float) -> tuple[bool, float]:
        if len(times) == len(("pulled", "back")):
            os.kill(os.getpid(), signal.SIGHUP)  # sshd ends with the connection; its terminal hangs up
        return times.pop(0)

    monkeypatch.setattr(Bench, "facts_until", facts_until)
    before = signal.signal(signal.SIGHUP, lambda number, _: hung_up.append(number))
    try:
        result = await done(session, "cable.primary", ScriptedUnit(), "")
        assert (result.outcome, hung_up) == (Outcome.PASSED, [])
        os.kill(os.getpid(), signal.SIGHUP)
        assert hung_up == [signal.SIGHUP], "what comes afterwards is heard again"
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("typed", "outcome"),
    [("110", Outcome.PASSED), ("111", Outcome.FAILED), ("70", Outcome.PASSED), ("69", Outcome.FAILED)],
)
async def test_a_camera_that_looks_elsewhere_than_alerts_say_fails(
    session: tuple[Session, Config], typed: str, outcome: Outcome
) -> None:
    settings = session[1]
    looking = settings.model_copy(update={"camera": settings.camera.model_copy(update={"bearing_deg": 90.0})})
    told = ("yes", "R. Walker", "column 14", "lighting", "SK 533 493", "3.1", typed, "wide")
    result = await done(session, "site", ScriptedUnit(), *told, settings=looking)
    assert result.outcome is outcome
    assert outcome is Outcome.PASSED or "alerts say that the camera looks to 90 degrees" in result.text


@pytest.mark.parametrize(
    ("news", "outcome", "words"),
    [
        ((LAST, LAST_RECEIVED, CLOSED), Outcome.PASSED, "by op-7"),
        ((LAST, LAST_RECEIVED), Outcome.FAILED, "did not close it"),
        ((LAST,), Outcome.FAILED, "did not receive"),
        ((LAST, LAST_RECEIVED, replace(CLOSED, outcome="false")), Outcome.FAILED, "closed as false"),
        ((LAST, LAST_RECEIVED, replace(CLOSED, operator_ref=None)), Outcome.FAILED, "by nobody"),
        ((LAST, LAST_RECEIVED, replace(CLOSED, alert_id="a-8")), Outcome.FAILED, "did not close it"),
    ],
)
async def test_an_operator_signs_by_closing_the_last_alert_as_a_test(
    session: tuple[Session, Config], news: tuple[News, ...], outcome: Outcome, words: str
) -> None:
    unit = ScriptedUnit(*news)
    result = await done(session, "countersign", unit, LAST_CODE)
    assert result.outcome is outcome
    assert words in result.text
    (asked,) = (each for each in unit.asked if isinstance(each, RaiseTest))
    assert asked.about.startswith("walk test ")


def test_another_result_has_another_fingerprint() -> None:
    steps = (Step("lamp", Kind.LAMP, "Lamp"), Step("countersign", Kind.COUNTERSIGN, "Countersigned"))
    lit = Result(Outcome.PASSED, "seen lit", "2026-11-22T20:00:00+00:00", {"litS": 30})
    others = (
        replace(lit, outcome=Outcome.FAILED),
        replace(lit, text="seen"),
        replace(lit, at="2026-11-22T20:00:01+00:00"),
        replace(lit, facts={"litS": 31}),
    )
    found = [digest_of(Course(steps, {"lamp": each})) for each in (lit, *others)]
    assert len({*found}) == len(found)
    signed = Course(steps, {"lamp": lit, "countersign": lit})
    assert digest_of(signed) == found[0], "the signature is not a part of what it is under"


async def test_the_operator_is_shown_the_fingerprint_that_is_kept(session: tuple[Session, Config]) -> None:
    unit = ScriptedUnit(LAST, LAST_RECEIVED, CLOSED)
    session[0].course.results["lamp"] = Result(Outcome.PASSED, "seen lit", "2026-11-22T20:00:00+00:00")
    result = await done(session, "countersign", unit, LAST_CODE)
    (asked,) = (each for each in unit.asked if isinstance(each, RaiseTest))
    assert asked.about.startswith(f"walk test {result.facts['digest']}: ")
    assert result.facts["digest"] == digest_of(session[0].course)
