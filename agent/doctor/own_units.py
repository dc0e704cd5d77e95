"""The units of systemd that a provisioned unit has."""

from __future__ import annotations

from typing import Final

OWN_UNITS: Final = {
    "safepoint-agent.service": True,
    "safepoint-reboot.path": True,
    "safepoint-reboot.service": False,
}
"""By name; whether it is started by itself at each boot (others start it otherwise)."""
