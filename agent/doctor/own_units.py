"""The units of systemd that a provisioned unit has."""

from __future__ import annotations

from typing import Final

OWN_UNITS: Final = {
    "safepoint-agent.service": True,
    "safepoint-reboot.path": True,
    "safepoint-reboot.service": False,
    "safepoint-restart.path": True,
    "safepoint-restart.service": False,
    "safepoint-slot.service": True,
    "safepoint-software.service": False,
    "safepoint-software.timer": True,
    "safepoint-update.path": True,
    "safepoint-update.service": False,
    "safepoint-update.timer": True,
}
"""By name; whether it is started by itself at each boot (others start it otherwise)."""
