"""Stills and clips."""

from __future__ import annotations

from agent.config.settings import CameraSettings, FootageSettings
from agent.signals import CutClip, Media, SensorKind, TakeStill, Tell
from tests.incidents.driven_unit import Unit, config, logged, of, revisions, told


def spans(unit: Unit) -> list[tuple[float, float]]:
    """Start and end of the clips that were asked for, in seconds since the start."""
    zero_s = unit.start.monotonic_s
    return [(cut.start.monotonic_s - zero_s, cut.end.monotonic_s - zero_s) for cut in of(CutClip, unit.done)]


def test_a_still_is_taken_of_the_moment_of_the_trigger() -> None:
    unit = Unit()
    unit.press(3)
    unit.press(4)
    assert of(TakeStill, unit.done) == [TakeStill("help-1", unit.at(3))]


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
    assert (evidence["snapshot"]["status"], evidence["clip"]["status"]) == ("none", "none")
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
