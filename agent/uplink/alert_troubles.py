"""What is wrong with alerts beyond the link: reported once, and once when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.uplink.publication import PublishRefused, Receipt
    from agent.uplink.validation import MessageInvalid

log = structlog.get_logger()

REFUSED: Final = "alerts-refused"
UNHEARD: Final = "nobody-listening"
INVALID: Final = "alert-invalid"


class AlertTroubles:
    """Hears what the broker and the message contract say of each alert."""

    def __init__(self, on_trouble: Callable[[str, str], None], on_over: Callable[[str], None]) -> None:
        self._on_trouble = on_trouble
        self._on_over = on_over
        self._standing: set[str] = set()

    def taken(self, receipt: Receipt) -> None:
        """The broker took an alert."""
        self._over(REFUSED)
        if receipt.nobody_listening:
            self._trouble(UNHEARD, "The broker has nobody who listens to this unit's alerts: no control room.")
        else:
            self._over(UNHEARD)

    def refused(self, refused: PublishRefused) -> None:
        """The broker did not take one."""
        self._trouble(REFUSED, f"The broker refuses this unit's alerts: {refused}. They are kept and tried again.")

    def invalid(self, invalid: MessageInvalid) -> None:
        """One of them was not as the contract says."""
        self._trouble(INVALID, f"An alert broke the message contract and was sent all the same: {invalid}")

    def _trouble(self, code: str, text: str) -> None:
        if code not in self._standing:
            self._standing.add(code)
            log.warning("courier_in_trouble", code=code, reason=text)
            self._on_trouble(code, text)

    def _over(self, code: str) -> None:
        if code in self._standing:
            self._standing.discard(code)
            log.info("courier_out_of_trouble", code=code)
            self._on_over(code)
