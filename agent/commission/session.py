"""What a commissioning has come to so far, on the disk: a dropped SSH session or a power cut takes nothing away."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError
from ulid import ULID

from agent.commission.course import Course, Result
from agent.commission.parts import SITE, fingerprints
from agent.commission.plan import parts_of, steps_of
from agent.commission.standing import new_secret
from agent.durable import put_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.config.settings import Config

FOLDER_NAME: Final = "commissioning"
FILE_NAME: Final = "session.json"
LOCK_NAME: Final = "lock"


class SessionDamaged(Exception):
    """What was kept cannot be read; the text says what to do."""


class SessionBusy(Exception):
    """Somebody else is at it."""


@dataclass
class Kept:
    """What is on the disk."""

    session: str
    """Its id."""
    began: str
    secret: str
    """Keys the fingerprints, in hex."""
    parts: dict[str, str]
    """The configuration it proves."""
    results: dict[str, Result] = field(default_factory=dict)
    progress: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of steps that outlive the session in which they begin."""


_KEPT: TypeAdapter[Kept] = TypeAdapter(Kept)


class Session:
    """One commissioning, from its first step to its result. Build it with `opened`."""

    def __init__(self, folder: Path, config: Config, kept: Kept, *, resumed: bool) -> None:
        self.folder = folder
        self.kept = kept
        self.resumed = resumed
        """Whether it was begun before."""
        self.course = Course(steps_of(config), kept.results)

    @property
    def secret(self) -> bytes:
        """Keys the fingerprints."""
        return bytes.fromhex(self.kept.secret)

    def save(self) -> None:
        """On return the results outlive a power cut.

        Raises:
            OSError: they do not.
        """
        self.kept.results = self.course.results
        put_whole(self.folder / FILE_NAME, _KEPT.dump_json(self.kept))

    def end(self) -> None:
        """It has come to its result."""
        (self.folder / FILE_NAME).unlink(missing_ok=True)


@contextmanager
def opened(config: Config, *, anew: bool = False) -> Iterator[tuple[Session, list[str]]]:
    """The session of this unit, begun or gone on with, for one engineer at a time.

    Args:
        config: The unit's configuration.
        anew: Forget what was done.

    Yields:
        The session, and the steps that have to be done again because the configuration changed.

    Raises:
        SessionBusy: somebody else is at it.
        SessionDamaged: what was kept cannot be read.
        OSError: the state folder cannot be used.
    """
    folder = config.state_folder / FOLDER_NAME
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = "somebody else commissions this unit right now"
            raise SessionBusy(msg) from error
        kept = None if anew else _load(folder / FILE_NAME)
        if kept is None:
            yield _begin(folder, config), []
        else:
            again = _outdated(kept, config)
            yield Session(folder, config, kept, resumed=True), again
    finally:
        os.close(lock)


def _begin(folder: Path, config: Config) -> Session:
    secret = new_secret()
    kept = Kept(str(ULID()), now(), secret.hex(), fingerprints(config, secret))
    return Session(folder, config, kept, resumed=False)


def _load(path: Path) -> Kept | None:
    try:
        return _KEPT.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (ValidationError, json.JSONDecodeError) as error:
        msg = f"{path} is damaged; begin anew with --again"
        raise SessionDamaged(msg) from error


def _outdated(kept: Kept, config: Config) -> list[str]:
    """Take out the results that the configuration of now makes void; returns their steps' ids."""
    present = fingerprints(config, bytes.fromhex(kept.secret))
    changed = {part for part, print_ in present.items() if kept.parts.get(part) != print_}
    kept.parts = present
    void = {step.id for step in steps_of(config) if SITE in changed or parts_of(step, config) & changed}
    void &= set(kept.results)
    kept.results = {step_id: result for step_id, result in kept.results.items() if step_id not in void}
    return sorted(void)


def now() -> str:
    """Wall time, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
