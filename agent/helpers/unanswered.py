"""What a helper was asked for and no process has answered yet: the next one is asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.helpers.messages import ClipRequest, MediaMade, MediaMissed, StillRequest, StripRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.helpers.messages import Order, OrderDone, OrderRefused

_MEDIA = {StillRequest: "still", StripRequest: "strip", ClipRequest: "clip"}
"""What a request is answered with."""
_ORDER = "order"


class Unanswered:
    """Requests, of each alert and kind the last one, and orders; in the order in which they were first made."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], StillRequest | StripRequest | ClipRequest | Order] = {}

    def __iter__(self) -> Iterator[StillRequest | StripRequest | ClipRequest | Order]:
        """Those that wait now, whatever is answered meanwhile."""
        return iter([*self._waiting.values()])

    def ask(self, request: StillRequest | StripRequest | ClipRequest) -> None:
        """A piece of footage is asked for."""
        self._waiting[request.alert_id, _MEDIA[type(request)]] = request

    def order(self, order: Order) -> None:
        """An order is given."""
        self._waiting[order.order_id, _ORDER] = order

    def withdraw(self, order_id: str) -> None:
        """Nobody wants this order any more."""
        self._waiting.pop((order_id, _ORDER), None)

    def answered(self, event: MediaMade | MediaMissed | OrderDone | OrderRefused) -> None:
        """No later process is asked for this."""
        if isinstance(event, MediaMade | MediaMissed):
            self._waiting.pop((event.alert_id, event.media), None)
        else:
            self.withdraw(event.order_id)
