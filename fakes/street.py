"""A street that a script can play on: the hands, feet, voices and eyes around a unit.

The unit under test is the real one, in its own processes, with `fakes.kit.StreetKit` for hardware. `Street` is what
that kit's devices are plugged into; it stays while units are started, killed and started again.

    async with Street(config, folder, StreetSound()) as street:
        ...  # start `safepoint run` with `hardware: {kit: street, options: {street: <street.socket_path>}}`
        await street.connected("pins")
        pressed_s = await street.press("panic-1")
        lit_s = await street.lamp_is(lit=True, since_s=pressed_s)

Every verb gives the time, on CLOCK_MONOTONIC, at which the unit could first know of it: where a latency begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from agent.config.settings import InputKind
from fakes.lens import BeforeLens
from fakes.plugs import Cameras, Microphones, Pins, Sound, Speakers
from fakes.reception import Reception
from fakes.scene import NOT_TURNED
from fakes.wire import SOCKET_NAME, Step
from fakes.witness import LIMIT_S, Narrator, Witness

if TYPE_CHECKING:
    from agent.config.settings import Config, InputSettings
    from fakes.wire import Device, OutputChanged, Said


class Street(Witness):
    """One street with one unit on it; as a context manager, open for units to connect."""

    def __init__(self, config: Config, folder: Path, sound: Sound, narrate: Narrator | None = None) -> None:
        """Build the street around this unit; `narrate` is called for everything that happens.

        Raises:
            ValueError: the folder's path is too long for a socket.
        """
        super().__init__(config.lamp, narrate)
        self.socket_path = folder / SOCKET_NAME
        self._inputs = {settings.name: settings for settings in config.inputs}
        self._sound = sound
        self._pins = Pins({each.pin: each.active == "low" for each in config.inputs}, self._output_changed)
        self._microphones = Microphones(sound, block_sounded=self._bell.ring)
        self._cameras = Cameras()
        self._reception = Reception(
            self.socket_path,
            {
                "pins": self._pins.serve,
                "speaker": Speakers(self._unit_speaks).serve,
                "microphone": self._microphones.serve,
                "camera": self._cameras.serve,
            },
        )
        self._sounding: asyncio.Task[None] | None = None
        self._muffled = False

    async def __aenter__(self) -> Self:
        await self._reception.__aenter__()
        self._sounding = asyncio.create_task(self._microphones.run(), name="street-sound")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._reception.__aexit__()
        if self._sounding is not None:
            self._sounding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sounding  # raises what the sound broke of, if it did

    # --- hands on the inputs ---

    async def hold(self, name: str) -> float:
        """Bring an input to its active level and leave it so: a finger on a button, a door that stands open."""
        return await self._put(name, active=True)

    async def let_go(self, name: str) -> float:
        """Bring an input back to rest."""
        return await self._put(name, active=False)

    async def press(self, name: str, held_s: float = 0.15) -> float:
        """Press a button and let it go again; returns when it was pressed."""
        pressed_s = await self.hold(name)
        await asyncio.sleep(held_s)
        await self.let_go(name)
        return pressed_s

    async def bounce(self, name: str, times: int = 5, gap_s: float = 0.001, *, ends_active: bool = True) -> float:
        """Chatter like a worn contact, at a pace that the unit's own process keeps; returns the first contact.

        Args:
            name: The input.
            times: How often it makes contact.
            gap_s: Between one edge and the next.
            ends_active: Whether the last contact stays; otherwise they were spikes.
        """
        wire = self._input(name)
        edges = [True, False] * times
        if ends_active:
            edges.pop()
        steps = tuple(Step(at_s=count * gap_s, level=_level(wire, active=active)) for count, active in enumerate(edges))
        at_s = await self._pins.drive(wire.pin, steps)
        self._tell(at_s, name, f"bounced {times} times and {'stayed on' if ends_active else 'came to rest'}")
        return at_s

    async def open(self, name: str | None = None) -> float:
        """Open the enclosure (the first tamper input, when there are several)."""
        return await self.hold(name or self._first(InputKind.TAMPER))

    async def shut(self, name: str | None = None) -> float:
        """Shut the enclosure."""
        return await self.let_go(name or self._first(InputKind.TAMPER))

    async def cut_mains(self) -> float:
        """Cut the mains; the unit runs on."""
        return await self.hold(self._first(InputKind.MAINS))

    async def restore_mains(self) -> float:
        """Give the mains back."""
        return await self.let_go(self._first(InputKind.MAINS))

    # --- people ---

    async def walk_past(self, sensor: str | None = None, for_s: float = 2.0) -> float:
        """Walk past a PIR (the first one) and through the picture; returns when the PIR saw it, once past."""
        sensor = sensor or self._first(InputKind.PIR)
        self._cameras.show(person=True)
        seen_s = await self.hold(sensor)
        await asyncio.sleep(for_s)
        await self.let_go(sensor)
        self._cameras.show(person=False)
        return seen_s

    async def say(self, wav_path: Path, snr_db: float = 20.0) -> float:
        """Say a recording aloud, `snr_db` over the street's noise.

        Returns:
            When the last sample of speech sounded, right after it did.
        """
        begins_s = self._microphones.sounded_s
        ends_s = begins_s + self._sound.play(wav_path, snr_db)
        self._tell(begins_s, "voice", f"said {wav_path.stem!r}")
        await self.until(
            lambda: ends_s if self._microphones.sounded_s >= ends_s else None,
            f"{wav_path.name} to be said",
            ends_s - begins_s + LIMIT_S,
        )
        return ends_s

    # --- what befalls the devices ---

    async def unplug_microphone(self) -> float:
        """Take the microphone away."""
        self._microphones.unplug()
        return self._tell_now("microphone", "was unplugged")

    async def plug_in_microphone(self) -> float:
        """Put the microphone back."""
        self._microphones.plugged = True
        return self._tell_now("microphone", "was plugged in")

    async def stall_microphone(self) -> float:
        """Leave the microphone there, but without a sound, as a hung driver does."""
        self._microphones.stalled = True
        return self._tell_now("microphone", "stalled")

    async def wake_microphone(self) -> float:
        """Let sound flow again."""
        self._microphones.stalled = False
        return self._tell_now("microphone", "gave sound again")

    async def muffle_speaker(self) -> float:
        """Stuff the speaker: the unit does not hear what it says, and believes that it says it."""
        self._muffled = True
        return self._tell_now("speaker", "was muffled")

    async def clear_speaker(self) -> float:
        """Take out what the speaker was stuffed with."""
        self._muffled = False
        return self._tell_now("speaker", "was cleared")

    async def unplug_camera(self) -> float:
        """Pull the camera's cable."""
        return self._show("was unplugged", plugged=False)

    async def plug_in_camera(self) -> float:
        """Push the camera's cable back in."""
        return self._show("was plugged in", plugged=True)

    async def freeze_camera(self) -> float:
        """Leave the camera there, but without a frame, as after a firmware stall."""
        return self._show("froze", frozen=True)

    async def thaw_camera(self) -> float:
        """Let frames flow again."""
        return self._show("thawed", frozen=False)

    async def cover_camera(self) -> float:
        """Hang a bag over the camera."""
        return self._show("was covered", before_lens=BeforeLens.BAG)

    async def half_cover_camera(self) -> float:
        """Hang a thin bag over the camera that lets some light through."""
        return self._show("was covered with a thin bag", before_lens=BeforeLens.THIN_BAG)

    async def paint_camera(self) -> float:
        """Throw paint over most of the lens."""
        return self._show("was painted over", before_lens=BeforeLens.PAINT)

    async def spray_camera(self) -> float:
        """Spray the lens with something that smears everything."""
        return self._show("was sprayed", before_lens=BeforeLens.SPRAY)

    async def blind_camera(self) -> float:
        """Shine a torch into the camera."""
        return self._show("was blinded", before_lens=BeforeLens.TORCH)

    async def uncover_camera(self) -> float:
        """Take away whatever is before the lens, and wipe it."""
        return self._show("was uncovered", before_lens=BeforeLens.NOTHING)

    async def turn_camera(self, across: float = 0.2, down: float = 0.0, tilt_deg: float = 0.0) -> float:
        """Turn the camera by these shares of its picture, and tilt it."""
        return self._show("was turned", turned=(across, down, tilt_deg))

    async def turn_camera_back(self) -> float:
        """Let it look where it was mounted to look."""
        return self._show("was turned back", turned=NOT_TURNED)

    async def stick_camera(self) -> float:
        """Let the camera repeat its last picture."""
        return self._show("repeats its last picture", stuck=True)

    async def unstick_camera(self) -> float:
        """Let it give new pictures."""
        return self._show("gives new pictures", stuck=False)

    async def connected(self, device: Device, within_s: float = LIMIT_S) -> float:
        """Wait until the unit has connected this device.

        Raises:
            TimeoutError: it did not.
        """
        return await self.until(
            lambda: time.monotonic() if device in self._reception.devices else None, f"the unit's {device}", within_s
        )

    def _unit_speaks(self, said: Said) -> None:
        """What the speaker says sounds on the street, and in the unit's own microphone."""
        if not self._muffled:
            self._sound.echo(Path(said.path))
        self._heard(said)

    def _output_changed(self, change: OutputChanged) -> None:
        self._saw(change)
        self._cameras.show(lamp=self.lamp_lit)

    async def _put(self, name: str, *, active: bool) -> float:
        wire = self._input(name)
        at_s = await self._pins.drive(wire.pin, (Step(0.0, _level(wire, active=active)),))
        self._tell(at_s, name, "went active" if active else "came to rest")
        return at_s

    def _input(self, name: str) -> InputSettings:
        if name not in self._inputs:
            msg = f"no input is called {name!r}; there are: {', '.join(self._inputs) or 'none'}"
            raise LookupError(msg)
        return self._inputs[name]

    def _first(self, kind: InputKind) -> str:
        for name, settings in self._inputs.items():
            if settings.kind is kind:
                return name
        msg = f"the unit has no {kind.value} input"
        raise LookupError(msg)

    def _show(self, what: str, **changes: object) -> float:
        self._cameras.show(**changes)
        return self._tell_now("camera", what)

    def _tell_now(self, who: str, what: str) -> float:
        at_s = time.monotonic()
        self._tell(at_s, who, what)
        return at_s


def _level(wire: InputSettings, *, active: bool) -> bool:
    return active == (wire.active == "high")
