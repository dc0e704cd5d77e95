"""Nothing can be heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts


def find(facts: Facts) -> Iterator[Finding]:
    """The device, and the library that reads it."""
    config, devices = facts.config, facts.devices
    if config is None or devices is None or not config.voice.needs_microphone:
        return
    if "libportaudio2" in devices.lacking:
        yield Finding(
            Weight.PART_LOST,
            "The library for the microphone is not installed: nobody is heard.",
            "Run: sudo apt install libportaudio2, then: sudo systemctl restart safepoint-agent",
        )
    if "libatomic1" in devices.lacking:
        yield Finding(
            Weight.PART_LOST,
            "A library that the recogniser needs is not installed: no phrase is heard.",
            "Run: sudo apt install libatomic1, then: sudo systemctl restart safepoint-agent",
        )
    if not devices.microphones:
        yield Finding(
            Weight.PART_LOST,
            "There is no microphone: the kernel shows no sound device that records.",
            "Look at its plug, and for an I2S microphone at its line (dtoverlay=) in /boot/firmware/config.txt;"
            " arecord -l lists what there is.",
        )
