"""When the unit tests its own hearing, and what its tests amount to. Pure: time is an argument.

A microphone that works, a speaker that works and a model that loads prove nothing together: a wasps' nest before the
one, a poster over the other, and a call is never heard. So once a day the unit speaks and must hear it
(standards.md goal 26). A test is no alert, whatever comes of it; three misses in a row are a fault, until one is heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any

from agent.incidents.incident import Phase
from agent.signals import Category

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import time
    from zoneinfo import ZoneInfo

    from agent.clock import Moment

TRIES = 3
"""A lorry, a siren, a group that talks: each can cost a try, three with pauses hardly."""
RETRY_S = 60.0
"""Between two tries: what was loud has passed."""
AFTER_TALK_S = 60.0
"""No test so soon after what sounded like a phrase: who said it may be waiting for an answer, or be about to say it
again, and a voice that talks of a sound check would be the wrong one."""
BEGUN_WITHIN_S = 75.0
"""The listener waits a minute for quiet (`agent.voice.own_ear`); one that has not begun by then does not work."""
ENDED_WITHIN_S = 20.0
"""It listens for 12 s."""
CLOCK_STEP_S = 60.0
"""The clock is looked at each second; one that moved on by more was put right, and the hours it skipped are no time for
a test: a board without a battery clock would test itself at each start, at night too."""


class PutOff(StrEnum):
    """Why a test that is due is not made yet."""

    CALL = "call"
    """A call for help has no outcome yet: whoever made it may stand there still, in silence too; or an intruder or a
    noise goes on."""
    TALK = "talk"
    """Somebody has just said what sounded like a phrase."""
    MESSAGE = "message"
    """An operator's message is spoken, or waits for its turn: each would cut off the other."""


@dataclass(frozen=True)
class Ask:
    """Ask the listener to listen for the line."""

    number: int


@dataclass(frozen=True)
class Speak:
    """Speak the line: the listener listens."""


@dataclass(frozen=True)
class Result:
    """What a test came to, with all its tries."""

    at: Moment
    attempts: int
    level_dbfs: float | None
    """How loud the line was; None: it was not heard."""
    took_s: float | None
    """From the first sound of the line to its being recognised."""

    @property
    def heard(self) -> bool:
        """Whether the unit heard itself."""
        return self.level_dbfs is not None


Step = Ask | Speak | Result
"""What is to be done next; a `Result` is to be told."""


class _Stage(Enum):
    RESTING = "resting"
    DUE = "due"
    ASKED = "asked"
    SPOKEN = "spoken"


class SelfTests:
    """All tests of one run of the unit, one after the other."""

    def __init__(self, at: time, zone: ZoneInfo, now: Moment) -> None:
        """Tests from now on.

        Args:
            at: When each day, by local time.
            zone: Where that is.
            now: The present moment.
        """
        self._at = at
        self._zone = zone
        self._looked = now
        self._stage = _Stage.RESTING
        self._number = 0
        self._misses = 0
        self._not_before_s = now.monotonic_s
        self._until_s = now.monotonic_s
        self._spoken_s = now.monotonic_s
        self.put_off: PutOff | None = None
        """What holds back a test that is due."""
        self.last: Result | None = None

    def want(self) -> None:
        """Somebody wants a test now. One that is under way or due already is that test."""
        if self._stage is _Stage.RESTING:
            self._stage = _Stage.DUE
            self._misses = 0
            self._not_before_s = self._looked.monotonic_s

    def look(self, now: Moment, put_off: PutOff | None) -> Step | None:
        """Time has passed; `put_off` is what would hold a test back now."""
        if self._due_since_last_look(now):
            self.want()
        self._looked = now
        self.put_off = put_off if self._stage is _Stage.DUE else None
        if self._stage is _Stage.DUE and put_off is None and now.monotonic_s >= self._not_before_s:
            self._number += 1
            self._enter(_Stage.ASKED, now.monotonic_s + BEGUN_WITHIN_S)
            return Ask(self._number)
        if self._stage in {_Stage.ASKED, _Stage.SPOKEN} and now.monotonic_s >= self._until_s:
            return self._missed(now, put_off)
        return None

    def begun(self, number: int, now: Moment, put_off: PutOff | None) -> Step | None:
        """The listener listens."""
        if self._stage is not _Stage.ASKED or number != self._number:
            return None
        if put_off is not None:
            self._stage = _Stage.DUE
            return None
        self._spoken_s = now.monotonic_s
        self._enter(_Stage.SPOKEN, now.monotonic_s + ENDED_WITHIN_S)
        return Speak()

    def ended(
        self, number: int, level_dbfs: float | None, ended_s: float, now: Moment, put_off: PutOff | None
    ) -> Step | None:
        """The listener heard the line at this level and moment, or (None) did not."""
        if self._stage is not _Stage.SPOKEN or number != self._number:
            return None
        if level_dbfs is None:
            return self._missed(now, put_off)
        self._stage = _Stage.RESTING
        self.last = Result(now, self._misses + 1, level_dbfs, round(ended_s - self._spoken_s, 1))
        return self.last

    def facts(self) -> dict[str, Any]:
        """For the heartbeat; the first two names are those of the example in standards.md 3.4."""
        facts: dict[str, Any] = {}
        if self.last is not None:
            facts["lastSelfTest"] = {
                "time": self.last.at.wall,
                "ok": self.last.heard,
                "attempts": self.last.attempts,
                "levelDbfs": self.last.level_dbfs,
                "tookS": self.last.took_s,
            }
        if self.put_off is not None:
            facts["selfTestPutOff"] = self.put_off
        return facts

    def _missed(self, now: Moment, put_off: PutOff | None) -> Result | None:
        """Nothing was heard. A try that somebody called or spoke into says nothing."""
        if put_off is None:
            self._misses += 1
        if self._misses < TRIES:
            self._stage = _Stage.DUE
            self._not_before_s = now.monotonic_s + RETRY_S
            return None
        self._stage = _Stage.RESTING
        self.last = Result(now, self._misses, None, None)
        return self.last

    def _enter(self, stage: _Stage, until_s: float) -> None:
        self._stage = stage
        self._until_s = until_s

    def _due_since_last_look(self, now: Moment) -> bool:
        if now.wall - self._looked.wall > timedelta(seconds=CLOCK_STEP_S):
            return False
        days = {moment.wall.astimezone(self._zone).date() for moment in (self._looked, now)}
        # Of an hour that comes twice the first one; one that a clock change skips is the hour after it.
        times = (datetime.combine(day, self._at.replace(fold=0), tzinfo=self._zone).astimezone(UTC) for day in days)
        return any(self._looked.wall < each <= now.wall for each in times)


def put_off(
    open_incidents: Iterable[Mapping[str, Any]], talked_s: float | None, now_s: float, *, announcing: bool
) -> PutOff | None:
    """What holds a test back now.

    A fault or a door that stands open does not: it may last for weeks, and the unit must be heard to work meanwhile.

    Args:
        open_incidents: Their `category` and `state`, as `Incidents.summary` gives them.
        talked_s: When something last sounded like a phrase; None: never.
        now_s: The present moment, on the same clock.
        announcing: Whether an operator's message is spoken or waits.
    """
    for incident in open_incidents:
        goes_on = incident["state"] == Phase.ACTIVE
        if incident["category"] == Category.HELP or (
            goes_on and incident["category"] in {Category.INTRUDER, Category.NOISE}
        ):
            return PutOff.CALL
    if announcing:
        return PutOff.MESSAGE
    return PutOff.TALK if talked_s is not None and now_s - talked_s < AFTER_TALK_S else None
