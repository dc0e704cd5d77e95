"""What all footage commands begin with: the unit's folder and zone, its footage in order, and what was typed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from agent.cli.errors import UsageError
from agent.config.load import load_config
from agent.footage.find.chronology import Chronology
from agent.footage.find.when import NotAMoment, read_moment, shown
from agent.footage.store.library import Library, read_library
from agent.footage.store.volume import MountMissing, volume_of

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from agent.config.settings import Config
    from agent.footage.find.chronology import Part


@dataclass(frozen=True)
class Desk:
    """One look at the footage of a unit."""

    config: Config
    zone: ZoneInfo
    now: datetime
    looked_s: float
    """When the folder was looked at, on CLOCK_MONOTONIC."""
    library: Library
    chronology: Chronology

    @property
    def footage(self) -> Path:
        """The footage folder."""
        return self.config.footage_folder

    def local(self, moment: datetime) -> str:
        """A moment for people."""
        return shown(moment, self.zone)

    def moment(self, option: str, text: str) -> datetime:
        """What somebody typed for this option.

        Raises:
            UsageError: it is no time, or lies ahead of both the clock and the newest footage.
        """
        try:
            moment = read_moment(text, self.zone, self.now)
        except NotAMoment as error:
            msg = f"{option}: {error}"
            raise UsageError(msg) from error
        # After a power cut the clock may be behind what was recorded before it.
        newest = max((era.end for era in self.chronology.eras), default=self.now)
        if moment > max(self.now, newest):
            msg = f"{option}: {self.local(moment)} is still to come: it is now {self.local(self.now)}"
            yesterday = moment - timedelta(days=1)
            hint = f"; for the day before say '{self.local(yesterday)[:19]}'" if yesterday <= self.now else ""
            raise UsageError(msg + hint)
        return moment

    def interval(self, args: argparse.Namespace) -> tuple[datetime, datetime]:
        """What `--from` and `--to` mean.

        Raises:
            UsageError: one is no time, lies ahead, or `--from` is after `--to`.
        """
        start, end = self.moment("--from", args.since), self.moment("--to", args.until)
        self.check_order(start, end)
        return start, end

    def check_order(self, start: datetime, end: datetime) -> None:
        """Refuse an interval that ends before it begins.

        Raises:
            UsageError: it does.
        """
        if start >= end:
            same = "the same as" if start == end else "after"
            msg = f"--from ({self.local(start)}) is {same} --to ({self.local(end)})"
            raise UsageError(msg)

    def find(self, start: datetime, end: datetime) -> list[Part]:
        """The footage of this interval, at least some.

        Raises:
            UsageError: there is none; it names the nearest there is.
        """
        parts = self.chronology.find(start, end)
        if not parts:
            raise self.nothing(start, end)
        return parts

    def nothing(self, start: datetime, end: datetime) -> UsageError:
        """The sentence for an interval, or a moment, without any footage."""
        before, after = self.chronology.nearest(start, end)
        when = f"at {self.local(start)}" if start == end else f"between {self.local(start)} and {self.local(end)}"
        last = "there is none before" if before is None else f"the nearest before it ends at {self.local(before)}"
        following = "there is none after it" if after is None else f"the nearest after it begins at {self.local(after)}"
        return UsageError(f"there is no footage {when}: {last}, and {following}")


def read_config(args: argparse.Namespace) -> Config:
    """The configuration that was named, once its footage volume is there.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        UsageError: nothing is mounted where its footage should be: what lies there instead is not the footage.
    """
    config = load_config(args.config, judge_files=False).config
    try:
        volume_of(config).check()
    except MountMissing as error:
        msg = f"the footage volume is missing: {error.strerror}"
        raise UsageError(msg) from error
    return config


def open_desk(args: argparse.Namespace) -> Desk:
    """Look at the footage of the configuration that was named.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        UsageError: the footage cannot be read.
    """
    config = read_config(args)
    folder = config.footage_folder
    looked_s = time.monotonic()
    try:
        library = read_library(folder, config.footage.segment_s)
    except FileNotFoundError as error:
        msg = f"there is no footage in {folder}: has this unit recorded yet, and is the disk there?"
        raise UsageError(msg) from error
    except PermissionError as error:
        msg = f"the footage in {folder} cannot be read ({error.strerror}): run this with sudo"
        raise UsageError(msg) from error
    except OSError as error:
        msg = f"the footage in {folder} cannot be read: {error.strerror}"
        raise UsageError(msg) from error
    zone = ZoneInfo(config.unit.timezone)
    return Desk(config, zone, datetime.now(UTC), looked_s, library, Chronology(library.filmed))
