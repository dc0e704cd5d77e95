"""The real camera stack on a machine without a camera: picamera2 and libcamera, over libcamera's virtual camera.

What a Pi has and the virtual camera has not is put in its place, below the code that we ship: frame buffers (memory
files for the Pi's DMA heap), the sensor's frame clock (frames are released in its time, and not as fast as pictures can
be copied), and the list of raw sensor modes. `tests/libcamera/build` makes the stack; without it `stack_on` skips.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
import time
import types
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from agent.clock import ClockQuality, Moment
from fakes.night_street import NightStreet
from fakes.scene import StreetScene
from tests.hw.memory_buffers import memory_allocator

if TYPE_CHECKING:
    from collections.abc import Iterator

STACK = Path(sys.prefix) / "libcamera"
"""A link to the build, when there is one."""
SETTINGS_VARIABLE = "SAFEPOINT_VIRTUAL_CAMERA"
"""Read by our build of the virtual camera: where its settings are."""
SIZES = ((1280, 720), (640, 360), (320, 180))
MOST_FPS = 60
LIMIT_S = 90
"""Only a failing test waits this long, however busy the machine is."""
PICTURES = 8
"""What the camera sees, over and over."""
SHOWN_TIMES = 4
"""How often the virtual camera shows each of them."""
DRM_FORMATS = ("RGB888", "BGR888", "XRGB8888", "XBGR8888", "YUV420", "YVU420", "NV12", "ABGR8888")


class Sensor:
    """What a test does to the camera in front of it; lives on when the camera is opened again."""

    def __init__(self) -> None:
        self.drops = 0
        """Frames for which there was no buffer, or that `drop` took."""
        self.exposed = 0
        """Frames that a camera was given."""
        self.frame_s = 1 / 30
        self._flows = threading.Event()
        self._flows.set()
        self._answers = threading.Event()
        self._answers.set()
        self._obeys = True
        self._to_drop = 0
        self._dropped = threading.Condition()

    def stall(self) -> None:
        """No frames, and no word about it (picamera2 issue 1392)."""
        self._flows.clear()

    def resume(self) -> None:
        """Frames again."""
        self._flows.set()

    def drop(self, count: int) -> None:
        """Lose the next so many frames."""
        self._to_drop += count

    def disturb(self) -> None:
        """Pull at the cable: stopping the camera then never ends (picamera2 issue 1264)."""
        self._answers.clear()

    def straighten(self) -> None:
        """Put the cable right."""
        self._answers.set()

    def stick(self) -> None:
        """Keep this rate, whatever is asked for."""
        self._obeys = False

    def wait_for_drops(self, count: int) -> None:
        """Wait until so many frames were dropped in all."""
        with self._dropped:
            assert self._dropped.wait_for(lambda: self.drops >= count, LIMIT_S)

    def stops(self) -> None:
        """Return when the camera has stopped."""
        self._answers.wait()

    def take_controls(self, controls: dict[Any, Any]) -> None:
        """Obey the one control that this sensor has."""
        for control, value in controls.items():
            if self._obeys and getattr(control, "name", control) == "FrameDurationLimits":
                self.frame_s = value[0] / 1e6

    def expose(self, requests: deque[Any]) -> Any:  # noqa: ANN401 - libcamera has no types
        """The request that this tick's frame goes into, if it is to have one."""
        if not self._flows.is_set():
            return None
        if requests and not self._to_drop:
            self.exposed += 1
            return requests.popleft()
        with self._dropped:
            self._to_drop = max(0, self._to_drop - 1)
            self.drops += 1
            self._dropped.notify_all()
        return None


class PacedCamera:
    """libcamera's camera, whose frames come in the sensor's time."""

    def __init__(self, camera: Any, sensor: Sensor) -> None:  # noqa: ANN401 - libcamera has no types
        self._camera = camera
        self._sensor = sensor
        self._waiting: deque[Any] = deque()
        self._stopped = threading.Event()
        self._ticking: threading.Thread | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a camera has
        return getattr(self._camera, name)

    def queue_request(self, request: Any) -> None:  # noqa: ANN401
        self._waiting.append(request)

    def start(self, controls: dict[Any, Any]) -> None:
        self._sensor.take_controls(controls)
        self._camera.start(controls)
        self._stopped.clear()
        self._ticking = threading.Thread(target=self._tick, name="sensor")
        self._ticking.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._ticking is not None:
            self._ticking.join()
            self._ticking = None
        self._sensor.stops()
        self._camera.stop()
        self._waiting.clear()  # not before: the virtual camera may still look at a request that it has given back

    def _tick(self) -> None:
        due_s = time.monotonic()
        while True:
            # as a sensor on a busy machine would seem: never early, so never two frames in one frame's time
            due_s = max(due_s, time.monotonic() - self._sensor.frame_s / 4) + self._sensor.frame_s
            if self._stopped.wait(max(0.0, due_s - time.monotonic())):
                return
            request = self._sensor.expose(self._waiting)
            if request is not None:
                self._camera.queue_request(request)


