"""Button, lamp and contacts cannot be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts


def find(facts: Facts) -> Iterator[Finding]:
    """The header, and the library that drives it."""
    config, devices = facts.config, facts.devices
    if config is None or devices is None or not (config.inputs or config.lamp):
        return
    if not devices.pins:
        yield Finding(
            Weight.NO_CALL,
            f"Button and lamp are dead: this machine shows no pins (board: {devices.board or 'unknown'}).",
            "On a Raspberry Pi the kernel is not the board's own: install Raspberry Pi OS again. On another machine"
            " choose another hardware.kit.",
        )
    elif "python3-lgpio" in devices.lacking:
        yield Finding(
            Weight.NO_CALL,
            "The library for the pins is not installed: button and lamp are dead.",
            "Run: sudo apt install python3-lgpio, then: sudo systemctl restart safepoint-agent"
            " (the package lgpio of PyPI is an empty placeholder: remove it).",
        )
