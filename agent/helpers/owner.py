"""The daemon's end of a helper process: starts it, watches its proofs of work, ends it, starts it again.

Nothing here waits for the helper: what it does not answer is asked again of the next process, and a helper that is
dead, hung, deaf or babbling is a fault like any other, with a restore. One that cannot even be killed is left behind.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any

import structlog

from agent.helpers.faults import HelperFaults
from agent.helpers.ladder import Ladder
from agent.helpers.left_behind import LeftBehind
from agent.helpers.messages import (
    MAX_LINE_BYTES,
    ClipOrder,
    ClipRequest,
    FootageStands,
    HearingStands,
    HoldOrder,
    MediaMade,
    MediaMissed,
    Message,
    OrderDone,
    OrderRefused,
    PhraseHeard,
    PhraseSuspected,
    PipelineRestarted,
    ReleaseOrder,
    SelfTest,
    SelfTestBegun,
    SelfTestEnded,
    Settings,
    SoundMeasured,
    StillOrder,
    StillRequest,
    StripRequest,
    TamperOver,
    TamperSeen,
    Trouble,
    TroubleOver,
    Working,
    decode,
    encode,
)
from agent.helpers.patience import STARTED_WITHIN_S, Patience
from agent.helpers.starting import start_helper
from agent.helpers.talk import Talk
from agent.helpers.unanswered import Unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.helpers.messages import Order
    from agent.helpers.process import Process
    from agent.helpers.translation import Told
    from agent.signals import Signal

log = structlog.get_logger()

PROGRAM = (sys.executable, "-m", "agent.helpers")
"""What is started, with the helper's name and the number of its descriptor as arguments."""
ENDS_WITHIN_S = 2.0
"""Time to end by itself when asked; the daemon as a whole must be gone in 5 s."""
KILLED_WITHIN_S = 2.0
"""A kill takes milliseconds, on a board that swaps a second; unless the process sleeps in a driver that the kernel does
not wake it from."""
BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
"""Waits before the next process; the last one repeats. Back to the first after a life that worked for a minute."""
STEADY_AFTER_S = 60.0
UNREAD_LIMIT_BYTES = 256 * 1024
"""A helper that leaves this much unread is hung: it is ended, and what it did not read goes to the next process."""
ARRIVED_WITHIN_S = 0.5
"""For what a helper had sent in time to be read after all: when the daemon itself stood still (a card, swapping),
asyncio has the line and the timer in the same turn, and the timer wins. A call may be in that line."""
DEAF = "does not read what it is asked"


class HelperState(Enum):
    """Where a helper stands."""

    DOWN = "down"
    STARTING = "starting"
    WORKING = "working"


