"""Stills, strips and clips."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agent.config.filming import CameraSettings, FootageSettings
from agent.signals import CutClip, Media, MediaReady, MediaSent, MediaUnderWay, SensorKind, TakeStill, TakeStrip, Tell
from tests.incidents.driven_unit import START, Unit, config, elsewhen, logged, of, revisions, told


def spans(unit: Unit) -> list[tuple[float, float]]:
    """Start and end of the clips that were asked for, in seconds since the start."""
    zero_s = unit.start.monotonic_s
    return [(cut.start.monotonic_s - zero_s, cut.end.monotonic_s - zero_s) for cut in of(CutClip, unit.done)]


def clip_of(unit: Unit) -> dict[str, Any]:
    """How the clip stands by the last revision."""
    clip: dict[str, Any] = of(Tell, unit.done)[-1].data["evidence"]["clip"]
    return clip


def cut(unit: Unit, at_s: float, sha256: str) -> None:
    """The recorder gives the clip that it was asked for last."""
    wish = of(CutClip, unit.done)[-1]
    unit.hear(
        MediaReady(wish.alert_id, Media.CLIP, unit.at(at_s), "clip.mp4", sha256, 9, wish.start.later(-0.5), wish.end)
    )


def test_still_and_strip_are_taken_of_the_moment_of_the_trigger() -> None:
    unit = Unit()
    unit.press(3)
    unit.press(4)
    assert of(TakeStill, unit.done) == [TakeStill("help-1", unit.at(3))]
    assert of(TakeStrip, unit.done) == [TakeStrip("help-1", unit.at(3))]


def test_a_silent_call_is_filmed_like_any_other() -> None:
    actions = Unit().say_phrase(0, "red-umbrella", silent=True)
    assert len(of(TakeStill, actions)) == len(of(TakeStrip, actions)) == 1


def test_the_strip_follows_as_a_revision_with_the_moments_that_it_shows() -> None:
    unit = Unit()
    unit.press(2)
    actions = unit.hear(MediaReady("help-1", Media.STRIP, unit.at(4.2), "strip.jpg", "ef", 800, unit.at(0), unit.at(4)))
    assert told(actions)["evidence"]["strip"] == {
        "status": "ready",
        "sha256": "ef",
        "sizeBytes": 800,
        "reason": None,
        "start": "2026-11-22T20:00:00.000Z",
        "end": "2026-11-22T20:00:04.000Z",
    }


def test_the_clip_holds_pre_event_event_and_post_event_time() -> None:
    unit = Unit()
    unit.press(20)
    unit.press(40)
    unit.wait(69.9)
    assert spans(unit) == []
    unit.wait(70)
    assert spans(unit) == [(10, 70)]


def test_a_long_event_is_cut_at_the_cap_and_the_clip_keeps_the_beginning() -> None:
    unit = Unit(config(footage=FootageSettings(clip_cap_s=60.0)))
    for at_s in range(0, 100, 20):
        unit.wait(at_s)
        unit.press(at_s)
    assert spans(unit) == [(-10, 50)]
    unit.wait(200)
    assert spans(unit) == [(-10, 50)]
    assert of(Tell, unit.done)[-1].data["evidence"]["clip"]["capped"] is True


def test_a_call_that_was_closed_at_once_still_gets_its_whole_clip() -> None:
    unit = Unit()
    unit.press(0)
    unit.close(5)
    unit.wait(30)
    assert spans(unit) == [(-10, 30)]
    assert revisions(unit.film(33, Media.CLIP)) == [("help-1", 3, "closed")]


def test_still_and_clip_follow_as_revisions() -> None:
    unit = Unit()
    unit.press(0)
    still = told(unit.film(1, Media.STILL))["evidence"]["snapshot"]
    assert still == {
        "status": "ready",
        "sha256": "ab",
        "sizeBytes": 1000,
        "reason": None,
        "takenAt": "2026-11-22T20:00:01.000Z",
    }
    unit.wait(31)
    actions = unit.film(35, Media.CLIP, "cd")
    assert told(actions)["state"] == "ended"
    assert told(actions)["evidence"]["clip"]["status"] == "ready"


def test_the_same_footage_reported_twice_is_told_once() -> None:
    unit = Unit()
    unit.press(0)
    unit.film(1, Media.STILL)
    assert logged(unit.film(2, Media.STILL)) == ["footage_reported_again"]


def test_footage_that_cannot_be_made_is_told_with_the_reason() -> None:
    unit = Unit()
    unit.press(0)
    snapshot = told(unit.miss(1, Media.STILL))["evidence"]["snapshot"]
    assert (snapshot["status"], snapshot["reason"]) == ("failed", "the camera is gone")
    assert revisions(unit.miss(2, Media.STILL)) == []


def test_footage_of_an_unknown_alert_is_only_logged() -> None:
    unit = Unit()
    assert logged(unit.film(1, Media.CLIP, alert_id="help-9")) == ["footage_of_unknown_alert"]
    assert logged(unit.miss(1, Media.CLIP, alert_id="help-9")) == ["footage_of_unknown_alert"]


def test_without_a_camera_there_is_no_footage_and_none_is_asked_for() -> None:
    unit = Unit(config(camera=CameraSettings(enabled=False)))
    evidence = told(unit.press(0))["evidence"]
    assert {evidence[piece]["status"] for piece in ("snapshot", "strip", "clip")} == {"none"}
    unit.wait(100)
    assert of(TakeStill, unit.done) == []
    assert of(CutClip, unit.done) == []


def test_an_open_door_gets_its_clip_though_the_incident_stays_active() -> None:
    unit = Unit()
    unit.trigger(0, "door-1", SensorKind.TAMPER)
    unit.wait(30)
    assert spans(unit) == [(-10, 30)]


def test_noise_is_not_filmed() -> None:
    unit = Unit(armed=True)
    unit.make_noise(0)
    unit.wait(100)
    assert of(CutClip, unit.done) == []


# --- a clip that grows -----------------------------------------------------------------------------------------------


def test_a_trigger_after_the_cut_makes_the_clip_longer_and_the_shorter_one_is_there_meanwhile() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.wait(30)
    cut(unit, 31, "short")
    assert (clip_of(unit)["status"], clip_of(unit)["sha256"]) == ("ready", "short")
    unit.open_door(100)
    unit.wait(110)
    clip = clip_of(unit)
    assert (clip["status"], clip["sha256"], clip["end"]) == ("pending", "short", "2026-11-22T20:00:30.000Z")
    unit.wait(129.9)
    assert spans(unit) == [(-10, 30)]
    unit.wait(130)
    assert spans(unit) == [(-10, 30), (-10, 130)]
    cut(unit, 131, "long")
    clip = clip_of(unit)
    assert (clip["status"], clip["sha256"], clip["end"]) == ("ready", "long", "2026-11-22T20:02:10.000Z")


def test_a_trigger_while_the_clip_is_being_cut_waits_for_that_cut() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.wait(30)
    unit.open_door(31)
    unit.wait(90)
    assert spans(unit) == [(-10, 30)], "one request at a time"
    cut(unit, 95, "short")
    assert (clip_of(unit)["status"], clip_of(unit)["sha256"]) == ("pending", "short")
    assert spans(unit) == [(-10, 30), (-10, 61)]
    cut(unit, 96, "long")
    assert clip_of(unit)["status"] == "ready"


def test_who_shuts_the_door_belongs_to_the_event() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.wait(30)
    cut(unit, 31, "opened")
    unit.shut_door(50)
    unit.wait(80)
    assert spans(unit) == [(-10, 30), (-10, 80)]
    cut(unit, 81, "shut")
    assert clip_of(unit)["status"] == "ready"


def test_the_growth_of_an_incident_that_is_closed_meanwhile_is_still_cut() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.wait(30)
    unit.open_door(31)
    unit.close(32)
    cut(unit, 33, "short")
    unit.wait(61)
    assert spans(unit) == [(-10, 30), (-10, 61)]
    cut(unit, 62, "long")
    assert (clip_of(unit)["status"], clip_of(unit)["sha256"]) == ("ready", "long")


def test_a_clip_that_cannot_be_made_longer_stays_what_it_is_with_the_reason() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.wait(30)
    cut(unit, 31, "short")
    unit.open_door(100)
    unit.wait(130)
    unit.miss(131, Media.CLIP)
    clip = clip_of(unit)
    assert (clip["status"], clip["sha256"], clip["reason"]) == ("ready", "short", "the camera is gone")
    unit.open_door(200)
    unit.wait(230)
    cut(unit, 231, "long")
    assert (clip_of(unit)["status"], clip_of(unit)["reason"]) == ("ready", None)


def test_a_clip_that_failed_is_tried_again_with_the_next_trigger() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.wait(30)
    unit.miss(31, Media.CLIP)
    assert clip_of(unit)["status"] == "failed"
    unit.open_door(100)
    unit.wait(110)
    assert (clip_of(unit)["status"], clip_of(unit)["reason"]) == ("pending", None)
    unit.wait(130)
    assert spans(unit)[-1] == (-10, 130)


@pytest.mark.parametrize("cap_s", [300.0, 600.0, 700.0])
def test_a_storm_of_triggers_is_cut_once(cap_s: float) -> None:
    unit = Unit(config(footage=FootageSettings(clip_cap_s=cap_s)))
    for at_s in range(600):
        if of(CutClip, unit.wait(at_s)):
            cut(unit, at_s, "whole")
        unit.open_door(at_s)
    unit.wait(1000)
    assert spans(unit) == [(-10, min(cap_s - 10, 629))]


def test_a_shorter_cap_in_a_new_configuration_makes_no_clip_shorter() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.open_door(20)
    unit.wait(50)
    cut(unit, 51, "whole")
    unit.restart(80, settings=config(footage=FootageSettings(clip_cap_s=45.0)))
    unit.open_door(90)
    unit.wait(200)
    assert spans(unit) == [(-10, 50)]
    assert (clip_of(unit)["status"], clip_of(unit)["capped"]) == ("ready", True)


def test_a_clip_does_not_reach_over_a_power_cut_and_waits_for_nothing_after_it() -> None:
    unit = Unit()
    unit.open_door(0)
    actions = unit.restart(5, boot=elsewhen(START.wall + timedelta(seconds=10), "boot-2"))
    (asked,) = of(CutClip, actions)
    assert (asked.start, asked.end) == (START.later(-10), START.later(30)), "of the boot that it began in"
    unit.open_door(20)
    unit.hear(MediaReady("tamper-1", Media.CLIP, unit.at(21), "clip.mp4", "ab", 9, START.later(-10), START.later(4)))
    unit.wait(200)
    assert (clip_of(unit)["status"], clip_of(unit)["capped"]) == ("ready", True)
    assert len(of(CutClip, unit.done)) == 1


def test_a_strip_and_a_clip_that_were_asked_for_are_asked_for_again_after_a_restart() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.wait(30)
    unit.open_door(40)
    actions = unit.restart(45)
    assert of(TakeStrip, actions) == [TakeStrip("tamper-1", unit.at(0))]
    assert [each.end for each in of(CutClip, actions)] == [unit.at(70)], "what it has grown to, at once"


def before_clips_grew(state: dict[str, Any]) -> dict[str, Any]:
    """The remembered state as the program of last month wrote it."""
    incident = {key: value for key, value in state["incident"].items() if key != "strip"}
    pieces = {name: {k: v for k, v in incident[name].items() if k != "wanted"} for name in ("still", "clip")}
    return {**state, "incident": incident | pieces}


def test_a_state_of_a_program_without_strips_and_growth_goes_on_and_grows() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.wait(30)
    unit.kept = {key: before_clips_grew(dict(state)) for key, state in unit.kept.items()}
    actions = unit.restart(31)
    assert [(each.start, each.end) for each in of(CutClip, actions)] == [(unit.at(-10), unit.at(30))]
    cut(unit, 32, "short")
    assert of(Tell, unit.done)[-1].data["evidence"]["strip"]["status"] == "none"
    unit.open_door(100)
    unit.wait(130)
    assert spans(unit)[-1] == (-10, 130)


def test_an_upload_under_way_is_told_with_its_alert_each_step_once_through_a_restart_too() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.wait(30)
    cut(unit, 31, "ab")

    def moved(at_s: float, percent: int, host: str = "evidence.example") -> list[Tell]:
        return of(Tell, unit.hear(MediaUnderWay(unit.last_alert, Media.CLIP, unit.at(at_s), host, percent)))

    assert len(moved(40, 0)) == 1
    assert clip_of(unit)["upload"] == {"status": "running", "host": "evidence.example", "sentPercent": 0}
    assert len(moved(50, 50)) == 1
    unit.restart(55)
    assert moved(60, 50) == moved(61, 25) == []
    assert len(moved(70, 75)) == 1
    assert clip_of(unit)["upload"]["sentPercent"] == 75
    unit.hear(MediaSent(unit.last_alert, Media.CLIP, unit.at(80), host="evidence.example", reason="answered 403"))
    assert (clip_of(unit)["upload"]["status"], "sentPercent" in clip_of(unit)["upload"]) == ("failed", False)
    assert len(moved(90, 0)) == 1


def test_an_upload_that_is_over_is_told_with_its_alert_and_remembered() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.wait(30)
    cut(unit, 31, "ab")
    sent = MediaSent(unit.last_alert, Media.CLIP, unit.at(40), host="evidence.example", sha256="ab", confirmed="digest")
    unit.hear(sent)
    told = {"status": "done", "host": "evidence.example", "sha256": "ab", "confirmed": "digest", "reason": None}
    assert clip_of(unit)["upload"] == told
    assert clip_of(unit)["status"] == "ready"
    unit.hear(MediaSent(unit.last_alert, Media.CLIP, unit.at(50), host="other.example", reason="answered 403"))
    assert (clip_of(unit)["upload"]["status"], clip_of(unit)["upload"]["reason"]) == ("failed", "answered 403")
