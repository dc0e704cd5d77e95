"""Which commands came and how they stand. Pure: time is an argument.

A command is known by its console and its id. The same again is answered again; the same id with other words is none of
ours. Forgotten are only commands that are over, and old enough to be refused for their age.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic import Base64Bytes, TypeAdapter

from agent.clock import Moment  # noqa: TC001 - pydantic reads the types of a stored entry
from agent.signals import Answer, CommandName, Why

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent.signals import AnswerCommand, Command

REMEMBERED: Final = 1000
"""Commands: weeks of an ordinary unit."""
COUNTS_FOR_S: Final = 90.0
"""A command expires after 30 s, and its console's clock may be 30 s ahead of ours; younger ones are never forgotten."""

OVER: Final = frozenset({Answer.DONE, Answer.REFUSED, Answer.FAILED})
_NEXT: Final = {
    Answer.ACCEPTED: frozenset({Answer.RUNNING, Answer.DONE, Answer.REFUSED, Answer.FAILED}),
    Answer.RUNNING: frozenset({Answer.RUNNING, Answer.DONE, Answer.FAILED}),
    Answer.DONE: frozenset[Answer](),
    Answer.REFUSED: frozenset[Answer](),
    Answer.FAILED: frozenset[Answer](),
}


class Full(Exception):
    """More commands in a minute than any control room gives: one more could not be told from a repeated one."""


@dataclass
class Entry:
    """A command that was accepted, and its last answer. Changed by `enter` alone."""

    ref: str
    command_id: str
    source: str
    name: CommandName
    by: str
    digest: str
    came: Moment
    reply_topic: str | None = None
    correlation: Base64Bytes | None = None
    answer: Answer = Answer.ACCEPTED
    since: Moment | None = None
    """When it was given."""
    why: Why | None = None
    text: str | None = None
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.answer in OVER

    def enter(self, answered: AnswerCommand, now: Moment) -> None:
        """Go on to this answer.

        Raises:
            ValueError: it does not follow from the last one.
        """
        if answered.answer not in _NEXT[self.answer]:
            msg = f"the command {self.name} {self.command_id} cannot go from {self.answer} to {answered.answer}"
            raise ValueError(msg)
        self.answer, self.since = answered.answer, now
        self.why, self.text, self.result = answered.why, answered.text, dict(answered.result)


_STORED: Final = TypeAdapter(Entry)


def dump(entry: Entry) -> str:
    """The entry as text."""
    return _STORED.dump_json(entry).decode()


def load(text: str) -> Entry:
    """The entry of a text.

    Raises:
        ValueError: it is none.
    """
    return _STORED.validate_json(text)


class Ledger:
    """The commands that are remembered, the oldest first."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def get(self, ref: str) -> Entry | None:
        """A command that came before."""
        return self._entries.get(ref)

    @property
    def unfinished(self) -> list[Entry]:
        """What is being done."""
        return [entry for entry in self if not entry.is_over]

    def recall(self, entries: Iterable[Entry]) -> list[Entry]:
        """Enter commands of before as the oldest; returns those of them that were not known."""
        recalled = {entry.ref: entry for entry in entries if entry.ref not in self._entries}
        self._entries = recalled | self._entries
        return [*recalled.values()]

    def take(self, command: Command) -> tuple[Entry, list[str]]:
        """Enter a new command; returns it, and the refs of those that were forgotten for it.

        Raises:
            Full: there is no room, and none of them can be forgotten.
        """
        forgotten = []
        if len(self._entries) >= REMEMBERED:
            forgotten = [entry.ref for entry in self if entry.is_over and _is_old(entry, command.at)][
                : REMEMBERED // 10
            ]
            if not forgotten:
                raise Full
            for ref in forgotten:
                del self._entries[ref]
        entry = Entry(command.ref, command.id, command.source, command.name, command.by, command.digest, command.at)
        self._entries[entry.ref] = entry
        return entry, forgotten


def _is_old(entry: Entry, now: Moment) -> bool:
    """Whether it would be refused for its age; one of another boot is: no unit starts within its 30 s and answers."""
    return entry.came.boot_id != now.boot_id or now.monotonic_s - entry.came.monotonic_s > COUNTS_FOR_S
