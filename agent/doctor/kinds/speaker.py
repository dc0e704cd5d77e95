"""Nothing can be said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts


def find(facts: Facts) -> Iterator[Finding]:
    """The device, and the program that plays."""
    config, devices = facts.config, facts.devices
    if config is None or devices is None or not config.speaker.enabled:
        return
    if "alsa-utils" in devices.lacking:
        yield Finding(
            Weight.PART_LOST,
            "The program aplay is not installed: the unit is mute.",
            "Run: sudo apt install alsa-utils",
        )
    if not devices.speakers:
        yield Finding(
            Weight.PART_LOST,
            "There is no speaker: the kernel shows no sound device that plays.",
            "Look at the plug of the amplifier or sound card, and at dtparam=audio and dtoverlay= in"
            " /boot/firmware/config.txt; aplay -l lists what there is.",
        )
