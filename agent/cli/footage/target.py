"""The file that a footage command makes for somebody: never over another one, whole or not at all."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import av

from agent.cli.errors import UsageError
from agent.footage.find.when import size

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import FrameType

    from agent.hw.kit import Packet


def check_target(args: argparse.Namespace) -> Path:
    """Where to write.

    Raises:
        UsageError: it is there already, or cannot be made.
    """
    target: Path = args.out
    if target.is_dir() or not target.name:
        msg = f"--out: {target} is a folder: add a file's name"
        raise UsageError(msg)
    if not target.parent.is_dir():
        msg = f"--out: there is no folder {target.parent}"
        raise UsageError(msg)
    if target.exists() and not args.force:
        msg = f"--out: {target} is there already: give another name, or --force to replace it"
        raise UsageError(msg)
    return target


def check_room(target: Path, size_bytes: int, footage: Path, reserve_bytes: int) -> None:
    """Refuse a file that does not fit, or that would take the room the recorder needs.

    Raises:
        UsageError: so it is.
    """
    disk = os.statvfs(target.parent)
    free_bytes = disk.f_bavail * disk.f_frsize
    if free_bytes < size_bytes:
        msg = f"{target} would need about {size(size_bytes)}, but only {size(free_bytes)} are free there"
        raise UsageError(msg)
    if target.parent.stat().st_dev == footage.stat().st_dev and free_bytes < size_bytes + reserve_bytes:
        msg = (
            f"{target} would need about {size(size_bytes)} on the disk that footage is recorded to, where "
            f"{size(free_bytes)} are free and {size(reserve_bytes)} must stay so: write to another disk"
        )
        raise UsageError(msg)


def read_or_refuse(frames: Iterable[Packet]) -> Iterator[Packet]:
    """Yield these frames; footage that cannot be read is another matter than a file that cannot be written.

    Raises:
        UsageError: the disk does not give them.
    """
    try:
        yield from frames
    except OSError as error:
        msg = f"the footage cannot be read: {error.strerror}"
        raise UsageError(msg) from error


@contextmanager
def making(target: Path) -> Iterator[None]:
    """Make the file in here; the end of an SSH session ends it as Ctrl-C does, with nothing left behind.

    Raises:
        UsageError: it cannot be written.
        KeyboardInterrupt: somebody ends the command.
    """
    # What is ignored stays so: under nohup the end of the session is not meant for us.
    ends = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, _interrupted) for each in ends}
    try:
        yield
    except (OSError, av.FFmpegError) as error:
        msg = f"{target} cannot be written: {error.strerror or error}"
        raise UsageError(msg) from error
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
