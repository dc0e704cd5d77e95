"""An office on its own: a real file, a link that only listens, and families that do what the story needs."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent.clock import ClockQuality, SystemClock
from agent.commands.audit import Audit
from agent.commands.file import CommandFile
from agent.commands.office import Office
from agent.commands.verdict import judge
from agent.signals import Answer, AnswerCommand, CommandName
from agent.uplink import messages
from agent.uplink.inbox import Inbox
from agent.uplink.lanes import Lane
from agent.uplink.publication import LinkDown, Publication, Receipt
from agent.uplink.topics import UnitTopics
from agent.uplink.validation import parse
from tests.uplink.lab import came, make_config, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence
    from pathlib import Path

    from agent.clock import Moment
    from agent.commands.carrying import Handler
    from agent.commands.chain import Record
    from agent.commands.file import Contents, Writing
    from agent.signals import Command, Signal
    from agent.uplink.messages import Message

CONFIG = make_config()
TOPICS = UnitTopics(CONFIG.unit.org, CONFIG.unit.id)


class SyncedClock(SystemClock):
    """The machine's clock, which the story knows to be right."""

    def at(self, monotonic_s: float) -> Moment:
        return replace(super().at(monotonic_s), quality=ClockQuality.SYNCED)


class ListeningLink:
    """The broker's end: keeps what is sent while it is up."""

    def __init__(self) -> None:
        self.is_up = True
        self.swallowing: list[asyncio.Future[Receipt]] | None = None
        """What the first of two paths swallows, while it does."""
        self.sent: list[Publication] = []
        self.lanes: dict[str, Lane] = {}
        self._came_up = asyncio.Event()
        self._came_up.set()

    @property
    def connected(self) -> bool:
        return self.is_up

    async def up(self) -> None:
        await self._came_up.wait()

    def go_down(self) -> None:
        self.is_up = False
        self._came_up.clear()

    def come_up(self) -> None:
        self.is_up = True
        self._came_up.set()

    def cut_first_path(self) -> None:
        """What it swallowed is lost; the second path is up all the time."""
        swallowed, self.swallowing = self.swallowing or [], None
        for receipt in swallowed:
            receipt.set_exception(LinkDown("the first path was cut"))

    def send(self, publication: Publication, lane: Lane = Lane.TALK) -> asyncio.Future[Receipt]:
        if not self.is_up:
            msg = "the broker is away"
            raise LinkDown(msg)
        if self.swallowing is not None:
            self.swallowing.append(asyncio.get_running_loop().create_future())
            return self.swallowing[-1]
        self.sent.append(publication)
        self.lanes[publication.topic] = lane
        receipt: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        receipt.set_result(Receipt(0.0, nobody_listening=False))
        return receipt

    async def publish(self, publication: Publication, lane: Lane = Lane.TALK) -> Receipt:
        return await self.send(publication, lane)


class HungFile(CommandFile):
    """A file on a disk that does not open it before the story lets it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.may_open = threading.Event()

    def open(self) -> Contents:
        self.may_open.wait()
        return super().open()


class HungWrites(CommandFile):
    """A file that takes nothing until it may."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.may_write = threading.Event()

    def write(self, writings: Sequence[Writing]) -> None:
        self.may_write.wait()
        super().write(writings)


class Desk:
    """One life of a unit's office. What it is told to do is kept in `done`."""

    def __init__(
        self,
        folder: Path,
        handler: Callable[[Desk], Handler] | None = None,
        *,
        resumes: bool = False,
        file: CommandFile | None = None,
        **config: Any,  # noqa: ANN401 - sections of a configuration
    ) -> None:
        self.clock = SyncedClock()
        self.config = CONFIG.model_copy(update=config)
        self.link = ListeningLink()
        self.reported: list[Signal] = []
        self.done: list[Command] = []
        self.resumed: list[str] = []
        audit = Audit(self.config.unit, file or CommandFile(folder), self.clock, self.link, self.reported.append)  # type: ignore[arg-type]
        self.office = Office(self.config, self.clock, self.link, audit)  # type: ignore[arg-type]
        begin = (handler or Desk.at_once)(self)
        self.office.employ(dict.fromkeys(CommandName, begin), resume=self.resumed.append if resumes else None)
        self.inbox = Inbox(self.config.unit)
        self.works = asyncio.Event()
        """The file is open, or was waited for long enough."""

    @asynccontextmanager
    async def open(self, *, wait: bool = True) -> AsyncIterator[Desk]:
        running = asyncio.create_task(self.office.run(self.works.set))
        try:
            if wait:
                await self.works.wait()
            yield self
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):  # whatever else ended it is the story's to know
                await running
            await self.office.close()

    # --- what a family may do

    def at_once(self) -> Handler:
        def begin(command: Command) -> None:
            self.done.append(command)
            self.office.answered(
                AnswerCommand(command.ref, Answer.DONE, text="as you wish", result={"n": len(self.done)})
            )

        return begin

    def for_ever(self) -> Handler:
        def begin(command: Command) -> None:
            self.done.append(command)
            self.office.answered(AnswerCommand(command.ref, Answer.RUNNING))

        return begin

    # --- the control room

    def command(self, name: CommandName = CommandName.SET, *, by: str = "op-1", console: str = "desk") -> Message:
        return messages.command(TOPICS, console, self.clock.now().wall, name, operator_ref=by)

    def comes(self, message: Message, **differently: Any) -> None:  # noqa: ANN401 - fields of Received
        understood = self.inbox.read(came(message, **differently), self.clock.now())
        self.office.take(understood)  # type: ignore[arg-type]

    def answers(self) -> list[dict[str, Any]]:
        """The data of each answer that the broker got; each keeps its schema."""
        return [parse(messages.Kind.RESPONSE, each.payload)["data"] for each in self.link.sent if "/rsp/" in each.topic]

    def statuses(self) -> list[str]:
        return [data["status"] for data in self.answers()]

    def audit(self) -> list[dict[str, Any]]:
        """The records that the broker got; each keeps its schema."""
        return [
            parse(messages.Kind.AUDIT, each.payload)["data"] for each in self.link.sent if each.topic == TOPICS.audit
        ]

    async def answered(self, *statuses: str) -> None:
        await until(lambda: self.statuses() == [*statuses], f"the answers are {statuses}")

    async def audited(self, count: int) -> list[dict[str, Any]]:
        """Wait until the broker has so many records."""
        await until(lambda: len(self.audit()) >= count, f"{count} records are sent")
        return self.audit()


def whole(records: Iterable[Record]) -> int:
    """How many records there are, of which nothing is changed, missing or moved."""
    verdict = judge([*records])
    assert verdict.breaks == ()
    return verdict.count


def plain(message: Message) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(message.publication().payload)
    return document
