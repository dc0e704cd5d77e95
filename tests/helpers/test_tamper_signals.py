"""What the recorder says of a disabled camera, in the rooms' own words."""

from __future__ import annotations

from agent.clock import SystemClock
from agent.footage.tamper.watch import Tamper
from agent.helpers.messages import TamperOver, TamperSeen, decode, encode
from agent.helpers.translation import signal_of
from agent.signals import Restored, SensorKind, Triggered


def test_a_tamper_is_a_trigger_of_the_camera_by_its_name_at_the_moment_it_was_first_to_be_seen() -> None:
    clock = SystemClock()
    seen_s = clock.now().monotonic_s - 19
    said = TamperSeen(Tamper.MOVED.value, seen_s, {"seen_share": 0.2})
    heard = decode(encode(said))
    assert heard == said
    signal = signal_of(said, clock, microphone="mic-1", camera="Central Walk NORTH")
    assert isinstance(signal, Triggered)
    assert (signal.sensor, signal.kind, signal.label) == ("Central Walk NORTH", SensorKind.CAMERA, "moved")
    assert (signal.at.monotonic_s, signal.scores, signal.silent) == (seen_s, {"seen_share": 0.2}, False)


def test_its_end_is_a_restore_of_the_same_sensor() -> None:
    clock = SystemClock()
    over_s = clock.now().monotonic_s - 4
    signal = signal_of(TamperOver(over_s), clock, microphone="mic-1", camera="cam-1")
    assert isinstance(signal, Restored)
    assert (signal.sensor, signal.kind, signal.at.monotonic_s) == ("cam-1", SensorKind.CAMERA, over_s)
