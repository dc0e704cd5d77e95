"""How the update stands, for who is not at the unit: one small file beside the outcomes, which the daemon tells of.

The update is another program of another user: what it wrote is looked at like anything from outside.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from agent.durable import put_whole
from agent.update.manifest import Version  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

FILE_NAME: Final = "standing.json"
MOST_BYTES: Final = 16 * 1024
MOST_WORDS: Final = 500
"""Characters of a sentence: what pip says may be long, and this goes into each heartbeat."""
REFUSED_TOLD_FOR: Final = timedelta(days=1)
"""A bundle that was refused and removed changed nothing on the unit: a day on the desk, then the heartbeat alone."""
WAITS_TOO_LONG: Final = timedelta(days=1)
"""Twice as long as a forgotten call holds it up (`update.forgotten_call_h`); a server may be away for a night."""

Words = Annotated[str, Field(max_length=MOST_WORDS)]


class Result(StrEnum):
    """What became of a bundle."""

    TAKEN = "taken"
    """Its version is in use."""
    PASSED_OVER = "passed-over"
    """It was not needed: its version is in use already, or there is a newer one."""
    REFUSED = "refused"
    """Not signed, damaged, for other units, or it cannot be installed. The version in use was not touched."""
    TAKEN_BACK = "taken-back"
    """It was tried and did not do its work: the version before is in use."""
    BROKEN_OFF = "broken-off"
    """Its trial came to no end, as in a power cut: the version before is in use."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Ended(_Part):
    """The last bundle that came to an end here."""

    result: Result
    bundle: Words
    version: Version | None = None
    """None: it did not say, or nobody signed what it said."""
    text: Words
    at: AwareDatetime


class Since(_Part):
    """Something that lasts, and why."""

    since: AwareDatetime
    why: Words


class Held(Since):
    """A version that waits."""

    version: Version


class Unfetched(Since):
    """The server gives nothing."""

    bad: bool
    """It is there, and what it has is signed by nobody whom this unit knows."""


class Standing(_Part):
    """How it stands now."""

    last: Ended | None = None
    held: Held | None = None
    trial: Version | None = None
    """The version whose trial has begun."""
    unfetched: Unfetched | None = None
    unusable: Since | None = None
    """No update can work on this unit as it is."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The one in this folder; an empty one where there is none, or none that this version understands."""
        try:
            with (folder / FILE_NAME).open("rb") as file:
                return cls.model_validate_json(file.read(MOST_BYTES))
        except (FileNotFoundError, ValidationError):
            return cls()

    def facts(self) -> Mapping[str, Any]:
        """For the heartbeat."""
        told = self.model_dump(mode="json", exclude_none=True)
        return {"waits" if name == "held" else name: value for name, value in told.items()}

    def faults(self, now: datetime) -> Iterator[tuple[str, str]]:
        """What the control room must know now: the code and one sentence of each."""
        if (last := self.last) is not None:
            what = last.bundle if last.version is None else f"Version {last.version}"
            match last.result:
                case Result.TAKEN_BACK | Result.BROKEN_OFF:
                    yield last.result, f"{what} was tried and did not stay ({last.text}); the unit works as before."
                case Result.REFUSED if now - last.at < REFUSED_TOLD_FOR:
                    yield last.result, f"{what} was not installed ({last.text}); the unit works as before."
                case _:
                    pass
        if self.unusable is not None:
            yield "unusable", f"This unit takes no new version: {self.unusable.why}."
        if (held := self.held) is not None and now - held.since >= WAITS_TOO_LONG:
            yield "waits", f"Version {held.version} waits since {held.since:%Y-%m-%d %H:%M} UTC: {held.why}."
        if (unfetched := self.unfetched) is not None:
            if unfetched.bad:
                yield "bad-server", f"The server of new versions is not to be trusted: {unfetched.why}."
            elif now - unfetched.since >= WAITS_TOO_LONG:
                yield "no-server", f"New versions cannot be fetched for more than a day: {unfetched.why}."


class StandingFile:
    """Written by the update, and only when something changed: it runs each quarter of an hour on a card that wears."""

    def __init__(self, folder: Path, now: datetime) -> None:
        """As the last run left it.

        Args:
            folder: The update's own.
            now: When this run began: what it finds is told with that time.
        """
        self._folder = folder
        self._now = now
        self._standing = Standing.read(folder)

    def begins(self) -> None:
        """A run begins, and no version is on trial: one that was came to no end."""
        if (version := self._standing.trial) is not None:
            why = "its trial was broken off, as by a power cut"
            last = Ended(result=Result.BROKEN_OFF, bundle="a bundle", version=version, text=why, at=self._now)
            self._put(last=last, trial=None)

    def on_trial(self, version: str) -> None:
        """A trial begins."""
        self._put(trial=version, held=None)

    def ended(self, result: Result, bundle: str, version: str | None, text: str, at: datetime) -> None:
        """A bundle came to an end."""
        last = Ended(result=result, bundle=bundle[:MOST_WORDS], version=version, text=text[:MOST_WORDS], at=at)
        self._put(last=last, trial=None)

    def held(self, version: str, why: str) -> None:
        """A version must wait."""
        before = self._standing.held
        if before is None or before.version != version:
            self._put(held=Held(since=self._now, why=why, version=version))

    def nothing_held(self) -> None:
        """None waits."""
        self._put(held=None)

    def fetched(self) -> None:
        """The server answered, or there is none."""
        self._put(unfetched=None)

    def not_fetched(self, why: str, *, bad: bool) -> None:
        """It gave nothing."""
        before = self._standing.unfetched
        if before is None or before.bad is not bad:  # how it fails may change each time
            self._put(unfetched=Unfetched(since=self._now, why=why[:MOST_WORDS], bad=bad))

    def usable(self) -> None:
        """The run came to its end."""
        self._put(unusable=None)

    def unusable(self, why: str) -> None:
        """It could not work at all."""
        before = self._standing.unusable
        self._put(unusable=Since(since=self._now if before is None else before.since, why=why[:MOST_WORDS]))

    def _put(self, **changes: object) -> None:
        changed = self._standing.model_copy(update=changes)
        if changed != self._standing:
            put_whole(self._folder / FILE_NAME, changed.model_dump_json().encode(), 0o644)
            self._standing = changed
