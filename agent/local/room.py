"""The daemon's end of the local socket: streams what happens, and takes the few requests of a walk test.

It hears what the rules hear and sees what they decide; it decides nothing. When it fails nobody calls in vain: only
the walk test has to wait.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, Final

import structlog

import agent
from agent.apart import apart
from agent.local import place
from agent.local.messages import (
    MAX_REQUEST_BYTES,
    AlertAnswered,
    AlertTold,
    AskFacts,
    CameToRest,
    Done,
    Hello,
    LampShows,
    Light,
    Listen,
    RaiseTest,
    ReadCommissioning,
    Refused,
    Say,
    Walk,
    WentOff,
    asked,
    tell,
)
from agent.signals import (
    Acknowledged,
    LightRequested,
    Restored,
    ShowLight,
    Tell,
    TestRequested,
    Triggered,
    WalkTest,
)
from agent.uplink.jsonable import jsonable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.local.messages import News, Request, Told
    from agent.signals import Action, Line, Signal

log = structlog.get_logger()

ENGINEER: Final = "engineer"
"""Who asks for things at the unit itself, in alerts and journal."""
GUESTS: Final = 4
"""Connections at a time: an engineer, a drill, and two that were not closed in order."""
UNREAD_BYTES: Final = 1 << 20
"""A guest who leaves more unread is sent away."""
LEAVE_IT: Final[dict[str, Any]] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}
"""Python 3.13 looks for the socket's file to remove it later; ours is replaced by the next life."""
LISTENS_WITHIN_S: Final = 5.0
"""A disk that takes longer for a socket hangs."""


