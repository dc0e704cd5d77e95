"""The hardware kit of a Raspberry Pi: the product's own."""

from __future__ import annotations

import contextlib
import os
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from gpiozero import Device

from agent.hw.aplay import ApSpeaker
from agent.hw.kit import HardwareLost, KitUnusable
from agent.hw.picamera import PiCamera
from agent.hw.sound_input import DeviceMicrophone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gpiozero.pins import Factory

    from agent.config.filming import CameraSettings
    from agent.config.hearing import VoiceSettings
    from agent.config.settings import SpeakerSettings
    from agent.hw.kit import BurnIn, LostOrBack

log = structlog.get_logger()

INSTALL_PINS = "on a Raspberry Pi: apt install python3-lgpio, and the service's user must be in the group gpio"


class PiKit:
    """Builds the devices of a Raspberry Pi. It needs no options, and refuses those it would ignore.

    Raises:
        KitUnusable: options were given.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        if options:
            msg = f"the hardware kit 'pi' has no options, but hardware.options sets: {', '.join(sorted(options))}"
            raise KitUnusable(msg)

    @contextlib.contextmanager
    def pin_factory(self) -> Iterator[Factory]:
        """The header's pins, through lgpio or whatever else gpiozero finds (`GPIOZERO_PIN_FACTORY` decides).

        Raises:
            HardwareLost: there are no pins here.
        """
        with _lgpio_out_of_the_way(), warnings.catch_warnings(record=True) as passed_over:
            warnings.simplefilter("always")
            try:
                Device.ensure_pin_factory()
            except Exception as error:
                # gpiozero's own, a missing module's, or lgpio's, which is a plain Exception.
                tried = "; ".join(map(_library, passed_over)) or str(error)
                msg = f"no GPIO pins here ({tried}); {INSTALL_PINS}"
                raise HardwareLost(msg) from error
        factory = Device.pin_factory
        for warning in passed_over:
            log.warning("pin_library_passed_over", reason=_library(warning))
        log.info("pins_opened", library=type(factory).__name__)
        try:
            yield factory
        finally:
            Device.pin_factory = None
            factory.close()

    def speaker(self, settings: SpeakerSettings, on_lost: LostOrBack) -> ApSpeaker:
        """The speaker behind an ALSA device."""
        return ApSpeaker(settings.device, on_lost)

    def microphone(self, settings: VoiceSettings) -> DeviceMicrophone:
        """The microphone behind a PortAudio device.

        Raises:
            HardwareLost: it cannot be opened.
        """
        return DeviceMicrophone(settings.device, wide=settings.meter.enabled)

    def camera(self, settings: CameraSettings, burn_in: BurnIn) -> PiCamera:
        """The camera on the ribbon cable.

        Raises:
            HardwareLost: it cannot be opened.
        """
        return PiCamera(settings, burn_in)


@contextlib.contextmanager
def _lgpio_out_of_the_way() -> Iterator[None]:
    """Let lgpio be imported in a folder of its own, and come back.

    On import it makes a FIFO in the current directory, fails in a read-only one, and moves the whole process into
    `LG_WD` when that is set (tried with 0.2.2.0): every relative path of the daemon would then mean something else.
    """
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="safepoint-lgpio-") as folder:
        given = os.environ.setdefault("LG_WD", folder)
        try:
            yield
        finally:
            os.chdir(here)
            if given == folder:
                del os.environ["LG_WD"]


def _library(passed_over: warnings.WarningMessage) -> str:
    """Which pin library gpiozero passed over, and why."""
    return str(passed_over.message).removeprefix("Falling back from ")
