"""Stills and strips on their way to the control room, on a connection where no call ever waits behind one."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from agent.signals import Category, Media
from agent.uplink import still
from agent.uplink.entry import PRIORITY
from agent.uplink.lanes import Lane
from agent.uplink.media.aside import aside
from agent.uplink.media.plan import Cargo
from agent.uplink.publication import LinkDown, PublishRefused
from agent.uplink.still import PieceName, Still

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from agent.clock import Clock
    from agent.config.settings import UnitSettings
    from agent.signals import MediaReady
    from agent.uplink.media.purse import Purse
    from agent.uplink.media.road import Road
    from agent.uplink.paths import Paths
    from agent.uplink.publication import Publication, Receipt

log = structlog.get_logger()

MOST: Final = 64
"""Pictures that wait: of half an hour of alerts one a minute, and 4 MB when they go."""
OLD_S: Final = 900.0
"""A picture that waited for longer helps nobody decide; it stays on the unit, and its clip can be asked for."""
PATIENCE_S: Final = 3.0
"""A path that has not taken a picture for so long may be half-open: the other one carries it, too. 60 kB come through
in that time at 160 kbit/s; over a slower network some are sent twice, and are one picture for whoever gets them."""
HELP_PATIENCE_S: Final = 1.0
"""... of a help call: its still is due 2 s after the press, and is made within the first half second. Below 480 kbit/s
a full one goes twice; help has no data plan."""
NAMES: Final = {Media.STILL: PieceName.SNAPSHOT, Media.STRIP: PieceName.STRIP}


class _Lost(Exception):
    """The picture on the disk cannot be sent, and never will be."""


@dataclass(frozen=True)
class _Waiting:
    made: MediaReady
    name: PieceName
    category: Category
    number: int

    @property
    def rank(self) -> tuple[int, int]:
        """What goes first: the more important alert, then the older picture."""
        return PRIORITY[self.category], self.number


class Stills:
    """Sends each picture once, the most important alert's first; counts every one that it does not send."""

    def __init__(  # noqa: PLR0913 - it stands between all of these
        self,
        unit: UnitSettings,
        paths: Paths,
        clock: Clock,
        purse: Purse,
        road: Road,
        *,
        silent: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        """A lane that rests until `run`.

        Args:
            unit: Whose pictures they are.
            paths: Pictures' own ways to the control room; whoever made them calls `look` when one came up or went down.
            clock: Says how old a picture is.
            purse: Pays.
            road: Stands still for alerts.
            silent: The paths by which an alert just got no answer: pictures take another one, where there is one.
        """
        self._unit = unit
        self._silent = silent
        self._paths = paths
        self._paths.on_room = self.look
        self._clock = clock
        self._purse = purse
        self._road = road
        self._waiting: dict[tuple[str, PieceName], _Waiting] = {}
        self._number = 0
        self._news = asyncio.Event()
        self.sent = 0
        """Pictures that the broker took."""
        self.dropped = 0
        """Pictures that were not sent: too old, too many, unreadable, refused, or more than the data plan has."""

    def take(self, made: MediaReady, category: Category) -> None:
        """Send this picture soon; one of the same alert and name that still waits is replaced. Clips are not sent."""
        name = NAMES.get(made.media)
        if name is None:
            return
        self._number += 1
        self._waiting[made.alert_id, name] = _Waiting(made, name, category, self._number)
        while len(self._waiting) > MOST:
            self._drop(max(self._waiting.values(), key=lambda each: (PRIORITY[each.category], -each.number)), "full")
        self._news.set()

    def look(self) -> None:
        """A path came up, went down or has a place free again: what waits may go there."""
        self._news.set()

    def facts(self) -> Mapping[str, Any]:
        """For the heartbeat."""
        return {"waiting": len(self._waiting), "sent": self.sent, "dropped": self.dropped}

    async def run(self, working: Callable[[], None]) -> None:
        """Send until cancelled."""
        working()
        while True:
            await self._paths.up()
            await self._road.clear()
            self._news.clear()
            if (first := self._first()) is None or not await self._send(first):
                await self._news.wait()

    def _first(self) -> _Waiting | None:
        """What goes now; what can no longer go is dropped."""
        now = self._clock.now()
        for each in sorted(self._waiting.values(), key=lambda each: each.rank):
            if each.made.at.boot_id != now.boot_id or now.monotonic_s - each.made.at.monotonic_s > OLD_S:
                self._drop(each, "too old")
            elif not self._purse.may(Cargo.STILL, for_help=each.category is Category.HELP):
                self._purse.held_back += 1
                self._drop(each, "data plan")
            else:
                return each
        return None

    async def _send(self, each: _Waiting) -> bool:
        """Send it, or drop it; False: no path has room, and it still waits."""
        made = each.made
        try:
            jpeg = await aside(lambda: _read(made))
        except _Lost as lost:
            self._drop(each, str(lost))
            return True
        taken = made.start or made.at
        message = still.publication(self._unit, Still(made.alert_id, each.name, taken.wall, made.sha256, jpeg))
        try:
            path = await self._by_some_path(message, each.category)
        except PublishRefused as refused:
            self._drop(each, f"refused: {refused}")
            return True
        if path is None:
            return False
        self.sent += 1
        self._forget(each)
        age_ms = round((self._clock.now().monotonic_s - taken.monotonic_s) * 1000)
        log.info("still_sent", alert_id=made.alert_id, name=each.name, path=path, size_bytes=len(jpeg), age_ms=age_ms)
        return True

    async def _by_some_path(self, message: Publication, category: Category) -> str | None:
        """Send over the first path that is up; beside one that is silent, or where nobody listens, over the next.

        Returns:
            The path by which the broker took it; None: there is none that would.

        Raises:
            PublishRefused: the broker does not take it.
        """
        patience_s = HELP_PATIENCE_S if category is Category.HELP else PATIENCE_S
        under_way: dict[asyncio.Future[Receipt], str] = {}
        unheard: list[str] = []
        while True:
            # One at a time on each of them: never again by one that has not answered.
            path = self._paths.choose(1, Lane.STILL, besides={*self._silent(), *unheard})
            path = path or self._paths.choose(1, Lane.STILL, besides=unheard)
            if path is not None:
                with suppress(LinkDown):  # it broke this very moment
                    under_way[self._paths.send(message, Lane.STILL, by=path)] = path
                    self._purse.spend(len(message.payload), for_help=category is Category.HELP)
            if not under_way:
                return next(iter(unheard), None)
            answered, _ = await asyncio.wait(under_way, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            for receipt in answered:
                path = under_way.pop(receipt)
                try:
                    if not receipt.result().nobody_listening:
                        return path
                except LinkDown:
                    continue  # what it carried may be lost: the next path, or the next connection
                unheard.append(path)

    def _drop(self, each: _Waiting, reason: str) -> None:
        self.dropped += 1
        log.warning("still_dropped", alert_id=each.made.alert_id, name=each.name, reason=reason)
        self._forget(each)

    def _forget(self, each: _Waiting) -> None:
        """It is done with, unless a newer one took its place meanwhile."""
        if self._waiting.get((each.made.alert_id, each.name)) is each:
            del self._waiting[each.made.alert_id, each.name]


def _read(made: MediaReady) -> bytes:
    """The picture as it was told.

    Raises:
        _Lost: it is gone, was made anew, or is too large.
    """
    try:
        jpeg = Path(made.path).read_bytes()
    except OSError as error:
        msg = f"unreadable: {error.strerror}"
        raise _Lost(msg) from error
    if hashlib.sha256(jpeg).hexdigest() != made.sha256:
        msg = "it is not what was told"
        raise _Lost(msg)
    if len(jpeg) > still.MAX_BYTES:
        msg = f"{len(jpeg)} bytes are too many"
        raise _Lost(msg)
    return jpeg
