"""A unit's hardware on the simulated street: the same protocols as on a Pi, with the street at the other end.

Found by the entry point `street`; each of a unit's three processes builds its own kit from
`hardware: {kit: street, options: {street: PATH}}` and connects only the devices it uses. A half-read or unknown message
is not an event of the street but a broken fake: it ends the device's thread with a traceback.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import wave
from pathlib import Path
from typing import TYPE_CHECKING, cast

import structlog

from agent.hw.decimator import Decimator
from agent.hw.kit import BLOCK_MS, HardwareLost, KitUnusable, Packet, PcmBlock
from fakes.camera import SyntheticCamera
from fakes.link import Link
from fakes.pins import StreetFactory
from fakes.scene import StreetScene
from fakes.widener import Widener
from fakes.wire import Drive, Driven, Levels, OutputChanged, Said, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gpiozero.pins import Factory

    from agent.config.filming import CameraSettings
    from agent.config.hearing import VoiceSettings
    from agent.config.settings import SpeakerSettings
    from agent.hw.kit import BurnIn, LoresFrame, LostOrBack, Rate

log = structlog.get_logger()

SILENT_AFTER_S = 1.0
"""No block for so long means that the microphone is gone (the protocol's promise), by the street's own time."""


class StreetKit:
    """Connects a unit's devices to the street."""

    def __init__(self, options: Mapping[str, str]) -> None:
        """Remember where the street is.

        Raises:
            KitUnusable: the options do not say it.
        """
        if "street" not in options:
            msg = "hardware.options.street is missing: give it the path of the simulated street's socket"
            raise KitUnusable(msg)
        self._path = Path(options["street"])

    @contextlib.contextmanager
    def pin_factory(self) -> Iterator[Factory]:
        """Pins whose levels are those of the street from the first reading on."""
        link = Link(self._path, "pins")
        factory = StreetFactory(cast("Levels", link.answer).levels, lambda change: _report(link, change))
        wires = threading.Thread(target=_carry_out, args=(link, factory), name="street-wires")
        wires.start()
        try:
            yield factory
        finally:
            factory.close()
            link.close()
            wires.join()

    def speaker(self, settings: SpeakerSettings, on_lost: LostOrBack) -> StreetSpeaker:  # noqa: ARG002 - there is one
        """A speaker that the street listens to."""
        return StreetSpeaker(self._path, on_lost)

    def microphone(self, settings: VoiceSettings) -> StreetMicrophone:
        """A microphone that hears the street."""
        return StreetMicrophone(Link(self._path, "microphone"), wide=settings.meter.enabled)

    def camera(self, settings: CameraSettings, burn_in: BurnIn) -> StreetCamera:
        """A camera that looks at the street."""
        return StreetCamera(Link(self._path, "camera"), settings, burn_in)


def _carry_out(link: Link, factory: StreetFactory) -> None:
    for message in link.messages():
        drive = cast("Drive", message)
        began_s = time.monotonic()
        for step in drive.steps:
            wait_s = began_s + step.at_s - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            factory.drive(drive.pin, step.level)
        with contextlib.suppress(OSError):  # the street is gone: the next read says so
            link.send(Driven(drive.number, began_s))
    if not link.closed:
        log.warning("street_lost", device="pins", effect="inputs keep their last level")


def _report(link: Link, change: OutputChanged) -> None:
    with contextlib.suppress(OSError):  # a lamp shines whether anybody looks or not; losing the street is logged above
        link.send(change)


def _look(link: Link, scene: StreetScene) -> None:
    for message in link.messages():
        _arrange(scene, cast("Scene", message))
    if not link.closed:
        log.warning("street_lost", device="camera", effect="the scene stays as it is")


def _arrange(scene: StreetScene, seen: Scene) -> None:
    scene.lamp(seen.lamp)
    (scene.person_appears if seen.person else scene.person_leaves)()
    scene.cover(seen.before_lens)
    scene.turn(*seen.turned)
    (scene.stick if seen.stuck else scene.come_unstuck)()
    (scene.freeze if seen.frozen else scene.thaw)()
    (scene.plug_in if seen.plugged else scene.unplug)()


class StreetSpeaker:
    """Tells the street what it says; a line lasts as long as its recording."""

    def __init__(self, path: Path, on_lost: LostOrBack) -> None:
        self._path = path
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._lost = False
        self._link: Link | None = None

    def say(self, wav_path: str) -> None:
        """Say this recording, in the place of anything still being said."""
        try:
            self._say(wav_path)
        except HardwareLost as lost:
            if not self._lost:
                self._lost = True
                self._loop.call_soon_threadsafe(self._on_lost, lost)
            return
        if self._lost:
            self._lost = False
            self._loop.call_soon_threadsafe(self._on_lost, None)

    def _say(self, wav_path: str) -> None:
        try:
            with wave.open(wav_path, "rb") as recording:
                duration_s = recording.getnframes() / recording.getframerate()
        except (OSError, EOFError, wave.Error) as error:
            msg = f"the recording {wav_path} cannot be played: {error}"
            raise HardwareLost(msg) from error
        self._link = self._link or Link(self._path, "speaker")
        try:
            self._link.send(Said(Path(wav_path).stem, wav_path, time.monotonic(), duration_s))
        except OSError as error:
            self.close()
            msg = f"the simulated street no longer listens to the speaker: {error}"
            raise HardwareLost(msg) from error

    def close(self) -> None:
        """Fall silent."""
        if self._link is not None:
            self._link.close()
            self._link = None


class StreetMicrophone:
    """Hears what the street plays, block by block as it sounds.

    A wide one captures at 48 kHz and makes its 16 kHz from that, as a unit's own microphone does.
    """

    def __init__(self, link: Link, *, wide: bool) -> None:
        self._link = link
        self._wide = (Widener(), Decimator()) if wide else None

    def blocks(self) -> Iterator[PcmBlock]:
        """Yield blocks until closed."""
        silent_ms = 0
        for frame in self._link.frames():
            silent_ms = 0 if frame.pcm else silent_ms + BLOCK_MS
            if silent_ms >= SILENT_AFTER_S * 1000:
                msg = f"the microphone gave no sound for {SILENT_AFTER_S:.0f} s"
                raise HardwareLost(msg)
            if not frame.pcm:
                continue
            if self._wide is None:
                yield PcmBlock(frame.pcm, frame.ended_s, frame.lost)
            else:
                widener, decimator = self._wide
                wide = widener.feed(frame.pcm)
                yield PcmBlock(decimator.feed(wide), frame.ended_s, frame.lost, wide)
        if not self._link.closed:
            msg = "the microphone was unplugged"
            raise HardwareLost(msg)

    def close(self) -> None:
        """Stop listening."""
        self._link.close()


class StreetCamera:
    """Films the scene that the street shows."""

    def __init__(self, link: Link, settings: CameraSettings, burn_in: BurnIn) -> None:
        """Begin to film.

        Raises:
            HardwareLost: the camera is unplugged.
        """
        self._link = link
        scene = StreetScene()
        _arrange(scene, cast("Scene", link.answer))
        try:
            self._camera = SyntheticCamera(settings, scene, burn_in)
        except Exception:
            link.close()
            raise
        self._looking = threading.Thread(target=_look, args=(link, scene), name="street-scene")
        self._looking.start()

    def packets(self) -> Iterator[Packet]:
        """Yield encoded frames until closed."""
        return self._camera.packets()

    def lores(self) -> LoresFrame | None:
        """The newest analysis picture."""
        return self._camera.lores()

    def change_rate(self, rate: Rate) -> None:
        """Film at this rate from now on."""
        self._camera.change_rate(rate)

    def close(self) -> None:
        """Stop filming."""
        self._camera.close()
        self._link.close()
        self._looking.join()
