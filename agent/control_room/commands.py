"""Commands to units: each one waits for its answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from agent.control_room.plain_text import plain
from agent.uplink import messages
from agent.uplink.messages import Answer, CommandName, Document, Kind
from agent.uplink.topics import UnitTopics
from agent.uplink.validation import check

if TYPE_CHECKING:
    from agent.clock import Clock
    from agent.control_room.happenings import UnitKey
    from agent.uplink.link import Link

ANSWER_WITHIN_S: Final = 5.0
"""A unit answers a command within a second (standards.md goal 27); the rest is for a slow mobile network."""


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
        self._waiting: dict[bytes, asyncio.Future[Document]] = {}

    async def give(self, unit: UnitKey, name: CommandName, operator_ref: str) -> str:
        """Give a command; returns what the unit said about accepting it, if anything.

        Raises:
            CommandRefused: it does not do it.
            NoAnswer: it did not answer.
            LinkDown: the broker did not get it.
            PublishRefused: the broker does not take it.
            MessageInvalid: the operator's reference is empty or too long.
        """
        topics = UnitTopics(unit.org, unit.unit)
        command = messages.command(topics, self._client, self._clock.now().wall, name, operator_ref=operator_ref)
        check(Kind.COMMAND, command.document)
        correlation = command.correlation_data or b""
        self._waiting[correlation] = answer = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._link.publish(command.publication())
                data = (await answer)["data"]
        except TimeoutError as error:
            msg = f"{unit} did not answer {name} within {ANSWER_WITHIN_S:g} s"
            raise NoAnswer(msg) from error
        finally:
            del self._waiting[correlation]
        if data["status"] != Answer.ACCEPTED:
            msg = f"{unit} refuses {name}: {plain(data['detail'] or data['code'])}"
            raise CommandRefused(msg)
        return plain(data["detail"])

    def answered(self, correlation: bytes | None, document: Document) -> None:
        """An answer came; one that nobody waits for any more, or that is another console's, changes nothing."""
        answer = self._waiting.get(correlation or b"")
        if answer is not None and not answer.done():
            answer.set_result(document)
