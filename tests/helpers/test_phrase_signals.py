"""What the listener says of phrases, in the rooms' own words."""

from __future__ import annotations

import pytest

from agent.clock import SystemClock
from agent.helpers.messages import PhraseHeard, PhraseSuspected, decode, encode
from agent.helpers.translation import signal_of
from agent.signals import SensorKind, Suspected, Triggered


def test_a_phrase_triggers_the_microphone_when_it_was_over_and_since_it_began() -> None:
    clock = SystemClock()
    now_s = clock.now().monotonic_s
    said = PhraseHeard("help-me", now_s - 3, now_s - 1, now_s, 0.9, silent=True)
    assert decode(encode(said)) == said
    signal = signal_of(said, clock, microphone="mic-1", camera="cam-1")
    assert isinstance(signal, Triggered)
    assert (signal.sensor, signal.kind, signal.label, signal.silent) == ("mic-1", SensorKind.PHRASE, "help-me", True)
    assert signal.since is not None
    assert (signal.since.monotonic_s, signal.at.monotonic_s) == (now_s - 3, now_s - 1)


@pytest.mark.parametrize("silent", [True, False])
def test_a_suspicion_triggers_nothing(silent: bool) -> None:  # noqa: FBT001 - pytest passes it by name
    clock = SystemClock()
    now_s = clock.now().monotonic_s
    suspected = PhraseSuspected("help-me", now_s - 1, silent)
    assert decode(encode(suspected)) == suspected
    signal = signal_of(suspected, clock, microphone="mic-1", camera="cam-1")
    assert isinstance(signal, Suspected)
    assert (signal.sensor, signal.label, signal.silent) == ("mic-1", "help-me", silent)
    assert signal.at.monotonic_s == now_s - 1
