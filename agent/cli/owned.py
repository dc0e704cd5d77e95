"""Files of the unit and files that somebody names, each touched with the right person's rights."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.config.settings import Config


@contextmanager
def as_owner(config: Config) -> Iterator[None]:
    """Do this as whoever the unit runs as: the owner of its state folder, when root asks.

    Never as root: the folder's owner may have put links there, and root would follow them out of it.

    Raises:
        OSError: the state folder cannot be looked at.
    """
    owner = config.state_folder.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        yield
        return
    groups, gid = os.getgroups(), os.getegid()
    os.setgroups([])
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)


def read_named(what: str, path: Path) -> bytes:
    """What is in a file that the caller named, with the caller's rights.

    Raises:
        UsageError: it cannot be read; it is told as `what`.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"{what} {path} cannot be read: {error.strerror or error}"
        raise UsageError(msg) from error


def check_ours(file: Path, name: str, until: datetime, config: Config) -> None:
    """See that a certificate is the unit's and still valid.

    Args:
        file: Where it was read.
        name: Whose it is; empty: nobody's.
        until: When it ends.
        config: Whose it should be.

    Raises:
        UsageError: it is not.
    """
    if name != config.unit.id:
        msg = f"{file} is the certificate of {name or 'nobody'}, not of {config.unit.id}"
        raise UsageError(msg)
    if until < datetime.now(UTC):
        msg = f"{file} has ended on {until:%Y-%m-%d}"
        raise UsageError(msg)


def requested_key(config: Config, requested: Path) -> bytes:
    """The key that `request` made.

    Raises:
        UsageError: there is none.
    """
    from agent.uplink.key_birth import MEDIA_KEY_NAME  # noqa: PLC0415

    try:
        with as_owner(config):
            return requested.read_bytes()
    except FileNotFoundError as error:
        media = " --media" if requested.name == MEDIA_KEY_NAME else ""
        msg = f"no certificate was requested here: run `safepoint certificate request{media}`, or give --key"
        raise UsageError(msg) from error
    except OSError as error:
        msg = f"{requested} cannot be read: {error.strerror or error}"
        raise UsageError(msg) from error
