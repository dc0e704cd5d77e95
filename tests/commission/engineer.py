"""An engineer at the unit with a telephone, who does what the dialogue says, on the simulated street."""

from __future__ import annotations

import asyncio
import math
import re
from typing import TYPE_CHECKING

from agent.commission.machine import ClockReading, write_speed
from agent.hw.lines import line_path
from agent.hw.messages import length_s
from agent.signals import Line, Outcome
from fakes import SPEECH
from tests.uplink.chaos.rough_network import CALM, End, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from pathlib import Path
    from typing import Any

    from agent.commission.machine import Picture
    from agent.control_room.alerts import Alert
    from fakes.town import Town
    from tests.uplink.chaos.rough_network import RoughNetwork

NOTICED_WITHIN_S = 60.0
"""The watch takes 10 to 19 s after it has learned its view; only a failing test waits this long."""
ANSWERS = {
    "Is this the unit": "yes",
    "Your name": "R. Walker",
    "On what is it mounted": "column 14",
    "What feeds it": "lighting circuit 3",
    "Grid reference": "SK 533 493",
    "How high": "3.1",
    "Where does it look": "130",
    "Which lens": "camera 3 wide",
    "The reference of the assessment": "DPIA-2026-4",
    "The reference of the order": "PSPO-J27",
    "Until when does it hold": "2099-12-31",
    "Are the signs up": "yes",
    "The photograph": "photo 7",
    "Until when do they stand": "2099-06-30",
    "The number": "NP1234X",
    "For which alarms": "intruder",
    "How does it stand": "live",
    "One end": "100,20",
    "The other end": "100,120",
    "How many metres are they apart": "2",
    "How many metres are they from": "5",
    "What is it there to do": "observe",
    "Up to how many": "3",
    "Does it show": "yes",
    "The lamp was told": "yes",
    "For what reason": "nobody is here by night",
    "Do this step again": "no",
    "Enter, when you are ready": "",
    "Enter, then cut it": "",
    "Enter, when it is dark": "",
    "Enter, when it stands": "",
}


class Cable:
    """A cable of one path that somebody can pull: then nothing goes through any more, and nobody is told."""

    def __init__(self, network: RoughNetwork, *, stays_out: bool = False) -> None:
        """In its socket.

        Args:
            network: Where it leads.
            stays_out: Put back, it does not work until it is mended: a plug that is broken now.
        """
        self._network = network
        self._broken = stays_out
        self.pulled = 0
        """How often so far."""

    def pull(self) -> None:
        """What goes over it ends in silence, and so does every new try."""
        self.pulled += 1
        self._network.always = Fault(end=End.HALF_OPEN, end_after=0)
        self._network.strike(End.HALF_OPEN)

    async def put_back(self) -> None:
        """The next try goes through."""
        if not self._broken:
            self.mend()

    def mend(self) -> None:
        """It works from now on."""
        self._broken = False
        self._network.always = CALM