class LocalRoom:
    """Serves whoever may open the socket; `take` and `act` may be called at any time."""

    def __init__(  # noqa: PLR0913 - what can be asked of a unit
        self,
        config: Config,
        clock: Clock,
        *,
        facts: Callable[[], Mapping[str, Any]],
        report: Callable[[Signal], None],
        say: Callable[[Line], None] | None,
        want_self_test: Callable[[], None] | None,
        read_commissioning: Callable[[], None],
        cut_off: Callable[[], bool],
    ) -> None:
        """A room with a shut door.

        Args:
            config: Which unit it is, and what sensors it has.
            clock: Stamps requests.
            facts: What the unit says of itself.
            report: The way to the rules.
            say: Speaks a line; None: there is no speaker.
            want_self_test: Has the unit speak to itself; None where it cannot.
            read_commissioning: Has the commissioning read anew.
            cut_off: Whether the life before this one did not end in order.
        """
        self._config = config
        self._clock = clock
        self._facts = facts
        self._report = report
        self._say = say
        self._want_self_test = want_self_test
        self._read_commissioning = read_commissioning
        self._cut_off = cut_off
        self._folder: Path = place.listening_folder(config.state_folder)
        self._guests: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._walker: asyncio.StreamWriter | None = None
        """Whose walk test it is."""
        self.ready_s: float | None = None
        """When the unit was ready, on CLOCK_MONOTONIC."""

    def facts(self) -> Mapping[str, Any]:
        """For the heartbeat."""
        return {"guests": len(self._guests), "walkTest": self._walker is not None}

    async def run(self, working: Callable[[], None]) -> None:
        """Serve until cancelled.

        Raises:
            OSError, TimeoutError: there can be no socket.
        """
        sock = await apart(lambda: place.listen(self._folder), name="local-socket", within_s=LISTENS_WITHIN_S)
        server = await asyncio.start_unix_server(self._visited, sock=sock, limit=MAX_REQUEST_BYTES, **LEAVE_IT)
        working()
        try:
            # Not `serve_forever`: from Python 3.12 on its end waits for the guests, who wait for ours.
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            for visit, writer in self._guests.items():
                visit.cancel()
                writer.transport.abort()
            await asyncio.gather(*self._guests, return_exceptions=True)

    # --- what happens ------------------------------------------------------------------------------------------------

    def take(self, signal: Signal) -> None:
        """Tell the guests what was heard."""
        if not self._guests:
            return
        match signal:
            case Triggered(sensor, kind, at):
                self._tell(WentOff(sensor, kind.value, signal.label, at.monotonic_s))
            case Restored(sensor, _, at):
                self._tell(CameToRest(sensor, at.monotonic_s))
            case Acknowledged(alert_id, revision, level, at):
                outcome = None if signal.outcome is None else signal.outcome.value
                ref, note = signal.operator_ref, signal.cause
                self._tell(AlertAnswered(alert_id, revision, level.value, ref, outcome, note, at.monotonic_s))

    def act(self, actions: Iterable[Action]) -> None:
        """Tell the guests what was decided."""
        if not self._guests:
            return
        for action in actions:
            match action:
                case Tell(alert_id, revision, category, at, data):
                    sensors = tuple(each["detectorId"] for each in data["detections"])
                    state, test, at_s = data["state"], data["test"], at.monotonic_s
                    self._tell(AlertTold(alert_id, revision, category.value, state, test, sensors, at_s))
                case ShowLight(pattern):
                    self._tell(LampShows(pattern.value))

    def _tell(self, news: News) -> None:
        line = tell(news)
        for writer in self._guests.values():
            _write(writer, line)

    # --- guests ------------------------------------------------------------------------------------------------------

    async def _visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.current_task()
        if visit is None or len(self._guests) >= GUESTS:
            _write(writer, tell(Refused(None, "too many others speak with this unit: try again in a minute")))
            writer.close()
            return
        self._guests[visit] = writer
        try:
            await self._serve(reader, writer)
        except ConnectionError:
            pass  # the guest hung up in the middle of a word
        finally:
            del self._guests[visit]
            if self._walker is writer:
                self._end_walk()
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unit, now = self._config.unit, self._clock.now()
        self._answer(writer, Hello(unit.org, unit.id, agent.__version__, now.boot_id, self.ready_s, self._cut_off()))
        while True:
            try:
                line = await reader.readline()
            except ValueError:  # asyncio's word for a line that is too long
                self._answer(writer, Refused(None, f"a request has at most {MAX_REQUEST_BYTES} bytes"))
                return
            if not line:
                return
            try:
                said = asked(line)
            except ValueError as error:
                log.warning("local_request_refused", reason=str(error)[:500])
                self._answer(writer, Refused(None, "this is no request that the unit knows"))
                continue
            try:
                facts = self._carry_out(said.request, writer)
            except _NotTaken as why:
                self._answer(writer, Refused(said.number, str(why)))
            else:
                self._answer(writer, Done(said.number, facts))

    def _answer(self, writer: asyncio.StreamWriter, told: Told) -> None:
        _write(writer, tell(told))

    def _carry_out(self, request: Request, writer: asyncio.StreamWriter) -> dict[str, Any]:
        """Do it; returns what there is to say of it.

        Raises:
            _NotTaken: it is not done.
        """
        if isinstance(request, AskFacts):
            facts: dict[str, Any] = jsonable(self._facts())
            return facts
        log.info("local_request", request=request.type)
        match request:
            case Walk(sensors, for_s):
                self._walk(sensors, for_s, writer)
            case RaiseTest(about):
                self._report(TestRequested(ENGINEER, self._clock.now(), about=about))
            case ReadCommissioning():
                self._read_commissioning()
            case Light() | Say() | Listen():
                self._try_part(request)
        return {}

    def _try_part(self, request: Light | Say | Listen) -> None:
        match request:
            case Light(for_s) if self._config.lamp is not None:
                self._report(LightRequested(for_s, ENGINEER, self._clock.now()))
            case Say(line) if self._say is not None:
                self._say(line)
            case Listen() if self._want_self_test is not None:
                self._want_self_test()
            case _:
                needed = {"light": "lamp", "say": "speaker", "listen": "acoustic self-test"}[request.type]
                msg = f"this unit has no {needed}"
                raise _NotTaken(msg)

    def _walk(self, sensors: tuple[str, ...], for_s: float, writer: asyncio.StreamWriter) -> None:
        if self._walker not in {None, writer}:
            msg = "somebody else makes a walk test on this unit now"
            raise _NotTaken(msg)
        config = self._config
        known = {each.name for each in config.inputs} | {config.voice.name, config.camera.name}
        if unknown := sorted(set(sensors) - known):
            msg = f"this unit has no sensor {unknown[0]}"
            raise _NotTaken(msg)
        if not sensors:
            self._end_walk()
            return
        self._walker = writer
        self._report(WalkTest(frozenset(sensors), for_s, self._clock.now()))

    def _end_walk(self) -> None:
        self._walker = None
        self._report(WalkTest(frozenset(), 0.0, self._clock.now()))


class _NotTaken(Exception):
    """What is asked for is not done; the text says why."""


def _write(writer: asyncio.StreamWriter, line: bytes) -> None:
    if writer.transport.get_write_buffer_size() > UNREAD_BYTES:
        log.warning("local_guest_sent_away", reason="it does not read")
        writer.transport.abort()
        return
    if not writer.is_closing():
        writer.write(line)
