"""What the tests of the street put on it: a unit's pins, a small unit, a sound that can be counted."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agent.config.filming import CameraSettings
from agent.config.settings import Config, InputKind, InputSettings, LampSettings, UnitSettings, UplinkSettings
from agent.hw.kit import BLOCK_SAMPLES
from fakes.camera import burn_nothing
from fakes.kit import StreetKit
from fakes.witness import LIMIT_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from gpiozero.pins import Factory

    from agent.hw.kit import Camera
    from fakes.street import Street

BUTTON, PIR, TAMPER, MAINS, LAMP = 17, 4, 27, 22, 18


class CountedSound:
    """Each block is made of its own number; a recording is ten blocks long."""

    def __init__(self) -> None:
        self.blocks = itertools.count(1)
        self.played: list[tuple[Path, float]] = []
        self.echoed: list[Path] = []

    def next_block(self) -> bytes:
        return next(self.blocks).to_bytes(2, "little") * BLOCK_SAMPLES

    def echo(self, wav_path: Path) -> None:
        self.echoed.append(wav_path)

    def play(self, wav_path: Path, snr_db: float) -> float:
        self.played.append((wav_path, snr_db))
        return 1.0


def unit_config(lamp_active: str = "high") -> Config:
    return Config(
        profile="safe-point",
        unit=UnitSettings(id="sp-001", org="town", name="Safe Point", location="Central Walk"),
        uplink=UplinkSettings(broker="mqtt://localhost", insecure_lab=True),
        inputs=(
            InputSettings(name="panic-1", kind=InputKind.BUTTON, pin=BUTTON),
            InputSettings(name="pir-1", kind=InputKind.PIR, pin=PIR, active="high", pull="down"),
            InputSettings(name="lid", kind=InputKind.TAMPER, pin=TAMPER, active="high", pull="up"),
            InputSettings(name="mains", kind=InputKind.MAINS, pin=MAINS, active="low", pull="none"),
        ),
        lamp=LampSettings.model_validate({"pin": LAMP, "active": lamp_active}),
    )


def kit_on(street: Street) -> StreetKit:
    return StreetKit({"street": str(street.socket_path)})


@asynccontextmanager
async def pins_of(street: Street) -> AsyncIterator[Factory]:
    """The unit's pins; taken on another thread, because the street answers on this one."""
    pins = kit_on(street).pin_factory()
    factory = await asyncio.to_thread(pins.__enter__)
    try:
        yield factory
    finally:
        await asyncio.to_thread(pins.__exit__, None, None, None)


@asynccontextmanager
async def camera_on(street: Street) -> AsyncIterator[Camera]:
    settings = CameraSettings(enabled=True, width_px=640, height_px=360, fps=6)
    camera = await asyncio.to_thread(kit_on(street).camera, settings, burn_nothing)
    try:
        yield camera
    finally:
        await asyncio.to_thread(camera.close)


@asynccontextmanager
async def small_unit(street: Street) -> AsyncIterator[asyncio.subprocess.Process]:
    """A unit in its own process, that ends in order unless it was killed."""
    arguments = ("-m", "tests.fakes.small_unit", street.socket_path, str(BUTTON), str(LAMP))
    unit = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=asyncio.subprocess.PIPE)
    try:
        yield unit
    finally:
        if unit.stdin is not None:
            unit.stdin.close()
        await asyncio.wait_for(unit.wait(), LIMIT_S)


async def eventually(street: Street, condition: Callable[[], bool]) -> None:
    await street.until(lambda: time.monotonic() if condition() else None, "what the test waits for")
