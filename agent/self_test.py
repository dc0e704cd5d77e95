"""Makes the acoustic self-test: speaks through the unit's speaker, and hears of its listener whether that was heard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog

from agent.helpers.messages import SelfTest, SelfTestBegun, SelfTestEnded
from agent.hw.lines import line_path
from agent.signals import FaultCleared, Faulted, Line
from agent.voice.self_test import TRIES, Ask, Result, SelfTests, Speak, put_off

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.hw.kit import Speaker
    from agent.signals import Signal
    from agent.voice.self_test import PutOff, Step

log = structlog.get_logger()

LOOK_EVERY_S = 1.0
PART = "voice"
"""In faults: what is deaf, mute or muffled shows only when somebody looks."""
CODE = "acoustic-self-test"
TEXT = (
    f"The unit did not hear its own speaker in {TRIES} tries: microphone or speaker is broken, covered or turned down. "
    "Calls by voice may not be heard; help calls by button are not affected."
)


class SelfTestRoom:
    """Tests once a day, and when asked."""

    def __init__(  # noqa: PLR0913 - its ear, its mouth, its clock, and whom it must not disturb
        self,
        config: Config,
        clock: Clock,
        *,
        ask: Callable[[SelfTest], None],
        speaker: Speaker,
        open_incidents: Callable[[], Iterable[Mapping[str, Any]]],
        announcing: Callable[[], bool],
        report: Callable[[Signal], None],
    ) -> None:
        """Nothing tested yet.

        Args:
            config: When to test.
            clock: The time.
            ask: Reaches the listener, whose answers come by `take`.
            speaker: Speaks.
            open_incidents: What goes on now, as `Incidents.summary` has it.
            announcing: Whether an operator's message is spoken or waits.
            report: Takes the fault and its end.
        """
        self._clock = clock
        self._ask = ask
        self._speaker = speaker
        self._open_incidents = open_incidents
        self._announcing = announcing
        self._report = report
        self._tests = SelfTests(config.voice.self_test.at, ZoneInfo(config.unit.timezone), clock.now())
        self._talked_s: float | None = None
        self._faulty = False
        self._heard = False
        """The last test of this life was."""
        self.on_result: Callable[[Result], None] | None = None
        """Hears what each test came to."""

    def still_faulty(self) -> None:
        """The last life of the unit left the fault open: a restart is no proof that it hears, a test since then is."""
        if self._heard:
            self._report(FaultCleared(PART, CODE, self._clock.now()))
        elif not self._faulty:
            self._tell_fault()

    def want(self) -> None:
        """Test as soon as nothing speaks against it."""
        self._tests.want()

    def talked(self) -> None:
        """Somebody said what sounds like a phrase."""
        self._talked_s = self._clock.now().monotonic_s

    def take(self, answer: SelfTestBegun | SelfTestEnded) -> None:
        """The listener answered."""
        now = self._clock.now()
        match answer:
            case SelfTestBegun(number):
                self._do(self._tests.begun(number, now, self._put_off()))
            case SelfTestEnded(number, level_dbfs, ended_s):
                self._do(self._tests.ended(number, level_dbfs, ended_s, now, self._put_off()))

    def facts(self) -> Mapping[str, Any]:
        """For the heartbeat."""
        return self._tests.facts()

    async def run(self) -> None:
        """Test when it is time, until cancelled."""
        while True:
            self._do(self._tests.look(self._clock.now(), self._put_off()))
            await asyncio.sleep(LOOK_EVERY_S)

    def _put_off(self) -> PutOff | None:
        now_s = self._clock.now().monotonic_s
        return put_off(self._open_incidents(), self._talked_s, now_s, announcing=self._announcing())

    def _do(self, step: Step | None) -> None:
        match step:
            case Ask(number):
                self._ask(SelfTest(number))
            case Speak():
                self._speaker.say(str(line_path(Line.SOUND_CHECK)))
            case Result():
                log.info("self_test", heard=step.heard, attempts=step.attempts, level_dbfs=step.level_dbfs)
                self._judge(step)
                if self.on_result is not None:
                    self.on_result(step)

    def _judge(self, result: Result) -> None:
        self._heard = result.heard
        if not result.heard:
            self._tell_fault()
        elif self._faulty:
            self._faulty = False
            self._report(FaultCleared(PART, CODE, self._clock.now()))

    def _tell_fault(self) -> None:
        self._faulty = True
        self._report(Faulted(PART, CODE, TEXT, self._clock.now()))
