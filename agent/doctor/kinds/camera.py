"""Nothing can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts


def find(facts: Facts) -> Iterator[Finding]:
    """The sensor, and the library that drives it."""
    config, devices = facts.config, facts.devices
    if config is None or devices is None or not config.camera.enabled:
        return
    if "python3-picamera2" in devices.lacking:
        yield Finding(
            Weight.PART_LOST,
            "The library for the camera is not installed, or the agent's Python cannot see it: nothing is filmed.",
            "Run: sudo apt install --no-install-recommends python3-picamera2, then: sudo systemctl restart"
            " safepoint-agent (the venv must have been made with --system-site-packages).",
        )
    if not devices.cameras:
        yield Finding(
            Weight.PART_LOST,
            "There is no camera: no sensor has answered on the ribbon cable.",
            "Switch the power off, reseat the cable at both ends (contacts to the board), switch on; rpicam-hello"
            " --list-cameras lists what there is. A foreign sensor needs its dtoverlay= in /boot/firmware/config.txt.",
        )