class Engineer:
    """A terminal that somebody sits at."""

    def __init__(self, town: Town, cables: Mapping[str, Cable] | None = None, **instead: str) -> None:
        """With the usual answers.

        Args:
            town: Where the unit stands.
            cables: By the path that they carry; a path without one goes with the broker.
            instead: Other answers, by the beginning of the question with underscores for what is no letter.
        """
        self._town = town
        self._cables = dict(cables or {})
        self._in_hand: Cable | None = None
        self._answers = {re.sub(r"\W", "_", words): answer for words, answer in ANSWERS.items()} | instead
        self.lines: list[str] = []
        self._cued_s: dict[Line, float] = {}
        """From when on the next cue of each kind is a new one."""
        self._errands: set[asyncio.Task[object]] = set()
        self.on_line: dict[str, Callable[[re.Match[str]], Coroutine[Any, Any, object] | None]] = {
            r"Waiting for (\S+) \.\.\.": self._set_off,
            r"say it now": lambda _: self._call(Line.TEST_SPEAK),
            r"Shut the housing": lambda _: town.street.shut(),
            r"Switch the mains supply on": lambda _: town.street.restore_mains(),
            r"Pull the cable of the (\S+) path": lambda found: self._take_in_hand(found[1]),
            r"Put it back": lambda _: town.broker.start() if self._in_hand is None else self._in_hand.put_back(),
            r"Now the operator closes that alert": lambda _: self._sign(),
        }

    # --- as a terminal

    def write(self, line: str) -> None:
        """See a line, and go where it sends one."""
        assert len(line) <= 80, line
        self.lines.append(line)
        for pattern, errand in self.on_line.items():
            if (found := re.search(pattern, line)) and (going := errand(found)) is not None:
                task: asyncio.Task[object] = asyncio.ensure_future(going)
                self._errands.add(task)

    async def read(self) -> str | None:
        """Type the answer to the question that stands there."""
        question = next(line[2:] for line in reversed(self.lines) if line.startswith("? "))
        if question.startswith(("Ring the control room", "And again")):
            return await self._read_back()
        if question.startswith("Enter, and pull"):
            if self._in_hand is None:
                await self._town.broker.stop()
            else:
                self._in_hand.pull()
            return ""
        asked = re.sub(r"\W", "_", question)
        for words, answer in self._answers.items():
            if asked.startswith(words):
                return answer
        return None

    async def home(self) -> None:
        """All errands are run."""
        await asyncio.gather(*self._errands)

    # --- on foot, and on the telephone

    def _set_off(self, found: re.Match[str]) -> Coroutine[Any, Any, object] | None:
        street, name = self._town.street, found[1]
        if name == self._town.config.voice.name:
            return self._call(Line.TEST_TRIGGER)
        if name == self._town.config.camera.name:
            return self._cover_for_a_while()
        kind = next(each.kind for each in self._town.config.inputs if each.name == name)
        return {
            "button": lambda: street.press(name),
            "pir": lambda: street.walk_past(name, for_s=0.2),
            "tamper": lambda: street.open(name),
            "mains": street.cut_mains,
        }[kind]()

    def _take_in_hand(self, path: str) -> None:
        self._in_hand = self._cables.get(path)

    async def _cover_for_a_while(self) -> None:
        """Something dark before the lens, until it was noticed."""
        street, room = self._town.street, self._town.control_room
        known = self._town.known()
        await street.cover_camera()
        await room.wait_for(lambda _: room.alerts.keys() - known, NOTICED_WITHIN_S)
        await street.uncover_camera()

    async def _call(self, cue: Line) -> None:
        """Say the phrase, after the cue."""
        cued_s = await self._town.street.heard_line(cue, since_s=self._cued_s.get(cue, 0.0))
        self._cued_s[cue] = math.nextafter(cued_s, math.inf)
        await asyncio.sleep(length_s(line_path(cue)))
        await self._town.street.say(SPEECH / "help-me-slt.wav", snr_db=30.0)

    def _newest_test(self) -> Alert:
        tests = [alert for alert in self._town.control_room.alerts.values() if alert.test]
        return max(tests, key=lambda alert: alert.first.received.monotonic_s)

    async def _read_back(self) -> str:
        """What the operator reads off the screen: the digits behind TEST in the newest alert."""
        found = re.match(r"TEST (\d{4}) - ", self._newest_test().headline)
        assert found is not None
        return found[1]

    async def _sign(self) -> None:
        await self._town.control_room.close_alert(self._newest_test().alert_id, Outcome.TEST, "walk test", "op-7")


class Board:
    """The machine under the unit: its clock is set, its disk is this one's, and it can be switched off and on."""

    def __init__(self, picture: Callable[[], Picture]) -> None:
        self._picture = picture
        self._boots = 1
        self.synced = True
        self.up_since_s = 0.0

    def reboot(self, at_s: float) -> None:
        """The power was cut, and is back since then."""
        self._boots += 1
        self.up_since_s = at_s

    def clock(self) -> ClockReading:
        return ClockReading(self.synced, "chrony, 192.0.2.1", 1.5, 12.0)

    def write_speed(self, folder: Path) -> float:
        return write_speed(folder)

    def boot_id(self) -> str:
        return f"boot-{self._boots}"

    def since_power_up(self, monotonic_s: float) -> float:
        return monotonic_s - self.up_since_s

    def picture(self) -> Picture:
        return self._picture()
