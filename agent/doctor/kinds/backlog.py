"""Alerts wait for the control room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts

WAITS_S = 120.0
"""Twice the longest wait between two attempts: what is older is not on its way but stuck."""
FULL = 0.8


def find(facts: Facts) -> Iterator[Finding]:
    """What the receiver has not acknowledged though it had time to."""
    backlog = facts.backlog
    if backlog is None:
        return
    waiting = backlog.calls + backlog.others
    if backlog.oldest_s >= WAITS_S and waiting:
        calls = f", {backlog.calls} of them calls for help," if backlog.calls else ""
        yield Finding(
            Weight.NO_CALL if backlog.calls else Weight.SOON,
            f"{waiting} alerts{calls} wait for the control room, the oldest for {_length(backlog.oldest_s)}.",
            "If there is a link (see above), the control room's receiver does not acknowledge: ask them whether it"
            " runs. Nothing is lost meanwhile.",
        )
    if facts.config is not None and waiting >= FULL * facts.config.uplink.capacity:
        what = f"The outbox is nearly full: {waiting} of {facts.config.uplink.capacity} alerts."
        yield Finding(Weight.SOON, what, "When it is full the least important are dropped: get the link back soon.")


def _length(span_s: float) -> str:
    hours, minutes = span_s / 3600, span_s / 60
    return f"{hours:.0f} hours" if hours >= 2 else f"{minutes:.0f} minutes"  # noqa: PLR2004 - minutes up to two hours
