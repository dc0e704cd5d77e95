"""How each open alert stands, kept by the broker for consoles that come later. It never delays an alert.

Each path's broker is told, though one of two would do for a console that hears both: a broker that is away while an
incident ends has kept how it stood, and shows it as open to whoever comes, until it is told. Two that are joined by a
bridge would tell each other the old state again, whichever came back. What they have yet to be told of alerts that are
over is kept beyond the unit's restart: nobody will ever say anything of those again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from agent.uplink import messages
from agent.uplink.clears import Clear
from agent.uplink.lanes import Lane
from agent.uplink.publication import LinkDown, PublishRefused

if TYPE_CHECKING:
    from agent.config.settings import UnitSettings
    from agent.uplink.clears import KeepsClears
    from agent.uplink.messages import Message
    from agent.uplink.paths import Paths
    from agent.uplink.publication import Publication, Receipt

log = structlog.get_logger()

REMEMBERED: Final = 10_000
"""Alerts, closed ones too: an old revision that is sent again must not make a closed alert stand open."""
UNSAVED_S: Final = 90.0
"""What a broker took so shortly before it was lost it may have lost with it, acknowledged or not: ours saves each 5 s,
or with the next heartbeat after 25 s (`provisioning/broker`), and a machine without power is missed after 40 s."""


class Standing:
    """Publishes the newest revision of each alert that a broker took, retained, when nothing more important waits."""

    def __init__(self, unit: UnitSettings, paths: Paths, kept: KeepsClears) -> None:
        self._unit = unit
        self._paths = paths
        self._kept = kept
        self._highest: OrderedDict[str, int] = OrderedDict()
        """The newest revision of each alert."""
        self._open: dict[str, Message] = {}
        """That revision, of those that are not closed."""
        self._from_the_start: set[str] = set()
        """Alerts that this life of the unit began: no earlier one left them standing anywhere."""
        self._boards = {name: _Board(name) for name in paths.names}
        self._clearing: dict[str, set[str]] = {}
        """Of alerts that are over: the paths whose brokers have not acknowledged that they are."""

    def recall(self) -> None:
        """What an earlier life had yet to tell is owed again, unless this one knows better already."""
        for alert_id, clear in [*self._kept.clears.items()]:
            if alert_id in self._highest:
                continue
            self._highest[alert_id] = clear.revision
            self._clearing[alert_id] = {name for name in clear.paths if name in self._boards}
            for name in self._clearing[alert_id]:
                self._boards[name].owed[alert_id] = None
            if self._clearing[alert_id] != clear.paths:  # the unit has not all the paths that it had
                self._keep_owed(alert_id)
        self.publish()

    def take(self, message: Message) -> None:
        """A broker has this revision of an alert."""
        data = message.document["data"]
        alert_id, revision = data["alertId"], data["revision"]
        if revision < self._highest.get(alert_id, 0):
            return  # an old one, sent again
        if alert_id not in self._highest and revision == 1:
            self._from_the_start.add(alert_id)
        self._highest[alert_id] = revision
        self._highest.move_to_end(alert_id)
        if data["state"] == messages.CLOSED:
            self._open.pop(alert_id, None)
        else:
            self._open[alert_id] = message
        for board in self._boards.values():
            board.owed.pop(alert_id, None)
            if not self._never_stood(alert_id, board):
                board.owed[alert_id] = None
        self._note_clearing(alert_id)
        if len(self._highest) > REMEMBERED:
            self._forget(next(iter(self._highest)))
        self.publish()

    @property
    def waits(self) -> bool:
        """Whether a broker has yet to be told something."""
        return any(board.owed for board in self._boards.values())

    def publish(self) -> None:
        """Tell each broker what it has yet to be told, as far as there is room."""
        for name, board in self._boards.items():
            board.follow(self._paths.session_of(name), self._paths.lost_s(name))
            while board.owed and self._paths.free_on(name, Lane.REST):
                alert_id = next(iter(board.owed))
                try:
                    receipt = self._paths.send(self._publication(alert_id), Lane.REST, name)
                except LinkDown:
                    break  # with its next connection
                del board.owed[alert_id]
                board.given.add(alert_id)
                receipt.add_done_callback(partial(self._answered, board, alert_id, self._highest[alert_id]))

    def _note_clearing(self, alert_id: str) -> None:
        """It was told of anew: whom it is owed to that it is over."""
        before = self._clearing.pop(alert_id, None)
        names = {board.name for board in self._boards.values() if alert_id in board.owed}
        if names and alert_id not in self._open:
            self._clearing[alert_id] = names
        if before or alert_id in self._clearing:
            self._keep_owed(alert_id)

    def _keep_owed(self, alert_id: str) -> None:
        """Whatever becomes of this life, the next one knows."""
        if names := self._clearing.get(alert_id):
            self._kept.owe(alert_id, Clear(self._highest[alert_id], frozenset(names)))
        else:
            self._clearing.pop(alert_id, None)
            self._kept.owe(alert_id, None)

    def _publication(self, alert_id: str) -> Publication:
        message = self._open.get(alert_id)
        return messages.cleared(self._unit, alert_id) if message is None else messages.standing(self._unit, message)

    def _never_stood(self, alert_id: str, board: _Board) -> bool:
        """Whether an alert is over of which this broker never had anything to keep."""
        return alert_id in self._from_the_start and alert_id not in self._open and alert_id not in board.given

    def _answered(self, board: _Board, alert_id: str, revision: int, receipt: asyncio.Future[Receipt]) -> None:
        """The broker has it, or the connection died first: then it is told again, unless a newer one is to come."""
        error = None if receipt.cancelled() else receipt.exception()
        if isinstance(error, PublishRefused):
            log.warning("standing_refused", alert_id=alert_id, reason=str(error))
        if self._highest.get(alert_id) != revision:
            return
        if receipt.cancelled() or isinstance(error, LinkDown):
            board.owed[alert_id] = None
            self.publish()
            return
        if error is None:
            board.took(alert_id)
        if board.name in self._clearing.get(alert_id, ()):
            self._clearing[alert_id].discard(board.name)
            self._keep_owed(alert_id)

    def _forget(self, alert_id: str) -> None:
        if self._clearing.pop(alert_id, None):
            self._keep_owed(alert_id)
        del self._highest[alert_id]
        self._open.pop(alert_id, None)
        self._from_the_start.discard(alert_id)
        for board in self._boards.values():
            board.forget(alert_id)


class _Board:
    """What the broker of one path was told."""

    def __init__(self, name: str) -> None:
        self.name = name
        """The path's."""
        self.owed: dict[str, None] = {}
        """Alerts of which it has yet to be told, in order."""
        self.given: set[str] = set()
        """Alerts of which it was told anything: it may keep something of them."""
        self._took_s: OrderedDict[str, float] = OrderedDict()
        """When it took the newest of each, by the loop's clock."""
        self._session = 0

    def took(self, alert_id: str) -> None:
        """It says that it has the newest of this alert."""
        self._took_s[alert_id] = asyncio.get_running_loop().time()
        self._took_s.move_to_end(alert_id)

    def follow(self, session: int, lost_s: float | None) -> None:
        """With a new connection it is told again what it took shortly before it was lost.

        Args:
            session: The number of the present connection.
            lost_s: When the one before ended, by the loop's clock; None: there was none.
        """
        if session == self._session:
            return
        self._session = session
        if lost_s is not None:
            unsure = [alert_id for alert_id, took_s in self._took_s.items() if took_s >= lost_s - UNSAVED_S]
            self.owed |= dict.fromkeys(unsure)

    def forget(self, alert_id: str) -> None:
        """It is too long ago."""
        self.owed.pop(alert_id, None)
        self.given.discard(alert_id)
        self._took_s.pop(alert_id, None)
