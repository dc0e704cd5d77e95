"""The broker's receipts that are still to come, on one connection."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agent.uplink.publication import LinkDown, PublishRefused, Receipt

if TYPE_CHECKING:
    from collections.abc import Callable

NO_SUBSCRIBERS: Final = 16


@dataclass
class _Waiting:
    """A publication that the broker has not acknowledged."""

    receipt: asyncio.Future[Receipt]
    sent_s: float
    overdue: asyncio.TimerHandle = field(repr=False)


class Receipts:
    """Each is waited for, but not for ever."""

    def __init__(self, within_s: float, overdue: Callable[[], None]) -> None:
        """Nothing is waited for yet.

        Args:
            within_s: A broker that does not acknowledge for so long is not there.
            overdue: Called when one has not come by then.
        """
        self._loop = asyncio.get_running_loop()
        self._within_s = within_s
        self._overdue = overdue
        self._waiting: dict[int, _Waiting] = {}

    def expect(self, mid: int) -> asyncio.Future[Receipt]:
        """The receipt of the packet that was sent just now, to come; it may be left alone."""
        receipt: asyncio.Future[Receipt] = self._loop.create_future()
        receipt.add_done_callback(_retrieve)
        overdue = self._loop.call_later(self._within_s, self._overdue)
        self._waiting[mid] = _Waiting(receipt, self._loop.time(), overdue)
        return receipt

    def came(self, mid: int, code: int, name: str) -> None:
        """The broker acknowledged a packet, with this reason."""
        waiting = self._waiting.pop(mid, None)
        if waiting is None:
            return
        waiting.overdue.cancel()
        if waiting.receipt.done():  # whoever waited was cancelled
            return
        if code >= 0x80:  # noqa: PLR2004 - MQTT 5: failures begin here
            waiting.receipt.set_exception(PublishRefused(code, name))
        else:
            waiting.receipt.set_result(Receipt(self._loop.time() - waiting.sent_s, code == NO_SUBSCRIBERS))

    def lost(self, reason: str) -> None:
        """None of them comes any more."""
        for waiting in self._waiting.values():
            waiting.overdue.cancel()
            if not waiting.receipt.done():
                waiting.receipt.set_exception(LinkDown(reason))
        self._waiting.clear()


def _retrieve(receipt: asyncio.Future[Receipt]) -> None:
    """Whoever sends without waiting does not want to hear of it; asyncio would complain for him."""
    if not receipt.cancelled():
        receipt.exception()
