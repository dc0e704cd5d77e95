"""Commands to units: each one waits for its answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from agent.control_room.command_line import Typed
from agent.control_room.plain_text import plain
from agent.uplink import messages
from agent.uplink.messages import Answer, CommandName, Document, Kind
from agent.uplink.topics import UnitTopics
from agent.uplink.validation import check

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agent.clock import Clock
    from agent.control_room.happenings import UnitKey
    from agent.uplink.link import Link

ANSWER_WITHIN_S: Final = 5.0
"""A unit answers a command within a second (standards.md goal 27); the rest is for a slow mobile network."""
OVER_WITHIN_S: Final = 1800.0
"""For the end of what was accepted: light burns for 15 min, a clip may wait for its end; uploads tell on the way."""


class CommandRefused(Exception):
    """The unit does not do it; the text says why."""


class NoAnswer(TimeoutError):
    """The unit did not answer a command: whether it did it is not known."""


class Commands:
    """The questions of one console that wait for an answer."""

    def __init__(self, link: Link, client: str, clock: Clock) -> None:
        self._link = link
        self._client = client
        self._clock = clock
        self._waiting: dict[bytes, asyncio.Queue[Document]] = {}

    async def give(self, unit: UnitKey, name: CommandName, operator_ref: str) -> str:
        """Give a command without arguments; returns what the unit said about accepting it, if anything.

        Raises:
            As `follow`.
        """
        async for data in self.follow(Typed(unit, name), operator_ref):
            return plain(data["detail"])
        msg = f"{unit} did not answer {name}"
        raise NoAnswer(msg)

    async def follow(self, command: Typed, operator_ref: str) -> AsyncGenerator[Document, None]:
        """Give a command, and yield each answer (the `data` of a response) until it is over.

        Raises:
            CommandRefused: the unit does not do it, or did not come to its end.
            NoAnswer: it did not answer in time.
            LinkDown: the broker did not get it.
            PublishRefused: the broker does not take it.
            MessageInvalid: the operator's reference is empty or too long, or the arguments are not the command's.
        """
        unit, name = command.unit, command.name
        message = messages.command(
            UnitTopics(unit.org, unit.unit),
            self._client,
            self._clock.now().wall,
            name,
            operator_ref=operator_ref,
            args=command.args,
            reason=command.reason,
        )
        check(Kind.COMMAND, message.document)
        correlation = message.correlation_data or b""
        answers: asyncio.Queue[Document] = asyncio.Queue()
        self._waiting[correlation] = answers
        within_s, unsent = ANSWER_WITHIN_S, True
        try:
            while True:
                try:
                    async with asyncio.timeout(within_s):
                        if unsent:
                            await self._link.publish(message.publication())
                        data = (await answers.get())["data"]
                except TimeoutError as error:
                    msg = f"{unit} did not answer {name} within {within_s:g} s"
                    raise NoAnswer(msg) from error
                if data["status"] in {Answer.REFUSED, Answer.FAILED}:
                    verb = "refuses" if data["status"] == Answer.REFUSED else "did not finish"
                    msg = f"{unit} {verb} {name}: {plain(data['detail'] or data['code'])}"
                    raise CommandRefused(msg)
                yield data
                if data["status"] == Answer.DONE:
                    return
                within_s, unsent = OVER_WITHIN_S, False
        finally:
            del self._waiting[correlation]

    def answered(self, correlation: bytes | None, document: Document) -> None:
        """An answer came; one that nobody waits for any more, or that is another console's, changes nothing."""
        answers = self._waiting.get(correlation or b"")
        if answers is not None:
            answers.put_nowait(document)
