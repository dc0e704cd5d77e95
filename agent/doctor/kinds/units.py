"""Parts of the installation in systemd are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.facts import AGENT
from agent.doctor.finding import Finding, Weight
from agent.doctor.own_units import OWN_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts

AGAIN = "Run provisioning/provision.sh again"


def find(facts: Facts) -> Iterator[Finding]:
    """Units that are missing, not enabled, or read before they were changed; and the hardware's own watchdog."""
    services = facts.services
    if services is None:
        return
    others = {name: starts for name, starts in OWN_UNITS.items() if name != AGENT}
    missing = sorted(name for name in others if name not in services or services[name].load != "loaded")
    if missing:
        yield Finding(Weight.SOON, f"Not installed in systemd: {', '.join(missing)}.", f"{AGAIN}.")
    off = sorted(name for name, starts in others.items() if starts and name not in missing and _is_off(facts, name))
    if off:
        what = f"Installed, but not started at each boot: {', '.join(off)}."
        yield Finding(Weight.SOON, what, f"Run: sudo systemctl enable --now {' '.join(off)}")
    stale = sorted(name for name, service in services.items() if service.needs_reload)
    if stale:
        what = f"Changed on the disk, but not read by systemd: {', '.join(stale)}."
        fix = f"Run: sudo systemctl daemon-reload && sudo systemctl restart {' '.join(stale)}"
        yield Finding(Weight.UNSURE, what, fix)
    if facts.on_a_pi and facts.machine is not None and facts.machine.watchdog_s is None:
        yield Finding(
            Weight.SOON,
            "The hardware's watchdog is off: a board that hangs stays so until somebody comes.",
            f"{AGAIN}; or set RuntimeWatchdogSec=15 in /etc/systemd/system.conf.d/ and restart the board.",
        )


def _is_off(facts: Facts, name: str) -> bool:
    return facts.services is not None and facts.services[name].enabled not in {"enabled", "enabled-runtime"}
