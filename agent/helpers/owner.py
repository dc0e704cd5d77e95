"""The daemon's end of a helper process: starts it, watches its proofs of work, ends it, starts it again.

Nothing here waits for the helper: what it does not answer is asked again of the next process, and a helper that is
dead, hung or deaf is a fault like any other, with a restore.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from enum import Enum
from typing import TYPE_CHECKING

import structlog

from agent.helpers.messages import (
    MAX_LINE_BYTES,
    ClipRequest,
    MediaMade,
    MediaMissed,
    Message,
    PhraseHeard,
    Settings,
    StillRequest,
    TamperOver,
    TamperSeen,
    Trouble,
    TroubleOver,
    Working,
    decode,
    encode,
)
from agent.signals import FaultCleared, Faulted

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.helpers.translation import Told
    from agent.signals import Signal

log = structlog.get_logger()

STARTED_WITHIN_S = 20.0
"""First proof of work: loading a large voice model or a cold camera stack takes seconds on a Pi 3."""
PROVED_EVERY_S = 3.0
"""A helper proves its work each second; three missed proofs and it is taken for hung (stall > 2 s is a fault)."""
TROUBLED_FOR_S = 60.0
"""A helper that says it is in trouble may repair itself for this long before a new process tries."""
ENDS_WITHIN_S = 2.0
"""Time to end by itself when asked; the daemon as a whole must be gone in 5 s."""
BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
"""Waits before the next process; the last one repeats. Back to the first after a life that worked for a minute."""
STEADY_AFTER_S = 60.0
UNREAD_LIMIT_BYTES = 256 * 1024
"""A helper that leaves this much unread is hung; what is not sent now goes to the next process."""


class HelperState(Enum):
    """Where a helper stands."""

    DOWN = "down"
    STARTING = "starting"
    WORKING = "working"


class Helper:
    """One helper process and all its successors."""

    def __init__(
        self,
        name: str,
        config: Config,
        clock: Clock,
        report: Callable[[Signal], None],
        on_event: Callable[[Told], None],
    ) -> None:
        self.name = name
        self.starts = 0
        """Processes started so far."""
        self.last_work: Working | None = None
        self._config = config
        self._clock = clock
        self._report = report
        self._on_event = on_event
        self._state = HelperState.DOWN
        self._worked_at_s = 0.0
        self._down_reported = False
        self._troubles: set[str] = set()
        self._unanswered: dict[tuple[str, str], StillRequest | ClipRequest] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._process: asyncio.subprocess.Process | None = None

    @property
    def state(self) -> HelperState:
        """Where the present process stands."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The present process, if there is one."""
        return self._process.pid if self._process else None

    def facts(self) -> dict[str, int | str]:
        """How it stands, for the heartbeat."""
        work = self.last_work
        return {
            "state": self._state.value,
            "starts": self.starts,
            "done": work.done if work else 0,
            "lost": work.lost if work else 0,
        }

    def request(self, request: StillRequest | ClipRequest) -> None:
        """Ask for a still or clip. Answered by a `MediaMade` or `MediaMissed` event, if need be of a later process."""
        media = "still" if isinstance(request, StillRequest) else "clip"
        self._unanswered[request.alert_id, media] = request
        self._send(request)

    async def run(self) -> None:
        """Keep one process alive until cancelled."""
        attempt = 0
        while True:
            began_s = asyncio.get_running_loop().time()
            try:
                why = await self._live()
            finally:
                self._state = HelperState.DOWN
            if not self._down_reported:
                self._down_reported = True
                log.warning("helper_lost", helper=self.name, why=why)
                text = f"The {self.name} {why}; it is being restarted. Help calls by button are not affected."
                self._report(Faulted(self.name, "down", text, self._clock.now()))
            if self._worked_at_s - began_s > STEADY_AFTER_S:
                attempt = 0
            await asyncio.sleep(BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)])
            attempt += 1

    async def _live(self) -> str:
        """One process from start to end; returns how it ended, as the end of a sentence."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "agent.helpers",
                self.name,
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
            )
        self.starts += 1
        self._process = process
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=MAX_LINE_BYTES)
        self._writer = writer
        self._state = HelperState.STARTING
        hung = False
        try:
            self._send(Settings(self._config.model_dump_json()))
            for request in self._unanswered.values():
                self._send(request)
            await self._listen(reader)
        except TimeoutError:
            hung = True
        except (OSError, ValueError) as broken:  # ValueError: a line too long, or not one of our messages
            log.warning("helper_line_broken", helper=self.name, error=str(broken))
        finally:
            self._writer = None
            writer.close()
            await self._end(process, at_once=hung)
            self._process = None
        return "hung" if hung else f"ended (status {process.returncode})"

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Read events until the end of the line.

        Raises:
            TimeoutError: no proof of work in the time it may take.
        """
        loop = asyncio.get_running_loop()
        proof_due_s = loop.time() + STARTED_WITHIN_S
        while True:
            async with asyncio.timeout_at(proof_due_s):
                line = await reader.readline()
            if not line:
                return
            event = decode(line)
            if isinstance(event, Working):
                self._worked_at_s = loop.time()
            if isinstance(event, Working | TroubleOver):
                proof_due_s = loop.time() + PROVED_EVERY_S
            elif isinstance(event, Trouble):
                proof_due_s = loop.time() + TROUBLED_FOR_S
            self._take(event)

    def _take(self, event: Message) -> None:
        now = self._clock.now()
        match event:
            case Working():
                self.last_work = event
                if self._state is not HelperState.WORKING:
                    self._begin_working()
            case Trouble(code, text):
                self._troubles.add(code)
                self._report(Faulted(self.name, code, text, now))
            case TroubleOver(code):
                self._troubles.discard(code)
                self._report(FaultCleared(self.name, code, now))
            case MediaMade() | MediaMissed():
                self._unanswered.pop((event.alert_id, event.media), None)
                self._on_event(event)
            case PhraseHeard() | TamperSeen() | TamperOver():
                self._on_event(event)
            case Settings() | StillRequest() | ClipRequest():
                msg = f"a helper does not send {event.type}"
                raise ValueError(msg)

    def _begin_working(self) -> None:
        """The first proof of a process: what its predecessor complained of is over, unless it says so again."""
        now = self._clock.now()
        self._state = HelperState.WORKING
        if self._down_reported:
            self._down_reported = False
            log.info("helper_back", helper=self.name, starts=self.starts)
            self._report(FaultCleared(self.name, "down", now))
        for code in sorted(self._troubles):
            self._report(FaultCleared(self.name, code, now))
        self._troubles.clear()

    def _send(self, message: Message) -> None:
        writer = self._writer
        if writer is None or writer.is_closing():
            return  # what is unanswered goes to the next process
        if writer.transport.get_write_buffer_size() < UNREAD_LIMIT_BYTES:
            writer.write(encode(message))

    async def _end(self, process: asyncio.subprocess.Process, *, at_once: bool) -> None:
        """See the process gone: by its own will, else by force. Its line is closed already."""
        if not at_once:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ENDS_WITHIN_S):
                    await process.wait()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it ended between the look and the kill
                process.kill()
            await process.wait()
