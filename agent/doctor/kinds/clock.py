"""Wall time is not to be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts


def find(facts: Facts) -> Iterator[Finding]:
    """No time source disciplines the clock."""
    if facts.machine is not None and not facts.machine.synced:
        yield Finding(
            Weight.SOON,
            f"The clock is not set by a time server; it says {facts.machine.wall:%Y-%m-%d %H:%M} UTC. Alerts and"
            " footage are marked as of uncertain time, and certificates may be refused.",
            "Run: timedatectl timesync-status. If no server answers, have the firewall let NTP out (UDP port 123), or"
            " name a server of the network in /etc/systemd/timesyncd.conf.",
        )
