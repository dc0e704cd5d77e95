"""Says again what operators said until the unit shows that it knows, through a restart of the console as well."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from agent.apart import apart
from agent.control_room.happenings import Happening, UnitKey, What
from agent.control_room.plain_text import plain
from agent.control_room.unheard import Unheard, Word
from agent.control_room.units import UnitState
from agent.durable import put_whole
from agent.signals import AckLevel
from agent.uplink.messages import Kind, State
from agent.uplink.publication import LinkDown, PublishRefused
from agent.uplink.validation import MessageInvalid, check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from agent.clock import Clock
    from agent.control_room.desk import Desk
    from agent.control_room.reading import Reading
    from agent.uplink.link import Link
    from agent.uplink.messages import Document

log = structlog.get_logger()

LOOKS_EVERY_S: Final = 1.0
DISK_WITHIN_S: Final = 3.0
"""For a file of a few kB; with a disk that hangs the words are kept in memory alone, and that is told."""
FILE_NAME: Final = "words"
_AWAY: Final = frozenset({UnitState.LOST, UnitState.STOPPED})


class Repeating:
    """Owns the words that are not known yet."""

    def __init__(
        self, desk: Desk, link: Link, clock: Clock, tell: Callable[[Iterable[Happening]], None], file: Path | None
    ) -> None:
        """Know of none yet.

        Args:
            desk: What the units say.
            link: How they are reached.
            clock: Where moments come from.
            tell: Hears when a unit does not know, when it does after all, and when that is given up.
            file: Where the words outlive this console; None: they end with it.
        """
        self._desk = desk
        self._link = link
        self._clock = clock
        self._tell = tell
        self._file = file
        self._unheard = Unheard(random.Random())  # noqa: S311 - spreads load
        self._changed = asyncio.Event()
        self._is_stale = False
        """What is in the file is not how it is."""
        self._writing = asyncio.Lock()
        self._is_kept = True

    async def recall(self) -> None:
        """Take up what the last run of this console left. Each of it is due at once."""
        if self._file is None:
            return
        file = self._file
        try:
            words = await apart(lambda: _recalled(file), name="control-room-words", within_s=DISK_WITHIN_S)
        except (OSError, TimeoutError, ValueError) as error:
            reason = str(error) or "the disk does not answer"
            log.warning("words_not_recalled", file=str(file), reason=reason)
            lost = f"what units had yet to be told cannot be read ({file.name}): {reason}"
            self._tell([Happening(What.JOURNAL_LOST, plain(lost))])
            return
        for word in words:
            self._unheard.give(word, None)

    async def run(self) -> None:
        """Say what is due, and keep the file, until cancelled."""
        while True:
            await self._look()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKS_EVERY_S):
                    await self._changed.wait()
            self._changed.clear()
            await self.finished()

    async def finished(self) -> None:
        """Have the file say how it is."""
        if self._is_stale:
            await self._keep()

    async def give(self, unit: UnitKey, document: Document) -> None:
        """An operator said this, and the broker has it."""
        word = Word(unit, document, self._clock.now().monotonic_s)
        alert = self._desk.alerts.get(word.alert_id)
        self._unheard.give(word, alert)
        if alert is None or self._unheard.hear(alert) is None:  # its answer can be here before the broker's
            await self._keep()

    def came(self, reading: Reading) -> None:
        """A unit spoke, and the desk knows what it said."""
        data = reading.document["data"]
        if reading.kind is Kind.ALERT:
            self._told(data["alertId"], reading.unit)
        elif reading.kind is Kind.STATUS and data["state"] == State.ONLINE:
            self._unheard.begin(reading.unit)

    def _told(self, alert_id: str, unit: UnitKey) -> None:
        alert, word = self._desk.alerts.get(alert_id), self._unheard.of(alert_id)
        if alert is None or word is None or alert.unit != unit:
            return
        # After a restart the desk learns of the alert from its unit, and from us what was said of it.
        self._tell(self._desk.acknowledgement(unit, word.document, self._clock.now()))
        if self._unheard.hear(alert) is None:
            return
        self._note_change()
        if word.repeated:
            how = "closed" if alert.latest.data["state"] == "closed" else "seen"
            self._tell([_about(What.UNIT_TOLD, word, f"knows at last that {alert_id} is {how}")])

    async def _look(self) -> None:
        now = self._clock.now()
        for word in self._unheard.give_up(now.wall):
            self._note_change()
            words = f"never showed that it knows what was said of {word.alert_id}: it is not said again"
            self._tell([_about(What.UNIT_NOT_TOLD, word, words)])
        for word in self._unheard.due(now.monotonic_s, self._is_away):
            try:
                await self._link.publish(word.publication())
            except LinkDown:
                return  # all of it is still due when the broker is back
            except PublishRefused as error:
                self._tell([self._desk.refuse(f"what is said again of {word.alert_id}: {error}", word.unit)])
            is_first = not word.repeated
            self._unheard.said(word, self._clock.now().monotonic_s)
            if is_first:
                how = "closed" if word.level is AckLevel.CLOSED else "seen"
                words = f"has not been told yet that {word.alert_id} is {how}: it is said until the unit knows"
                self._tell([_about(What.UNIT_NOT_TOLD, word, words)])

    def _is_away(self, key: UnitKey) -> bool:
        unit = self._desk.units.get(key)
        return unit is None or unit.state in _AWAY

    def _note_change(self) -> None:
        self._is_stale = True
        self._changed.set()

    async def _keep(self) -> None:
        self._is_stale = False
        if self._file is None:
            return
        async with self._writing:
            file, content = self._file, _text_of(self._unheard.words)
            try:
                await apart(lambda: put_whole(file, content), name="control-room-words", within_s=DISK_WITHIN_S)
            except (OSError, TimeoutError) as error:
                self._is_stale = True
                if self._is_kept:
                    reason = str(error) or "the disk does not answer"
                    words = f"what units have yet to be told is NOT kept for a restart of this console ({reason})"
                    self._tell([Happening(What.JOURNAL_LOST, plain(words))])
                self._is_kept = False
                return
            if not self._is_kept:
                self._tell([Happening(What.JOURNAL_BACK, "what units have yet to be told is kept again")])
            self._is_kept = True


def _about(what: What, word: Word, words: str) -> Happening:
    return Happening(what, plain(f"{word.unit} {words}"), word.unit, word.alert_id, word.document["data"]["revision"])


def _text_of(words: Iterable[Word]) -> bytes:
    """One JSON object a line, as in the journal."""
    lines = [{"org": word.unit.org, "unit": word.unit.unit, "document": word.document} for word in words]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _words_in(text: bytes) -> list[Word]:
    """What was kept; all of it is due.

    Raises:
        ValueError: this program cannot read it.
    """
    words = []
    try:
        for line in text.splitlines():
            kept = json.loads(line)
            check(Kind.ACK, kept["document"])
            words.append(Word(UnitKey(kept["org"], kept["unit"]), kept["document"], 0.0, times=0))
    except (ValueError, KeyError, TypeError, MessageInvalid) as error:
        msg = f"line {len(words) + 1} is no word of an operator ({error})"
        raise ValueError(msg) from error
    return words


def _recalled(file: Path) -> list[Word]:
    """What is in the file. One that cannot be understood is put aside for a person to look at.

    Raises:
        OSError: it cannot be read.
        ValueError: this program cannot understand it.
    """
    try:
        return _words_in(file.read_bytes())
    except FileNotFoundError:
        return []
    except ValueError:
        file.replace(file.with_name(f"{file.name}.unread"))
        raise
