"""A control room that really speaks MQTT: what stands behind the operator's screen, the demo and the tests alike."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self, TypeVar

from agent.control_room.acks import NEEDS_CAUSE, Acks, CauseMissing
from agent.control_room.album import Album, as_text, is_still
from agent.control_room.commands import Commands
from agent.control_room.desk import Desk
from agent.control_room.happenings import Happening, UnitKey, What
from agent.control_room.reading import Reading, read
from agent.control_room.receiver import Receiver
from agent.control_room.repeating import FILE_NAME as WORDS_FILE
from agent.control_room.repeating import Repeating
from agent.signals import AckLevel, Outcome
from agent.uplink.client_mark import FILE_NAME, ClientMark
from agent.uplink.link import Link
from agent.uplink.manners import Manners
from agent.uplink.messages import CommandName, Kind
from agent.uplink.publication import Received, Subscription
from agent.uplink.topics import ROOT
from agent.uplink.validation import MessageInvalid

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable
    from pathlib import Path
    from types import TracebackType

    from agent.clock import Clock, Moment
    from agent.control_room.alerts import Alert
    from agent.control_room.command_line import Typed
    from agent.uplink.endpoint import Endpoint
    from agent.uplink.messages import Document

Seen = TypeVar("Seen")

TICK_S: Final = 1.0
"""How often the desk looks for what is due; a unit that fell quiet is told within a second of its 90."""
MAX_PAYLOAD: Final = 64 * 1024
"""Bytes; more than any unit sends (an alert has 2.4 kB), so that nothing true is ever refused for its size."""
KEPT_FOR_A_JOURNAL_S: Final = 86_400
"""So long the broker keeps what comes for a console that is away and keeps a journal."""
KEPT_FOR_A_RUN_S: Final = 3600
"""The same for one without: its next run is another client to the broker, and nobody ever fetches this queue."""


class ControlRoom:
    """One console. `run` does the work, or `async with` around it; the rest may be called at any time."""

    def __init__(  # noqa: PLR0913 - who it is, where it listens, what it keeps
        self,
        endpoint: Endpoint,
        client: str,
        clock: Clock,
        *,
        org: str = "+",
        operator_ref: str = "operator",
        journal: Path | None = None,
        pictures: Path | None = None,
        auto_receive: bool = True,
    ) -> None:
        """A console that is not connected yet. Build it on a running event loop.

        Args:
            endpoint: The broker.
            client: This console's name: the common name of its certificate, else the broker takes no command of it. It
                is the beginning of its MQTT client id, and a level of the topics of its commands and answers.
            clock: Where it gets its moments from.
            org: Whose units it watches; `+` is everybody's.
            operator_ref: Who sits here, where a verb does not say otherwise.
            journal: The file that every message is appended to; without one, the desk alone keeps what came.
            pictures: The folder that stills are kept in; without one they are checked and told, not kept.
            auto_receive: Whether every revision of an alert is acknowledged as received once it is kept.

        Raises:
            OSError: the journal cannot be written.
        """
        self.desk = Desk()
        self.auto_receive = auto_receive
        self.operator_ref = operator_ref
        self._clock = clock
        self._listeners: list[Callable[[Happening], None]] = []
        self._changed = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self.album = Album(pictures, self.desk.alerts, lambda happening: self._tell([happening]))
        self._receiver = Receiver(journal, self._receive, lambda happening: self._tell([happening]))
        self._mark = ClientMark()
        self._mark_file = None if journal is None else journal.with_name(f"{journal.name}.{FILE_NAME}")
        """Beside the journal: its next run goes on with the queue of this one. Without one a run is for itself."""
        manners = Manners(
            client,
            (Subscription(f"{ROOT}/{org}/+/#"),),
            session_expiry_s=KEPT_FOR_A_RUN_S if journal is None else KEPT_FOR_A_JOURNAL_S,
            max_payload=MAX_PAYLOAD,
            mark=self._mark,
        )
        self._link = Link(
            endpoint,
            manners,
            on_message=self._take,
            on_change=self._link_changed,
        )
        words = None if journal is None else journal.with_name(f"{journal.name}.{WORDS_FILE}")
        self._repeating = Repeating(self.desk, self._link, clock, self._tell, words)
        self._acks = Acks(self.desk, self._link, client, clock, self._tell, repeating=self._repeating)
        self._commands = Commands(self._link, client, clock)

    # --- its life ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Listen, keep and acknowledge until `close`."""
        try:
            if self._mark_file is not None:
                await self._mark.recall(self._mark_file)
            await self._repeating.recall()
            async with asyncio.TaskGroup() as work:
                helpers = (
                    work.create_task(self._receiver.run(), name="control-room-receiver"),
                    work.create_task(self._tick(), name="control-room-tick"),
                    work.create_task(self.album.run(), name="control-room-album"),
                    work.create_task(self._repeating.run(), name="control-room-repeating"),
                )
                await self._link.run()
                await self._receiver.finished()
                await self.album.finished()
                for helper in helpers:
                    helper.cancel()
            await self._repeating.finished()
        finally:
            self._receiver.close()

    async def close(self) -> None:
        """Acknowledge what came until now, and leave the broker in order."""
        await self._receiver.finished()
        await self._link.close()

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self.run(), name="control-room")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running is not None:
            closing = asyncio.create_task(self.close(), name="control-room-close")
            await asyncio.wait({self._running, closing}, return_when=asyncio.FIRST_COMPLETED)
            closing.cancel()  # nothing once it is done; when `run` broke, nobody is left to close
            await self._running

    # --- what it sees ------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._link.connected

    @property
    def trouble(self) -> str | None:
        """Why the broker is not there; None while it is."""
        return self._link.trouble

    @property
    def alerts(self) -> dict[str, Alert]:
        """The alerts on the desk, by their id."""
        return self.desk.alerts

    @property
    def refused(self) -> int:
        """Messages that could not be believed, read or handled, however they failed."""
        return self.desk.refused + self._link.refused + self._link.mishandled

    @property
    def unsent(self) -> int:
        """Receiver acknowledgements that the broker did not get. The unit sends such an alert again."""
        return self._acks.unsent

    @property
    def unkept(self) -> int:
        """Messages that the journal did not take; the alerts among them were not acknowledged."""
        return self._receiver.unkept

    def listen(self, listener: Callable[[Happening], None]) -> None:
        """Call this for each thing that happens, on the event loop."""
        self._listeners.append(listener)

    async def changed(self) -> None:
        """Wait until anything happens."""
        await self._changed.wait()

    async def wait_for(self, look: Callable[[Self], Seen | None], timeout_s: float) -> Seen:
        """Look again after each thing that happens until there is something to see, and return it.

        Args:
            look: Gives what is looked for, or something false while it is not there.
            timeout_s: How long to wait for it.

        Raises:
            TimeoutError: it was not there in time.
        """
        async with asyncio.timeout(timeout_s):
            while True:
                if found := look(self):
                    return found
                await self.changed()

    # --- what an operator does ---------------------------------------------------------------------------------
    # The broker can be away (LinkDown) or not take it (PublishRefused), and words can be too long (MessageInvalid):
    # each of these verbs raises these three beside its own errors.

    async def acknowledge(self, alert_id: str, operator_ref: str | None = None) -> None:
        """Say that an operator has seen this alert.

        Raises:
            AlertUnknown: it is not on the desk.
        """
        await self._acks.say(alert_id, AckLevel.OPERATOR, operator_ref or self.operator_ref)

    async def close_alert(
        self,
        alert_id: str,
        outcome: Outcome,
        cause: str | None = None,
        operator_ref: str | None = None,
        revision: int | None = None,
    ) -> None:
        """Give this alert its outcome: genuine, false or test, with why it was false or what the test was.

        Args:
            alert_id: Which one.
            outcome: How it ended.
            cause: Why it was false, or what the test was.
            operator_ref: Who says so, when it is not the console's own operator.
            revision: What the operator looked at when he judged; None: the newest. Whoever called later is not closed.

        Raises:
            AlertUnknown: it is not on the desk.
            CauseMissing: a false alert and a test need their cause.
        """
        by = operator_ref or self.operator_ref
        if outcome in NEEDS_CAUSE and not (cause or "").strip():
            raise CauseMissing(alert_id, outcome)
        await self._acks.say(alert_id, AckLevel.CLOSED, by, revision, outcome=outcome, note=cause)

    async def set_unit(self, org: str, unit: str, operator_ref: str | None = None) -> str:
        """Set (arm) a unit; returns what it said.

        Raises:
            CommandRefused: it does not do it.
            NoAnswer: it did not answer.
        """
        return await self._commands.give(UnitKey(org, unit), CommandName.SET, operator_ref or self.operator_ref)

    async def unset_unit(self, org: str, unit: str, operator_ref: str | None = None) -> str:
        """Unset (disarm) a unit; returns what it said.

        Raises:
            CommandRefused: it does not do it.
            NoAnswer: it did not answer.
        """
        return await self._commands.give(UnitKey(org, unit), CommandName.UNSET, operator_ref or self.operator_ref)

    async def test_alert(self, org: str, unit: str, operator_ref: str | None = None) -> str:
        """Ask a unit for a test alert; returns what it said.

        Raises:
            CommandRefused: it does not do it.
            NoAnswer: it did not answer.
        """
        return await self._commands.give(UnitKey(org, unit), CommandName.TEST_ALERT, operator_ref or self.operator_ref)

    def command(self, command: Typed, operator_ref: str | None = None) -> AsyncGenerator[Document, None]:
        """Have a unit do something; yields each of its answers until it is over.

        Raises:
            CommandRefused: it does not do it, or did not come to its end.
            NoAnswer: it did not answer.
        """
        return self._commands.follow(command, operator_ref or self.operator_ref)

    # --- inside ------------------------------------------------------------------------------------------------

    def _take(self, received: Received) -> None:
        """A message came: show it first, so that a slow disk never delays a call for help, then keep it."""
        now = self._clock.now()
        if is_still(received.topic):
            self._take_still(received, now)
            return
        reading = None
        try:
            reading = read(received)
        except MessageInvalid as error:
            self._tell([self.desk.refuse(f"{received.topic}: {error}")])
        self._receiver.take(received, now, reading)
        if reading is None:
            return
        if reading.kind is Kind.RESPONSE:
            self._commands.answered(received.correlation_data, reading.document)
        self._tell(self.desk.handle(reading, now))
        self._repeating.came(reading)

    def _take_still(self, received: Received, now: Moment) -> None:
        """A picture came: beside its alert, whichever was first."""
        try:
            self.album.take(received, now)
        except MessageInvalid as error:
            self._tell([self.desk.refuse(f"{received.topic}: {error}")])
        self._receiver.take(as_text(received), now, None)

    def _receive(self, reading: Reading) -> None:
        if self.auto_receive and not reading.standing:
            self._acks.receive(reading)

    def _tell(self, happened: Iterable[Happening]) -> None:
        for happening in happened:
            for listener in self._listeners:
                listener(happening)
        self._changed.set()
        self._changed = asyncio.Event()

    def _link_changed(self, up: bool) -> None:  # noqa: FBT001 - the link's own word for it
        lost = Happening(What.BROKER_LOST, "NO BROKER: nothing new can arrive")
        self._tell([Happening(What.BROKER_BACK, "connected to the broker") if up else lost])
        if not up:
            self._link.hurry()  # consoles are few, and calls may be waiting on the other side

    async def _tick(self) -> None:
        while True:
            self._tell(self.desk.tick(self._clock.now()))
            await asyncio.sleep(TICK_S)
