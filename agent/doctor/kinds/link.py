"""The control room cannot be reached, or sends us away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts, Way

_EVENT = re.compile(r"\bevent=(link_up|link_lost|link_unreachable|link_refused|link_birth_refused)\b(.*)")
_REASON = re.compile(r"\breason=(\"(?:[^\"\\]|\\.)*\"|\S+)")
_SAYS = {
    "name": "its name is not known",
    "reach": "it cannot be reached",
    "trust": "it shows a certificate that this unit does not trust",
    "turned away": "it does not accept this unit's certificate",
    "files": "this unit has nothing to show it",
}
_FIXES = {
    "name": "Look at the network first (ip address; resolvectl status), then at how the name is spelt in {key}",
    "reach": "Look at cable, SIM card and signal (ip route; ping the gateway). If other machines cannot reach {broker}"
    " either, the control room's broker or its firewall is down: call them",
    "trust": "See that date and time are right (timedatectl), that uplink.ca_file is the authority of this broker, and"
    " that {key} spells its name as its certificate does",
    "turned away": "See when the certificate ends (sudo safepoint certificate status). If it is valid, ask the"
    " control room whether it was revoked or belongs to another authority",
    "files": "Put the files that uplink.ca_file, cert_file and key_file name in place, or enrol the unit again",
}


def find(facts: Facts) -> Iterator[Finding]:
    """Ways that fail now; and, where the road is open, what the broker said to the daemon last."""
    ways = facts.ways or ()
    broken = [way for way in ways if way.failed is not None]
    alone = len(broken) == len(ways)
    for way in broken:
        yield _of_way(way, alone=alone, synced=facts.machine is None or facts.machine.synced)
    if not broken and facts.running and (last := _last(facts.journal or ())) is not None:
        event, reason = last
        if event != "link_up":
            yield Finding(
                Weight.NO_CALL,
                f"The broker answers, but the agent is not connected to it: {reason or 'it does not say why'}.",
                "Ask the control room whether this unit is in the broker's access list, and whether another machine"
                " uses its certificate. Then run: sudo systemctl restart safepoint-agent",
            )


def _of_way(way: Way, *, alone: bool, synced: bool) -> Finding:
    step = way.failed or ""
    says = _SAYS.get(step, "it does not work")
    fix = _FIXES.get(step, "Look at the network").format(key=way.key, broker=way.broker)
    clock = "" if synced or step not in {"trust", "turned away"} else " The clock of this unit is not set: that first."
    beside = "" if alone else " The other way to the control room works."
    weight = Weight.NO_CALL if alone else Weight.SOON
    return Finding(weight, f"{way.broker}: {says} ({way.reason}).{beside}", f"{fix}.{clock}")


def _last(journal: tuple[str, ...]) -> tuple[str, str] | None:
    for line in reversed(journal):
        if found := _EVENT.search(line):
            reason = _REASON.search(found[2])
            return found[1], reason[1].strip('"') if reason else ""
    return None