class Helper:
    """One helper process and all its successors."""

    def __init__(  # noqa: PLR0913 - who it is, what it works with, and who hears of it
        self,
        name: str,
        config: Config,
        clock: Clock,
        report: Callable[[Signal], None],
        on_event: Callable[[Told], None],
        *,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self.name = name
        self.starts = 0
        """Processes started so far."""
        self.last_work: Working | None = None
        self.footage: FootageStands | None = None
        """How much footage there is, as the recorder said last."""
        self.sound: SoundMeasured | None = None
        """How loud it was, as the listener said last."""
        self.hearing: HearingStands | None = None
        """How it hears, as the listener said last."""
        self.ladder = Ladder(clock.now().monotonic_s)
        """What was tried to get it to work."""
        self._program = program
        self._config = config
        self._clock = clock
        self._report = report
        self._faults = HelperFaults(name, clock, report)
        self._on_event = on_event
        self._state = HelperState.DOWN
        self._worked_at_s = 0.0
        self._in_vain = 0
        """Processes in a row that ended without one proof of work."""
        self._unanswered = Unanswered()
        self._asked_by: str | None = None
        """Who asked for the end of the present process."""
        self._writer: asyncio.StreamWriter | None = None
        self._deaf = False
        self._process: Process | None = None
        self._left_behind = LeftBehind(name, self.ladder, clock, report)

    @property
    def state(self) -> HelperState:
        """Where the present process stands."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The present process, if there is one."""
        return self._process.pid if self._process else None

    def facts(self) -> dict[str, Any]:
        """How it stands, for the heartbeat."""
        work, now_s = self.last_work, self._clock.now().monotonic_s
        return {
            "state": self._state.value,
            "starts": self.starts,
            "done": work.done if work else 0,
            "lost": work.lost if work else 0,
            "logLost": work.log_lost if work else 0,
            "silentS": round(self.ladder.standing(now_s).silent_s, 1),
            "ladder": self.ladder.facts(),
        }

    def request(self, request: StillRequest | StripRequest | ClipRequest) -> None:
        """Ask for a piece of footage; of each alert and kind one at a time.

        Answered by a `MediaMade` or `MediaMissed` event, if need be of a later process.
        """
        self._unanswered.ask(request)
        self._send(request)

    def order(self, order: Order) -> None:
        """Give the recorder an order. Answered by an `OrderDone` or `OrderRefused`, if need be of a later process."""
        self._unanswered.order(order)
        self._send(order)

    def withdraw(self, order_id: str) -> None:
        """Ask no later process for this order."""
        self._unanswered.withdraw(order_id)

    def restart(self, by: str) -> None:
        """End the present process, as somebody asked for; the next one comes by itself."""
        log.warning("helper_restart_asked_for", helper=self.name, by=by)
        self._asked_by = by
        if self._writer is not None:
            self._writer.transport.abort()  # ends the line, and with it the process

    def ask_now(self, request: SelfTest) -> None:
        """Ask the present process and no later one: an answer that takes so long is none."""
        self._send(request)

    async def run(self) -> None:
        """Keep one process alive until cancelled."""
        try:
            await self._keep_alive()
        finally:
            await self._left_behind.let_go()

    async def _keep_alive(self) -> None:
        attempt = 0
        while True:
            began_s = asyncio.get_running_loop().time()
            try:
                why = await self._live()
            finally:
                self._state = HelperState.DOWN
            log.warning("helper_lost", helper=self.name, why=why, **self.ladder.facts())
            self._faults.down(self._obituary(why))
            self._in_vain = 0 if self._worked_at_s > began_s else self._in_vain + 1
            if self._worked_at_s - began_s > STEADY_AFTER_S:
                attempt = 0
            await asyncio.sleep(BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)])
            await self._left_behind.until_few()
            attempt += 1

    def _obituary(self, why: str) -> str:
        """What a person is told of the end of a process."""
        tried = self.ladder.standing(self._clock.now().monotonic_s).pipeline
        what_for = f" after {tried} restarts of its device" if tried else ""
        return (
            f"The {self.name} {why}{what_for}; it is being restarted (for the {self.ladder.process + 1}. time). "
            "Help calls by button are not affected."
        )

    async def _live(self) -> str:
        """One process from start to end; returns how it ended, as the end of a sentence."""
        self.ladder.process_started()
        self._state = HelperState.STARTING
        ours, theirs = socket.socketpair()
        try:
            argv = (*self._program, self.name, str(theirs.fileno()))
            process = await start_helper(self.name, argv, theirs, self._clock, self._report)
        except OSError as error:
            ours.close()
            return f"could not be started ({error})"
        except asyncio.CancelledError:
            ours.close()
            raise
        self.starts += 1
        self._process = process
        self._deaf = False
        self._asked_by = None
        why: str | None = None
        try:
            reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=MAX_LINE_BYTES)
            self._send(Settings(self._config.model_dump_json()))
            why = await self._ask_again(self._writer) or await self._listen(reader)
        except (OSError, ValueError) as broken:  # ValueError: a line too long, or not one of our messages
            log.warning("helper_line_broken", helper=self.name, error=str(broken))
        finally:
            writer, self._writer = self._writer, None
            (writer or ours).close()
            await self._end(process, at_once=why is not None)
            self._process = None
        if why is None and self._asked_by is not None:
            return f"was ended on request of {self._asked_by}"
        return why or f"ended (status {process.status})"

    async def _ask_again(self, writer: asyncio.StreamWriter) -> str | None:
        """Ask for all that no process has answered yet; returns why that is no use."""
        try:
            async with asyncio.timeout(STARTED_WITHIN_S):
                for request in self._unanswered:
                    self._send(request)
                    await writer.drain()  # a long outage leaves more than a line holds
        except TimeoutError:
            return DEAF
        return None

    async def _listen(self, reader: asyncio.StreamReader) -> str | None:
        """Read events until the end of the line, or until it is no use; returns why, None for the former."""
        loop = asyncio.get_running_loop()
        patience, talk = Patience(loop.time(), self._in_vain), Talk(loop.time())
        while True:
            line = await _next_line(reader, patience.due_s)
            if line is None:
                troubles = ", ".join(sorted(patience.troubles))
                return f"did not get over its trouble ({troubles})" if troubles else "hung"
            if not line:
                return DEAF if self._deaf else None
            if not talk.hear(loop.time()):
                return "flooded its line"
            event = decode(line)
            match event:
                case Working():
                    self._worked_at_s = loop.time()
                    patience.proved(loop.time())
                case Trouble(code):
                    patience.troubled(code)
                case TroubleOver(code):
                    patience.untroubled(code, loop.time())
            self._take(event)
            await asyncio.sleep(0)  # `readline` does not wait while there are lines: others come first

    def _take(self, event: Message) -> None:
        match event:
            case Working():
                self.last_work = event
                self.ladder.worked(self._clock.now().monotonic_s)
                if self._state is not HelperState.WORKING:
                    self._begin_working()
            case Trouble(code, text):
                self.ladder.troubled(code)
                self._faults.troubled(code, text)
            case TroubleOver(code):
                self.ladder.untroubled(code)
                self._faults.untroubled(code)
            case MediaMade() | MediaMissed() | OrderDone() | OrderRefused():
                self._unanswered.answered(event)
                self._on_event(event)
            case PhraseSuspected() | PhraseHeard() | SelfTestBegun() | SelfTestEnded() | TamperSeen() | TamperOver():
                self._on_event(event)
            case PipelineRestarted():
                self.ladder.pipeline_restarted()
            case FootageStands() | SoundMeasured() | HearingStands():
                self._keep(event)
            case (
                Settings()
                | SelfTest()
                | StillRequest()
                | StripRequest()
                | ClipRequest()
                | StillOrder()
                | ClipOrder()
                | HoldOrder()
                | ReleaseOrder()
            ):
                msg = f"a helper does not send {event.type}"
                raise ValueError(msg)

    def _keep(self, standing: FootageStands | SoundMeasured | HearingStands) -> None:
        """Keep what a helper says of its own standing, for the heartbeat."""
        match standing:
            case FootageStands():
                self.footage = standing
            case SoundMeasured():
                self.sound = standing
            case HearingStands():
                self.hearing = standing

    def _begin_working(self) -> None:
        self._state = HelperState.WORKING
        if self._faults.works():
            log.info("helper_back", helper=self.name, starts=self.starts)

    def _send(self, message: Message) -> None:
        writer = self._writer
        if writer is None or writer.is_closing():
            return  # what is unanswered goes to the next process
        if writer.transport.get_write_buffer_size() < UNREAD_LIMIT_BYTES:
            writer.write(encode(message))
        else:
            log.warning("helper_does_not_read", helper=self.name)
            self._deaf = True
            writer.transport.abort()  # ends the line, and with it this process

    async def _end(self, process: Process, *, at_once: bool) -> None:
        """See the process gone: by its own will, else by force, else leave it behind. Its line is closed already."""
        if not at_once and await process.ended(ENDS_WITHIN_S):
            return
        process.kill()
        if not await process.ended(KILLED_WITHIN_S):
            self._left_behind.add(process)


async def _next_line(reader: asyncio.StreamReader, due_s: float) -> bytes | None:
    """The next line, empty at the end; None if none has come by `due_s`, on the loop's clock."""
    line = await _line_by(reader, due_s)
    return await _line_by(reader, asyncio.get_running_loop().time() + ARRIVED_WITHIN_S) if line is None else line


async def _line_by(reader: asyncio.StreamReader, until_s: float) -> bytes | None:
    with suppress(TimeoutError):
        async with asyncio.timeout_at(until_s):
            return await reader.readline()
    return None