@contextlib.contextmanager
def stack_on(folder: Path, width_px: int = 320, height_px: int = 180) -> Iterator[Sensor]:
    """Let whoever opens a camera in this process open this sensor's, for as long as the context lasts.

    Args:
        folder: Where its settings and pictures lie, or are put.
        width_px: Of its pictures. They fit a stream of any size, but only in one of theirs their frame clocks are read.
        height_px: The same.
    """
    if not STACK.is_dir():
        pytest.skip("NO REAL CAMERA STACK HERE: run `tests/libcamera/build .venv` and read what it says")
    settings = _write_settings(folder, width_px, height_px)
    sys.path.append(str(STACK / "lib/python3/dist-packages"))
    sys.modules.setdefault("pykms", _pykms())
    os.environ[SETTINGS_VARIABLE] = str(settings)
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
    picamera2: Any = importlib.import_module("picamera2")
    inside: Any = importlib.import_module("picamera2.picamera2")
    sensor = Sensor()
    replaced = picamera2.Picamera2, inside.DmaAllocator
    picamera2.Picamera2, inside.DmaAllocator = _picamera_on(sensor), memory_allocator()
    try:
        yield sensor
    finally:
        picamera2.Picamera2, inside.DmaAllocator = replaced
        del os.environ[SETTINGS_VARIABLE]


def _write_settings(folder: Path, width: int, height: int) -> Path:
    """Pictures of the night street, with its frame clock, and the camera that shows them."""
    settings = folder / "virtual.yaml"
    if settings.exists():
        return settings
    pictures = folder / "pictures"
    pictures.mkdir(parents=True)
    street, scene = NightStreet(width, height), StreetScene(person=True, lit=True)
    for number in range(PICTURES):
        at = Moment(number / 2, datetime(2026, 11, 22, 2, 14, number, tzinfo=UTC), "boot", ClockQuality.SYNCED)
        planes = street.draw(scene, number, at)
        # brightness and colours as the camera has them: no change of range on the way through the JPEG
        luma = Image.fromarray(planes[:height])
        cb, cr = (
            Image.fromarray(plane).resize((width, height), Image.Resampling.NEAREST)
            for plane in planes[height:].reshape(2, height // 2, width // 2)
        )
        Image.merge("YCbCr", (luma, cb, cr)).save(pictures / f"{number}.jpg", quality=90)
    lines = ["%YAML 1.1", "---", '"Virtual0":', "  supported_formats:"]
    for wide, high in SIZES:
        lines += [f"  - width: {wide}", f"    height: {high}", f"    frame_rates: [ 1, {MOST_FPS} ]"]
    lines += ["  frames:", f'    path: "{pictures}"', '  model: "Safe Point test"', ""]
    settings.write_text("\n".join(lines))
    return settings


def _pykms() -> types.ModuleType:
    """What picamera2 imports for a display that nobody has."""
    module = types.ModuleType("pykms")
    vars(module)["PixelFormat"] = types.SimpleNamespace(**{name: name for name in DRM_FORMATS})
    return module


def _picamera_on(sensor: Sensor) -> type:
    from picamera2 import Picamera2  # noqa: PLC0415 - only where `STACK` is

    class VirtualPicamera2(Picamera2):  # type: ignore[misc]  # picamera2 has no types
        """picamera2's own, but for what a virtual camera lacks."""

        camera: Any

        def _get_raw_modes(self) -> list[dict[str, object]]:
            return [{"format": "NV12", "size": SIZES[0]}]

        def _open_camera(self) -> None:
            super()._open_camera()
            self.camera = PacedCamera(self.camera, sensor)

        def set_controls(self, controls: dict[str, Any]) -> None:
            super().set_controls(controls)
            sensor.take_controls(controls)

    return VirtualPicamera2
