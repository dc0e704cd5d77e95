"""The other end of the local socket: how a command at the unit speaks with the daemon that runs."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from agent.local import place
from agent.local.messages import MAX_NEWS_BYTES, AskFacts, Done, Hello, News, Refused, ask, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from agent.config.settings import Config
    from agent.local.messages import Request

Found = TypeVar("Found")

ANSWERS_WITHIN_S: Final = 10.0
"""A daemon that is at work answers in milliseconds; one that takes longer hangs."""
KEPT_NEWS: Final = 10_000
"""An afternoon's; the oldest are forgotten."""


class UnitAway(Exception):
    """No daemon of this unit answers; the text says what to do. A caller may try again later."""


class UnitOff(UnitAway):
    """It does not run."""


class NotDone(Exception):
    """The unit does not do it; the text says why."""


class LocalUnit:
    """The unit as somebody beside it sees it. `async with` connects; news are kept from then on."""

    def __init__(self, config: Config) -> None:
        """Not connected yet.

        Args:
            config: Of the unit that is meant; another one is not spoken with.
        """
        self._config = config
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._answers: dict[int, asyncio.Future[Done | Refused]] = {}
        self._numbers = itertools.count(1)
        self._changed = asyncio.Event()
        self._hello: Hello | None = None
        self._gone = False
        self.news: list[News] = []
        """What happened since the connection began, oldest first."""

    @property
    def hello(self) -> Hello:
        """Who answered."""
        if self._hello is None:
            msg = "not connected: use it in `async with`"
            raise RuntimeError(msg)
        return self._hello

    async def __aenter__(self) -> Self:
        reader, self._writer = await self._connect()
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                first = told(await reader.readline())
        except (ValueError, TimeoutError, OSError) as error:
            self._writer.close()
            msg = f"the agent of this unit does not answer as it should: {error or 'it says nothing'}; restart it"
            raise UnitAway(msg) from error
        meant = self._config.unit
        if not isinstance(first, Hello) or (first.org, first.unit) != (meant.org, meant.id):
            self._writer.close()
            why = first.text if isinstance(first, Refused) else f"another unit answers here, not {meant.id}"
            raise UnitAway(why)
        self._hello = first
        self._reading = asyncio.create_task(self._read(reader), name="local-unit")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()

    async def do(self, request: Request) -> Mapping[str, Any]:
        """Have the unit do something; returns what it said.

        Raises:
            NotDone: it does not do it.
            UnitAway: it went away.
        """
        if self._writer is None or self._gone:
            raise UnitAway(_GONE)
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(ask(number, request))
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                said = await answer
        except TimeoutError as error:
            msg = "the agent of this unit does not answer any more; look at `journalctl -u safepoint-agent`"
            raise UnitAway(msg) from error
        finally:
            del self._answers[number]
        if isinstance(said, Refused):
            raise NotDone(said.text)
        facts: Mapping[str, Any] = said.facts
        return facts

    async def facts(self) -> Mapping[str, Any]:
        """What the unit says of itself.

        Raises:
            UnitAway: it went away.
        """
        return await self.do(AskFacts())

    async def wait_for(self, look: Callable[[Self], Found | None], within_s: float) -> Found | None:
        """Look after each thing that happens until there is something to see; None: there was not, in this time.

        Raises:
            UnitAway: it went away.
        """
        try:
            async with asyncio.timeout(within_s):
                while (found := look(self)) is None:
                    if self._gone:
                        raise UnitAway(_GONE)
                    await self._changed.wait()
        except TimeoutError:
            return None
        return found

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        state = self._config.state_folder
        why: dict[Path, OSError] = {}
        for folder in place.likely_folders(state):
            try:
                sock = place.connect(folder)
            except OSError as error:
                why[folder] = error
                continue
            return await asyncio.open_unix_connection(sock=sock, limit=MAX_NEWS_BYTES)
        if any(isinstance(error, PermissionError) for error in why.values()):
            msg = "you may not speak with the agent of this unit: run this with sudo"
            raise UnitAway(msg)
        msg = "the agent does not run on this unit: start it with `systemctl start safepoint-agent`, then try again"
        raise UnitOff(msg)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                match told(line):
                    case (Done() | Refused()) as said:
                        self._take_answer(said)
                    case Hello():
                        pass  # there is one, at the beginning
                    case news:
                        self.news.append(news)
                        del self.news[:-KEPT_NEWS]
                        self._ring()
        except ConnectionError:
            pass  # told below, as its end is
        finally:
            self._gone = True
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(UnitAway(_GONE))
            self._ring()

    def _take_answer(self, said: Done | Refused) -> None:
        answer = self._answers.get(said.number) if said.number is not None else None
        if answer is not None and not answer.done():
            answer.set_result(said)

    def _ring(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


_GONE: Final = "the agent of this unit was stopped or restarted meanwhile"
