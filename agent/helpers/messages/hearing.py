"""What the listener hears: phrases, how loud it is, and the unit's own voice in a self-test."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - pydantic reads the types of messages
from typing import Literal

from pydantic.dataclasses import dataclass


@dataclass(frozen=True)
class PhraseSuspected:
    """What the listener hears looks like a phrase so far; once an utterance at most. `PhraseHeard` may follow."""

    label: str
    since_s: float
    """Since when, on CLOCK_MONOTONIC."""
    silent: bool
    type: Literal["phrase-suspected"] = "phrase-suspected"


@dataclass(frozen=True)
class PhraseHeard:
    """The listener decided that a phrase was said."""

    label: str
    start_s: float
    end_s: float
    """First and last moment of the phrase, on CLOCK_MONOTONIC; of one that must be said twice, of both together."""
    decided_s: float
    confidence: float
    """The least sure word."""
    silent: bool
    type: Literal["phrase-heard"] = "phrase-heard"


@dataclass(frozen=True)
class SoundMeasured:
    """How loud the last minute was: numbers, never sound, and indicative only (never for enforcement)."""

    until_s: float
    """The end of that minute, on CLOCK_MONOTONIC."""
    laeq_db: float
    lafmax_db: float
    """A-weighted: the mean energy, and the maximum with Fast. Here and below dB re 20 uPa, or, where nothing was ever
    calibrated, dB re full scale."""
    octaves_db: dict[str, float]
    """Unweighted mean energy by octave band, by nominal mid-band frequency in Hz; empty where they are off."""
    measured_s: int
    """Seconds of that minute that were measured."""
    overloaded_s: int
    """Of these, seconds that reached full scale: their true levels are higher."""
    la90_db: float
    """The A-weighted level exceeded for 90 % of the last ten minutes: the background."""
    floor_measured_s: int
    """Seconds of those ten minutes that were measured."""
    calibrated_on: date | None
    """None: the levels are relative to full scale."""
    type: Literal["sound-measured"] = "sound-measured"


@dataclass(frozen=True)
class HearingStands:
    """How the listener hears, each ten seconds of sound (`agent.voice.liveness`)."""

    at_s: float
    """When the last of that sound was taken, on CLOCK_MONOTONIC."""
    facts: dict[str, float | int]
    """For the heartbeat, by name with unit."""
    type: Literal["hearing-stands"] = "hearing-stands"


@dataclass(frozen=True)
class SelfTest:
    """Listen for the unit's own line, as soon as it is quiet; not asked again of a later process."""

    number: int
    """Counts the tries; both answers repeat it."""
    type: Literal["self-test"] = "self-test"


@dataclass(frozen=True)
class SelfTestBegun:
    """The listener listens for the line now: time to speak it."""

    number: int
    type: Literal["self-test-begun"] = "self-test-begun"


@dataclass(frozen=True)
class SelfTestEnded:
    """The listener heard the line, or had waited for it long enough."""

    number: int
    level_dbfs: float | None
    """How loud the line was; None: it was not heard."""
    ended_s: float
    """When that was sure, on CLOCK_MONOTONIC."""
    type: Literal["self-test-ended"] = "self-test-ended"
