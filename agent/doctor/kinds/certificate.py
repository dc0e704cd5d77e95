"""The unit's certificate ends, has not begun, or its key can be read by others."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from agent.doctor.facts import Facts, Machine

SOON = timedelta(days=30)
"""As the unit itself tells it (`agent.uplink.credentials`)."""
RENEW = "Renew it: sudo safepoint certificate request, then install with the answer of the authority"


def find(facts: Facts) -> Iterator[Finding]:
    """By the machine's clock, which is a finding of its own when it is wrong."""
    own, machine = facts.certificate, facts.machine
    if own is None:
        return
    if own.trouble is not None:
        fix = "Put the files in place that uplink.ca_file, cert_file and key_file name, or enrol the unit again."
        yield Finding(Weight.NO_CALL, f"{own.trouble}.", fix)
        return
    if facts.config is not None and own.name != facts.config.unit.id:
        what = f"{own.file} is the certificate of {own.name or 'nobody'}, not of {facts.config.unit.id}."
        yield Finding(Weight.NO_CALL, what, "Install this unit's own, or put right unit.id in the configuration.")
    if own.exposed:
        what = f"The unit's key {own.key_file} can be read by others than its owner."
        fix = f"Run: chmod 600 {shlex.quote(str(own.key_file))}. If a stranger can have read it, have it revoked."
        yield Finding(Weight.EXPOSED, what, fix)
    if machine is not None and own.not_before is not None and own.not_after is not None:
        yield from _of_times(own.file, own.not_before, own.not_after, machine)


def _of_times(file: Path, not_before: datetime, not_after: datetime, machine: Machine) -> Iterator[Finding]:
    if machine.wall < not_before:
        yield Finding(
            Weight.NO_CALL,
            f"The unit's certificate {file} is valid from {not_before:%Y-%m-%d} on, and by this unit's clock it"
            f" is {machine.wall:%Y-%m-%d}.",
            "Set the clock (timedatectl), or wait for a time server.",
        )
    elif not_after < machine.wall:
        what = f"The unit's certificate {file} has ended on {not_after:%Y-%m-%d}."
        yield Finding(Weight.NO_CALL, what, f"{RENEW}.")
    elif not_after - machine.wall < SOON:
        left = (not_after - machine.wall).days
        what = f"The unit's certificate {file} ends in {left} days, on {not_after:%Y-%m-%d}."
        yield Finding(Weight.SOON, what, f"{RENEW}.")
